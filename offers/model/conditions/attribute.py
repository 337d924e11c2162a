"""Know what a shopper said about himself: an age band, interests, the size of the household.

Layer: nouns. Takes: answers that a shopper gave of his own accord. Gives: `Attribute` to conditions
and storage. Every one is optional and needs the purpose `personalise`; a shop chooses the names.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import check_name, check_text

VALUES_MAX: Final = 20
ATTRIBUTES_MAX: Final = 50
DIGITS_MAX: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One thing that a shopper said, e.g. ``interest``: ``garden``, ``wood``."""

    name: str
    values: frozenset[str]
    """empty: nothing is known any more"""

    def __post_init__(self) -> None:
        check_name("name", self.name, error=InvalidShopper)
        if len(self.values) > VALUES_MAX:
            raise InvalidShopper(
                f"{self.name} has {len(self.values)} values; expected at most {VALUES_MAX}."
            )
        for value in self.values:
            check_text(self.name, value, error=InvalidShopper)


def number_of(value: str) -> int | None:
    """Return a value as the whole number that a range compares, None where it is a text.

    Examples
    --------
    >>> [number_of(value) for value in ("3", "0", "03", "-1", "³", "garden")]
    [3, 0, None, None, None, None]
    """
    if not value.isascii() or not value.isdecimal() or len(value) > DIGITS_MAX:
        return None
    return int(value) if str(int(value)) == value else None
