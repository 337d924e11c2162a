"""Describe how well each offer of a campaign suits each customer whom it addresses.

Layer: rules. Takes: a `Panel` as of the campaign's start. Gives: features by customer and offer to
offer_choice. What a customer bought of an offer's items is joined once, row by row, and then summed
in several ways.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from offers.decision.ranking.pair_sums import sum_by
from offers.model.ranking.panel import Codes, Numbers, Panel

HALF_LIVES_DAYS: Final = (30.0, 90.0, 365.0)
FAR_DAYS: Final = 400.0
KINDS_MAX: Final = 8
"""of campaigns that are told apart; more share the last"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferGrid:
    """Features of every pair of a customer and an offer of one campaign."""

    people: Codes
    offers: Codes
    """both sorted"""
    x: Numbers
    """(n_people, n_offers, n_features)"""

    def rows(self, customer: Codes, offer: Codes) -> Numbers:
        """Return the features of pairs that are in the grid."""
        return self.x[np.searchsorted(self.people, customer), np.searchsorted(self.offers, offer)]


def decayed(age_days: Numbers, half_days: float) -> Numbers:
    """Return what something that old still counts."""
    left: Numbers = np.exp2(-age_days / half_days)
    return left


def offer_grid(panel: Panel, campaign: int, people: Codes, offers: Codes) -> OfferGrid:
    """Return the features of all pairs; ``people`` and ``offers`` are sorted, each once."""
    bought, items = panel.purchases, panel.items
    pairs = _offer_items(panel, campaign, offers)
    own = _Own(panel, people, offers, pairs)
    one = np.ones(len(bought.item))
    columns = [np.log1p(own.sums(decayed(bought.age_days, half))) for half in HALF_LIVES_DAYS]
    columns += [
        np.log1p(own.sums(bought.sales * decayed(bought.age_days, 90.0))),
        np.log1p(own.distinct()),
        np.log(own.newest_days()),
    ]
    share = np.log(
        (own.sums(decayed(bought.age_days, 365.0)) + 0.5) / (own.whole()[:, None] + 20.0)
    )
    columns.append(share)
    by_offer = _offer_columns(panel, offers, pairs)
    columns += [share - by_offer[1]]
    for code in (items.subcategory, items.category, items.manufacturer):
        columns.append(own.affinity(code))
    shape = (len(people), len(offers))
    columns += [np.broadcast_to(column[None, :], shape) for column in by_offer]
    columns += [
        np.broadcast_to(column[:, None], shape) for column in _customer_columns(panel, people, one)
    ]
    columns.append(_redeemed_before(panel, people, offers))
    columns += [np.full(shape, value) for value in _campaign_columns(panel, campaign, len(offers))]
    return OfferGrid(people=people, offers=offers, x=np.stack(columns, axis=-1))


def _offer_items(panel: Panel, campaign: int, offers: Codes) -> tuple[Codes, Codes]:
    """Return the pairs of a place among ``offers`` and an item, each once, sorted by item."""
    rows = panel.offer_items
    is_ours = (rows.campaign == campaign) & np.isin(rows.offer, offers)
    place = np.searchsorted(offers, rows.offer[is_ours])
    pairs = np.unique(np.column_stack([rows.item[is_ours], place]), axis=0)
    return pairs[:, 1], pairs[:, 0]


