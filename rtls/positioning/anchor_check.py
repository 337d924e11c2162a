"""Say which anchors are silent, erratic, or not where the map says.

Layer: rules. Takes: `PlacedReadings` and the calibration made from them. Gives: `AnchorVerdict`s to
the report. An anchor is tried elsewhere: where its readings fit decidedly better, with a law of
its own there, the map or the ladder was wrong.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.reading import ReadingKind
from rtls.model.site_map import Anchor, Radio, SiteMap
from rtls.model.units import AnchorId
from rtls.positioning.calibration import Calibration
from rtls.positioning.measurement import NEAR_FIELD_M
from rtls.positioning.placed_readings import PlacedReadings, Rows, groups_of

Floats = npt.NDArray[np.float64]
STOPS_FOR_A_PLACE: Final = 8
LATTICE: Final = 30  # places along each side that an anchor is tried at
FINER: Final = 5
# An anchor elsewhere must explain its readings so much better, and lie so far from the map's
# place: fading moves the best place of a Bluetooth anchor by metres, of a range by decimetres.
SHIFT_M_MIN: Final = {ReadingKind.RSSI: 4.0, ReadingKind.RANGE: 0.5}
SPREAD_SHARE_MAX: Final = {ReadingKind.RSSI: 0.7, ReadingKind.RANGE: 0.5}
ERRATIC: Final = {ReadingKind.RSSI: 9.0, ReadingKind.RANGE: 0.4}  # dB, m: twice the usual and more
# What a law may be before the data, about the median of the readings: dB at 1 m and exponent.
EXPONENT_USUAL: Final = 2.2
EXPONENT_SD: Final = 0.6


class AnchorState(StrEnum):
    """What the report says of an anchor."""

    GOOD = "good"
    SILENT = "silent"
    """nothing was heard of it"""
    FEW = "few"
    """heard at too few places to judge it"""
    ERRATIC = "erratic"
    """its readings scatter far more than usual"""
    MISPLACED = "misplaced"
    """its readings fit another place decidedly better than the map's"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorVerdict:
    """One anchor in the report.

    Parameters
    ----------
    stops
        At how many places it was heard.
    bias, spread
        Mean and standard deviation of its residuals over the places, m or dB.
    better_m
        Where its readings fit better, if it looks misplaced.
    """

    anchor: AnchorId
    kind: ReadingKind
    state: AnchorState
    stops: int
    readings: int
    bias: float = math.nan
    spread: float = math.nan
    better_m: tuple[float, float] | None = None


def check_anchors(
    site_map: SiteMap, placed: PlacedReadings, calibration: Calibration
) -> tuple[AnchorVerdict, ...]:
    """Judge every placed anchor of the map by the readings of known places."""
    verdicts = []
    for index, anchor in enumerate(site_map.anchors):
        if not anchor.is_placed:
            continue
        kind = ReadingKind.RANGE if anchor.radio is Radio.UWB else ReadingKind.RSSI
        own = placed.rows[(placed.rows["anchor"] == index) & (placed.rows["kind"] == kind)]
        verdicts.append(
            verdict_of(replace(placed, rows=own), anchor, kind=kind, site_map=site_map,
                       calibration=calibration)
        )  # fmt: skip
    return tuple(verdicts)


def verdict_of(
    own: PlacedReadings,
    anchor: Anchor,
    *,
    kind: ReadingKind,
    site_map: SiteMap,
    calibration: Calibration,
) -> AnchorVerdict:
    """Judge one anchor by its own readings."""
    means = means_of(own.rows)
    if not len(means):
        return AnchorVerdict(
            anchor=anchor.anchor, kind=kind, state=AnchorState.SILENT, stops=0, readings=0
        )
    residual = residuals_of(own, anchor, kind=kind, means=means, calibration=calibration)
    state, better = AnchorState.GOOD, None
    if len(means) < STOPS_FOR_A_PLACE:
        state = AnchorState.FEW
    else:
        better = better_place(site_map, anchor, kind=kind, means=means)
        if better is not None:
            state = AnchorState.MISPLACED
        elif float(np.std(residual)) > ERRATIC[kind]:
            state = AnchorState.ERRATIC
    return AnchorVerdict(
        anchor=anchor.anchor,
        kind=kind,
        state=state,
        stops=len(own.stops),
        readings=len(own.rows),
        bias=float(np.mean(residual)),
        spread=float(np.std(residual)),
        better_m=better,
    )


def means_of(rows: Rows) -> Floats:
    """Return x, y, z, median value and tag of each stop and tag, (n, 5)."""
    ordered = rows[np.lexsort((rows["tag"], rows["stop"]))]
    means = [
        (*(own[axis].mean() for axis in ("x_m", "y_m", "z_m")),
         np.median(own["value"]), own["tag"][0])
        for own in groups_of(ordered, ("stop", "tag"))
    ]  # fmt: skip
    return np.array(means, dtype=np.float64).reshape(-1, 5)


