"""Laws of positioning that hold for any geometry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.reading import ReadingKind
from rtls.model.track import TRACK_DTYPE
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.multilateration import multilaterate_ranges
from rtls.positioning.tracking import TrackingSettings, coast_tracks, update_tracks
from tests.reference.radio_site import OCTAGON, in_order, readings_of, site_with, true_ranges

SETTINGS = TrackingSettings()
NOISE = MeasurementSettings()
SITE = site_with(OCTAGON)
TABLE = AnchorTable.build(SITE)

inside = st.floats(0.5, 9.5)
errors = st.lists(st.floats(-0.3, 3.0), min_size=8, max_size=8)


def moved(x: np.ndarray, *, angle: float, shift: tuple[float, float]) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return x @ turn.T + np.array(shift)


def site_moved(*, angle: float, shift: tuple[float, float]) -> AnchorTable:
    flat = moved(np.array([(x, y) for x, y, _ in OCTAGON]), angle=angle, shift=shift)
    return AnchorTable.build(site_with([(x, y, 3.0) for x, y in flat]))


@given(
    x=inside,
    y=inside,
    error=errors,
    angle=st.floats(-3.0, 3.0),
    shift=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
)
def test_a_fix_turns_and_moves_with_its_anchors(
    x: float, y: float, error: list[float], angle: float, shift: tuple[float, float]
) -> None:
    """Where the architect put the origin of the plan says nothing about the shopper."""
    ranges = (true_ranges(SITE, (x, y)) + np.array(error))[None]
    here = multilaterate_ranges(ranges, anchors=TABLE, settings=NOISE)
    there = multilaterate_ranges(
        ranges, anchors=site_moved(angle=angle, shift=shift), settings=NOISE
    )
    expected = moved(here.place_m, angle=angle, shift=shift)[0]
    # Within what the last step of the iteration leaves.
    assert there.place_m[0] == pytest.approx(expected, abs=5e-3)
    assert np.trace(there.covariance_m2[0]) == pytest.approx(
        np.trace(here.covariance_m2[0]), rel=0.02
    )


@given(
    angle=st.floats(-3.0, 3.0),
    shift=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    seed=st.integers(0, 10_000),
)
def test_a_track_turns_and_moves_with_its_anchors(
    angle: float, shift: tuple[float, float], seed: int
) -> None:
    """The same for the filter with its velocity: no axis is special."""
    draw = np.random.default_rng(seed)
    steps = [
        (k * 200, true_ranges(SITE, (3 + 0.2 * k, 5)) + draw.exponential(0.1, 8))
        for k in range(1, 8)
    ]
    states = []
    for table in (TABLE, site_moved(angle=angle, shift=shift)):
        tracks = np.zeros(1, TRACK_DTYPE)
        for at_ms, ranges in steps:
            update_tracks(
                tracks,
                readings_of(ranges, at_ms=at_ms),
                anchors=table,
                epoch_end_ms=UnixMs(at_ms),
                settings=SETTINGS,
            )
        states.append(tracks["state"][0])
    here, there = states
    assert there[:2] == pytest.approx(moved(here[:2], angle=angle, shift=shift), abs=5e-3)
    assert there[2:4] == pytest.approx(moved(here[2:4], angle=angle, shift=(0, 0)), abs=2e-2)


@given(order=st.permutations(range(8)), x=inside, y=inside, error=errors)
def test_the_order_inside_an_instant_means_nothing(
    order: list[int], x: float, y: float, error: list[float]
) -> None:
    """Gateways deliver as they like; a sequential filter would linearise at another place."""
    first = readings_of(true_ranges(SITE, (5, 5)), at_ms=100)
    second = readings_of(true_ranges(SITE, (x, y)) + np.array(error), at_ms=200)
    states = []
    for readings in (second, second[order]):
        tracks = np.zeros(1, TRACK_DTYPE)
        for batch, at_ms in ((first, 100), (readings, 200)):
            update_tracks(
                tracks, batch, anchors=TABLE, epoch_end_ms=UnixMs(at_ms), settings=SETTINGS
            )
        states.append(np.concatenate([tracks["state"][0], tracks["cov"][0]]))
    assert states[0] == pytest.approx(states[1], rel=1e-9, abs=1e-9)


numbers = st.floats(allow_nan=True, allow_infinity=True, width=64) | st.floats(-120.0, 30.0)
arrivals = st.lists(
    st.tuples(
        st.integers(-1, 9),  # anchor
        st.sampled_from([*ReadingKind, 200]),
        numbers,  # value
        numbers,  # sigma
        st.integers(0, 5_000),  # heard at
        st.integers(0, 3),  # tag; slot 3 does not exist
    ),
    max_size=40,
)


@given(rows=arrivals)
def test_nothing_not_finite_ever_leaves(
    rows: list[tuple[int, int, float, float, int, int]],
) -> None:
    """Whatever comes in: a NaN in one covariance would be in every fix of that tag from then on."""
    tracks = np.zeros(3, TRACK_DTYPE)
    for epoch_end_ms in range(500, 5_001, 500):
        batch = [row for row in rows if epoch_end_ms - 500 < row[4] <= epoch_end_ms]
        readings = readings_of([row[2] for row in batch], at_ms=0)
        for name, column in (
            ("anchor", 0),
            ("kind", 1),
            ("sigma", 3),
            ("heard_at_ms", 4),
            ("tag", 5),
        ):
            readings[name] = [row[column] for row in batch]
        fixes = update_tracks(
            tracks,
            in_order(readings),
            anchors=TABLE,
            epoch_end_ms=UnixMs(epoch_end_ms),
            settings=SETTINGS,
        )
        coasting = coast_tracks(
            tracks, np.arange(3, dtype=np.int32), at_ms=UnixMs(9_000), settings=SETTINGS
        )
        for found in (fixes, coasting):
            for name in ("x_m", "y_m", "cov_xx", "cov_xy", "cov_yy", "vx_m_s", "vy_m_s"):
                assert np.isfinite(found[name]).all()
            assert (found["cov_xx"] * found["cov_yy"] > found["cov_xy"] ** 2).all()
            assert ((found["p_standing"] >= 0) & (found["p_standing"] <= 1)).all()
