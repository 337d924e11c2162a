"""Say cell by cell how well a floor is covered, fast enough to follow an anchor that is dragged.

Layer: rules. Takes: `SiteMap`, calibration, `CoverageSettings`. Gives: `CoverageGrid` to the floor
plan. The figures are those of rtls.positioning.coverage, which works out more of each place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.model.site_map import Floor, SiteMap
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.calibration import Calibration
from rtls.positioning.coverage import (
    ANCHORS_FOR_A_FIX,
    CANDIDATES_MAX,
    KIND_OF_RADIO,
    SEARCH_PLACES_MAX,
    CoverageSettings,
    known_of,
    radio_model,
    usual_height,
    with_anchors_at,
    with_anchors_for,
)
from rtls.positioning.floor_lattice import floor_of, floor_places, is_inside
from rtls.positioning.kernels.coverage_bound import (
    ANCHOR_COLUMNS,
    BY_ANGLE,
    BY_LENGTH,
    BY_STRENGTH,
    cover,
    cover_with_one_more,
)

Floats = npt.NDArray[np.float64]
CELLS_MAX: Final = 100_000
WALLS_MAX: Final = 5_000
ANCHORS_MAX: Final = 2_000
NO_WALL: Final = np.empty((0, 4))
HOW: Final = {
    ReadingKind.RSSI: BY_STRENGTH,
    ReadingKind.RANGE: BY_LENGTH,
    ReadingKind.TDOA: BY_LENGTH,
    ReadingKind.AOA: BY_ANGLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BestSpot:
    """Where one more anchor lowers the mean bound of a floor most."""

    x_m: float
    y_m: float
    z_m: float
    p95_before_m: float
    p95_after_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGrid:
    """How well one kind of reading covers one floor.

    Parameters
    ----------
    cell_m
        Side of a cell; the first one's lower left corner is the floor's.
    bound_m
        (rows, columns), m, from the lower row up; NaN within furniture, infinite where unknown.
    heard
        (rows, columns), anchors that hear a tag there; 0 within furniture.
    """

    floor: int
    kind: ReadingKind
    cell_m: float
    bound_m: Floats
    heard: npt.NDArray[np.int64]
    best: BestSpot | None

    @property
    def is_free(self) -> npt.NDArray[np.bool_]:
        """Return (rows, columns) where a tag can be."""
        return ~np.isnan(self.bound_m)

    @property
    def fewer_than_three_m2(self) -> float:
        """Return the ground that fewer than three anchors hear."""
        return float((self.is_free & (self.heard < ANCHORS_FOR_A_FIX)).sum()) * self.cell_m**2

    def bound_at(self, share: float) -> float:
        """Return the bound that ``share`` of the ground keeps."""
        return float(np.quantile(self.bound_m[self.is_free], share, method="higher"))


def kind_of_floor(site_map: SiteMap, floor: int) -> ReadingKind:
    """Return what most anchors of a floor give.

    Raises
    ------
    InvalidGeometry
        If it has no anchor.
    """
    kinds = [KIND_OF_RADIO[anchor.radio] for anchor in site_map.anchors if anchor.floor == floor]
    if not kinds:
        raise InvalidGeometry(f"floor {floor} has no anchor; expected one or more. Draw anchors.")
    return max(KIND_OF_RADIO.values(), key=kinds.count)


def coverage_grid(
    site_map: SiteMap,
    floor: int,
    kind: ReadingKind,
    *,
    calibration: Calibration | None = None,
    settings: CoverageSettings | None = None,
    wants_best: bool = True,
) -> CoverageGrid:
    """Return how well a floor is covered, and where one more anchor would help most.

    Raises
    ------
    InvalidGeometry
        If there is nothing to look at, or too much of it.
    """
    chosen = settings or CoverageSettings()
    plan, site = floor_of(site_map, floor), with_anchors_for(site_map, floor, kind)
    _refuse_too_much(plan, site, chosen.cell_m)
    places, is_free, shape = _cells(site_map, plan, chosen.cell_m)
    if not (is_free.any() and site.anchors):
        raise InvalidGeometry(
            f"floor {floor} has {int(is_free.sum())} free cells of {chosen.cell_m} m and "
            f"{len(site.anchors)} anchors for {kind.name.lower()}; expected both. Add anchors to "
            "the map, or ask for another kind."
        )
    anchors, model = _as_arrays(site, kind, calibration, chosen)
    bounds, counts = np.full(len(places), np.nan), np.zeros(len(places), np.int64)
    free_bounds, free_counts = bounds[is_free], counts[is_free]
    walls = _walls(site, floor)
    cover(places[is_free], anchors, walls, model, free_bounds, free_counts)
    bounds[is_free], counts[is_free] = free_bounds, free_counts
    return CoverageGrid(
        floor=floor,
        kind=kind,
        cell_m=chosen.cell_m,
        bound_m=bounds.reshape(shape),
        heard=counts.reshape(shape),
        best=_best(site_map, site, plan, kind, calibration, chosen) if wants_best else None,
    )


def _best(
    site_map: SiteMap,
    site: SiteMap,
    plan: Floor,
    kind: ReadingKind,
    calibration: Calibration | None,
    settings: CoverageSettings,
) -> BestSpot:
    area = plan.width_m * plan.height_m
    cell_m = max(settings.cell_m, math.sqrt(area / SEARCH_PLACES_MAX))
    places = floor_places(site_map, plan.floor, cell_m)
    # An anchor may well hang above a shelf, so furniture does not count.
    bare = replace(site_map, fixtures=())
    spots = floor_places(bare, plan.floor, math.sqrt(area / CANDIDATES_MAX))
    anchors, model = _as_arrays(site, kind, calibration, settings)
    more = with_anchors_at(replace(site, anchors=site.anchors[:1]), spots)
    tried, _ = _as_arrays(replace(more, anchors=more.anchors[1:]), kind, calibration, settings)
    tried[:, 2] = usual_height(site) - settings.measurement.tag_height_m
    worst_m = math.hypot(plan.width_m, plan.height_m)
    before, walls = np.empty(len(places)), _walls(site, plan.floor)
    cover(places, anchors, walls, model, before, np.empty(len(places), np.int64))
    after = np.empty((len(spots), len(places)))
    cover_with_one_more(places, anchors, tried, walls, model, worst_m, after)
    found = int(np.argmin(after.mean(axis=1)))
    return BestSpot(
        x_m=float(spots[found, 0]),
        y_m=float(spots[found, 1]),
        z_m=usual_height(site),
        p95_before_m=float(np.quantile(np.minimum(before, worst_m), 0.95)),
        p95_after_m=float(np.quantile(after[found], 0.95)),
    )


def _as_arrays(
    site: SiteMap, kind: ReadingKind, calibration: Calibration | None, settings: CoverageSettings
) -> tuple[Floats, Floats]:
    """Return anchors and radio as the kernels take them."""
    table = AnchorTable.build(site, known_of(calibration, site), measurement=settings.measurement)
    radio = radio_model(table, kind, settings)
    own = table.records.own
    anchors = np.empty((len(site.anchors), ANCHOR_COLUMNS))
    for column, values in enumerate((
        own["x_m"],
        own["y_m"],
        own["z_m"] - settings.measurement.tag_height_m,
        own["rssi_at_1m"],
        own["exponent"],
        1.0 / radio.sigma,
    )):  # fmt: skip
        anchors[:, column] = values
    shared = -1.0 if radio.common_sd == 0.0 else radio.common_sd**-2.0
    limit = settings.rssi_dbm_min if kind is ReadingKind.RSSI else settings.reach_m
    nearest = min(radio.nearest_max, ANCHORS_MAX)
    model = np.array([HOW[kind], limit, settings.wall_db, shared, nearest], np.float64)
    return anchors, model


def _cells(
    site_map: SiteMap, plan: Floor, cell_m: float
) -> tuple[Floats, npt.NDArray[np.bool_], tuple[int, int]]:
    """Return the middles of all cells, whether each is free, and rows and columns."""
    x = np.arange(cell_m / 2.0, plan.width_m, cell_m)
    y = np.arange(cell_m / 2.0, plan.height_m, cell_m)
    places = np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1)
    is_free = np.ones(len(places), np.bool_)
    for fixture in site_map.fixtures:
        if fixture.floor == plan.floor:
            is_free &= ~is_inside(places, fixture.ring)
    return places, is_free, (y.size, x.size)


def _walls(site: SiteMap, floor: int) -> Floats:
    segments = [
        (*begin, *end)
        for wall in site.walls
        if wall.floor == floor
        for begin, end in pairwise(wall.line)
    ]
    return np.array(segments, np.float64) if segments else NO_WALL


def _refuse_too_much(plan: Floor, site: SiteMap, cell_m: float) -> None:
    cells = plan.width_m * plan.height_m / cell_m**2
    walls = sum(max(len(wall.line) - 1, 0) for wall in site.walls)
    for what, found, most in (
        ("cells", cells, CELLS_MAX),
        ("walls", walls, WALLS_MAX),
        ("anchors", len(site.anchors), ANCHORS_MAX),
    ):
        if not found <= most:
            raise InvalidGeometry(
                f"floor {plan.floor} has {found:.0f} {what}; expected at most {most}. Take larger "
                "cells, or ask for a part of the map."
            )


def names_of_kinds() -> Sequence[str]:
    """Return the kinds of readings that there is coverage of, as people write them."""
    return tuple(kind.name.lower() for kind in HOW)