class _Own:
    """What each customer bought of each offer's items: purchases joined with offers once."""

    def __init__(
        self, panel: Panel, people: Codes, offers: Codes, pairs: tuple[Codes, Codes]
    ) -> None:
        self.panel, self.shape = panel, (len(people), len(offers))
        self.place, self.item = pairs
        bought = panel.purchases
        self.row_of = np.full(panel.sizes.customers, -1)
        self.row_of[people] = np.arange(len(people))
        theirs = np.flatnonzero(self.row_of[bought.customer] >= 0)
        self.theirs = theirs
        first = np.searchsorted(self.item, bought.item[theirs], side="left")
        count = np.searchsorted(self.item, bought.item[theirs], side="right") - first
        self.purchase = np.repeat(theirs, count)
        start = np.repeat(first - np.r_[0, np.cumsum(count)[:-1]], count)
        pair = start + np.arange(len(self.purchase))
        self.cell = self.row_of[bought.customer[self.purchase]] * len(offers) + self.place[pair]

    def sums(self, weight: Numbers) -> Numbers:
        """Return the sum of a weight of purchases in each cell."""
        cells = self.shape[0] * self.shape[1]
        return sum_by(self.cell, weight[self.purchase], cells).reshape(self.shape)

    def distinct(self) -> Numbers:
        """Return how many different items of each offer were bought."""
        items = self.panel.sizes.items
        seen = np.unique(self.cell * items + self.panel.purchases.item[self.purchase])
        cells = self.shape[0] * self.shape[1]
        return np.bincount(seen // items, minlength=cells).reshape(self.shape).astype(np.float64)

    def newest_days(self) -> Numbers:
        """Return how long ago something of the offer was bought last."""
        newest = np.full(self.shape[0] * self.shape[1], FAR_DAYS)
        age = np.clip(self.panel.purchases.age_days[self.purchase], 0.5, FAR_DAYS)
        np.minimum.at(newest, self.cell, age)
        return newest.reshape(self.shape)

    def whole(self) -> Numbers:
        """Return how much each customer bought at all."""
        bought = self.panel.purchases
        rows = self.row_of[bought.customer[self.theirs]]
        return sum_by(rows, decayed(bought.age_days[self.theirs], 365.0), self.shape[0])

    def affinity(self, code: Codes) -> Numbers:
        """Return how much was bought of what an offer is made of, e.g. of its subcategories."""
        bought, width = self.panel.purchases, max(int(code.max(initial=-1)) + 1, 1)
        demand = sum_by(bought.item, decayed(bought.age_days, 365.0), self.panel.sizes.items)
        is_known = code[self.item] >= 0
        made_of = np.zeros((self.shape[1], width))
        np.add.at(
            made_of,
            (self.place[is_known], code[self.item[is_known]]),
            demand[self.item[is_known]] + 0.05,
        )
        made_of /= np.maximum(made_of.sum(axis=1, keepdims=True), 1e-9)
        kind = code[bought.item[self.theirs]]
        told = kind >= 0
        cell = self.row_of[bought.customer[self.theirs][told]] * width + kind[told]
        weight = decayed(bought.age_days[self.theirs][told], 365.0)
        taken = sum_by(cell, weight, self.shape[0] * width).reshape(self.shape[0], width)
        return np.log1p(taken) @ made_of.T


def _offer_columns(panel: Panel, offers: Codes, pairs: tuple[Codes, Codes]) -> list[Numbers]:
    """Return what holds of an offer for everybody: demand, size, price, earlier redemptions."""
    bought, (place, item), count = panel.purchases, pairs, len(offers)

    def of_items(value: Numbers) -> Numbers:
        return sum_by(place, value[item], count)

    def demand(half_days: float) -> Numbers:
        return sum_by(bought.item, decayed(bought.age_days, half_days), panel.sizes.items)

    recent, whole = demand(30.0), demand(365.0)
    sold = demand(90.0)
    lowered = sum_by(
        bought.item, (bought.discount > 0) * decayed(bought.age_days, 90.0), panel.sizes.items
    )
    paid = sum_by(bought.item, bought.sales, panel.sizes.items)
    price = paid / np.maximum(np.bincount(bought.item, minlength=panel.sizes.items), 1)
    times = np.bincount(panel.redeemed.offer, minlength=panel.sizes.offers)
    return [
        np.log((of_items(recent) + 0.5) / max(recent.sum() / 1_000.0, 1e-9)),
        np.log((of_items(whole) + 0.5) / max(whole.sum() / 1_000.0, 1e-9)),
        np.log(np.maximum(np.bincount(place, minlength=count), 1)),
        of_items(lowered) / (of_items(sold) + 1.0),
        np.log((of_items(price * sold) + 1.0) / (of_items(sold) + 1.0)),
        np.log1p(times[offers]),
        np.log1p(of_items(_redemptions_of_items(panel, times))),
    ]


def _redemptions_of_items(panel: Panel, times: Codes) -> Numbers:
    """Return how often offers for each item were redeemed, an offer's count shared by its items."""
    rows = panel.offer_items
    key = np.unique(rows.offer * panel.sizes.items + rows.item)
    offer, item = key // panel.sizes.items, key % panel.sizes.items
    count = np.maximum(np.bincount(offer, minlength=panel.sizes.offers), 1)
    return sum_by(item, times[offer] / count[offer], panel.sizes.items)


def _customer_columns(panel: Panel, people: Codes, one: Numbers) -> list[Numbers]:
    """Return what holds of a customer whatever the offer: how prone he is to coupons, his trade."""
    bought, sizes = panel.purchases, panel.sizes
    redeemed = np.bincount(panel.redeemed.customer, minlength=sizes.customers)
    is_past = panel.campaigns.start_age_days[panel.addressed.campaign] > 0
    asked = np.bincount(panel.addressed.customer[is_past], minlength=sizes.customers)
    coupons = sum_by(bought.customer, (bought.coupon > 0) * one, sizes.customers)
    lowered = sum_by(bought.customer, (bought.discount > 0) * one, sizes.customers)
    rows = sum_by(bought.customer, one, sizes.customers)
    spent = sum_by(bought.customer, bought.sales * decayed(bought.age_days, 90.0), sizes.customers)
    columns = [
        np.log1p(redeemed),
        np.log((redeemed + 0.3) / (asked + 2.0)),
        np.log1p(coupons),
        np.log((coupons + 0.5) / (rows + 50.0)),
        lowered / (rows + 20.0),
        np.log1p(np.maximum(spent, 0.0)),
    ]
    return [column[people] for column in columns]


def _redeemed_before(panel: Panel, people: Codes, offers: Codes) -> Numbers:
    """Return whether the customer has redeemed this very offer in an earlier campaign."""
    rows, shape = panel.redeemed, (len(people), len(offers))
    is_ours = np.isin(rows.customer, people) & np.isin(rows.offer, offers)
    before = np.zeros(shape)
    before[
        np.searchsorted(people, rows.customer[is_ours]),
        np.searchsorted(offers, rows.offer[is_ours]),
    ] = 1.0
    return before


def _campaign_columns(panel: Panel, campaign: int, offers: int) -> list[float]:
    kind = min(int(panel.campaigns.kind[campaign]), KINDS_MAX - 1)
    length = panel.campaigns.start_age_days - panel.campaigns.end_age_days
    days = float(length[campaign]) if np.isfinite(length[campaign]) else 40.0
    is_kind = [float(kind == number) for number in range(KINDS_MAX)]
    return [*is_kind, float(np.log(max(offers, 1))), float(np.log(max(days, 1.0)))]
