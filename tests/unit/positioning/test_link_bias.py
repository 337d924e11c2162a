"""link_bias: how a tag learns on line by how much its ranges are too long."""

import numpy as np
import pytest

from rtls.model.track import BIAS_STATE_SIZE, FLOORS_A_SITE, LINKS_A_TRACK
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.kernels.link_bias import (
    LINKS_MAX,
    PLACE_SD_M,
    UNKNOWNS_MAX,
    WORK_ROWS,
    begin_bias,
    begin_biases,
    learn_biases,
)
from rtls.positioning.tracking import TrackingSettings, parameters_of
from tests.reference.link_bias import learnt_at
from tests.reference.radio_site import OCTAGON, readings_of, run_epochs, site_with, true_ranges

SITE = site_with(OCTAGON)
TABLE = AnchorTable.build(SITE)
SETTINGS = TrackingSettings()
NOISE = SETTINGS.measurement
P = parameters_of(SETTINGS)
OWN = np.array([0.06, -0.05, 0.04, 0.08, -0.07, -0.02, 0.05, -0.06])


def walk_with(
    errors: np.ndarray, *, seconds: int = 120, sigma_m: float = 0.03
) -> tuple[np.ndarray, np.ndarray]:
    """A round through the square at half a metre a second; ranges, and where the tag was."""
    draw = np.random.default_rng(3)
    at_ms = np.arange(200, 1000 * seconds, 200)
    place = np.stack(
        [5.0 + 3.5 * np.cos(at_ms / 7000.0), 5.0 + 3.5 * np.sin(at_ms / 11000.0)], axis=1
    )
    log = [
        readings_of(true_ranges(SITE, (x, y)) + errors + draw.normal(0.0, sigma_m, 8), at_ms=int(t))
        for t, (x, y) in zip(at_ms, place, strict=True)
    ]
    return np.concatenate(log), place


def test_a_delay_common_to_all_ranges_is_learnt_from_the_first_fix() -> None:
    """Eight anchors around a tag and three unknowns: ranges half a metre too long do not meet."""
    readings = readings_of(true_ranges(SITE, (2.0, 3.0)) + 0.35, at_ms=100)
    _, fixes, tracks = run_epochs(readings, anchors=TABLE, settings=SETTINGS)
    learnt = NOISE.range_bias_common_m + tracks["bias_mean"][0, 0]
    # Half way from what is expected would be 0.25; place and slope take a little of it.
    assert 0.25 < learnt < 0.37
    assert np.hypot(fixes["x_m"] - 2.0, fixes["y_m"] - 3.0)[0] < 0.1


def test_errors_of_links_are_learnt_while_the_tag_moves() -> None:
    """Directions change from place to place, the errors stay: so they come apart."""
    readings, place = walk_with(0.18 + OWN)
    _, fixes, tracks = run_epochs(readings, anchors=TABLE, settings=SETTINGS)
    track = tracks[0]
    learnt = np.array(
        [track["bias_mean"][2 + np.flatnonzero(track["link_anchor"] == a + 1)[0]] for a in range(8)]
    )
    assert np.corrcoef(learnt, OWN)[0, 1] > 0.9
    error = np.hypot(fixes["x_m"] - place[:, 0], fixes["y_m"] - place[:, 1])
    assert np.mean(error[-100:]) < 0.7 * np.mean(error[:50])


def test_what_is_learnt_narrows_the_ellipse_and_standing_does_not() -> None:
    """Standing for minutes repeats the same equation; it may not be counted as new ones."""
    readings, _ = walk_with(0.18 + OWN)
    _, moving, _ = run_epochs(readings, anchors=TABLE, settings=SETTINGS)
    spot = true_ranges(SITE, (4.0, 6.0)) + 0.18 + OWN
    stay = np.concatenate([readings_of(spot, at_ms=t) for t in range(200, 120_000, 200)])
    _, _, stayed = run_epochs(stay, anchors=TABLE, settings=SETTINGS)
    _, _, begun = run_epochs(stay[:80], anchors=TABLE, settings=SETTINGS)
    assert np.trace(stayed["bias_cov"][:, [[0, 1], [1, 2]]][0]) == pytest.approx(
        np.trace(begun["bias_cov"][:, [[0, 1], [1, 2]]][0]), rel=0.05
    )
    assert moving["cov_xx"][-50:].mean() < 0.8 * moving["cov_xx"][5:25].mean()


