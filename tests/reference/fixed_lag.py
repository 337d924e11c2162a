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


def smoothed(walk: Sequence[Seen], standing_m2_s: float, walking_m2_s: float) -> np.ndarray:
    """Return where the tag was at the first fix."""
    place = np.array(walk[-1].place)
    for fix, later in zip(walk[-2::-1], walk[:0:-1], strict=True):
        passed = later.at_s - fix.at_s
        xx, xy, yy = fix.cov
        cov = np.array([[xx, xy], [xy, yy]])
        p_walking = 1.0 - min(fix.p_standing, later.p_standing)
        diffusion = passed * (standing_m2_s + p_walking * walking_m2_s) * np.eye(2)
        velocity = (np.array(fix.velocity) + np.array(later.velocity)) / 2.0
        carried = np.array(fix.place) + passed * velocity
        place = np.array(fix.place) + cov @ np.linalg.solve(cov + diffusion, place - carried)
    return place
