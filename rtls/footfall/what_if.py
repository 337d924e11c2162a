"""Estimate what a category would gain or lose on another shelf, from told flows alone.

Layer: rules. Takes: told `ZoneFigures` and `ZonePath`s. Gives: a `MoveEstimate` to the API. It is
an estimate from what people do now, not an experiment; the assumptions go with it.

A visitor of a zone came for it if he turned back the way he came (X, zone, X), else he passes
through on a way that he has anyway. With V visitors, S stoppers and T who turned back:

    impulse rate q_A = (S_A - T_A) / (V_A - T_A)    who stops among those that pass through
    visitors at B    = (V_B - T_B) + T_A            ways stay; who came for A follows it
    stoppers at B    = T_A + q_A (V_B - T_B)
    change           = the figure at B less that at A

The interval is 95 %: each count is taken as Poisson, plus its rounding (uniform within a step each
way), put through the formulas by their slopes (delta method); it does not hold the risk that an
assumption is wrong. That is shown by the range of the estimate between "nobody came for A" and
"everybody who stopped at A came for it".
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rtls.footfall.release import ROUNDING
from rtls.footfall.zone_paths import ZonePath
from rtls.footfall.zone_report import ZoneFigures
from rtls.model.errors import InvalidReport

SIGMAS_95: Final = 1.959963984540054
ASSUMPTIONS: Final = (
    "People walk where they walk now; only who came for the moved category follows it.",
    "Who turned back the way he came had come for the category; all others pass through anyway.",
    "The category stops passers-by as often at its new place as at its old one.",
    "Nothing else is moved, and what stood at the new place draws nobody there any more.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A figure now and as expected, with the 95 % interval of the change."""

    now: float
    expected: float
    change: float
    change_low: float
    change_high: float
    change_if_nobody_came_for_it: float
    change_if_all_stops_came_for_it: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveEstimate:
    """What is expected of a category that moves from one zone to another."""

    category_zone: str
    to_zone: str
    visitors: Expected
    stoppers: Expected
    assumptions: tuple[str, ...] = ASSUMPTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is told of one zone: visitors, who stopped, who turned back; and of how many blocks."""

    visitors: float
    stoppers: float
    turned_back: float
    blocks: int


Figures = tuple[float, float, float, float, float]
"""V_A, S_A, T_A, V_B, T_B"""


def place_of(figures: ZoneFigures, paths: Sequence[ZonePath], *, blocks: int) -> Place:
    """Return what a move needs to know of one zone.

    Parameters
    ----------
    paths
        The told paths of three zones of the same window.
    blocks
        Hours and days of the window, each of which may have rounded its counts.

    Raises
    ------
    InvalidReport
        If visitors or stoppers of the zone are withheld.
    """
    if figures.visitors is None or figures.stoppers is None:
        raise InvalidReport(
            f"zone {figures.zone}: too few visitors stopped in the window to tell; expected a zone "
            "whose visitors and stoppers are told. Choose a longer window or a larger zone."
        )
    turned = sum(
        path.visitors
        for path in paths
        if path.zones[1] == figures.zone and path.zones[0] == path.zones[2]
    )
    return Place(
        visitors=float(figures.visitors),
        stoppers=float(min(figures.stoppers, figures.visitors)),
        turned_back=float(min(turned, figures.stoppers, figures.visitors)),
        blocks=blocks,
    )


def move_estimate(*, category_zone: str, to_zone: str, here: Place, there: Place) -> MoveEstimate:
    """Return what is expected if the category of one zone moves to another.

    Raises
    ------
    InvalidReport
        If it would move to where it stands.
    """
    if category_zone == to_zone:
        raise InvalidReport(
            f"the category of {category_zone} would move to {to_zone}; expected two zones."
        )
    return MoveEstimate(
        category_zone=category_zone,
        to_zone=to_zone,
        visitors=_expected(_visitors_there, here, there, now=here.visitors, own=0),
        stoppers=_expected(_stoppers_there, here, there, now=here.stoppers, own=1),
    )


def _visitors_there(figures: Figures) -> float:
    _, _, turned_a, visitors_b, turned_b = figures
    return max(visitors_b - turned_b, 0.0) + turned_a


def _stoppers_there(figures: Figures) -> float:
    visitors_a, stoppers_a, turned_a, visitors_b, turned_b = figures
    through = visitors_a - turned_a
    impulse = min(max((stoppers_a - turned_a) / through, 0.0), 1.0) if through > 0.0 else 0.0
    return turned_a + impulse * max(visitors_b - turned_b, 0.0)


def _expected(
    there: Callable[[Figures], float], here: Place, target: Place, *, now: float, own: int
) -> Expected:
    """Return the change of one figure; ``own`` is its place among the `Figures` of here."""
    figures: Figures = (
        here.visitors, here.stoppers, here.turned_back, target.visitors, target.turned_back
    )  # fmt: skip
    blocks = (here.blocks, here.blocks, here.blocks, target.blocks, target.blocks)

    def change(given: Figures) -> float:
        return there(given) - given[own]

    def with_turned(turned: float) -> float:
        return change((figures[0], figures[1], turned, figures[3], figures[4]))

    variance = sum(
        _slope(change, figures, place) ** 2 * _variance(figures[place], blocks[place])
        for place in range(len(figures))
    )
    half = SIGMAS_95 * math.sqrt(variance)
    found = change(figures)
    return Expected(
        now=now,
        expected=there(figures),
        change=found,
        change_low=found - half,
        change_high=found + half,
        change_if_nobody_came_for_it=with_turned(0.0),
        change_if_all_stops_came_for_it=with_turned(here.stoppers),
    )


def _variance(count: float, blocks: int) -> float:
    """Return the variance of a told count: Poisson, and the rounding of each block."""
    return max(count, 1.0) + blocks * (ROUNDING * ROUNDING - 1) / 6.0


def _slope(change: Callable[[Figures], float], figures: Figures, place: int) -> float:
    """Return how the change answers to one figure, by a central difference."""
    step = max(0.01 * figures[place], 0.5)
    above, below = list(figures), list(figures)
    above[place] += step
    below[place] = max(below[place] - step, 0.0)
    width = above[place] - below[place]
    return (change(_as_figures(above)) - change(_as_figures(below))) / width


def _as_figures(values: list[float]) -> Figures:
    visitors_a, stoppers_a, turned_a, visitors_b, turned_b = values
    return visitors_a, stoppers_a, turned_a, visitors_b, turned_b
