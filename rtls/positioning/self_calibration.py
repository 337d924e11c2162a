"""Learn the range errors of a walk nobody measured: where it went and how ranges err, at once.

Layer: rules. Takes: the ranges of one tag that walked about. Gives: the error of each of its links
to the door.

More anchors than two range a tag at each instant, so ranges contradict each other where one errs;
and a walk that has been here and there tells a bias (the same everywhere) from a wrong place. One
sparse least-squares problem: two unknowns for each half second, two for each anchor. Neighbouring
places are tied by how fast people walk, biases to what is usual, and a blocked path pulls less
than a direct one (Huber, one-sided). This is batch smoothing, as in Kok, Hol and Schön, Indoor
Positioning Using Ultrawideband and Inertial Measurements, IEEE TVT 2015, without the inertia.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import solveh_banded

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import SiteMap
from rtls.model.units import AnchorId, Metre
from rtls.positioning.calibration import BIAS_M_MAX, LinkRange
from rtls.positioning.range_calibration import (
    BIAS_SD_M,
    HUBER_LONG,
    HUBER_SHORT,
    SLOPE_SD,
    USUAL_BIAS_M,
)

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
STEP_MS: Final = 500
ROUNDS_MAX: Final = 40
SETTLED_M: Final = 1e-4
WALK_SD_M_S: Final = 0.7
STEP_M_MAX: Final = 2.0
SIGMA_M_MIN: Final = 0.03
ANCHORS_MIN: Final = 4
STEPS_MIN: Final = 60
STEPS_MAX: Final = 20_000
EXTENT_M_MIN: Final = 1.0
ERROR_MEMORY_S: Final = (
    5.0  # errors of one link are alike for so long: so long is one piece of news
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkRanges:
    """The ranges of one tag on one walk; columns (n,).

    Parameters
    ----------
    t_ms
        Rising.
    anchor
        Index in the site map.
    """

    t_ms: npt.NDArray[np.int64]
    anchor: npt.NDArray[np.int32]
    range_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCalibration:
    """What a walk taught of itself.

    Parameters
    ----------
    links
        Error by anchor, with the sd that remains.
    path_m
        (n_steps, 2), where the walk went, every `STEP_MS`.
    residual_m
        Typical contradiction that is left: median of the absolute residuals.
    """

    links: dict[AnchorId, LinkRange]
    path_m: Floats
    residual_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The walk as least squares: readings (n,) of steps and anchors, anchors' places.

    Parameters
    ----------
    tie
        (n_steps - 1,), 1/m²: how firmly a step is held to the next, by the time between them.
    """

    tie: Floats
    step: Index
    column: Index
    range_m: Floats
    anchor_m: Floats
    tag_height_m: float
    steps: int
    credit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Places (n_steps, 2), biases and slopes (n_anchors,), spread of the residuals."""

    path_m: Floats
    bias_m: Floats
    slope: Floats
    scale_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """The readings about an estimate: by place (n, 2), by bias and slope (n, 2), weights (n,)."""

    to_place: Floats
    to_error: Floats
    weight: Floats
    residual_m: Floats


def self_calibrate(site_map: SiteMap, walk: WalkRanges, *, tag_height_m: float) -> SelfCalibration:
    """Solve for path and range errors of a walk.

    Raises
    ------
    InvalidCalibration
        If the walk is too short, stays in one spot, or hears too few anchors.
    """
    anchors, column = np.unique(walk.anchor.astype(np.int64), return_inverse=True)
    problem = problem_of(
        site_map, walk, anchors=anchors, column=column.astype(np.int64), tag_height_m=tag_height_m
    )
    estimate = first_estimate(problem)
    sd = np.full(len(anchors), BIAS_SD_M)
    for _ in range(ROUNDS_MAX):
        better, sd = improved(problem, estimate)
        moved = float(np.abs(better.path_m - estimate.path_m).max())
        estimate = better
        if moved < SETTLED_M:
            break
    extent = float(np.sqrt(max(np.linalg.eigvalsh(np.cov(estimate.path_m.T))[0], 0.0)))
    if extent < EXTENT_M_MIN:
        raise InvalidCalibration(
            f"the walk spreads {extent:.1f} m to its narrow side; expected {EXTENT_M_MIN:.0f} m or "
            "more, or a bias looks like a place. Walk along all walls and through the middle."
        )
    residual = problem.range_m - expected_ranges(problem, estimate)[0]
    return SelfCalibration(
        links={
            site_map.anchors[index].anchor: LinkRange(
                bias_m=Metre(float(np.clip(estimate.bias_m[at], -BIAS_M_MAX, BIAS_M_MAX))),
                slope=float(estimate.slope[at]),
                bias_sd_m=Metre(float(max(sd[at], SIGMA_M_MIN))),
            )
            for at, index in enumerate(anchors.tolist())
        },
        path_m=estimate.path_m,
        residual_m=float(np.median(np.abs(residual))),
    )


def problem_of(
    site_map: SiteMap, walk: WalkRanges, *, anchors: Index, column: Index, tag_height_m: float
) -> Problem:
    """Lay the walk out in steps.

    Raises
    ------
    InvalidCalibration
        If it is too short, too long, or hears too few anchors.
    """
    step = (walk.t_ms - walk.t_ms.min()) // STEP_MS
    heard, step = np.unique(step, return_inverse=True)
    if len(anchors) < ANCHORS_MIN or not STEPS_MIN <= len(heard) <= STEPS_MAX:
        raise InvalidCalibration(
            f"the walk has ranges to {len(anchors)} anchors over {len(heard) * STEP_MS / 1000:.0f} "
            f"s; expected {ANCHORS_MIN} anchors or more and {STEPS_MIN * STEP_MS // 1000} to "
            f"{STEPS_MAX * STEP_MS // 1000} s. Walk for ten minutes through the whole site."
        )
    place = np.array([(a.x_m, a.y_m, a.z_m) for a in site_map.anchors])[anchors]
    a_step = len(step) / len(heard) / len(anchors)
    news = min(1.0, STEP_MS / 1000.0 / (2.0 * ERROR_MEMORY_S)) / max(a_step, 1.0)
    apart_s = np.diff(heard) * STEP_MS / 1000.0
    return Problem(
        tie=1.0 / (WALK_SD_M_S * apart_s) ** 2,
        step=step.astype(np.int64),
        column=column,
        range_m=walk.range_m,
        anchor_m=place,
        tag_height_m=tag_height_m,
        steps=len(heard),
        credit=news,
    )


def first_estimate(problem: Problem) -> Estimate:
    """Begin every step at the centre of its anchors, the nearer the heavier."""
    weight = 1.0 / np.maximum(problem.range_m, 0.5) ** 2
    total = np.bincount(problem.step, weight, problem.steps)
    path = np.stack([
        np.bincount(problem.step, weight * problem.anchor_m[problem.column, axis], problem.steps)
        / total
        for axis in (0, 1)
    ], axis=1)  # fmt: skip
    count = len(problem.anchor_m)
    return Estimate(
        path_m=path, bias_m=np.full(count, USUAL_BIAS_M), slope=np.zeros(count), scale_m=1.0
    )


def expected_ranges(problem: Problem, estimate: Estimate) -> tuple[Floats, Floats, Floats]:
    """Return expected ranges (n,), distances (n,) and unit vectors (n, 2)."""
    away = estimate.path_m[problem.step] - problem.anchor_m[problem.column, :2]
    rise = problem.anchor_m[problem.column, 2] - problem.tag_height_m
    distance = np.sqrt(np.maximum((away**2).sum(axis=1) + rise**2, 1e-6))
    slope, bias = estimate.slope[problem.column], estimate.bias_m[problem.column]
    return (1.0 + slope) * distance + bias, distance, away / distance[:, None]


def improved(problem: Problem, estimate: Estimate) -> tuple[Estimate, Floats]:
    """Make one Gauss-Newton step; return the estimate and the sd of the biases.

    The errors (few) are eliminated against the path (many, banded): Schur's complement.
    """
    about = slopes_about(problem, estimate)
    count = len(problem.anchor_m)
    band, pull, coupling = path_part(problem, estimate, about)
    inner, error_pull = error_part(problem, estimate, about)
    solved = solveh_banded(band, np.column_stack([pull, coupling]), lower=True)
    schur = inner - coupling.T @ solved[:, 1:]
    covariance = np.linalg.inv(schur)
    change = covariance @ (error_pull - coupling.T @ solved[:, 0])
    moved = (solved[:, 0] - solved[:, 1:] @ change).reshape(-1, 2)
    far = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True) / STEP_M_MAX, 1.0)
    better = Estimate(
        path_m=estimate.path_m + moved / far,
        bias_m=estimate.bias_m + change[:count],
        slope=estimate.slope + change[count:],
        scale_m=estimate.scale_m,
    )
    left = problem.range_m - expected_ranges(problem, better)[0]
    scale = max(1.4826 * float(np.median(np.abs(left))), SIGMA_M_MIN)
    return replace(better, scale_m=scale), np.sqrt(np.diag(covariance)[:count])


def slopes_about(problem: Problem, estimate: Estimate) -> Slopes:
    """Return the readings' residuals, weights and derivatives at an estimate."""
    expected, distance, unit = expected_ranges(problem, estimate)
    residual = problem.range_m - expected
    z = residual / estimate.scale_m
    weight = np.where(z > 0.0, HUBER_LONG, HUBER_SHORT) / np.maximum(np.abs(z), 1e-9)
    return Slopes(
        to_place=unit * (1.0 + estimate.slope[problem.column])[:, None],
        to_error=np.stack([np.ones(distance.size), distance], axis=1),
        weight=np.minimum(weight, 1.0) * problem.credit / estimate.scale_m**2,
        residual_m=residual,
    )


