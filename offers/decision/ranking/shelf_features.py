"""Describe how well each item of a shelf suits the shopper who stands before it.

Layer: rules. Takes: a `Panel` and candidates: who, where, which item, how long after the panel's
instant. Gives: one row of numbers a candidate to shelf_choice.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.decision.ranking.offer_affinity import decayed
from offers.decision.ranking.pair_sums import PairBook, sum_by
from offers.model.ranking.panel import MISSING, Codes, Numbers, Panel

OWN_HALF_LIVES_DAYS: Final = (30.0, 90.0, 250.0)
STORE_HALF_LIVES_DAYS: Final = (14.0, 40.0, 120.0)
LONG_DAYS: Final = 400.0
RECENT_DAYS: Final = 21.0
WEEKS_DAYS: Final = 14.0
QUARTER_DAYS: Final = 98.0
SAME_TRIP_DAYS: Final = 0.01
STORE_WEIGHT: Final = 20.0
"""how many purchases in all stores count as much as what a store sold itself"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfRows:
    """Candidates of shoppers at shelves: one row each."""

    request: Codes
    """from 0 on; the rows of a request need not stand together"""
    customer: Codes
    store: Codes
    item: Codes
    lag_days: Numbers
    """how long after the panel's instant the shopper stands there"""


def shelf_features(panel: Panel, rows: ShelfRows) -> Numbers:
    """Return the features (n_rows, n_features), all finite."""
    shelf = _Shelf(panel, rows)
    columns = [*shelf.own(), *shelf.kinds(), *shelf.demand(), *shelf.price()]
    return np.column_stack(columns)


