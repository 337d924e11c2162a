"""Say which anchors are silent, erratic, or not where the map says.

Layer: rules. Takes: `PlacedReadings` and the calibration made from them. Gives: `AnchorVerdict`s to
the report. An anchor is tried elsewhere: where its readings fit decidedly better, with a law of
its own there, the map or the ladder was wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.reading import ReadingKind
from rtls.model.site_map import Anchor, Radio, SiteMap
from rtls.model.units import AnchorId, TagId
from rtls.positioning.calibration import Calibration
from rtls.positioning.measurement import NEAR_FIELD_M
from rtls.positioning.path_loss import SurveySample
from rtls.positioning.placed_readings import PlacedReadings, Rows, groups_of, samples_of

Floats = npt.NDArray[np.float64]
STOPS_FOR_A_PLACE: Final = 8
LATTICE: Final = 30  # places along each side that an anchor is tried at
FINER: Final = 5
# An anchor elsewhere must explain its readings so much better, and lie so far from the map's
# place: fading moves the best place of a Bluetooth anchor by metres, of a range by decimetres.
SHIFT_M_MIN: Final = {ReadingKind.RSSI: 4.0, ReadingKind.RANGE: 0.5}
SPREAD_SHARE_MAX: Final = {ReadingKind.RSSI: 0.7, ReadingKind.RANGE: 0.5}
ERRATIC: Final = {ReadingKind.RSSI: 9.0, ReadingKind.RANGE: 0.4}  # dB, m: twice the usual and more
FAR_OFF: Final = {ReadingKind.RSSI: 20.0, ReadingKind.RANGE: 2.0}  # one outlier decides nothing
GAIN_MIN: Final = 16.0  # of twice the log likelihood: two coordinates are sought, among hundreds
STOPS_MIN: Final = 3
EXPONENT_USUAL: Final = 2.2


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was measured of one anchor at known places, columns (n,).

    Parameters
    ----------
    place_m
        (n, 3).
    value
        Median at a stop; an upper bound where `is_ceiling`: a tag that was not heard there.
    tag
        Index of the tag.
    exponent
        Of the site, for RSSI.
    """

    kind: ReadingKind
    place_m: Floats
    value: Floats
    tag: npt.NDArray[np.int64]
    is_ceiling: npt.NDArray[np.bool_]
    exponent: float

    @property
    def heard(self) -> npt.NDArray[np.bool_]:
        """Return which rows are values and not bounds."""
        return ~self.is_ceiling


def check_anchors(
    site_map: SiteMap, placed: PlacedReadings, calibration: Calibration
) -> tuple[AnchorVerdict, ...]:
    """Judge every placed anchor of a surveyed radio by the readings of known places."""
    surveyed = set(np.unique(placed.rows["kind"]).tolist())
    exponents = [loss.exponent for loss in calibration.losses.values()] or [EXPONENT_USUAL]
    samples: dict[AnchorId, list[SurveySample]] = {}
    for sample in samples_of(site_map, placed):
        samples.setdefault(sample.anchor, []).append(sample)
    verdicts = []
    for index, anchor in enumerate(site_map.anchors):
        if not anchor.is_placed:
            continue
        kind = ReadingKind.RANGE if anchor.radio is Radio.UWB else ReadingKind.RSSI
        if kind not in surveyed:
            continue  # nobody carried a tag of that radio
        own = placed.rows[(placed.rows["anchor"] == index) & (placed.rows["kind"] == kind)]
        found = (
            evidence_of_ranges(own)
            if kind is ReadingKind.RANGE
            else evidence_of_samples(
                samples.get(anchor.anchor, []), placed, exponent=float(np.median(exponents))
            )
        )
        verdicts.append(
            verdict_of(found, anchor, site_map=site_map, calibration=calibration,
                       own=replace(placed, rows=own))
        )  # fmt: skip
    return tuple(verdicts)


def evidence_of_ranges(rows: Rows) -> Evidence:
    """Return the median range of each stop and tag."""
    ordered = rows[np.lexsort((rows["tag"], rows["stop"]))]
    groups = list(groups_of(ordered, ("stop", "tag")))
    places = [[own[axis].mean() for axis in ("x_m", "y_m", "z_m")] for own in groups]
    return Evidence(
        kind=ReadingKind.RANGE,
        place_m=np.array(places, dtype=np.float64).reshape(-1, 3),
        value=np.array([np.median(own["value"]) for own in groups], dtype=np.float64),
        tag=np.array([own["tag"][0] for own in groups], dtype=np.int64),
        is_ceiling=np.zeros(len(groups), np.bool_),
        exponent=math.nan,
    )


def evidence_of_samples(
    samples: Sequence[SurveySample], placed: PlacedReadings, *, exponent: float
) -> Evidence:
    """Return the strengths of one anchor, and where it was not heard."""
    places = [(sample.x_m, sample.y_m, sample.z_m) for sample in samples]
    tags: list[str] = list(placed.tags)
    return Evidence(
        kind=ReadingKind.RSSI,
        place_m=np.array(places, dtype=np.float64).reshape(-1, 3),
        value=np.array([sample.rssi for sample in samples], dtype=np.float64),
        tag=np.array([tags.index(sample.device) for sample in samples], dtype=np.int64),
        is_ceiling=np.array([sample.is_ceiling for sample in samples], dtype=np.bool_),
        exponent=exponent,
    )


