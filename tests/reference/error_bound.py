"""The Cramér-Rao bound by finite differences, for any kind of reading.

Layer: tests. Takes: what the readings of a place should be. Gives: the covariance that no unbiased
estimator beats, for one fix and along a walk.
"""

import math
from collections.abc import Callable

import numpy as np

Expected = Callable[[np.ndarray], np.ndarray]


def information_at(place: np.ndarray, expected: Expected, sigma: float) -> np.ndarray:
    """Return J'J / σ² of all unknowns that ``expected`` takes."""
    step = 1e-5
    slopes = np.stack(
        [
            (expected(place + step * unit) - expected(place - step * unit)) / (2.0 * step)
            for unit in np.eye(place.size)
        ],
        axis=1,
    )
    return slopes.T @ slopes / sigma**2


def walk_matrices(dt: float, *, memory_s: float, speed_sd: float) -> tuple[np.ndarray, np.ndarray]:
    """Return transition and noise of (x, y, vx, vy), velocities forgetting themselves."""
    keep = math.exp(-dt / memory_s)
    move = np.eye(4)
    move[0, 2] = move[1, 3] = memory_s * (1.0 - keep)
    move[2, 2] = move[3, 3] = keep
    variance = speed_sd**2
    noise = np.zeros((4, 4))
    for place, speed in ((0, 2), (1, 3)):
        noise[place, place] = (
            variance * memory_s**2 * (2.0 * dt / memory_s - 3.0 + 4.0 * keep - keep**2)
        )
        noise[place, speed] = noise[speed, place] = variance * memory_s * (1.0 - keep) ** 2
        noise[speed, speed] = variance * (1.0 - keep**2)
    return move, noise


def bound_along(
    path: np.ndarray, expected: Expected, sigma: float, matrices: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return the posterior bound of the place at each step (Tichavský 1998), as rms metres."""
    move, noise = matrices
    information = np.diag([0.0, 0.0, 4.0, 4.0])
    rms = []
    for k, place in enumerate(path):
        if k > 0:
            information = np.linalg.inv(noise + move @ np.linalg.inv(information) @ move.T)
        information[:2, :2] += information_at(place, expected, sigma)
        bound = np.linalg.inv(information)
        rms.append(math.sqrt(bound[0, 0] + bound[1, 1]))
    return np.array(rms)