def test_ranges_of_calibrated_links_carry_no_delay_of_the_tag() -> None:
    """What an installer has measured is not guessed at once more."""
    known = site_with(OCTAGON, range_bias_m=0.18)
    readings = readings_of(true_ranges(SITE, (2.0, 3.0)) + 0.18, at_ms=100)
    _, fixes, tracks = run_epochs(readings, anchors=AnchorTable.build(known), settings=SETTINGS)
    assert tracks["bias_mean"][0, 0] == 0.0
    assert np.hypot(fixes["x_m"] - 2.0, fixes["y_m"] - 3.0)[0] < 0.01


def test_a_blocked_path_is_remembered_for_some_seconds() -> None:
    """One long range may be noise; the next of the same link is then expected to be long too."""
    spot = true_ranges(SITE, (4.0, 6.0)) + 0.15
    log = []
    for t in range(200, 6001, 200):
        ranges = spot.copy()
        ranges[3] += 0.6 if t > 4000 else 0.0
        log.append(readings_of(ranges, at_ms=t))
    _, fixes, tracks = run_epochs(np.concatenate(log), anchors=TABLE, settings=SETTINGS)
    blocked = tracks["link_blocked"][0]
    assert blocked[3] > 0.9
    assert np.delete(blocked[:8], 3).max() < 0.3
    assert np.hypot(fixes["x_m"] - 4.0, fixes["y_m"] - 6.0)[-1] < 0.08


def test_a_step_of_learning_is_the_dense_gaussian() -> None:
    """One link after the other on a packed triangle, against all at once on a full matrix."""
    readings = readings_of(true_ranges(SITE, (3.0, 6.0)) + 0.15, at_ms=100)
    _, _, tracks = run_epochs(readings, anchors=TABLE, settings=SETTINGS)
    track = tracks[0]
    begin_biases(track, P)
    for k in range(8):
        begin_bias(track, P, k, NOISE.range_bias_link_sd_m)
    draw = np.random.default_rng(1)
    track["link_residual"][:8] = residuals = draw.normal(0.0, 0.05, 8).astype(np.float32)
    track["link_blocked"] = 0.0
    at = track["state"][:2].copy()
    anchors = np.array(OCTAGON)
    away = at - anchors[:, :2]
    lengths = np.sqrt((away**2).sum(axis=1) + (anchors[:, 2] - NOISE.tag_height_m) ** 2)
    noise = NOISE.bias_noise_factor * (NOISE.range_sigma_m**2 + NOISE.range_bias_place_sd_m**2)
    mean, cov = learnt_at(
        away / lengths[:, None],
        lengths,
        residuals,
        {
            "place": PLACE_SD_M,
            "common": NOISE.range_bias_common_sd_m,
            "slope": NOISE.range_slope_sd,
            "own": NOISE.range_bias_link_sd_m,
            "noise": np.sqrt(noise),
        },
    )
    assert learn_biases(np.empty((WORK_ROWS, UNKNOWNS_MAX)), track, TABLE.records, P)
    assert track["bias_mean"][:10] == pytest.approx(mean[2:], rel=1e-4, abs=1e-7)
    packed = track["bias_link_cov"][: 10 * 11 // 2]
    assert packed == pytest.approx(cov[2:, 2:][np.tril_indices(10)], rel=1e-3, abs=1e-8)
    # The place gives way by least squares to what the errors took.
    slopes = away / lengths[:, None]
    longer = mean[2] + mean[3] * lengths + mean[4:]
    shift = np.linalg.lstsq(slopes, -longer, rcond=None)[0]
    assert track["state"][:2] - at == pytest.approx(shift, rel=1e-2, abs=1e-5)


def test_the_kernels_have_room_for_all_that_a_track_keeps() -> None:
    """They know arrays only, so they repeat the sizes; one link more would be written beyond."""
    assert LINKS_MAX == LINKS_A_TRACK
    assert max(BIAS_STATE_SIZE + 2, FLOORS_A_SITE) <= UNKNOWNS_MAX
