"""multilateration: a position from the readings of one instant."""

from dataclasses import replace

import numpy as np
import pytest

from rtls.model.errors import InvalidGeometry
from rtls.positioning.accuracy import gdop, range_bound, rssi_bound
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.kernels.residuals import residual_and_slope
from rtls.positioning.kernels.rows import ROW_WIDTH, fill_rows
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.multilateration import (
    ITERATIONS_MAX,
    multilaterate_ranges,
    multilaterate_rssi,
)
from rtls.positioning.tracking import TrackingSettings, parameters_of
from tests.reference.multilateration import fix_from_ranges, fix_from_rssi
from tests.reference.radio_site import OCTAGON, SQUARE, site_with, true_ranges, true_rssi

SITE = site_with(OCTAGON)
TABLE = AnchorTable.build(SITE)
SETTINGS = TrackingSettings()
NOISE = MeasurementSettings(huber_long_sigmas=1.5, huber_short_sigmas=1.5)
ANCHOR_M = np.array([(a.x_m, a.y_m, a.z_m - NOISE.tag_height_m) for a in SITE.anchors])


def noisy_ranges(n_tags: int, sigma_m: float) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(11)
    place = draw.uniform(1.0, 9.0, (n_tags, 2))
    ranges = np.stack([true_ranges(SITE, (x, y)) for x, y in place])
    ranges += draw.normal(0.0, sigma_m, ranges.shape)
    blocked = draw.random(ranges.shape) < 0.1
    return place, np.where(blocked, ranges + draw.uniform(1.0, 6.0, ranges.shape), ranges)


@pytest.mark.parametrize("place", [(5.0, 5.0), (1.0, 9.0), (10.0, 0.0)])
def test_exact_ranges_give_the_exact_place(place: tuple[float, float]) -> None:
    """Also right under an anchor, where the slope of a flat distance would be undefined."""
    fix = multilaterate_ranges(true_ranges(SITE, place)[None], anchors=TABLE, settings=NOISE)
    assert fix.place_m[0] == pytest.approx(place, abs=1e-6)


def test_the_fix_is_that_of_scipy() -> None:
    """Same loss, same data: a faster solver may not be another estimator."""
    _, ranges = noisy_ranges(40, 0.5)
    noise = replace(NOISE, range_sigma_m=0.5)
    sds = noise.range_sigma_m, noise.range_bias_sd_m, noise.range_bias_place_sd_m
    sigma_m = float(np.linalg.norm(sds))
    fixes = multilaterate_ranges(ranges, anchors=TABLE, settings=noise)
    for row, place in zip(ranges, fixes.place_m, strict=True):
        twin = fix_from_ranges(
            ANCHOR_M, row, start=np.array([5.0, 5.0]), sigma_m=sigma_m, huber=1.5
        )
        assert place == pytest.approx(twin, abs=0.01)


def test_a_tag_has_the_same_fix_whoever_is_solved_beside_it() -> None:
    """Tags go through the solver sixteen abreast; one must never leak into the next.

    37 tags leave a last tile of 5; every third tag hears too little for a fix.
    """
    _, ranges = noisy_ranges(37, 0.5)
    ranges[::3, 2:] = np.nan
    together = multilaterate_ranges(ranges, anchors=TABLE, settings=NOISE)
    assert together.is_located.tolist() == [index % 3 != 0 for index in range(37)]
    for index, row in enumerate(ranges):
        alone = multilaterate_ranges(row[None], anchors=TABLE, settings=NOISE)
        for name in ("place_m", "covariance_m2", "iterations", "is_located"):
            one, many = getattr(alone, name)[0], getattr(together, name)[index]
            np.testing.assert_array_equal(one, many)


def test_solves_settle_long_before_the_cap() -> None:
    """In a system we read, 99.97 % ran into the cap: its slope did not match its residual."""
    _, ranges = noisy_ranges(2000, 0.1)
    fixes = multilaterate_ranges(ranges, anchors=TABLE, settings=NOISE)
    assert np.mean(fixes.iterations == ITERATIONS_MAX) < 0.01


