"""Say how often the most probable zone was the right one, and whether its probability was honest.

Layer: doors. Takes: a recording's truth and zones, and the table of emitted zones. Gives: a
`ZoneScore` to the command line and to benchmarks. At each instant of the grid of
inaisle.recording.score counts what had been emitted last by then; older than 2 s counts as nothing
said.

Reliability: of the instants at which about p was claimed, a share p should be right (DeGroot and
Fienberg 1983). ECE is the mean distance between the two over ten bins, weighted by instants (Guo et
al. 2017, "On calibration of modern neural networks").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.recording.fix_csv import SessionTag
from inaisle.recording.recording_zones import ONLY_FLOOR, RecordingZones
from inaisle.recording.score import GRID_MS, STALE_AFTER_MS, Truth
from inaisle.recording.zone_csv import EmittedZones
from rtls.model.errors import InvalidRecording

BINS: Final = 10
P_SURE: Final = 0.8
TIED_M: Final = 0.05
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """The instants at which the best P lay in one tenth, the upper edge included."""

    p_low: float
    p_high: float
    instants: int
    p_mean: float
    """0 where the bin is empty"""
    hit_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneScore:
    """How well zones were named.

    Parameters
    ----------
    instants
        Of the grid.
    named_share
        Those at which a zone had been named.
    hit_rate
        Those at which the most probable zone was the one nearest to the truth, of all.
    sure_share
        Those at which the best P was 0.8 or more, of all: the coverage.
    sure_hit_rate
        The right ones among these; 0 where there are none.
    ece
        Expected calibration error of the best P, over the named instants.
    p_mean
        Mean best P of the named instants; honest where it equals their hit rate.
    tied_share
        Instants whose truth is as near to a second zone, but for 5 cm: their right zone is a matter
        of rounding, which no locating can tell.
    hit_rate_tied
        As `hit_rate`, any of the tied zones counting as right.
    reliability
        Ten bins.
    """

    instants: int
    named_share: float
    hit_rate: float
    sure_share: float
    sure_hit_rate: float
    ece: float
    p_mean: float
    tied_share: float
    hit_rate_tied: float
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """Grid instants of one tag in one session; p is NaN where nothing was said."""

    p: Floats
    is_hit: Flags
    is_hit_tied: Flags
    is_tied: Flags


def score_zones(
    truths: Mapping[SessionTag, Truth],
    emitted: Mapping[SessionTag, EmittedZones],
    *,
    zones: RecordingZones,
    instants_ms: Mapping[SessionTag, Longs] | None = None,
) -> ZoneScore:
    """Score named zones against the zone nearest to the truth.

    Parameters
    ----------
    truths
        By session and tag.
    emitted
        By session and tag.
    zones
        Of the recording.
    instants_ms
        When to compare, ms of the session's clock; a grid of 0.5 s if not given.

    Raises
    ------
    InvalidRecording
        If there is no truth, or zones are said of a session or tag that the truth does not know,
        or the truth is on a floor that has no zones.
    """
    if not truths:
        raise InvalidRecording("the recording has no truth; there is nothing to score against.")
    strange = sorted(set(emitted) - set(truths))
    if strange:
        session, tag = strange[0]
        raise InvalidRecording(
            f"zones of session {session!r}, tag {tag!r}, which the truth does not know. "
            "Score the file against the recording it was replayed from."
        )
    parts = []
    for name, truth in truths.items():
        grid_ms = np.arange(truth.t_ms[0], truth.t_ms[-1] + 1, GRID_MS)
        at_ms = grid_ms if instants_ms is None else instants_ms[name]
        parts.append(_named(truth, emitted.get(name, EmittedZones()), zones, at_ms))
    return _score(parts)


def _named(truth: Truth, emitted: EmittedZones, zones: RecordingZones, grid_ms: Longs) -> _Named:
    where = np.column_stack([np.interp(grid_ms, truth.t_ms, xy) for xy in truth.xy.T])
    p = np.full(len(grid_ms), np.nan)
    best = np.full(len(grid_ms), "", dtype=object)
    last = np.searchsorted(np.array(emitted.emitted_ms, np.int64), grid_ms, side="right") - 1
    for instant, emission in enumerate(last.tolist()):
        if emission < 0 or grid_ms[instant] - emitted.t_ms[emission] > STALE_AFTER_MS:
            continue
        said = emitted.zones[emission]
        best[instant] = max(said, key=lambda zone: (said[zone], zone))
        p[instant] = said[best[instant]]
    right, tied = _right_zones(where, _floors_at(truth, grid_ms, zones), zones)
    is_hit = np.array([zone == name for zone, name in zip(best, right, strict=True)], np.bool_)
    is_tie_hit = np.array([zone in names for zone, names in zip(best, tied, strict=True)], np.bool_)
    return _Named(
        p=p,
        is_hit=is_hit,
        is_hit_tied=is_hit | is_tie_hit,
        is_tied=np.array([len(names) > 1 for names in tied], np.bool_),
    )


def _floors_at(truth: Truth, at_ms: Longs, zones: RecordingZones) -> npt.NDArray[np.object_]:
    """Return the label of the floor at each instant; between two rows that of the earlier one.

    Raises
    ------
    InvalidRecording
        If the truth has no floors.
    """
    if not zones.has_floors:
        return np.full(len(at_ms), ONLY_FLOOR, object)
    if truth.floors is None:
        raise InvalidRecording(
            f"{zones.source}: its zones are on floors {sorted(zones.nearest.floors)}, but the "
            "truth has no column floor; expected it in every row."
        )
    last = np.searchsorted(truth.t_ms, at_ms, side="right") - 1
    return np.asarray(truth.floors[np.maximum(last, 0)].astype(object))


def _right_zones(
    where: Floats, labels: npt.NDArray[np.object_], zones: RecordingZones
) -> tuple[list[str], list[frozenset[str]]]:
    """Return the zone nearest to each place, and those within 5 cm of being it.

    Raises
    ------
    InvalidRecording
        If a place is on a floor without zones.
    """
    right = [""] * len(where)
    tied: list[frozenset[str]] = [frozenset()] * len(where)
    for label in sorted(set(labels.tolist())):
        if label not in zones.nearest.floors:
            raise InvalidRecording(
                f"{zones.source}: no zone on floor {label!r}, where the truth is; expected one of "
                f"{sorted(zones.nearest.floors)}."
            )
        places = np.flatnonzero(labels == label)
        names = zones.nearest.zone_at(label, where[places])
        ties = zones.nearest.tied_at(label, where[places], within_m=TIED_M)
        for place, name, tie in zip(places.tolist(), names, ties, strict=True):
            right[place], tied[place] = name, tie
    return right, tied


def _score(parts: Sequence[_Named]) -> ZoneScore:
    p = np.concatenate([part.p for part in parts])
    is_hit = np.concatenate([part.is_hit for part in parts])
    is_named = ~np.isnan(p)
    is_sure = is_named & (p >= P_SURE)
    bins = _reliability(p[is_named], is_hit[is_named])
    named = max(int(is_named.sum()), 1)
    gaps = [bin_.instants * abs(bin_.p_mean - bin_.hit_rate) for bin_ in bins]
    return ZoneScore(
        instants=len(p),
        named_share=float(is_named.mean()),
        hit_rate=float(is_hit.mean()),
        sure_share=float(is_sure.mean()),
        sure_hit_rate=_mean(is_hit[is_sure]),
        ece=float(sum(gaps) / named),
        p_mean=_mean(p[is_named]),
        tied_share=float(np.concatenate([part.is_tied for part in parts]).mean()),
        hit_rate_tied=float(np.concatenate([part.is_hit_tied for part in parts]).mean()),
        reliability=bins,
    )


def _mean(values: Floats | Flags) -> float:
    return float(values.mean()) if values.size else 0.0


def _reliability(p: Floats, is_hit: Flags) -> tuple[ReliabilityBin, ...]:
    place = np.clip(np.ceil(p * BINS).astype(int) - 1, 0, BINS - 1)
    return tuple(
        ReliabilityBin(
            p_low=k / BINS,
            p_high=(k + 1) / BINS,
            instants=int((place == k).sum()),
            p_mean=_mean(p[place == k]),
            hit_rate=_mean(is_hit[place == k]),
        )
        for k in range(BINS)
    )
