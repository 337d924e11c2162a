"""Radio maps, slow and plain: kernel regression by loops, a Gaussian process by one inverse.

Layer: tests. Takes: surveyed places and what was heard there. Gives: what a map must say.
"""

import math

import numpy as np

from rtls.positioning.kernels import survey_smoothing as fast


def smoothed(
    node: tuple[float, float], readings: list[tuple[float, float, int, float]], *, width_m: float
) -> dict[int, tuple[float, float, float]]:
    """Return (strength, spread, share) of each anchor heard within reach of a place.

    Parameters
    ----------
    readings
        (x, y, anchor, dBm), all of the node's floor.
    """
    wide_m = fast.WIDE * width_m
    near: dict[int, list[tuple[float, float]]] = {}
    far: dict[int, list[tuple[float, float]]] = {}
    for x, y, anchor, rssi in readings:
        away = math.hypot(x - node[0], y - node[1])
        if away <= fast.REACH * wide_m:
            near.setdefault(anchor, []).append((math.exp(-0.5 * (away / width_m) ** 2), rssi))
            far.setdefault(anchor, []).append((math.exp(-0.5 * (away / wide_m) ** 2), rssi))
    near_total = sum(w for rows in near.values() for w, _ in rows)
    far_total = sum(w for rows in far.values() for w, _ in rows)
    found = {}
    for anchor, rows in near.items():
        own = sum(w for w, _ in rows)
        own_far = sum(w for w, _ in far[anchor])
        fallback = sum(w * rssi for w, rssi in far[anchor]) / own_far
        mean = (sum(w * rssi for w, rssi in rows) + fast.STRENGTH_COUNT * fallback) / (
            own + fast.STRENGTH_COUNT
        )
        squares = sum(w * (rssi - mean) ** 2 for w, rssi in rows)
        squares += fast.SPREAD_COUNT * fast.USUAL_SPREAD_DB**2
        share = (own + fast.SHARE_COUNT * own_far / far_total) / (near_total + fast.SHARE_COUNT)
        found[anchor] = (mean, math.sqrt(squares / (own + fast.SPREAD_COUNT)), share)
    return found


def gaussian_process(
    xy: np.ndarray,
    value: np.ndarray,
    noise: np.ndarray,
    place: np.ndarray,
    *,
    length_m: float,
    size_db: float,
) -> tuple[float, float]:
    """Return mean and variance at one place, by the textbook's equation 2.25 and 2.26."""

    def covariance(one: np.ndarray, other: np.ndarray) -> float:
        scaled = math.sqrt(3.0) * math.dist(one, other) / length_m
        return size_db**2 * (1.0 + scaled) * math.exp(-scaled)

    within = np.array([[covariance(one, other) for other in xy] for one in xy]) + np.diag(noise)
    across = np.array([covariance(place, one) for one in xy])
    inverse = np.linalg.inv(within)
    return float(across @ inverse @ value), float(size_db**2 - across @ inverse @ across)
