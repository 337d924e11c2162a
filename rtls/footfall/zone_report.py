"""Tell of each zone who passed by, who stopped and for how long, by the hour or the day.

Layer: rules. Takes: `ZoneStays` of whole days. Gives: `ZoneReport` with told blocks alone, to the
API, the shelf report and the what-if.

    visitors  = sum over told blocks of the visitors of the block, rounded; passers, stoppers alike
    stop rate = stoppers / visitors, over blocks in which both are told
    dwell     = seconds of all stops / stoppers, over blocks in which the stoppers are told
    quantile  = the bin in which it lies, of the stops of these blocks
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtls.footfall.blocks import WindowBlocks, is_in_blocks
from rtls.footfall.release import (
    ReleaseRules,
    Told,
    block_words,
    name_word,
    told_counts,
    told_seconds,
)
from rtls.footfall.runs import run_numbers
from rtls.model.footfall import (
    DWELL_EDGES_S,
    Block,
    Bools,
    Float64s,
    Int64s,
    ZoneStays,
)

QUANTILES: Final = (0.25, 0.5, 0.75, 0.9)
BESIDE_MIN: Final = 5
"""stops that must lie on either side of a quantile: else it is the dwell of a few"""
EVERYBODY: Final = -1
EVERY_HOUR: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellQuantile:
    """Between which seconds a share of the stops has ended."""

    share: float
    low_s: int
    high_s: int | None
    """None in the last bin, which has no end"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFigures:
    """One zone over the told blocks of a window, or of one hour of its days.

    A figure is None where nothing of it is told.
    """

    zone: str
    hour: int | None
    """hour of the day; None for the whole window"""
    visitors: int | None
    passers: int | None
    stoppers: int | None
    stop_rate: float | None
    dwell_s_mean: float | None
    quantiles: tuple[DwellQuantile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldZones:
    """What of `ZoneStays` may be shown; the rows of `stays` are those of the columns."""

    stays: ZoneStays
    visitors: Told
    passers: Told
    stoppers: Told
    dwell_s: Float64s


def told_zones(stays: ZoneStays, rules: ReleaseRules) -> ToldZones:
    """Return what is told of everybody; ``stays`` holds whole days, or all hours of days."""
    everybody = np.full(len(stays.day), EVERYBODY, np.int64)
    sums = run_numbers(stays.day, stays.zone) if stays.block is Block.HOUR else None
    return _told(stays, everybody, sums, kind="zones", rules=rules)


def told_cohort_zones(stays: ZoneStays, cohort: str, rules: ReleaseRules) -> ToldZones:
    """Return what is told of the days of one cohort; those of all, added up, are everybody's."""
    words = np.full(len(stays.day), name_word(cohort) >> 1, np.int64)
    return _told(stays, words, None, kind="zones of a cohort", rules=rules)


def zone_figures(
    told: Iterable[ToldZones], blocks: WindowBlocks, zones: Sequence[str], *, hour: int = EVERY_HOUR
) -> tuple[ZoneFigures, ...]:
    """Return the figures of each zone, in the order of ``zones``.

    Parameters
    ----------
    blocks
        What of the told blocks belongs to the window.
    hour
        Of one hour of the day alone, or `EVERY_HOUR`.
    """
    parts = [_belonging(part, blocks, hour) for part in told]
    return tuple(_figures(zone, parts, hour) for zone in zones)


def _told(
    stays: ZoneStays, cohorts: Int64s, sums: Int64s | None, *, kind: str, rules: ReleaseRules
) -> ToldZones:
    names = np.array([name_word(name) for name in stays.zone_names], np.uint64).view(np.int64)
    words = block_words(stays.day, stays.hour, names[stays.zone], cohorts)

    def told(counts: Int64s, what: str) -> Told:
        return told_counts(counts, words, kind=f"{what} of {kind}", rules=rules, sums=sums)

    stoppers = told(stays.stoppers, "stoppers")
    return ToldZones(
        stays=stays,
        visitors=told(stays.visitors, "visitors"),
        passers=told(stays.passers, "passers"),
        stoppers=stoppers,
        dwell_s=told_seconds(stays.dwell_s, stoppers),
    )


def _belonging(told: ToldZones, blocks: WindowBlocks, hour: int) -> ToldZones:
    belongs = is_in_blocks(blocks, told.stays.day, told.stays.hour)
    if hour != EVERY_HOUR:
        belongs &= told.stays.hour == hour
    return _rows(told, belongs)


def _figures(zone: str, parts: Sequence[ToldZones], hour: int) -> ZoneFigures:
    rows = [_rows(part, _is_zone(part.stays, zone)) for part in parts]
    both = [part.visitors.is_told & part.stoppers.is_told for part in rows]
    stoppers = _total([part.stoppers for part in rows])
    dwell_s = sum(float(part.dwell_s.sum()) for part in rows)
    met = sum(int(part.visitors.counts[b].sum()) for part, b in zip(rows, both, strict=True))
    stopped = sum(int(part.stoppers.counts[b].sum()) for part, b in zip(rows, both, strict=True))
    bins = np.zeros(len(DWELL_EDGES_S) + 1, np.int64)
    for part in rows:
        bins += part.stays.stops_in_bin[part.stoppers.is_told].sum(axis=0)
    return ZoneFigures(
        zone=zone,
        hour=None if hour == EVERY_HOUR else hour,
        visitors=_total([part.visitors for part in rows]),
        passers=_total([part.passers for part in rows]),
        stoppers=stoppers,
        # Each count is rounded by itself, so that everybody who stopped may look like one too many.
        stop_rate=min(stopped / met, 1.0) if met else None,
        dwell_s_mean=None if stoppers is None else dwell_s / stoppers,
        quantiles=dwell_quantiles(bins),
    )


def dwell_quantiles(bins: Int64s) -> tuple[DwellQuantile, ...]:
    """Return the quantiles with `BESIDE_MIN` stops on either side, as the bins they lie in."""
    ends = np.cumsum(bins)
    stops = int(ends[-1])
    found = []
    for share in QUANTILES:
        # Rounded, for 0.1 of 50 is a little less than 5 to a computer.
        if round(min(share, 1.0 - share) * stops, 6) < BESIDE_MIN:
            continue
        place = int(np.searchsorted(ends, share * stops, side="left"))
        low = 0 if place == 0 else DWELL_EDGES_S[place - 1]
        high = DWELL_EDGES_S[place] if place < len(DWELL_EDGES_S) else None
        found.append(DwellQuantile(share=share, low_s=low, high_s=high))
    return tuple(found)


def _total(columns: Sequence[Told]) -> int | None:
    if not any(bool(column.is_told.any()) for column in columns):
        return None
    return sum(int(column.counts.sum()) for column in columns)


def _is_zone(stays: ZoneStays, zone: str) -> Bools:
    if zone not in stays.zone_names:
        return np.zeros(len(stays.day), np.bool_)
    is_zone: Bools = stays.zone == stays.zone_names.index(zone)
    return is_zone


def _rows(told: ToldZones, which: Bools) -> ToldZones:
    stays = told.stays
    return ToldZones(
        stays=ZoneStays(
            block=stays.block,
            day=stays.day[which],
            hour=stays.hour[which],
            zone=stays.zone[which],
            zone_names=stays.zone_names,
            visitors=stays.visitors[which],
            passers=stays.passers[which],
            stoppers=stays.stoppers[which],
            stops=stays.stops[which],
            dwell_s=stays.dwell_s[which],
            stops_in_bin=stays.stops_in_bin[which],
        ),
        visitors=told.visitors.rows(which),
        passers=told.passers.rows(which),
        stoppers=told.stoppers.rows(which),
        dwell_s=told.dwell_s[which],
    )