def test_one_blocked_path_in_eight_moves_the_fix_less_than_its_noise() -> None:
    """5 m of detour, spread evenly, would move a plain least-squares fix by more than a metre."""
    ranges = true_ranges(SITE, (4.0, 6.0))
    ranges[2] += 5.0
    fix = multilaterate_ranges(ranges[None], anchors=TABLE, settings=NOISE)
    assert np.linalg.norm(fix.place_m[0] - (4.0, 6.0)) < 0.05


def test_anchors_in_a_line_leave_a_mirror_image_and_no_fix() -> None:
    """Half of all fixes would be on the other side of the aisle."""
    table = AnchorTable.build(site_with([(float(x), 0.0, 3.0) for x in range(5)]))
    site = site_with([(float(x), 0.0, 3.0) for x in range(5)])
    ranges = multilaterate_ranges(
        true_ranges(site, (2.0, 4.0))[None], anchors=table, settings=NOISE
    )
    rssi = multilaterate_rssi(true_rssi(site, (2.0, 4.0))[None], anchors=table, settings=SETTINGS)
    assert not ranges.is_located[0]
    assert not rssi.is_located[0]
    assert np.isnan(ranges.place_m).all()


def test_two_ranges_give_no_fix_and_three_do() -> None:
    """Two circles meet in two points."""
    ranges = true_ranges(SITE, (4.0, 6.0))
    two, three = ranges.copy(), ranges.copy()
    two[2:] = np.nan
    three[3:] = np.nan
    fixes = multilaterate_ranges(np.stack([two, three]), anchors=TABLE, settings=NOISE)
    assert fixes.is_located.tolist() == [False, True]
    assert fixes.place_m[1] == pytest.approx((4.0, 6.0), abs=1e-6)


def test_exact_rssi_gives_the_exact_place_and_offset() -> None:
    """The offset is drawn to zero by its prior a little, the place is not."""
    rssi = true_rssi(SITE, (3.0, 6.0)) + 10.0
    fix = multilaterate_rssi(rssi[None], anchors=TABLE, settings=SETTINGS)
    assert fix.place_m[0] == pytest.approx((3.0, 6.0), abs=0.15)
    assert fix.offset_db[0] == pytest.approx(10.0, abs=0.8)


def test_a_phone_that_is_20_db_weaker_is_at_the_same_place() -> None:
    """Regression on a system whose offset never entered the residual."""
    draw = np.random.default_rng(5)
    rssi = true_rssi(SITE, (6.5, 3.0)) + draw.normal(0.0, 3.0, len(SITE.anchors))
    fixes = multilaterate_rssi(np.stack([rssi, rssi - 20.0]), anchors=TABLE, settings=SETTINGS)
    assert np.linalg.norm(fixes.place_m[0] - fixes.place_m[1]) < 0.5
    assert fixes.offset_db[0] - fixes.offset_db[1] == pytest.approx(20.0, abs=2.0)


def test_the_rssi_fix_is_the_bottom_that_scipy_finds() -> None:
    """Nelder-Mead on the plain formula, started at our answer and a metre beside it."""
    draw = np.random.default_rng(8)
    places = draw.uniform(1.0, 9.0, (6, 2))
    rssi = np.stack([true_rssi(SITE, (x, y)) for x, y in places])
    rssi += draw.normal(0.0, 4.0, rssi.shape)
    own = TABLE.records.own
    noise = SETTINGS.measurement
    for row, fix in zip(
        rssi, multilaterate_rssi(rssi, anchors=TABLE, settings=SETTINGS).place_m, strict=True
    ):
        twin = fix_from_rssi(
            np.array([*(fix + 0.3), 0.0]),
            anchor_m=ANCHOR_M,
            rssi_at_1m=own["rssi_at_1m"],
            exponent=own["exponent"],
            rssi_dbm=row,
            scale_db=own["rssi_sigma_db"] * np.sqrt(1.0 - 2.0 / noise.student_dof),
            dof=noise.student_dof,
            offset_sd_db=noise.offset_sd_db,
        )
        outside = fix.min() < -2.0 or fix.max() > 12.0  # the belief of nearness is not in the twin
        assert outside or fix == pytest.approx(twin[:2], abs=0.01)


