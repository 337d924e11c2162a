"""Coverage cell by cell: the figures of the matrices, fast enough to follow a dragged anchor."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from inaisle.config_files import demo_site_map_file
from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.model.site_map import Floor, SiteMap, Wall
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import AnchorId, Dbm
from rtls.positioning.calibration import AnchorLoss, Calibration
from rtls.positioning.coverage import CoverageSettings, best_place, coverage_of_floor
from rtls.positioning.coverage_grid import coverage_grid, kind_of_floor

DEMO = parse_site_map(demo_site_map_file().read_bytes(), source="demo")
KINDS = (ReadingKind.RANGE, ReadingKind.RSSI, ReadingKind.AOA, ReadingKind.TDOA)
SECONDS_MAX = 0.3


@pytest.fixture(scope="module")
def walled() -> SiteMap:
    """The demo shop with a crooked wall through it, so that walls matter everywhere.

    No two anchors are equally near: there either way may take the other one for the last.
    """
    wall = Wall(floor=0, line=((3.0, 20.0), (25.0, 21.0), (31.0, 33.0)))
    anchors = tuple(
        replace(anchor, x_m=anchor.x_m + 0.0137 * (number % 7), y_m=anchor.y_m + 0.0071 * number)
        for number, anchor in enumerate(DEMO.anchors)
    )
    return replace(DEMO, walls=(*DEMO.walls, wall), anchors=anchors)


@pytest.mark.parametrize("kind", KINDS)
def test_each_cell_has_the_bound_that_the_matrices_give(walled: SiteMap, kind: ReadingKind) -> None:
    """One quick way and one plain way: where they differ, one of them is wrong."""
    settings = CoverageSettings(cell_m=1.0)
    grid = coverage_grid(walled, 0, kind, settings=settings)
    plain = coverage_of_floor(walled, 0, kind, settings=settings)
    own = grid.bound_m[grid.is_free]
    assert np.array_equal(grid.heard[grid.is_free], plain.heard)
    assert np.array_equal(np.isfinite(own), np.isfinite(plain.bound_m))
    # Where a place is next to undetermined, the last digits are those of rounding.
    is_told = np.isfinite(own) & (own < 100.0)
    assert np.allclose(own[is_told], plain.bound_m[is_told], rtol=1e-6)
    best = best_place(walled, 0, kind, settings=settings)
    assert grid.best is not None
    assert (grid.best.x_m, grid.best.y_m) == (best.x_m, best.y_m)
    assert grid.best.p95_after_m == pytest.approx(best.p95_after_m, rel=1e-6)
    assert grid.best.p95_before_m == pytest.approx(best.p95_before_m, rel=1e-6)


def test_furniture_is_no_cell_and_rows_run_upwards(walled: SiteMap) -> None:
    """The picture must not be upside down, and nobody stands in a shelf."""
    grid = coverage_grid(walled, 0, ReadingKind.RANGE, settings=CoverageSettings(cell_m=0.5))
    assert grid.bound_m.shape == (80, 120)  # 40 m high, 60 m wide
    x, y = np.mean(walled.fixtures[0].ring, axis=0)
    assert np.isnan(grid.bound_m[int(y / 0.5), int(x / 0.5)])
    assert grid.fewer_than_three_m2 == pytest.approx(0.25 * (grid.is_free & (grid.heard < 3)).sum())


def test_what_calibration_says_of_an_anchor_counts(walled: SiteMap) -> None:
    names = [a.anchor for a in walled.anchors if a.radio.value == "ble"]
    loud = AnchorLoss(rssi_at_1m=Dbm(-40.0), exponent=2.0, sigma_db=4.0, bias_sd_db=2.0)
    known = Calibration(losses={AnchorId(name): loud for name in names})
    settings = CoverageSettings(cell_m=2.0)
    grid = coverage_grid(
        walled, 0, ReadingKind.RSSI, calibration=known, settings=settings, wants_best=False
    )
    plain = coverage_of_floor(walled, 0, ReadingKind.RSSI, calibration=known, settings=settings)
    assert np.allclose(grid.bound_m[grid.is_free], plain.bound_m, rtol=1e-6)


def test_it_follows_an_anchor_that_is_dragged_and_the_matrices_do_not() -> None:
    """80 × 50 m at half a metre, with the best next anchor, in 300 ms of a core.

    The control is the plain way, which takes several times as long for the same.
    """
    large = replace(DEMO, floors=(Floor(floor=0, name="0", width_m=80.0, height_m=50.0),))
    settings = CoverageSettings(cell_m=0.5)
    coverage_grid(large, 0, ReadingKind.RSSI, settings=settings)  # compiled or loaded
    began = time.process_time()
    coverage_grid(large, 0, ReadingKind.RSSI, settings=settings)
    quick_s = time.process_time() - began
    began = time.process_time()
    coverage_of_floor(large, 0, ReadingKind.RSSI, settings=settings)
    best_place(large, 0, ReadingKind.RSSI, settings=settings)
    plain_s = time.process_time() - began
    assert quick_s < SECONDS_MAX
    assert plain_s > 3.0 * quick_s


def test_what_cannot_be_looked_at_is_refused_with_its_remedy() -> None:
    with pytest.raises(InvalidGeometry, match="Take larger cells"):
        coverage_grid(DEMO, 0, ReadingKind.RANGE, settings=CoverageSettings(cell_m=0.01))
    with pytest.raises(InvalidGeometry, match="Add anchors"):
        coverage_grid(replace(DEMO, anchors=()), 0, ReadingKind.RANGE)
    with pytest.raises(InvalidGeometry, match="floor is 7"):
        coverage_grid(DEMO, 7, ReadingKind.RANGE)
    with pytest.raises(InvalidGeometry, match="Draw anchors"):
        kind_of_floor(DEMO, 7)
    assert kind_of_floor(DEMO, 0) is ReadingKind.RSSI
    assert math.isfinite(coverage_grid(DEMO, 0, ReadingKind.RANGE).bound_at(0.5))
