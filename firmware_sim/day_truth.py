"""Write down where everybody really was on a day, and make of it who was in which zone when.

Layer: rules. Takes: `Truth` of each second from firmware_sim.scenario, and who carries which tag.
Gives: `TrueStay`s to the door, apart from all that locating knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from firmware_sim.truth import Truth
from rtls.model.site_map import SiteMap
from rtls.model.units import Second, TagId, UnixMs, ZoneId

STEP_MS: Final = 1000
AWAY_MS_MAX: Final = 10_000
"""who is back in a zone so soon has not left it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueStay:
    """One shopper's time in one zone.

    Parameters
    ----------
    dwell_s
        Seconds within the outline.
    stood_s
        Seconds of them that he stood.
    """

    shopper: int
    zone: ZoneId
    entered_at_ms: UnixMs
    left_at_ms: UnixMs
    dwell_s: Second
    stood_s: Second


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueWalk:
    """Where one shopper was in each second that he was in the shop; columns of equal length."""

    shopper: int
    at_ms: npt.NDArray[np.int64]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    is_standing: npt.NDArray[np.bool_]


Columns = tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.bool_],
]


class DayTruth:
    """The truth of one day; grows by a row a shopper and second of his trip."""

    def __init__(self, site_map: SiteMap) -> None:
        self._zones = [(zone.zone, shapely.Polygon(zone.ring)) for zone in site_map.zones]
        for _, outline in self._zones:
            shapely.prepare(outline)
        self._parts: list[Columns] = []

    def take(self, truth: Truth, shoppers: Mapping[TagId, int]) -> None:
        """Write one second down.

        Parameters
        ----------
        shoppers
            Who carries which tag now.
        """
        if truth.tags:
            number = np.array([shoppers[tag] for tag in truth.tags], np.int64)
            at_ms = np.full(len(number), truth.at_ms, np.int64)
            self._parts.append((number, at_ms, truth.x_m, truth.y_m, truth.is_standing))

    def walks(self) -> Iterator[TrueWalk]:
        """Yield the walk of each shopper, by number."""
        if not self._parts:
            return
        number, at_ms, x_m, y_m, is_standing = (
            np.concatenate(parts) for parts in zip(*self._parts, strict=True)
        )
        order = np.lexsort((at_ms, number))
        starts = np.flatnonzero(np.diff(number[order], prepend=-1))
        for rows in np.split(order, starts[1:]):
            yield TrueWalk(
                shopper=int(number[rows[0]]),
                at_ms=at_ms[rows],
                x_m=x_m[rows],
                y_m=y_m[rows],
                is_standing=is_standing[rows],
            )

    def stays(self) -> Iterator[TrueStay]:
        """Yield the stays in all zones, shopper by shopper; nested zones each tell their own."""
        for walk in self.walks():
            for zone, outline in self._zones:
                inside = np.flatnonzero(shapely.intersects_xy(outline, walk.x_m, walk.y_m))
                if inside.size:
                    yield from _stays(walk, zone, inside)


def _stays(walk: TrueWalk, zone: ZoneId, inside: npt.NDArray[np.intp]) -> Iterator[TrueStay]:
    gone = np.flatnonzero(np.diff(walk.at_ms[inside]) > AWAY_MS_MAX) + 1
    for rows in np.split(inside, gone):
        yield TrueStay(
            shopper=walk.shopper,
            zone=zone,
            entered_at_ms=UnixMs(int(walk.at_ms[rows[0]])),
            left_at_ms=UnixMs(int(walk.at_ms[rows[-1]]) + STEP_MS),
            dwell_s=Second(float(len(rows))),
            stood_s=Second(float(walk.is_standing[rows].sum())),
        )