@pytest.mark.parametrize(
    ("kind", "value", "value_2"),
    [(0, -70.0, np.nan), (1, 6.0, np.nan), (2, 1.5, np.nan), (3, 2.0, -0.4), (4, 4.5, 2.0)],
)
def test_the_slope_of_a_reading_is_the_slope_of_its_residual(
    kind: int, value: float, value_2: float
) -> None:
    """By finite differences, for dB, metres and angles: a wrong slope converges nowhere."""
    rows = np.zeros((2, ROW_WIDTH))
    parameters = parameters_of(SETTINGS)
    count = fill_rows(rows, 0, TABLE.records, parameters, 1, kind, value, value_2, np.nan, 3, 0)
    assert count == (1 if np.isnan(value_2) else 2)
    step = 1e-6
    for row in rows[:count]:
        at = residual_and_slope(row, 4.0, 2.5, 1.0)
        for axis, (x, y, o) in enumerate(((step, 0, 0), (0, step, 0), (0, 0, step))):
            moved = residual_and_slope(row, 4.0 + x, 2.5 + y, 1.0 + o)
            is_azimuth = row[0] == 3
            # The way across the line of sight: how far the ray passes changes as well, which
            # Gauss-Newton leaves out where the residual is small.
            tolerance = abs(at[0]) if is_azimuth else 1e-5
            assert (at[0] - moved[0]) / step == pytest.approx(at[1 + axis], abs=tolerance)


def test_the_fix_comes_within_a_quarter_of_the_bound() -> None:
    """The Cramér-Rao bound is the best there is; with Gaussian noise Huber costs a few per cent."""
    draw = np.random.default_rng(2)
    place = np.tile([[4.0, 7.0]], (4000, 1))
    ranges = true_ranges(SITE, (4.0, 7.0)) + draw.normal(0.0, 0.1, (4000, len(SITE.anchors)))
    settings = MeasurementSettings(range_sigma_m=0.1, huber_long_sigmas=1.5, huber_short_sigmas=1.5)
    fixes = multilaterate_ranges(ranges, anchors=TABLE, settings=settings)
    rmse = np.sqrt(np.mean(np.sum((fixes.place_m - place) ** 2, axis=1)))
    bound = range_bound(place[:1], anchors=TABLE, sigma_m=0.1, tag_height_m=1.0)[0]
    assert 0.95 * bound < rmse < 1.25 * bound


def test_four_anchors_around_a_tag_have_the_textbook_dilution() -> None:
    """A square seen from its middle: σ in x is σ / √2 · 1 / cos², with flat slopes it is 1."""
    flat = AnchorTable.build(site_with([(x, y, 1.0) for x, y, _ in SQUARE]))
    assert gdop(np.array([[5.0, 5.0]]), anchors=flat, tag_height_m=1.0)[0] == pytest.approx(1.0)


def test_the_bound_of_rssi_worsens_with_distance_and_is_infinite_without_geometry() -> None:
    """Decibels tell ratios: far away, a metre is a smaller ratio."""
    places = np.array([[5.0, 5.0], [30.0, 5.0]])
    near, far = rssi_bound(places, anchors=TABLE, settings=SETTINGS.measurement)
    assert near < far / 3.0
    line = AnchorTable.build(site_with([(float(x), 0.0, 1.0) for x in range(4)]))
    assert np.isinf(gdop(np.array([[5.0, 0.0]]), anchors=line, tag_height_m=1.0)[0])


def test_readings_of_another_table_are_refused() -> None:
    """A column too few would be read beyond its end by a kernel."""
    with pytest.raises(InvalidGeometry, match="8"):
        multilaterate_ranges(np.zeros((1, 3)), anchors=TABLE, settings=NOISE)
    with pytest.raises(InvalidGeometry, match="finite"):
        gdop(np.array([[np.nan, 0.0]]), anchors=TABLE, tag_height_m=1.0)
