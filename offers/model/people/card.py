"""Name the digital card that a shopper shows at the till.

Layer: nouns. Takes: a number of our own. Gives: `CardNumber`, `CardCode` to checkout and storage.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

from offers.model.errors import InvalidCode

CardNumber = NewType("CardNumber", int)

CARD_DIGITS: Final = 12


def check_card_number(number: int) -> None:
    """Refuse a number that is no card's.

    Raises
    ------
    InvalidCode
        If it is negative or has more than `CARD_DIGITS` digits.
    """
    if type(number) is not int or not 0 <= number < 10**CARD_DIGITS:
        raise InvalidCode(
            f"the card number is {number!r}; expected 0 to {CARD_DIGITS} digits. Draw it at random."
        )


class CardCodeForm(StrEnum):
    """How a code is written."""

    QR = "qr"
    """letters and digits, for a two-dimensional code"""
    DIGITS = "digits"
    """digits with a check digit, for scanners of linear codes and for typing"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CardCode:
    """What a till has scanned. Not printed by `repr`: within its half minute it is a secret."""

    number: CardNumber
    form: CardCodeForm
    proof: str
    """what only the card can know in this half minute"""

    def __post_init__(self) -> None:
        check_card_number(self.number)
