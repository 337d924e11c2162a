"""Find the week in which a figure has changed for good.

Layer: rules. Takes: a `WeeklySeries`. Gives: `Change`s to the handler watch_kpis.

A self-starting CUSUM (Hawkins, "Self-starting CUSUM charts for location and scale", The
Statistician 36, 1987): each week is judged by all weeks before it since the last change, brought to
a normal deviate, and what deviates by more than half a standard deviation is summed up to either
side. Nobody has to say what is normal. One odd week (a feast, a flood) counts at most `ODD_MAX`.
Where a year and more is known, each week is first taken against the median of the three around the
same week of last year, so that Christmas is no change.

How often it errs is measured, not assumed: `python -m benchmarks.kpis`, docs/kpis.md.
"""

from collections.abc import Iterator
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from offers.model.insight.drift import Change, Direction, WeeklySeries
from offers.model.insight.kpi import DEFINITIONS, KpiUnit

Numbers = npt.NDArray[np.float64]
LEARNT_WEEKS_MIN: Final = 12
YEAR_WEEKS: Final = 52
SEASON_WEEKS_MIN: Final = YEAR_WEEKS + 1 + LEARNT_WEEKS_MIN
SLACK: Final = 0.5
LIMIT: Final = 8.0
ODD_MAX: Final = 2.5
TINY: Final = 1e-12
"""what stands for no spread: then any difference is odd"""


def changes_of(series: WeeklySeries) -> tuple[Change, ...]:
    """Return every change, the oldest first; after each it learns anew."""
    given = [(place, value) for place, value in enumerate(series.values) if value is not None]
    if not given:
        return ()
    values = np.array([value for _, value in given])
    judged, skipped = _without_season(_levelled(values, series))
    found = []
    for direction, begin, learnt_from, end in _runs(judged):
        before = values[skipped + learnt_from : skipped + begin]
        after = values[skipped + begin : skipped + end + 1]
        found.append(
            Change(
                name=series.name,
                direction=direction,
                found_week=series.week(given[skipped + end][0]),
                since_week=series.week(given[skipped + begin][0]),
                before=float(median(before)),
                after=float(median(after)),
            )
        )
    return tuple(found)


def _levelled(values: Numbers, series: WeeklySeries) -> Numbers:
    """Return the values on a scale on which chance is as wide everywhere."""
    if DEFINITIONS[series.name].unit is KpiUnit.SHARE:
        even: Numbers = np.arcsin(np.sqrt(np.clip(values, 0.0, 1.0)))
        return even
    return np.log(values) if bool((values > 0).all()) else values


def _without_season(values: Numbers) -> tuple[Numbers, int]:
    """Return the values against last year's, and how many weeks that takes."""
    if len(values) < SEASON_WEEKS_MIN:
        return values, 0
    first = YEAR_WEEKS + 1
    around = np.stack(
        [values[first - lag : len(values) - lag] for lag in range(YEAR_WEEKS - 1, YEAR_WEEKS + 2)]
    )
    return values[first:] - np.median(around, axis=0), first


def _runs(values: Numbers) -> Iterator[tuple[Direction, int, int, int]]:
    """Yield of each change whereto, where it began, since when was learnt, where it was found."""
    start = 0
    while (found := _first_run(values[start:])) is not None:
        direction, begin, end = found
        yield direction, start + begin, start, start + end
        start += begin


def _first_run(values: Numbers) -> tuple[Direction, int, int] | None:
    up = down = 0.0
    up_began = down_began = 0
    for place, odd in enumerate(deviates(values).tolist()):
        if up == 0.0:
            up_began = place
        if down == 0.0:
            down_began = place
        up, down = max(up + odd - SLACK, 0.0), max(down - odd - SLACK, 0.0)
        if up > LIMIT:
            return Direction.UP, up_began, place
        if down > LIMIT:
            return Direction.DOWN, down_began, place
    return None


def deviates(values: Numbers) -> Numbers:
    """Return (n,) how odd each value is beside those before it, as a normal deviate.

    Zero while it is learnt, and at most `ODD_MAX` to either side.
    """
    found = np.zeros(len(values))
    if len(values) <= LEARNT_WEEKS_MIN:
        return found
    known = np.arange(LEARNT_WEEKS_MIN, len(values), dtype=np.float64)
    level = values - values[0]  # so that squares of large numbers do not swallow the spread
    sums, squares = (np.cumsum(column)[LEARNT_WEEKS_MIN - 1 : -1] for column in (level, level**2))
    means = sums / known
    variance = np.maximum(squares / known - means**2, 0.0) * known / (known - 1.0)
    spread = np.maximum(np.sqrt(variance * (known + 1.0) / known), TINY)
    odd = (level[LEARNT_WEEKS_MIN:] - means) / spread
    found[LEARNT_WEEKS_MIN:] = special.ndtri(special.stdtr(known - 1.0, odd))
    clipped: Numbers = np.clip(found, -ODD_MAX, ODD_MAX)
    return clipped
