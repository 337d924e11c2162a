"""State what a retailer's tables say, as columns of small integers instead of names.

Layer: nouns. Takes: tables read by a door, all cut before one instant. Gives: `Panel` to the rules
of ranking. Times are days before that instant, so that nothing can depend on the calendar year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.model.errors import InvalidPanel

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
MISSING: Final = -1
"""the code of a value that is not told"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases:
    """One row for each item of a basket; all columns have the same length."""

    customer: Codes
    store: Codes
    basket: Codes
    item: Codes
    quantity: Numbers
    sales: Numbers
    discount: Numbers
    """what was taken off, by the retailer or a coupon; zero or more"""
    coupon: Numbers
    """the part of it that a coupon took off"""
    age_days: Numbers
    """how long before the instant of the panel; above zero"""

    def __post_init__(self) -> None:
        columns = (self.customer, self.store, self.basket, self.item, self.quantity, self.sales)
        _check_lengths("purchases", (*columns, self.discount, self.coupon, self.age_days))
        _check_past("purchases", self.age_days)

    def since(self, age_days: float) -> "Purchases":
        """Return what was bought more than ``age_days`` ago, as seen from that day."""
        kept = self.age_days > age_days
        return Purchases(
            customer=self.customer[kept],
            store=self.store[kept],
            basket=self.basket[kept],
            item=self.item[kept],
            quantity=self.quantity[kept],
            sales=self.sales[kept],
            discount=self.discount[kept],
            coupon=self.coupon[kept],
            age_days=self.age_days[kept] - age_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """What each item is; the index is its code."""

    manufacturer: Codes
    department: Codes
    brand_kind: Codes
    category: Codes
    subcategory: Codes
    size: Codes

    def __post_init__(self) -> None:
        _check_lengths("items", (self.manufacturer, self.department, self.brand_kind))
        _check_lengths("items", (self.brand_kind, self.category, self.subcategory, self.size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """What each campaign is; the index is its code. Days before the instant; below zero: after."""

    kind: Codes
    start_age_days: Numbers
    end_age_days: Numbers

    def __post_init__(self) -> None:
        _check_lengths("campaigns", (self.kind, self.start_age_days, self.end_age_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """Who was addressed by which campaign: the pairs."""

    campaign: Codes
    customer: Codes

    def __post_init__(self) -> None:
        _check_lengths("assignments", (self.campaign, self.customer))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferItems:
    """Which items an offer of a campaign is good for: the triples."""

    campaign: Codes
    offer: Codes
    item: Codes

    def __post_init__(self) -> None:
        _check_lengths("offer_items", (self.campaign, self.offer, self.item))


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """Which offers were redeemed, by whom and when."""

    customer: Codes
    campaign: Codes
    offer: Codes
    age_days: Numbers

    def __post_init__(self) -> None:
        _check_lengths("redemptions", (self.customer, self.campaign, self.offer, self.age_days))
        _check_past("redemptions", self.age_days)

    def since(self, age_days: float) -> "Redeemed":
        """Return what was redeemed more than ``age_days`` ago, as seen from that day."""
        kept = self.age_days > age_days
        return Redeemed(
            customer=self.customer[kept],
            campaign=self.campaign[kept],
            offer=self.offer[kept],
            age_days=self.age_days[kept] - age_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many different things of each sort the codes may name."""

    customers: int
    stores: int
    items: int
    campaigns: int
    offers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """All that is known of a retailer's customers at one instant."""

    sizes: Sizes
    purchases: Purchases
    items: Items
    traits: Mapping[str, Codes]
    """what some customers told of themselves, by the name of the column"""
    campaigns: Campaigns
    addressed: Addressed
    offer_items: OfferItems
    redeemed: Redeemed

    def since(self, age_days: float) -> "Panel":
        """Return the panel as it was ``age_days`` ago: nothing that came later is in it.

        Campaigns, their offers and whom they address stay, since they are known beforehand.
        """
        return Panel(
            sizes=self.sizes,
            purchases=self.purchases.since(age_days),
            items=self.items,
            traits=self.traits,
            campaigns=Campaigns(
                kind=self.campaigns.kind,
                start_age_days=self.campaigns.start_age_days - age_days,
                end_age_days=self.campaigns.end_age_days - age_days,
            ),
            addressed=self.addressed,
            offer_items=self.offer_items,
            redeemed=self.redeemed.since(age_days),
        )

    @property
    def history_days(self) -> float:
        """Return how far back the purchases go."""
        ages = self.purchases.age_days
        return float(ages.max()) if len(ages) else 0.0


def _check_lengths(table: str, columns: tuple[npt.NDArray[np.generic], ...]) -> None:
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise InvalidPanel(f"{table} has columns of {lengths} rows; expected the same for all.")


def _check_past(table: str, age_days: Numbers) -> None:
    if len(age_days) and not age_days.min() > 0.0:
        raise InvalidPanel(
            f"{table}.ts lies {-float(age_days.min()):g} days after the instant of the panel; "
            "expected only rows strictly before it. Cut the table there."
        )
