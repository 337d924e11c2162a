"""Hold what a coupon in GS1 element strings says.

Layer: nouns. Takes: fields of application identifiers. Gives: `Gs1Coupon`, `PositiveOffer` to
checkout.gs1. Rules after the GS1 General Specifications and the syntax dictionary of GS1
(https://ref.gs1.org/tools/gs1-barcode-syntax-resource/).
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.model.errors import InvalidCode

GCN_DIGITS: Final = 13
SERIAL_DIGITS_MAX: Final = 12
AMOUNT_DIGITS_MAX: Final = 15
AMOUNT_DECIMALS_MAX: Final = 9
PERCENT_DECIMALS_MAX: Final = 3
POINTS_MAX: Final = 9_999
FUNDER_DIGITS_MIN: Final = 6
FUNDER_DIGITS_MAX: Final = 12
OFFER_DIGITS: Final = 6
OFFER_SERIAL_DIGITS_MIN: Final = 6
OFFER_SERIAL_DIGITS_MAX: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Gs1Number:
    """A decimal number as a bar code holds it: 1.50 is 150 with two decimals."""

    digits: int
    decimals: int

    def minor(self, exponent: int) -> int:
        """Return it in units of 10 to the power of minus ``exponent``: cents for 2.

        Raises
        ------
        InvalidCode
            If it is not whole in these units.
        """
        scaled: int = self.digits * 10**exponent
        unit: int = 10**self.decimals
        whole, rest = divmod(scaled, unit)
        if rest:
            raise InvalidCode(
                f"{self.digits} with {self.decimals} decimals is not whole in units of "
                f"10**-{exponent}; expected no part of a minor unit."
            )
        return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Gs1Coupon:
    """A coupon by its Global Coupon Number (AI 255), with what it grants."""

    gcn: str
    """13 digits, the last of them the check digit"""
    serial: str = ""
    """up to 12 digits that make it this one piece"""
    expires_on: date | None = None
    """AI 17: the last day on which it is good"""
    amount: Gs1Number | None = None
    """AI 390n, in the currency of the place; 0 is a free gift"""
    percent: Gs1Number | None = None
    """AI 394n"""
    points: int | None = None
    """AI 8111"""

    def __post_init__(self) -> None:
        _check_digits("gcn", self.gcn, GCN_DIGITS, GCN_DIGITS)
        _check_digits("serial", self.serial, 0, SERIAL_DIGITS_MAX)
        granted = [
            name for name in ("amount", "percent", "points") if getattr(self, name) is not None
        ]
        if len(granted) > 1:
            raise InvalidCode(f"the coupon grants {granted}; expected at most one of them.")
        if self.amount is not None:
            _check_number("amount", self.amount, AMOUNT_DIGITS_MAX, AMOUNT_DECIMALS_MAX)
        if self.percent is not None:
            _check_number("percent", self.percent, 4, PERCENT_DECIMALS_MAX)
            if self.percent.digits > 100 * 10**self.percent.decimals:
                raise InvalidCode(f"percent is {self.percent}; expected at most 100.")
        if self.points is not None and not 0 <= self.points <= POINTS_MAX:
            raise InvalidCode(f"points is {self.points}; expected 0 to {POINTS_MAX}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PositiveOffer:
    """A coupon that is looked up in a file of live offers (AI 8112, North America)."""

    format_code: int
    """0 or 1"""
    funder: str
    """6 to 12 digits: the GS1 company prefix of who pays"""
    offer: str
    """6 digits"""
    serial: str
    """6 to 15 digits"""

    def __post_init__(self) -> None:
        if self.format_code not in {0, 1}:
            raise InvalidCode(f"format_code is {self.format_code!r}; expected 0 or 1.")
        _check_digits("funder", self.funder, FUNDER_DIGITS_MIN, FUNDER_DIGITS_MAX)
        _check_digits("offer", self.offer, OFFER_DIGITS, OFFER_DIGITS)
        _check_digits("serial", self.serial, OFFER_SERIAL_DIGITS_MIN, OFFER_SERIAL_DIGITS_MAX)


def _check_digits(field: str, text: str, least: int, most: int) -> None:
    is_sound = not text or (text.isascii() and text.isdigit())
    if not is_sound or not least <= len(text) <= most:
        raise InvalidCode(
            f"{field} is {text[:60]!r} ({len(text)} characters); expected {least} to {most} digits."
        )


def _check_number(field: str, number: Gs1Number, digits_max: int, decimals_max: int) -> None:
    if not 0 <= number.digits < 10**digits_max or not 0 <= number.decimals <= decimals_max:
        raise InvalidCode(
            f"{field} is {number}; expected at most {digits_max} digits, {decimals_max} decimals."
        )