def verdict_of(
    found: Evidence,
    anchor: Anchor,
    *,
    site_map: SiteMap,
    calibration: Calibration,
    own: PlacedReadings,
) -> AnchorVerdict:
    """Judge one anchor by its own readings."""
    stops = int(found.heard.sum())
    if not len(own.rows):
        return AnchorVerdict(
            anchor=anchor.anchor, kind=found.kind, state=AnchorState.SILENT, stops=0, readings=0
        )
    if stops < STOPS_MIN:
        return AnchorVerdict(
            anchor=anchor.anchor, kind=found.kind, state=AnchorState.FEW, stops=stops,
            readings=len(own.rows),
        )  # fmt: skip
    residual = residuals_of(found, anchor, calibration=calibration, tags=own.tags)
    better = better_place(site_map, anchor, found) if stops >= STOPS_FOR_A_PLACE else None
    is_erratic = float(np.std(residual)) > ERRATIC[found.kind]
    state = AnchorState.ERRATIC if is_erratic else AnchorState.GOOD
    return AnchorVerdict(
        anchor=anchor.anchor,
        kind=found.kind,
        state=state if better is None else AnchorState.MISPLACED,
        stops=stops,
        readings=len(own.rows),
        bias=float(np.mean(residual)),
        spread=float(np.std(residual)),
        better_m=better,
    )


def residuals_of(
    found: Evidence, anchor: Anchor, *, calibration: Calibration, tags: Sequence[TagId]
) -> Floats:
    """Return measured less expected after calibration, of what was heard."""
    heard = found.heard
    value, tag = found.value[heard], found.tag[heard]
    here = np.array([[anchor.x_m, anchor.y_m]])
    distance = distances(found.place_m[heard], here, z_m=anchor.z_m)[0]
    if found.kind is ReadingKind.RSSI:
        loss = calibration.losses.get(anchor.anchor)
        at_1m = loss.rssi_at_1m if loss else anchor.rssi_at_1m
        exponent = loss.exponent if loss else anchor.exponent
        return np.asarray(value - at_1m + 10.0 * exponent * np.log10(distance))
    links = [
        calibration.links.get((tags[at], anchor.anchor)) or calibration.ranges.get(anchor.anchor)
        for at in tag
    ]
    bias = np.array([link.bias_m if link else anchor.range_bias_m for link in links])
    slope = np.array([link.slope if link else anchor.range_slope for link in links])
    return np.asarray(value - (1.0 + slope) * distance - bias)


def better_place(site_map: SiteMap, anchor: Anchor, found: Evidence) -> tuple[float, float] | None:
    """Return where an anchor's readings fit decidedly better than where the map has it."""
    plan = next(floor for floor in site_map.floors if floor.floor == anchor.floor)
    here = np.array([anchor.x_m, anchor.y_m])
    # Frames of foreign recordings may begin elsewhere.
    low = np.minimum(np.minimum(here, found.place_m[:, :2].min(axis=0)), 0.0)
    x = np.linspace(low[0], low[0] + plan.width_m, LATTICE)
    y = np.linspace(low[1], low[1] + plan.height_m, LATTICE)
    step = np.array([x[1] - x[0], y[1] - y[0]])
    best = best_of(lattice_of(x, y), anchor, found)
    for _ in range(2):
        near = np.linspace(-1.0, 1.0, 2 * FINER + 1)
        best = best_of(lattice_of(best[0] + near * step[0], best[1] + near * step[1]), anchor,
                       found)  # fmt: skip
        step = step / FINER
    both = spreads_at(np.stack([here, best]), found, z_m=anchor.z_m)
    gain = 2.0 * float(found.heard.sum()) * math.log(both[0] / max(both[1], 1e-6))
    shift = float(np.linalg.norm(best - here))
    if shift < SHIFT_M_MIN[found.kind] or gain < GAIN_MIN:
        return None
    return None if both[1] > SPREAD_SHARE_MAX[found.kind] * both[0] else (best[0], best[1])


def best_of(spots: Floats, anchor: Anchor, found: Evidence) -> Floats:
    """Return the spot, (2,), where the readings stray least."""
    return np.asarray(spots[int(np.argmin(spreads_at(spots, found, z_m=anchor.z_m)))])


def lattice_of(x: Floats, y: Floats) -> Floats:
    """Return all pairs of coordinates, (n, 2)."""
    return np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1)


def spreads_at(spots: Floats, found: Evidence, *, z_m: float) -> Floats:
    """Return how far readings stray if the anchor hung at each spot, (n_spots,).

    Each spot has a bias of its own, for ranges, or a strength of its own. Where a tag was not
    heard, a spot that would have it heard strays as well.
    """
    distance = distances(found.place_m, spots, z_m=z_m)
    shape = distance
    if found.kind is ReadingKind.RSSI:
        shape = -10.0 * found.exponent * np.log10(distance)
    left = found.value[None, :] - shape
    left = left - np.median(left[:, found.heard], axis=1, keepdims=True)
    left = np.where(found.is_ceiling[None, :], np.minimum(left, 0.0), left)
    square = np.minimum(np.abs(left), FAR_OFF[found.kind]) ** 2
    return np.asarray(np.sqrt(square.sum(axis=1) / found.heard.sum()))


def distances(place_m: Floats, spots: Floats, *, z_m: float) -> Floats:
    """Return the distances from spots to places, (n_spots, n)."""
    away = spots[:, None, :] - place_m[None, :, :2]
    squared = (away**2).sum(axis=2) + (z_m - place_m[:, 2]) ** 2
    return np.asarray(np.sqrt(np.maximum(squared, NEAR_FIELD_M**2)))
