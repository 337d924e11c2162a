"""Say what a shopper gets: money off, percent off, or information.

Layer: nouns. Takes: what a campaign grants. Gives: `Benefit` to campaigns and checkout.
Points, gifts and services become further members of the union; mypy then names every `match` that
has to learn them.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidCampaign
from offers.model.ids import check_text
from offers.model.money import Money

SCOPE_ENTRIES_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The lines of a basket that a benefit applies to. Empty means every line."""

    categories: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        count = len(self.categories) + len(self.skus)
        if count > SCOPE_ENTRIES_MAX:
            raise InvalidCampaign(
                f"applies_to has {count} entries; expected at most {SCOPE_ENTRIES_MAX}. Name a "
                "category instead of its items."
            )
        for entry in (*self.categories, *self.skus):
            check_text("applies_to", entry, error=InvalidCampaign)

    def covers(self, *, sku: str, category: str) -> bool:
        """Say whether a line of this item is meant."""
        if not self.categories and not self.skus:
            return True
        return sku in self.skus or category in self.categories


EVERY_LINE: Final = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOff:
    """A fixed amount off the lines in scope, never more than they cost."""

    amount: Money
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None
    """what the lines in scope must cost together, at least"""

    def __post_init__(self) -> None:
        _check_positive("amount", self.amount)
        if self.basket_min is not None:
            _check_positive("basket_min", self.basket_min)
            if self.basket_min.currency != self.amount.currency:
                raise InvalidCampaign(
                    f"basket_min is in {self.basket_min.currency} and amount in "
                    f"{self.amount.currency}; expected one currency."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOff:
    """A share of what the lines in scope cost, up to an amount."""

    percent: int
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None
    discount_max: Money | None = None

    def __post_init__(self) -> None:
        if type(self.percent) is not int or not 1 <= self.percent <= 100:
            raise InvalidCampaign(
                f"percent is {self.percent!r}; expected a whole number from 1 to 100."
            )
        limits = [limit for limit in (self.basket_min, self.discount_max) if limit is not None]
        for limit in limits:
            _check_positive("basket_min and discount_max", limit)
        if len({limit.currency for limit in limits}) > 1:
            raise InvalidCampaign("basket_min and discount_max differ in currency; expected one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """How to use the product: the message itself is the benefit, and no coupon is needed."""


Benefit = MoneyOff | PercentOff | Information


def _check_positive(field: str, money: Money) -> None:
    if money.amount_minor <= 0:
        raise InvalidCampaign(
            f"{field} is {money.amount_minor} {money.currency}; expected more than 0. Leave the "
            "field out where there is no limit."
        )
