"""Count the key figures of a site that a window of receipts tells.

Layer: rules. Takes: `PurchaseColumns` of the window and of the one before. Gives: `Kpi`s to the
handler report_kpis. Intervals are Wilson's for shares (JASA 22, 1927), and of sums over
shoppers for ratios, whose receipts hang together (Cochran, Sampling Techniques, 6.19).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from offers.insight.proportion import proportion_interval
from offers.model.experiments.estimate import LEVEL_USUAL, Interval
from offers.model.insight.kpi import Kpi, KpiName, Withheld, missing, told
from offers.model.insight.kpi_columns import PurchaseColumns, shopper_days, shoppers_of
from offers.model.insight.till_day import TillDay

Numbers = npt.NDArray[np.float64]
_QUANTILE: Final = float(special.ndtri(0.5 + LEVEL_USUAL / 2.0))
REPEAT_DAYS: Final = 2


def member_figures(now: PurchaseColumns, before: PurchaseColumns) -> Iterator[Kpi]:
    """Yield what is told of members, or of some of them.

    Parameters
    ----------
    now, before
        Receipts of the window, and of the one as long before it, of the same members.
    """
    yield retention(now, before)
    yield repeat_rate(now)
    yield purchase_frequency(now)


def receipt_figures(now: PurchaseColumns, totals: Mapping[int, TillDay]) -> Iterator[Kpi]:
    """Yield what is told of receipts with a card or coupon, beside all others.

    Parameters
    ----------
    now
        The receipts that are kept.
    totals
        What the tills took in all, by the days of the window.
    """
    yield mean_basket(now)
    yield from beside_others(now, totals)


def retention(now: PurchaseColumns, before: PurchaseColumns) -> Kpi:
    """Return which share of the buyers of before bought again."""
    earlier = np.unique(before.of_members().shopper)
    stayed = int(np.isin(earlier, now.shopper).sum())
    return share_of(KpiName.RETENTION, stayed, len(earlier), shoppers=len(earlier))


def repeat_rate(now: PurchaseColumns) -> Kpi:
    """Return which share of the buyers bought on two days or more."""
    members = now.of_members()
    keys = np.unique(shopper_days(members.shopper, members.day))
    _, days = np.unique(shoppers_of(keys), return_counts=True)
    again = int((days >= REPEAT_DAYS).sum())
    return share_of(KpiName.REPEAT_RATE, again, len(days), shoppers=len(days))


def purchase_frequency(now: PurchaseColumns) -> Kpi:
    """Return the receipts of a buyer."""
    _, receipts = np.unique(now.of_members().shopper, return_counts=True)
    name = KpiName.PURCHASE_FREQUENCY
    if not len(receipts):
        return missing(name, Withheld.NOTHING_HAPPENED)
    ones = np.ones(len(receipts))
    value, error = ratio_of_sums(receipts.astype(np.float64), ones)
    return told(name, value, shoppers=len(receipts), interval=_around(value, error))


def mean_basket(now: PurchaseColumns) -> Kpi:
    """Return the mean of receipts; those of one shopper hang together."""
    name = KpiName.MEAN_BASKET
    if not len(now.paid_minor):
        return missing(name, Withheld.NOTHING_HAPPENED)
    value, error = ratio_of_sums(*_by_shopper(now))
    return told(name, value, shoppers=now.shoppers, interval=_around(value, error))


def beside_others(now: PurchaseColumns, totals: Mapping[int, TillDay]) -> Iterator[Kpi]:
    """Yield the members' share of sales, the mean basket of others, and the difference."""
    names = (KpiName.MEMBERS_SHARE, KpiName.OTHERS_MEAN_BASKET, KpiName.BASKET_DIFFERENCE)
    sales = sum(total.sales_minor for total in totals.values()) - int(now.paid_minor.sum())
    receipts = sum(total.receipts for total in totals.values()) - len(now.paid_minor)
    is_whole = set(np.unique(now.day).tolist()) <= set(totals)
    if not totals or not is_whole or sales < 0 or receipts < 0:
        yield from (missing(name, Withheld.NO_TILL_TOTALS) for name in names)
    elif not receipts or not len(now.paid_minor):
        yield from (missing(name, Withheld.NOTHING_HAPPENED) for name in names)
    else:
        own, whole = int(now.paid_minor.sum()), sales + int(now.paid_minor.sum())
        mean, other = own / len(now.paid_minor), sales / receipts
        # Whoever knows the totals has the members from them, so that few of either hide both.
        behind = min(now.shoppers, receipts)
        values = (own / whole, other, mean - other)
        for name, value in zip(names, values, strict=True):
            yield told(name, value, shoppers=behind)


def share_of(name: KpiName, part: int, whole: int, *, shoppers: int) -> Kpi:
    """Return a share with Wilson's interval, which stays between 0 and 1."""
    if not whole:
        return missing(name, Withheld.NOTHING_HAPPENED)
    interval = proportion_interval(part, whole)
    return told(name, part / whole, shoppers=shoppers, interval=interval)


def ratio_of_sums(sums: Numbers, counts: Numbers) -> tuple[float, float]:
    """Return the sum of one column over that of another, and its standard error.

    Rows are independent, the two numbers of a row are not.
    """
    n, whole = len(sums), float(counts.sum())
    value = float(sums.sum()) / whole
    if n == 1:
        return value, math.inf
    residual = sums - value * counts
    return value, math.sqrt(n / (n - 1) * float((residual**2).sum())) / whole


def _by_shopper(now: PurchaseColumns) -> tuple[Numbers, Numbers]:
    """Return (m,) sums and (m,) receipts of each shopper."""
    _, place = np.unique(now.shopper, return_inverse=True)
    sums: Numbers = np.bincount(place, now.paid_minor.astype(np.float64)).astype(np.float64)
    return sums, np.bincount(place).astype(np.float64)


def _around(value: float, error: float) -> Interval:
    reach = _QUANTILE * error
    return Interval(low=value - reach, high=value + reach, level=LEVEL_USUAL)