def residuals_of(
    own: PlacedReadings,
    anchor: Anchor,
    *,
    kind: ReadingKind,
    means: Floats,
    calibration: Calibration,
) -> Floats:
    """Return measured less expected after calibration, (n,), of one anchor's means."""
    distance = distances(means, np.array([[anchor.x_m, anchor.y_m]]), z_m=anchor.z_m)[0]
    if kind is ReadingKind.RSSI:
        loss = calibration.losses.get(anchor.anchor)
        at_1m = loss.rssi_at_1m if loss else anchor.rssi_at_1m
        exponent = loss.exponent if loss else anchor.exponent
        return np.asarray(means[:, 3] - at_1m + 10.0 * exponent * np.log10(distance))
    links = [
        calibration.links.get((own.tags[int(tag)], anchor.anchor))
        or calibration.ranges.get(anchor.anchor)
        for tag in means[:, 4]
    ]
    bias = np.array([link.bias_m if link else anchor.range_bias_m for link in links])
    slope = np.array([link.slope if link else anchor.range_slope for link in links])
    return np.asarray(means[:, 3] - (1.0 + slope) * distance - bias)


def better_place(
    site_map: SiteMap, anchor: Anchor, *, kind: ReadingKind, means: Floats
) -> tuple[float, float] | None:
    """Return where an anchor's readings fit decidedly better than where the map has it."""
    plan = next(floor for floor in site_map.floors if floor.floor == anchor.floor)
    here = np.array([[anchor.x_m, anchor.y_m]])
    x = np.linspace(0.0, plan.width_m, LATTICE)
    y = np.linspace(0.0, plan.height_m, LATTICE)
    step = np.array([x[1] - x[0], y[1] - y[0]])
    low = np.minimum(here[0], means[:, :2].min(axis=0))  # frames of recordings may begin elsewhere
    tried = lattice_of(x + min(low[0], 0.0), y + min(low[1], 0.0))
    spread_here = spreads_at(here, z_m=anchor.z_m, kind=kind, means=means)[0]
    best = tried[int(np.argmin(spreads_at(tried, z_m=anchor.z_m, kind=kind, means=means)))]
    for _ in range(2):
        near = np.linspace(-1.0, 1.0, 2 * FINER + 1)
        tried = lattice_of(best[0] + near * step[0], best[1] + near * step[1])
        best = tried[int(np.argmin(spreads_at(tried, z_m=anchor.z_m, kind=kind, means=means)))]
        step = step / FINER
    spread_there = spreads_at(best[None], z_m=anchor.z_m, kind=kind, means=means)[0]
    shift = float(np.linalg.norm(best - here[0]))
    if shift < SHIFT_M_MIN[kind] or spread_there > SPREAD_SHARE_MAX[kind] * spread_here:
        return None
    return float(best[0]), float(best[1])


def lattice_of(x: Floats, y: Floats) -> Floats:
    """Return all pairs of coordinates, (n, 2)."""
    return np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1)


def spreads_at(spots: Floats, *, z_m: float, kind: ReadingKind, means: Floats) -> Floats:
    """Return how far readings stray from the best law for an anchor at each spot, (n_spots,).

    The law is a bias for ranges; for RSSI strength and exponent, the exponent near the usual one.
    """
    distance = distances(means, spots, z_m=z_m)
    value = means[:, 3][None, :]
    if kind is ReadingKind.RANGE:
        left = value - distance
        left = left - np.median(left, axis=1, keepdims=True)
        return np.asarray(np.sqrt((np.minimum(np.abs(left), 2.0) ** 2).mean(axis=1)))
    loss = -10.0 * np.log10(distance)
    loss_mean = loss.mean(axis=1, keepdims=True)
    across, down = loss - loss_mean, value - value.mean()
    ridge = (5.0 / EXPONENT_SD) ** 2
    slope = ((across * down).sum(axis=1) + ridge * EXPONENT_USUAL) / (
        (across**2).sum(axis=1) + ridge
    )
    left = down - slope[:, None] * across
    penalty = ridge * (slope - EXPONENT_USUAL) ** 2 / value.size
    return np.asarray(np.sqrt((left**2).mean(axis=1) + penalty))


def distances(means: Floats, spots: Floats, *, z_m: float) -> Floats:
    """Return the distances from spots to places, (n_spots, n)."""
    away = spots[:, None, :] - means[None, :, :2]
    squared = (away**2).sum(axis=2) + (z_m - means[:, 2]) ** 2
    return np.asarray(np.sqrt(np.maximum(squared, NEAR_FIELD_M**2)))
