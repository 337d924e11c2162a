"""One fix at a time by scipy: slow, plainly right.

Layer: tests. Takes: ranges or RSSI of one tag. Gives: what the kernels must agree with.
"""

import numpy as np
from scipy.optimize import least_squares, minimize


def fix_from_ranges(
    anchor_m: np.ndarray, range_m: np.ndarray, *, start: np.ndarray, sigma_m: float, huber: float
) -> np.ndarray:
    """Return x, y: trf with Huber's loss; ``anchor_m`` is (n, 3) relative to the tag's height."""
    heard = np.isfinite(range_m)

    def residual(place: np.ndarray) -> np.ndarray:
        away = anchor_m[heard] - np.array([place[0], place[1], 0.0])
        return (np.linalg.norm(away, axis=1) - range_m[heard]) / sigma_m

    return least_squares(residual, start, method="trf", loss="huber", f_scale=huber).x


def rssi_cost(
    unknown: np.ndarray,
    *,
    anchor_m: np.ndarray,
    rssi_at_1m: np.ndarray,
    exponent: np.ndarray,
    rssi_dbm: np.ndarray,
    scale_db: np.ndarray,
    dof: float,
    offset_sd_db: float,
) -> float:
    """Return minus the log posterior of (x, y, offset) under Student's t in dB."""
    away = anchor_m - np.array([unknown[0], unknown[1], 0.0])
    distance = np.maximum(np.linalg.norm(away, axis=1), 0.3)
    expected = rssi_at_1m - 10.0 * exponent * np.log10(distance) + unknown[2]
    z = (rssi_dbm - expected) / scale_db
    likelihood = 0.5 * (dof + 1.0) * np.log1p(z**2 / dof)
    return float(likelihood.sum() + 0.5 * (unknown[2] / offset_sd_db) ** 2)


def fix_from_rssi(start: np.ndarray, **model: object) -> np.ndarray:
    """Return x, y, offset at the bottom of the valley that ``start`` lies in."""
    found = minimize(
        lambda unknown: rssi_cost(unknown, **model),  # type: ignore[arg-type]
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 5000, "maxfev": 5000},
    )
    return found.x
