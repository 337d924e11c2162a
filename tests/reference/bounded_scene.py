"""Scenes whose noise is known, so that the Cramér-Rao bound says how good a fix can be.

Layer: tests. Takes: a kind of reading. Gives: how many times the bound the error is, to tests and
to benchmarks.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rtls.model.reading import ReadingKind
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.multilateration import locate_readings
from rtls.positioning.tracking import TrackingSettings
from tests.reference.error_bound import bound_along, information_at, walk_matrices
from tests.reference.radio_site import OCTAGON, readings_of, run_epochs, site_with

SITE = site_with(OCTAGON, range_bias_m=1e-12)
ANCHORS = np.array(OCTAGON)
TINY = 1e-6
# Noise as simulated, white and Gaussian, and nothing frozen: then the bound is what is left.
MATCHED = MeasurementSettings(
    range_sigma_m=0.1,
    range_bias_sd_m=TINY,
    range_bias_place_sd_m=TINY,
    bias_step_m=1e9,
    tdoa_sigma_m=0.1,
    tdoa_bias_sd_m=TINY,
    aoa_sigma_rad=0.05,
    aoa_bias_sd_rad=TINY,
    position_sigma_m=0.3,
    position_bias_sd_m=TINY,
    rssi_sigma_db=4.0,
    rssi_bias_sd_db=TINY,
    range_correlation_s=0.0,
    rssi_correlation_s=0.0,
    aoa_correlation_s=0.0,
    position_correlation_s=0.0,
    long_share=0.01,
    blocked_share_min=0.001,
    huber_long_sigmas=1.5,
    huber_short_sigmas=1.5,
)
SETTINGS = TrackingSettings(measurement=MATCHED)
TABLE = AnchorTable.build(SITE, measurement=MATCHED)
TRUE_OFFSET_DB = 3.0
CHI_SQUARE_95 = 5.991464547107979


def distances(at: np.ndarray) -> np.ndarray:
    return np.sqrt(((ANCHORS[:, :2] - at[:2]) ** 2).sum(axis=1) + (ANCHORS[:, 2] - 1.0) ** 2)


def range_of(at: np.ndarray) -> np.ndarray:
    return distances(at)


def rssi_of(at: np.ndarray) -> np.ndarray:
    return -61.0 - 20.0 * np.log10(distances(at)) + at[2]


def tdoa_of(at: np.ndarray) -> np.ndarray:
    return (distances(at) - distances(at)[0])[1:]


def azimuth_of(at: np.ndarray) -> np.ndarray:
    away = at[:2] - ANCHORS[:, :2]
    return np.arctan2(away[:, 1], away[:, 0])


def elevation_of(at: np.ndarray) -> np.ndarray:
    flat = np.hypot(*(at[:2] - ANCHORS[:, :2]).T)
    return np.arctan2(1.0 - ANCHORS[:, 2], flat)


def angles_of(at: np.ndarray) -> np.ndarray:
    """Both angles on the sphere: an azimuth counts by the cosine of its elevation."""
    return np.concatenate([azimuth_of(at), elevation_of(at)])


def position_of(at: np.ndarray) -> np.ndarray:
    return at[:2]


EXPECTED: dict[ReadingKind, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    ReadingKind.RSSI: (rssi_of, 4.0),
    ReadingKind.RANGE: (range_of, 0.1),
    ReadingKind.TDOA: (tdoa_of, 0.1),
    ReadingKind.AOA: (angles_of, 0.05),
    ReadingKind.POSITION: (position_of, 0.3),
}


def readings_with_noise(
    kind: ReadingKind, at: np.ndarray, draw: np.random.Generator, *, at_ms: int = 0, tag: int = 0
) -> np.ndarray:
    expected, sigma = EXPECTED[kind]
    unknowns = np.append(at, TRUE_OFFSET_DB) if kind == ReadingKind.RSSI else at
    exact = expected(unknowns)
    if kind == ReadingKind.AOA:
        shrink = np.cos(elevation_of(at))
        noise = draw.normal(0.0, sigma, (2, 8))
        readings = readings_of(azimuth_of(at) + noise[0] / shrink, at_ms=at_ms, kind=kind, tag=tag)
        readings["value_2"] = elevation_of(at) + noise[1]
        return readings
    value = exact + draw.normal(0.0, sigma, exact.size)
    if kind == ReadingKind.POSITION:
        readings = readings_of(value[:1], at_ms=at_ms, kind=kind, tag=tag)
        readings["value_2"] = value[1]
        return readings
    anchors = range(1, 8) if kind == ReadingKind.TDOA else None
    readings = readings_of(value, at_ms=at_ms, kind=kind, tag=tag, anchors=anchors)
    if kind == ReadingKind.TDOA:
        readings["ref_anchor"] = 0
    return readings


def bound_of(kind: ReadingKind, at: np.ndarray) -> np.ndarray:
    expected, sigma = EXPECTED[kind]
    if kind == ReadingKind.RSSI:
        information = information_at(np.append(at, TRUE_OFFSET_DB), expected, sigma)
        information[2, 2] += 1.0 / MATCHED.offset_sd_db**2
        return np.linalg.inv(information)[:2, :2]
    if kind == ReadingKind.AOA:
        sideways = information_at(at, lambda x: azimuth_of(x) * np.cos(elevation_of(at)), sigma)
        return np.linalg.inv(sideways + information_at(at, elevation_of, sigma))
    return np.linalg.inv(information_at(at, expected, sigma))


def fix_over_bound(kind: ReadingKind) -> float:
    """Return the RMSE of 1,500 single fixes of one place, as a multiple of the bound."""
    draw = np.random.default_rng(5)
    at = np.array([3.0, 6.5])
    log = np.concatenate([readings_with_noise(kind, at, draw, tag=tag) for tag in range(1500)])
    fixes = locate_readings(log, anchors=TABLE, settings=SETTINGS)
    rmse = math.sqrt(np.mean(np.sum((fixes.place_m - at) ** 2, axis=1)))
    return rmse / math.sqrt(np.trace(bound_of(kind, at)))


def filter_over_bound(kind: ReadingKind) -> tuple[float, float]:
    """Return RMSE over posterior bound, and the share in the 95 % ellipse, of 25 walks.

    The walks are drawn from the filter's own law of movement.
    """
    settings = replace(SETTINGS, standing_prior=0.02, speed_memory_s=4.0)
    move, noise = walk_matrices(0.2, memory_s=4.0, speed_sd=settings.speed_sd_m_s)
    root = np.linalg.cholesky(noise + 1e-15 * np.eye(4))
    squares, bounds, inside = [], [], []
    for seed in range(25):
        draw = np.random.default_rng(seed)
        state = np.array([*draw.uniform(3.0, 7.0, 2), *draw.normal(0.0, 0.5, 2)])
        path, log = [], []
        for k in range(60):
            state = move @ state + root @ draw.normal(0.0, 1.0, 4)
            path.append(state[:2])
            log.append(readings_with_noise(kind, state[:2], draw, at_ms=200 * (k + 1)))
        _, fixes, _ = run_epochs(np.concatenate(log), anchors=TABLE, settings=settings)
        error = np.stack([fixes["x_m"], fixes["y_m"]], axis=1) - np.array(path)
        squares.append((error[10:] ** 2).sum(axis=1))
        expected, sigma = EXPECTED[kind]
        bounds.append(bound_along(np.array(path), expected, sigma, (move, noise))[10:] ** 2)
        form = fixes["cov_yy"] * error[:, 0] ** 2 + fixes["cov_xx"] * error[:, 1] ** 2
        form -= 2.0 * fixes["cov_xy"] * error[:, 0] * error[:, 1]
        form /= fixes["cov_xx"] * fixes["cov_yy"] - fixes["cov_xy"] ** 2
        inside.append(form[10:] <= CHI_SQUARE_95)
    ratio = math.sqrt(np.mean(squares) / np.mean(bounds))
    return ratio, float(np.mean(inside))
