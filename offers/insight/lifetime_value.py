"""Say what a member will spend in the year to come, and how far off that was when it was tried.

Layer: rules. Takes: receipts of members over up to two years. Gives: `LifetimeValue`, and a `Kpi`,
to the handler report_kpis and the benchmark.

The last weeks are kept apart, the models are fitted on what lies before, and asked for these weeks;
so are two naive peers. The figure itself is then made with all that is known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.insight.purchase_model import Buyers, fit_purchases
from offers.insight.spend_model import fit_spends
from offers.model.insight.kpi import Kpi, KpiName, Withheld, missing, told
from offers.model.insight.kpi_columns import (
    Int64s,
    PurchaseColumns,
    days_of,
    shopper_days,
    shoppers_of,
)

Numbers = npt.NDArray[np.float64]
WEEK: Final = 7
HISTORY_WEEKS: Final = 104
"""so far back receipts are looked at"""
HORIZON_WEEKS: Final = 52
HOLDOUT_WEEKS: Final = 13
LEARNT_WEEKS_MIN: Final = 26
BUYERS_MIN: Final = 100
"""four and three numbers have to be learnt of them"""
FIT_BUYERS_MAX: Final = 5_000
"""more say the same: every so many-th is taken then"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutError:
    """How far off a forecast was: Σ |forecast - truth| / Σ truth, and Σ forecast / Σ truth - 1."""

    name: str
    weighted_error: float
    bias: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeValue:
    """The value of members in the horizon, and the errors on the weeks kept apart."""

    buyers: int
    mean_minor: float
    expected_minor: Numbers
    """(buyers,) by the number of the shopper, growing"""
    holdout_weeks: int
    errors: tuple[HoldoutError, ...]
    """the model first, then its peers; empty where there was too little to keep weeks apart"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Each shopper up to an instant, ordered by the number of the shopper."""

    shopper: Int64s
    buyers: Buyers
    repeat_mean: Numbers
    """of the days after the first; 0 where there are none"""
    whole_minor: Numbers


def lifetime_value(receipts: PurchaseColumns, *, until_day: int) -> LifetimeValue | None:
    """Return the value of each member, or None where too little is known.

    Parameters
    ----------
    receipts
        Of members alone, of all days that are known.
    until_day
        The first day that is not known, since 1970-01-01.
    """
    receipts = receipts.of_members()
    known = _known(receipts, until_day)
    if known is None or not _is_enough(known):
        return None
    expected = _forecast(known, float(HORIZON_WEEKS))
    return LifetimeValue(
        buyers=len(known.shopper),
        mean_minor=float(expected.mean()),
        expected_minor=expected,
        holdout_weeks=HOLDOUT_WEEKS,
        errors=holdout_errors(receipts, until_day=until_day),
    )


def lifetime_kpi(value: LifetimeValue | None) -> Kpi:
    """Return the mean as a key figure."""
    if value is None:
        return missing(KpiName.LIFETIME_VALUE, Withheld.SHORT_HISTORY)
    return told(KpiName.LIFETIME_VALUE, value.mean_minor, shoppers=value.buyers)


def holdout_errors(
    receipts: PurchaseColumns, *, until_day: int, weeks: int = HOLDOUT_WEEKS
) -> tuple[HoldoutError, ...]:
    """Return how far off forecasts of the last ``weeks`` were; nothing where too little is known.

    Parameters
    ----------
    receipts, until_day
        As in `lifetime_value`.
    weeks
        How many are kept apart.
    """
    cut = until_day - weeks * WEEK
    known = _known(receipts.between(int(receipts.day.min()), cut), cut)
    if known is None or not _is_enough(known):
        return ()
    later = receipts.between(cut, until_day)
    place = np.searchsorted(known.shopper, later.shopper)
    place = np.minimum(place, len(known.shopper) - 1)
    is_known = known.shopper[place] == later.shopper
    truth: Numbers = np.bincount(
        place[is_known],
        later.paid_minor[is_known].astype(np.float64),
        minlength=len(known.shopper),
    ).astype(np.float64)
    if not truth.sum():
        return ()
    rate = known.whole_minor / np.maximum(known.buyers.known_w, 1.0)
    everybody = known.whole_minor.sum() / np.maximum(known.buyers.known_w, 1.0).sum()
    forecasts = {
        "BG/NBD and Gamma-Gamma": _forecast(known, float(weeks)),
        "everybody the mean": np.full(len(truth), everybody * weeks),
        "everybody his own rate": rate * weeks,
    }
    return tuple(_error(name, forecast, truth) for name, forecast in forecasts.items())


def _error(name: str, forecast: Numbers, truth: Numbers) -> HoldoutError:
    whole = float(truth.sum())
    return HoldoutError(
        name=name,
        weighted_error=float(np.abs(forecast - truth).sum()) / whole,
        bias=float(forecast.sum()) / whole - 1.0,
    )


def _forecast(known: _Known, weeks: float) -> Numbers:
    """Return (n,) what each shopper is expected to spend."""
    chosen = np.arange(0, len(known.shopper), -(-len(known.shopper) // FIT_BUYERS_MAX))
    purchases = fit_purchases(known.buyers.rows(chosen))
    repeats = known.buyers.repeats
    again = chosen[(repeats[chosen] > 0) & (known.repeat_mean[chosen] > 0)]
    spends = fit_spends(repeats[again], known.repeat_mean[again])
    times = purchases.expected_repeats(known.buyers, weeks)
    value: Numbers = times * spends.expected_spend(repeats, known.repeat_mean)
    return value


def _is_enough(known: _Known) -> bool:
    again = int((known.buyers.repeats > 0).sum())
    weeks = float(known.buyers.known_w.max())
    return again >= BUYERS_MIN and weeks >= LEARNT_WEEKS_MIN


def _known(receipts: PurchaseColumns, until_day: int) -> _Known | None:
    if not len(receipts.shopper):
        return None
    keys, place = np.unique(shopper_days(receipts.shopper, receipts.day), return_inverse=True)
    spend = np.bincount(place, receipts.paid_minor.astype(np.float64))
    shopper, first, count = np.unique(shoppers_of(keys), return_index=True, return_counts=True)
    day = days_of(keys)
    last = first + count - 1
    whole = np.add.reduceat(spend, first)
    repeats = (count - 1).astype(np.float64)
    repeat_mean = (whole - spend[first]) / np.maximum(repeats, 1.0)
    buyers = Buyers(
        repeats=repeats,
        last_w=(day[last] - day[first]) / WEEK,
        known_w=(until_day - day[first]) / WEEK,
    )
    return _Known(
        shopper=shopper,
        buyers=buyers,
        repeat_mean=repeat_mean,
        whole_minor=whole,
    )
