"""The map filter with other kinds than RSSI: coarse ranges, angles and differences of distances."""

from dataclasses import replace

import numpy as np
import pytest

from rtls.model.reading import READING_DTYPE, ReadingKind
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap, Wall
from rtls.positioning.kernels.filter_choice import COARSE_M
from rtls.positioning.kernels.grid_rows import cost_of_row
from rtls.positioning.kernels.likelihood import RANGE_KIND
from rtls.positioning.kernels.rows import KIND, LONG_SHARE, ROW_WIDTH
from rtls.positioning.locator import Locator
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.tracking import TrackingSettings, parameters_of

START_MS = 1_700_000_000_000
PLACE = np.array([5.5, 13.5])
TAG_HEIGHT_M = MeasurementSettings().tag_height_m
GRID, GAUSSIAN = 1, 0


def site(*, walls: tuple[Wall, ...] = (), floors: int = 1) -> SiteMap:
    """Return 20 m by 20 m with an anchor near each corner, on every floor."""
    return SiteMap(
        site="s",
        name="s",
        floors=tuple(
            Floor(floor=floor, name=str(floor), width_m=20.0, height_m=20.0)
            for floor in range(floors)
        ),
        zones=(),
        walls=walls,
        anchors=tuple(
            Anchor(anchor=f"a{floor}{k}", radio=Radio.BLE, floor=floor, x_m=x, y_m=y, z_m=3.0)
            for floor in range(floors)
            for k, (x, y) in enumerate(((2, 2), (18, 2), (18, 18), (2, 18)))
        ),
    )


def distances(site_map: SiteMap, place: np.ndarray = PLACE) -> np.ndarray:
    places = np.array([(a.x_m, a.y_m) for a in site_map.anchors])
    rise = 3.0 - TAG_HEIGHT_M
    return np.sqrt(((places - place) ** 2).sum(axis=1) + rise * rise)


def readings(
    kind: ReadingKind, site_map: SiteMap, *, sigma: float, place: np.ndarray = PLACE
) -> np.ndarray:
    """Return what each anchor of floor 0 measures of a tag, without noise."""
    count = 4
    far = distances(site_map, place)[:count]
    rows = np.zeros(count, READING_DTYPE)
    rows["anchor"], rows["ref_anchor"] = np.arange(count), -1
    rows["kind"], rows["sigma"], rows["value_2"] = kind, sigma, np.nan
    if kind is ReadingKind.RANGE:
        rows["value"] = far + MeasurementSettings().range_bias_common_m
    elif kind is ReadingKind.TDOA:
        rows["value"], rows["ref_anchor"] = far - np.roll(far, 1), np.roll(np.arange(count), 1)
    elif kind is ReadingKind.AOA:
        places = np.array([(a.x_m, a.y_m) for a in site_map.anchors[:count]])
        rows["value"] = np.arctan2(*(place - places).T[::-1])
    else:
        rows = rows[:1]
        rows["value"], rows["value_2"] = place
    return rows


def follow(locator: Locator, rows: np.ndarray, *, seconds: int = 8) -> np.void:
    state = locator.empty_state(1)
    for second in range(seconds):
        rows["heard_at_ms"] = at_ms = START_MS + 1_000 * second
        fixes = locator.update(state, rows, epoch_end_ms=at_ms)
    return fixes[0]


@pytest.mark.parametrize(
    ("kind", "sigma"),
    [(ReadingKind.RANGE, 3.0), (ReadingKind.TDOA, 3.0), (ReadingKind.AOA, 0.4)],
)
def test_coarse_readings_of_every_kind_find_the_tag_on_the_grid(
    kind: ReadingKind, sigma: float
) -> None:
    """A site with a plan keeps its tags out of walls, whatever it hears them by."""
    site_map = site()
    fix = follow(Locator(site_map), readings(kind, site_map, sigma=sigma))
    assert fix["method"] == GRID
    assert fix["kinds"] == 1 << kind
    assert np.hypot(fix["x_m"] - PLACE[0], fix["y_m"] - PLACE[1]) < 1.0
    assert 0.3 < np.sqrt(fix["cov_xx"]) < 3.0


@pytest.mark.parametrize(
    ("kind", "sigma"),
    [
        (ReadingKind.RANGE, 0.9 * COARSE_M),
        (ReadingKind.RANGE, np.nan),
        (ReadingKind.AOA, np.nan),
        (ReadingKind.POSITION, 5.0),
    ],
)
def test_fine_readings_and_ready_made_positions_stay_off_the_grid(
    kind: ReadingKind, sigma: float
) -> None:
    """Where the Gaussian filter is the better one it is used."""
    site_map = site()
    assert follow(Locator(site_map), readings(kind, site_map, sigma=sigma))["method"] == GAUSSIAN


def test_ranges_beside_strengths_narrow_the_same_belief() -> None:
    """One likelihood: two filters for one tag would jump between two answers."""
    site_map = site()
    rssi = readings(ReadingKind.RANGE, site_map, sigma=np.nan)
    rssi["kind"] = ReadingKind.RSSI
    rssi["value"] = -61.0 - 20.0 * np.log10(distances(site_map)) - 6.0
    ranges = readings(ReadingKind.RANGE, site_map, sigma=2.5)
    alone = follow(Locator(site_map), rssi.copy())
    both = follow(Locator(site_map), np.sort(np.concatenate((rssi, ranges)), order=["anchor"]))
    assert both["kinds"] == (1 << ReadingKind.RSSI) | (1 << ReadingKind.RANGE)
    assert both["cov_xx"] + both["cov_yy"] < 0.7 * (alone["cov_xx"] + alone["cov_yy"])


def test_a_coarse_range_does_not_carry_a_tag_through_a_wall() -> None:
    """What lies behind a wall is out of reach, however well it would fit for a while."""
    wall = Wall(floor=0, line=((-1.0, 12.0), (21.0, 12.0)))
    ends = []
    for walls in ((), (wall,)):
        site_map = site(walls=walls)
        locator = Locator(site_map)
        state = locator.empty_state(1)
        for second in range(24):
            place = PLACE - np.array([0.0, 0.5 * max(second - 12, 0)])
            rows = readings(ReadingKind.RANGE, site_map, sigma=COARSE_M, place=place)
            rows["heard_at_ms"] = at_ms = START_MS + 1_000 * second
            fixes = locator.update(state, rows, epoch_end_ms=at_ms)
        ends.append(float(fixes["y_m"][0]))
    assert ends[0] < 9.0
    assert ends[1] > 12.0


def test_ranges_of_one_floor_put_the_tag_on_that_floor() -> None:
    """Through a slab hardly anything is heard."""
    site_map = site(floors=2)
    rows = readings(ReadingKind.RANGE, site_map, sigma=3.0)
    rows["anchor"] += 4
    assert follow(Locator(site_map), rows)["floor"] == 1


def test_a_long_range_is_cheaper_than_a_short_one() -> None:
    """Paths get blocked, and then they are too long; too short they are by a fault alone."""
    row = np.zeros(ROW_WIDTH)
    row[KIND] = RANGE_KIND
    noise = replace(MeasurementSettings(), long_share=0.25)
    row[LONG_SHARE] = noise.long_share
    p = parameters_of(TrackingSettings(measurement=noise))
    costs = [cost_of_row(row, residual, 1.0, p) for residual in (0.0, 6.0, -6.0)]
    assert costs[0] < costs[1] < costs[2] - 2.0
    assert np.isfinite(cost_of_row(row, 1e6, 1.0, p))
