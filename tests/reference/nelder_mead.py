"""Locate as a widely used open locator does: RSSI turned into metres, then a simplex search.

Layer: tests. Takes: distances of one instant. Gives: the peer's place to benchmarks. Written from
the description of the method, as the peer for comparison; it has the flaw that it is there to show:
noise that is symmetric in dB is skewed in metres.
"""

import numpy as np
from scipy.optimize import minimize


def fix_in_metres(anchor_m: np.ndarray, distance_m: np.ndarray) -> np.ndarray:
    """Return x, y that minimise squared errors of distance, near anchors weighing more.

    Parameters
    ----------
    anchor_m
        (n, 2).
    distance_m
        (n,).
    """
    weight = 1.0 / np.maximum(distance_m, 0.1) ** 2
    start = weight @ anchor_m / weight.sum()

    def cost(place: np.ndarray) -> float:
        away = np.hypot(anchor_m[:, 0] - place[0], anchor_m[:, 1] - place[1])
        return float(weight @ (away - distance_m) ** 2)

    found = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4})
    return np.asarray(found.x)
