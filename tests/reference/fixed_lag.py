"""The backward pass of Rauch, Tung and Striebel with whole matrices, one fix after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Seen:
    """One fix of a walk."""

    at_s: float
    place: tuple[float, float]
    velocity: tuple[float, float]
    p_standing: float
    cov: tuple[float, float, float]


def smoothed(
    walk: Sequence[Seen], standing_m2_s: float, walking_m2_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the tag was at the first fix, and the covariance of that."""
    place, known = np.array(walk[-1].place), matrix(walk[-1])
    for fix, later in zip(walk[-2::-1], walk[:0:-1], strict=True):
        passed = later.at_s - fix.at_s
        cov = matrix(fix)
        p_walking = 1.0 - min(fix.p_standing, later.p_standing)
        ahead = cov + passed * (standing_m2_s + p_walking * walking_m2_s) * np.eye(2)
        velocity = (np.array(fix.velocity) + np.array(later.velocity)) / 2.0
        gain = cov @ np.linalg.inv(ahead)
        place = np.array(fix.place) + gain @ (place - np.array(fix.place) - passed * velocity)
        known = cov + gain @ (known - ahead) @ gain.T
    return place, known


def matrix(fix: Seen) -> np.ndarray:
    xx, xy, yy = fix.cov
    return np.array([[xx, xy], [xy, yy]])
