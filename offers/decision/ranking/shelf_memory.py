"""Remember what each customer bought, so that ten items are described in microseconds.

Layer: rules. Takes: a `Panel` once, then customers and items, and what they take. Gives: features
to shelf_bandit. What shelf_features works out of all purchases each time is looked up here.
"""

from typing import Final

import numpy as np

from offers.decision.ranking.offer_affinity import decayed
from offers.decision.ranking.pair_sums import PairBook, sum_by
from offers.model.ranking.panel import MISSING, Codes, Numbers, Panel

HALF_LIFE_DAYS: Final = 250.0
RECENT_HALF_LIFE_DAYS: Final = 60.0
DEMAND_HALF_LIFE_DAYS: Final = 40.0
COLUMNS: Final = 15
TAKEN_MAX: Final = 200_000
"""how many choices of a running stream are remembered beside the panel"""


class ShelfMemory:
    """The purchases of a panel, summed once by customer and item, category and kind."""

    def __init__(self, panel: Panel) -> None:
        bought, self.items = panel.purchases, panel.items
        long, recent = (
            decayed(bought.age_days, h) for h in (HALF_LIFE_DAYS, RECENT_HALF_LIFE_DAYS)
        )
        category = self.items.category[bought.item]
        self.own = PairBook(bought.customer, bought.item)
        self.here = PairBook(bought.customer, category)
        self.own_sums = [self.own.by_pair(weight) for weight in (long, recent)]
        self.own_rows = self.own.by_pair(np.ones(len(long)))
        self.here_sums = [self.here.by_pair(weight) for weight in (long, recent)]
        self.kinds = [_kind(code, self.items.category) for code in _codes(panel)]
        self.kind_books = [PairBook(bought.customer, kind[bought.item]) for kind in self.kinds]
        self.kind_sums = [book.by_pair(long) for book in self.kind_books]
        demand = decayed(bought.age_days, DEMAND_HALF_LIFE_DAYS)
        self.share = _share_of_items(panel, demand)
        self.rising = np.log(_share_of_items(panel, decayed(bought.age_days, 10.0)) / self.share)
        self.kind_shares = [_share_of_kinds(panel, kind, demand) for kind in self.kinds]
        self.taken: dict[tuple[int, int], float] = {}

    def take(self, customer: int, item: int) -> None:
        """Remember that a customer took an item just now."""
        if len(self.taken) < TAKEN_MAX:
            key = (customer, item)
            self.taken[key] = self.taken.get(key, 0.0) + 1.0

    def features(self, customer: int, item: Codes) -> Numbers:
        """Return (n_items, `COLUMNS`) numbers for items of one category."""
        who = np.full(len(item), customer)
        self.own.ask(who, item)
        self.here.ask(who, self.items.category[item])
        just = np.array([self.taken.get((customer, int(one)), 0.0) for one in item])
        long, recent = (self.own.looked_up(sums) + just for sums in self.own_sums)
        whole, whole_recent = (self.here.looked_up(sums) + just.sum() for sums in self.here_sums)
        share = self.share[item]
        columns = [
            np.log1p(long),
            np.log1p(recent),
            long / (whole + 1.0),
            recent / (whole_recent + 0.5),
            np.log1p(self.own.looked_up(self.own_rows) + just),
            np.log1p(whole),
            np.log(share),
            self.rising[item],
            np.log((long + 3.0 * share) / (whole + 3.0)),
        ]
        for number, kind in enumerate(self.kinds[:3]):
            book = self.kind_books[number]
            book.ask(who, kind[item])
            own, usual = book.looked_up(self.kind_sums[number]), self.kind_shares[number][item]
            columns.append(
                np.log((own + 3.0 * usual) / (whole + 3.0) + 1e-4) - np.log(usual + 1e-4)
            )
            columns.append(own / (whole + 1.0))
        return np.column_stack(columns)


def _codes(panel: Panel) -> tuple[Codes, Codes, Codes]:
    return panel.items.subcategory, panel.items.manufacturer, panel.items.size


def _kind(code: Codes, category: Codes) -> Codes:
    width = int(code.max(initial=0)) + 1
    return np.where((code >= 0) & (category >= 0), category * width + code, MISSING)


def _share_of_items(panel: Panel, weight: Numbers) -> Numbers:
    """Return how much of its category's demand goes to each item; never zero."""
    bought, category = panel.purchases, panel.items.category
    sold = sum_by(bought.item, weight, panel.sizes.items)
    told = category >= 0
    whole = sum_by(category[told], sold[told], int(category.max(initial=0)) + 1)
    return (sold + 0.02) / (np.where(told, whole[np.maximum(category, 0)], 0.0) + 1.0)


def _share_of_kinds(panel: Panel, kind: Codes, weight: Numbers) -> Numbers:
    bought, category = panel.purchases, panel.items.category
    sold = sum_by(bought.item, weight, panel.sizes.items)
    told, known = kind >= 0, category >= 0
    of_kind = sum_by(kind[told], sold[told], int(kind.max(initial=0)) + 1)
    whole = sum_by(category[known], sold[known], int(category.max(initial=0)) + 1)
    share = of_kind[np.maximum(kind, 0)] / np.maximum(whole[np.maximum(category, 0)], 1e-9)
    return np.where(told, share, 0.0)
