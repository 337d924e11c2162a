"""motion and modes: carrying a track through time, as one that stands and as one that walks."""

import numpy as np
import pytest

from rtls.model.track import TRACK_DTYPE
from rtls.positioning.kernels.modes import join_modes, predict_modes
from rtls.positioning.kernels.motion import carry_walk
from rtls.positioning.tracking import TrackingSettings, parameters_of
from tests.reference.tracking import PlainMode, PlainTrack

SETTINGS = TrackingSettings()
P = parameters_of(SETTINGS)
LOWER = np.tril_indices(5)
STAND = [0, 1, 4]


def some_covariance(seed: int = 9) -> np.ndarray:
    root = np.random.default_rng(seed).normal(0.0, 0.5, (5, 5))
    return root @ root.T + 0.1 * np.eye(5)


def standing_part(cov: np.ndarray) -> np.ndarray:
    still = np.diag([1.0, 1.0, 0.0, 0.0, 1.0])
    return still @ cov @ still


def some_track() -> tuple[np.ndarray, PlainTrack]:
    tracks = np.zeros(1, TRACK_DTYPE)
    walk = PlainMode(np.array([1.0, 2.0, 0.7, -0.4, 3.0]), some_covariance(), 0.3)
    stand = PlainMode(np.array([1.3, 1.6, 0.0, 0.0, 2.0]), standing_part(some_covariance(8)), 0.7)
    tracks["walk_state"], tracks["walk_cov"] = walk.state, walk.cov[LOWER]
    tracks["stand_state"] = stand.state[STAND]
    tracks["stand_cov"] = stand.cov[np.ix_(STAND, STAND)][np.tril_indices(3)]
    tracks["p_standing"] = stand.weight
    return tracks, PlainTrack(SETTINGS, stand=stand, walk=walk)


@pytest.mark.parametrize("dt_s", [0.001, 0.02, 0.1, 1.0, 30.0])
def test_modes_are_mixed_and_carried_as_the_plain_ones(dt_s: float) -> None:
    """Two dozen packed formulas against matrices, also where the closed form loses its digits."""
    tracks, twin = some_track()
    predict_modes(tracks[0], dt_s, P)
    join_modes(tracks[0])
    twin.predict(dt_s)
    assert tracks["p_standing"][0] == pytest.approx(twin.stand.weight)
    assert tracks["walk_state"][0] == pytest.approx(twin.walk.state, rel=1e-12)
    assert tracks["walk_cov"][0] == pytest.approx(twin.walk.cov[LOWER], rel=1e-8, abs=1e-12)
    assert tracks["stand_state"][0] == pytest.approx(twin.stand.state[STAND], rel=1e-12)
    assert tracks["cov"][0] == pytest.approx(twin.both.cov[LOWER], rel=1e-8, abs=1e-12)


def test_time_does_not_run_backwards() -> None:
    """A late reading must not undo a prediction."""
    tracks, _ = some_track()
    before = tracks.tobytes()
    predict_modes(tracks[0], -1.0, P)
    assert tracks.tobytes() == before


def test_one_long_walk_is_many_short_ones() -> None:
    """The epoch length is a setting; it may not change how far a tag is believed to go."""
    once, often = np.array([1.0, 2.0, 0.7, -0.4, 3.0]), np.array([1.0, 2.0, 0.7, -0.4, 3.0])
    cov = np.diag([0.2, 0.3, 0.1, 0.2, 4.0])[LOWER]
    cov_often = cov.copy()
    carry_walk(once, cov, 2.0, P)
    for _ in range(400):
        carry_walk(often, cov_often, 0.005, P)
    assert often == pytest.approx(once, rel=1e-9)
    assert cov_often == pytest.approx(cov, rel=1e-6, abs=1e-9)


def test_what_a_mode_was_is_forgotten_in_time() -> None:
    """After a silence nothing is known of whether a tag stands: the prior is what is left."""
    tracks, _ = some_track()
    predict_modes(tracks[0], 100.0, P)
    assert tracks["p_standing"][0] == pytest.approx(SETTINGS.standing_prior, abs=1e-3)
