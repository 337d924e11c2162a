"""Draw the charts of the review as SVG that stands in the page.

Layer: rules. Takes: a `WeeklySeries` with its changes, a `Funnel`. Gives: elements to
offers.insight.review_page. They load nothing and run nothing; colours come from classes of the
page, so that print and screen may differ.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from offers.insight.review import REASONS, words_for
from offers.model.insight.drift import Change, WeeklySeries
from offers.model.insight.funnel import Funnel
from offers.model.insight.kpi import DEFINITIONS

Point = tuple[float, float]
WIDTH: Final = 340.0
HEIGHT: Final = 132.0
LEFT: Final = 62.0
RIGHT: Final = 10.0
TOP: Final = 10.0
BOTTOM: Final = 22.0
TICKS: Final = 3
HEADROOM: Final = 0.12
ROW: Final = 34.0
FUNNEL_WIDTH: Final = 700.0
FUNNEL_LEFT: Final = 110.0
FUNNEL_RIGHT: Final = 170.0


def trend(series: WeeklySeries, changes: Iterable[Change], *, currency: str) -> str:
    """Return one figure week by week; a gap where a week is withheld, a line where it changed.

    One week at least must be told.
    """
    title = DEFINITIONS[series.name].title
    told = [value for value in series.values if value is not None]
    low, high = min(told), max(told)
    room = (high - low or abs(high) or 1.0) * HEADROOM
    low, high = low - room, high + room

    def place(week: int, value: float) -> Point:
        across = (WIDTH - LEFT - RIGHT) * week / max(len(series.values) - 1, 1)
        return LEFT + across, TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    points = [
        None if value is None else place(week, value) for week, value in enumerate(series.values)
    ]
    parts = [
        *_ticks(series, low, high, currency),
        *_weeks(series),
        *_marks(series, changes),
        *_lines(points),
    ]
    return _frame(title, "".join(parts))


def funnel_chart(funnel: Funnel) -> str:
    """Return the steps as bars, each with its count and its share of the step before."""
    counts = [one.count for one in funnel.steps if one.count is not None]
    most = max(counts, default=0)
    room = FUNNEL_WIDTH - FUNNEL_LEFT - FUNNEL_RIGHT
    rows = []
    for place, one in enumerate(funnel.steps):
        y = ROW * place
        rows.append(f'<text class="step" x="0" y="{y + 21:g}">{one.step.value.capitalize()}</text>')
        if one.count is None:
            reason = REASONS[one.withheld] if one.withheld is not None else ""
            rows.append(
                f'<text class="none start" x="{FUNNEL_LEFT:g}" y="{y + 21:g}">{reason}</text>'
            )
            continue
        width = room * one.count / most if most else 0.0
        rows.append(
            f'<rect class="bar s{place}" x="{FUNNEL_LEFT:g}" y="{y + 5:g}" '
            f'width="{max(width, 1.5):.1f}" height="24" rx="3"/>'
        )
        share = funnel.share_of_step_before(place)
        beside = "" if share is None else f" · {100 * share:.0f} % of the step before"
        rows.append(
            f'<text class="count" x="{FUNNEL_LEFT + width + 8:.1f}" y="{y + 21:g}">'
            f"{one.count:,}<tspan>{beside}</tspan></text>"
        )
    height = ROW * len(funnel.steps)
    return (
        f'<svg class="funnel" viewBox="0 0 {FUNNEL_WIDTH:g} {height:g}" role="img" '
        f'aria-label="Funnel from passing by to purchase">{"".join(rows)}</svg>'
    )


def _frame(title: str, inside: str) -> str:
    return (
        f'<svg class="trend" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(title, quote=True)} by week">{inside}</svg>'
    )


def _ticks(series: WeeklySeries, low: float, high: float, currency: str) -> Iterator[str]:
    unit = DEFINITIONS[series.name].unit
    for tick in range(TICKS):
        share = tick / (TICKS - 1)
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share)
        words = words_for(low + share * (high - low), unit, currency).removesuffix(f" {currency}")
        yield f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y:g}" y2="{y:g}"/>'
        yield f'<text class="tick" x="{LEFT - 8:g}" y="{y + 3.5:g}">{escape(words)}</text>'


def _weeks(series: WeeklySeries) -> Iterator[str]:
    last = len(series.values) - 1
    for anchor, x, week in (("start", LEFT, 0), ("end", WIDTH - RIGHT, last)):
        day = series.week(week)
        yield (
            f'<text class="week {anchor}" x="{x:g}" y="{HEIGHT - 6:g}">{day.day} {day:%b %Y}</text>'
        )


def _marks(series: WeeklySeries, changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        week = (change.since_week - series.first_week).days // 7
        if change.name is series.name and 0 <= week < len(series.values):
            x = LEFT + (WIDTH - LEFT - RIGHT) * week / max(len(series.values) - 1, 1)
            yield (
                f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP:g}" '
                f'y2="{HEIGHT - BOTTOM:g}"/>'
            )


def _lines(points: Sequence[Point | None]) -> Iterator[str]:
    for is_gap, run in groupby(points, key=lambda point: point is None):
        known = [point for point in run if point is not None]
        if is_gap or not known:
            continue
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
        yield f'<polyline class="line" points="{way}"/>'
        if len(known) == 1:
            yield _dot(known[0])
    ends = [point for point in points if point is not None]
    yield _dot(ends[-1])


def _dot(point: Point) -> str:
    return f'<circle class="dot" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="3"/>'