class _Shelf:
    """The purchases of a panel beside the candidates, with what both sides need."""

    def __init__(self, panel: Panel, rows: ShelfRows) -> None:
        self.panel, self.rows = panel, rows
        self.bought, self.items = panel.purchases, panel.items
        self.category = self.items.category[self.bought.item]
        self.asked_category = self.items.category[rows.item]
        self.one = np.ones(len(self.bought.item))
        self.mine = self._book(self.bought.item, rows.item)
        self.mine_here = self._book(self.category, self.asked_category)
        self.count = self.mine.sums(self.one)

    def _book(self, bought: Codes, asked: Codes) -> PairBook:
        book = PairBook(self.bought.customer, bought)
        book.ask(self.rows.customer, asked)
        return book

    def age(self, half_days: float) -> Numbers:
        """Return what each purchase still counts."""
        return decayed(self.bought.age_days, half_days)

    def own(self) -> list[Numbers]:
        """Return what the shopper bought of the item: how much, how lately, is it due."""
        columns = []
        for half in OWN_HALF_LIVES_DAYS:
            own, here = self.mine.sums(self.age(half)), self.mine_here.sums(self.age(half))
            columns += [np.log1p(own), own / (here + 1.0)]
        newest = self.mine.least(self.bought.age_days, otherwise=LONG_DAYS)
        oldest = self.mine.greatest(self.bought.age_days, otherwise=LONG_DAYS)
        newest_here = self.mine_here.least(self.bought.age_days, otherwise=LONG_DAYS)
        since = newest + self.rows.lag_days
        gap = np.where(self.count > 1, (oldest - newest) / np.maximum(self.count - 1, 1), LONG_DAYS)
        is_last = (self.count > 0) & (newest - newest_here < SAME_TRIP_DAYS)
        return [
            *columns,
            np.log1p(self.count),
            np.log1p(self.mine_here.sums(self.one)),
            np.log1p(since),
            np.log1p(gap),
            np.clip(since / np.maximum(gap, 1.0), 0.0, 20.0) * (self.count > 1),
            is_last.astype(np.float64),
            np.log1p(np.maximum(newest - newest_here, 0.0)),
        ]

    def kinds(self) -> list[Numbers]:
        """Return how the shopper chose before: by sort, maker, size, brand."""
        old, recent = self.age(250.0), self.age(90.0)
        here = self.mine_here.sums(old)
        columns = []
        items = self.items
        for code in (items.subcategory, items.manufacturer, items.size, items.brand_kind):
            width = int(code.max(initial=0)) + 1
            kind = np.where(
                (code >= 0) & (items.category >= 0), items.category * width + code, MISSING
            )
            own = self._book(kind[self.bought.item], kind[self.rows.item]).sums(old)
            share = _share(kind, items.category, self.bought.item, recent)[self.rows.item]
            liking = np.log((own + 3.0 * share) / (here + 3.0) + 1e-4) - np.log(share + 1e-4)
            columns += [own / (here + 1.0), share, liking]
        return columns

    def demand(self) -> list[Numbers]:
        """Return how much of the item is bought, here and in all stores, of its category."""
        in_store = PairBook(self.bought.store, self.bought.item)
        in_store.ask(self.rows.store, self.rows.item)
        of_shelf = PairBook(self.bought.store, self.category)
        of_shelf.ask(self.rows.store, self.asked_category)
        columns = []
        for half in STORE_HALF_LIVES_DAYS:
            age = self.age(half)
            here, shelf = in_store.sums(age), of_shelf.sums(age)
            share = self._share_of_all(age)
            columns += [
                np.log(share),
                np.log((here + 0.02) / (shelf + 1.0)),
                np.log((here + STORE_WEIGHT * share) / (shelf + STORE_WEIGHT)),
            ]
        week = self._by_item(self.bought.age_days <= WEEKS_DAYS)
        quarter = self._by_item(self.bought.age_days <= QUARTER_DAYS)
        rising = np.log((week / WEEKS_DAYS + 0.01) / (quarter / QUARTER_DAYS + 0.01))
        buyers = np.bincount(
            np.unique(self.bought.customer * self.panel.sizes.items + self.bought.item)
            % self.panel.sizes.items,
            minlength=self.panel.sizes.items,
        )
        again = self._by_item(self.one) / np.maximum(buyers[self.rows.item], 1)
        return [*columns, rising, np.log1p(again)]

    def price(self) -> list[Numbers]:
        """Return the item's price beside what the shopper pays here, and whether it is lowered."""
        bought, sizes = self.bought, self.panel.sizes
        pieces = sum_by(bought.item, np.maximum(bought.quantity, 1e-9), sizes.items)
        paid = sum_by(bought.item, np.maximum(bought.sales, 0.0), sizes.items)
        level = np.log(np.maximum(paid / np.maximum(pieces, 1e-9), 1e-4))
        rows_here = self.mine_here.sums(self.one)
        usual = self.mine_here.sums(level[bought.item]) / np.maximum(rows_here, 1.0)
        price = level[self.rows.item]
        is_sold = self._by_item(self.one) > 0
        lowered = (bought.discount > 0).astype(np.float64)
        is_new = bought.age_days <= RECENT_DAYS
        now = (self._by_item(lowered * is_new) + 0.3) / (self._by_item(is_new) + 1.0)
        ever = (self._by_item(lowered) + 0.3) / (self._by_item(self.one) + 1.0)
        by_customer = sum_by(bought.customer, lowered, sizes.customers) / (
            np.bincount(bought.customer, minlength=sizes.customers) + 10.0
        )
        return [
            np.where(is_sold & (rows_here > 0), price - usual, 0.0),
            now,
            now - ever,
            now * by_customer[self.rows.customer],
        ]

    def _by_item(self, weight: npt.NDArray[np.generic]) -> Numbers:
        return sum_by(self.bought.item, weight, self.panel.sizes.items)[self.rows.item]

    def _share_of_all(self, weight: Numbers) -> Numbers:
        told = self.category >= 0
        whole = sum_by(
            self.category[told], weight[told], int(self.items.category.max(initial=0)) + 1
        )
        of_category = np.where(self.asked_category >= 0, whole[self.asked_category], 0.0)
        return (self._by_item(weight) + 0.02) / (of_category + 1.0)


def _share(kind: Codes, category: Codes, bought: Codes, weight: Numbers) -> Numbers:
    """Return for each item how much of its category's demand goes to its kind."""
    told = kind[bought] >= 0
    by_kind = sum_by(kind[bought][told], weight[told], int(kind.max(initial=0)) + 1)
    known = category[bought] >= 0
    whole = sum_by(category[bought][known], weight[known], int(category.max(initial=0)) + 1)
    share = by_kind[np.maximum(kind, 0)] / np.maximum(whole[np.maximum(category, 0)], 1e-9)
    return np.where(kind >= 0, share, 0.0)
