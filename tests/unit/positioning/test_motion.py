"""motion: carrying a track through time, and whether it stands."""

import numpy as np
import pytest

from rtls.positioning.kernels.motion import UU, VV, carry, standing_probability
from rtls.positioning.tracking import TrackingSettings, parameters_of
from tests.reference.tracking import PlainTrack

SETTINGS = TrackingSettings()
P = parameters_of(SETTINGS)
LOWER = np.tril_indices(5)


def some_covariance() -> np.ndarray:
    root = np.random.default_rng(9).normal(0.0, 0.5, (5, 5))
    return root @ root.T + 0.1 * np.eye(5)


@pytest.mark.parametrize("dt_s", [0.001, 0.02, 0.1, 1.0, 30.0])
def test_carrying_is_the_matrix_form_of_the_process(dt_s: float) -> None:
    """Fifteen packed formulas against F P F' + Q, also where the closed form loses its digits."""
    state = np.array([1.0, 2.0, 0.7, -0.4, 3.0])
    cov = some_covariance()
    twin = PlainTrack(SETTINGS, state.copy(), cov.copy())
    twin.predict(dt_s)
    packed = cov[LOWER].copy()
    carry(state, packed, dt_s, P)
    assert state == pytest.approx(twin.state, rel=1e-12)
    assert packed == pytest.approx(twin.cov[LOWER], rel=1e-9, abs=1e-12)


def test_time_does_not_run_backwards() -> None:
    """A late reading must not undo a prediction."""
    state = np.array([1.0, 2.0, 0.7, -0.4, 3.0])
    packed = some_covariance()[LOWER]
    before = packed.copy()
    carry(state, packed, -1.0, P)
    assert packed.tolist() == before.tolist()


def speed_known(u: float, sd: float) -> float:
    packed = np.zeros(15)
    packed[UU] = packed[VV] = sd**2
    return standing_probability(np.array([0.0, 0.0, u, 0.0, 0.0]), packed, P)


def test_a_well_known_velocity_decides_and_an_unknown_one_leaves_the_prior() -> None:
    """What is not known may not look like a stand, nor like a walk."""
    assert speed_known(0.0, 0.05) > 0.95
    assert speed_known(1.0, 0.1) < 0.01
    assert speed_known(0.0, 50.0) == pytest.approx(SETTINGS.standing_prior, abs=0.01)


def test_faster_never_looks_more_like_a_stand() -> None:
    """Dwell would otherwise count a runner."""
    falling = [speed_known(u, 0.2) for u in np.linspace(0.0, 5.0, 50)]
    assert falling == sorted(falling, reverse=True)
    assert all(np.isfinite(falling))
