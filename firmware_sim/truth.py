"""What really happened: kept apart from the radio, so that nothing is judged by itself.

Layer: nouns. Takes: positions from firmware_sim.scenario. Gives: `Truth` of an instant and the
`Stay`s of a scripted shopper to tests, score and the demo's error display.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.site_map import SiteMap, ZoneKind
from rtls.model.units import TagId, UnixMs, ZoneId

TRUTH_HEADER = "t_ms,tag,x_m,y_m,zone,standing\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where every tag really is at one instant; columns (n,) in the order of ``tags``.

    Parameters
    ----------
    slots
        The tag's slot in the scenario: steady as long as the tag is in the shop.
    is_standing
        Whether the shopper stands.
    """

    at_ms: UnixMs
    tags: tuple[TagId, ...]
    slots: npt.NDArray[np.intp]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    is_standing: npt.NDArray[np.bool_]

    def row_of(self, tag: TagId) -> int | None:
        """Return the row of a tag, None where it is not in the shop."""
        return self.tags.index(tag) if tag in self.tags else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What a scripted shopper really did in one zone. All instants are ends of steps.

    Parameters
    ----------
    entered_at_ms, left_at_ms
        First instant within the polygon, first instant outside of it again; None: not yet.
    stood_from_ms, stood_until_ms
        When he came to rest, when he set off; None: not yet.
    """

    zone: ZoneId
    entered_at_ms: UnixMs | None = None
    stood_from_ms: UnixMs | None = None
    stood_until_ms: UnixMs | None = None
    left_at_ms: UnixMs | None = None


class ZoneLookup:
    """Which shelf a place belongs to."""

    def __init__(self, site_map: SiteMap) -> None:
        self._rings = {zone.zone: shapely.Polygon(zone.ring) for zone in site_map.zones}
        shelves = [zone.zone for zone in site_map.zones if zone.kind is ZoneKind.SHELF]
        self._shelves = shelves
        self._tree = shapely.STRtree([self._rings[zone] for zone in shelves])

    def contains(self, zone: ZoneId, *, x_m: float, y_m: float) -> bool:
        """Return whether a place is within a zone; its edge counts as within."""
        return bool(shapely.intersects_xy(self._rings[zone], x_m, y_m))

    def shelves(self, truth: Truth) -> list[ZoneId | None]:
        """Return the shelf zone that each tag is in."""
        points = shapely.points(truth.x_m, truth.y_m)
        found: list[ZoneId | None] = [None] * len(truth.tags)
        rows, zones = self._tree.query(points, predicate="intersects")
        for row, zone in zip(rows.tolist(), zones.tolist(), strict=True):
            found[row] = self._shelves[zone]
        return found


def render_truth(truth: Truth, lookup: ZoneLookup) -> Iterator[str]:
    """Yield one CSV line a tag, under `TRUTH_HEADER`."""
    rows = zip(
        truth.tags,
        truth.x_m.tolist(),
        truth.y_m.tolist(),
        lookup.shelves(truth),
        truth.is_standing.tolist(),
        strict=True,
    )
    for tag, x_m, y_m, zone, standing in rows:
        yield f"{truth.at_ms},{tag},{x_m:.3f},{y_m:.3f},{zone or ''},{int(standing)}\n"


def step_stay(
    stay: Stay, *, now_ms: UnixMs, is_inside: bool, is_standing: bool, is_at_stop: bool
) -> Stay:
    """Return the stay with what one more step has shown.

    Parameters
    ----------
    is_inside
        Whether the shopper is within the polygon.
    is_standing
        Whether he stands.
    is_at_stop
        Whether the stop he stands at is the one of this stay.
    """
    if stay.entered_at_ms is None and is_inside:
        stay = replace(stay, entered_at_ms=now_ms)
    if stay.stood_from_ms is None and is_standing and is_at_stop:
        stay = replace(stay, stood_from_ms=now_ms)
    if stay.stood_from_ms is not None and stay.stood_until_ms is None and not is_at_stop:
        stay = replace(stay, stood_until_ms=now_ms)
    if stay.stood_until_ms is not None and stay.left_at_ms is None and not is_inside:
        stay = replace(stay, left_at_ms=now_ms)
    return stay