def path_part(problem: Problem, estimate: Estimate, about: Slopes) -> tuple[Floats, Floats, Floats]:
    """Return the path's normal matrix (lower band, 3 rows), its right side, and the coupling."""
    to_place, weight = about.to_place, about.weight
    n, count = problem.steps, len(problem.anchor_m)
    tie = problem.tie
    band = np.zeros((3, 2 * n))
    for axis in (0, 1):
        own = np.bincount(problem.step, weight * to_place[:, axis] ** 2, n)
        band[0, axis::2] = own + 1e-9
        band[0, axis::2][1:] += tie
        band[0, axis::2][:-1] += tie
        band[2, axis::2][:-1] = -tie
    band[1, 0::2] = np.bincount(problem.step, weight * to_place[:, 0] * to_place[:, 1], n)
    pull = np.zeros((n, 2))
    coupling = np.zeros(4 * n * count)
    for axis in (0, 1):
        pull[:, axis] = np.bincount(problem.step, weight * to_place[:, axis] * about.residual_m, n)
        for kind in (0, 1):
            cell = (2 * problem.step + axis) * 2 * count + problem.column + kind * count
            share = weight * to_place[:, axis] * about.to_error[:, kind]
            coupling += np.bincount(cell, share, coupling.size)
    steps = np.diff(estimate.path_m, axis=0) * tie[:, None]
    pull[:-1] += steps
    pull[1:] -= steps
    return band, pull.ravel(), coupling.reshape(2 * n, 2 * count)


def error_part(problem: Problem, estimate: Estimate, about: Slopes) -> tuple[Floats, Floats]:
    """Return the normal matrix of the errors with their priors, and its right side."""
    to_error, weight = about.to_error, about.weight
    count = len(problem.anchor_m)
    inner = np.zeros((2 * count, 2 * count))
    pull = np.zeros(2 * count)
    for row in (0, 1):
        own = problem.column + row * count
        np.add.at(pull, own, weight * to_error[:, row] * about.residual_m)
        for column in (0, 1):
            other = problem.column + column * count
            np.add.at(inner, (own, other), weight * to_error[:, row] * to_error[:, column])
    prior = np.repeat([1.0 / BIAS_SD_M**2, 1.0 / SLOPE_SD**2], count)
    usual = np.repeat([USUAL_BIAS_M, 0.0], count)
    now = np.concatenate([estimate.bias_m, estimate.slope])
    return inner + np.diag(prior), pull + prior * (usual - now)
