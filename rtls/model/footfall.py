"""Where people stood and which zones they visited, as columns for reports.

Layer: nouns. Takes: columns from the position history. Gives: them to rtls.footfall, which alone
decides what of them may be shown; nothing here is fit to be published.

A visitor is a number that lives one day: the salt that made it of a tag is destroyed, so that two
days of one person cannot be linked. Days are counted from 1970-01-01 by the clocks of the site.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidReport
from rtls.model.report_columns import Columns, check_amounts, check_codes, check_columns
from rtls.model.units import Metre, SiteId, UnixMs

HOUR_MS: Final = 3_600_000
WINDOW_DAYS_MAX: Final = 366
CELL_M_MIN: Final = 0.25
CELL_M_MAX: Final = 20.0
WHOLE_DAY: Final = -1
"""`hour` of a row that stands for a whole day"""
DWELL_EDGES_S: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1800)
"""Stops are counted in bins: below the first edge, between two, from the last on."""

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Int16s = npt.NDArray[np.int16]
Int8s = npt.NDArray[np.int8]
UInt64s = npt.NDArray[np.uint64]
Float64s = npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


class Block(StrEnum):
    """The slices of time that persons are counted in; nothing finer or moving is ever told."""

    HOUR = "hour"
    DAY = "day"


class GapReason(StrEnum):
    """Why a day, or a part of it, is not in a report."""

    NO_DATA = "no_data"
    """nothing was written on this day"""
    UNREADABLE = "unreadable"
    """a file of this day is damaged; the others are in the report"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayGap:
    """One day that a report has to do without, wholly or in part."""

    day: dt.date
    reason: GapReason
    file: str = ""
    """name of the damaged file, without its folder"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWindow:
    """What a report is about: whole hours by the clocks of the site, from `start_ms` to `end_ms`.

    Parameters
    ----------
    time_zone
        IANA name of the clocks of the site.
    start_ms, end_ms
        Instants at which an hour begins by these clocks; `end_ms` is no longer part of it.
    floor
        One floor, or None for all.
    weekdays
        Days of the week that count, 0 for Monday; None for all.
    hours
        Hours of the day that count, 0 to 23; None for all.
    cohort
        One segment of shoppers; None for everybody.
    """

    site: SiteId
    time_zone: str
    start_ms: UnixMs
    end_ms: UnixMs
    floor: int | None = None
    weekdays: frozenset[int] | None = None
    hours: frozenset[int] | None = None
    cohort: str | None = None

    def __post_init__(self) -> None:
        if self.end_ms <= self.start_ms:
            raise InvalidReport(
                f"the window ends at {self.end_ms}, not after its start {self.start_ms}; "
                "expected an end at least one hour later."
            )
        if self.end_ms - self.start_ms > WINDOW_DAYS_MAX * 24 * HOUR_MS:
            raise InvalidReport(
                f"the window is {(self.end_ms - self.start_ms) / 86_400_000:.0f} days long; "
                f"expected at most {WINDOW_DAYS_MAX}. Ask for a year at a time."
            )
        clock = site_clock(self.time_zone)
        check_hour_begins("start", self.start_ms, clock)
        check_hour_begins("end", self.end_ms, clock)
        _check_choice("weekdays", self.weekdays, 6)
        _check_choice("hours", self.hours, 23)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixColumns:
    """Fixes of one site, a row for each second or so of each visitor; no order is promised.

    Parameters
    ----------
    at_ms, visitor, floor, x_m, y_m, sigma_m
        (n,) When, who (of that day), and where.
    weight_s
        (n,) Seconds that the row stands for.
    cohort
        (n,) Index into `cohort_names`.
    cohort_names
        Names of segments; the empty one is "unknown".
    """

    at_ms: Int64s
    visitor: UInt64s
    floor: Int16s
    x_m: Float32s
    y_m: Float32s
    sigma_m: Float32s
    weight_s: Float32s
    cohort: Int32s
    cohort_names: tuple[str, ...]

    def __post_init__(self) -> None:
        columns: Columns = {
            "at_ms": (self.at_ms, np.int64),
            "visitor": (self.visitor, np.uint64),
            "floor": (self.floor, np.int16),
            "x_m": (self.x_m, np.float32),
            "y_m": (self.y_m, np.float32),
            "sigma_m": (self.sigma_m, np.float32),
            "weight_s": (self.weight_s, np.float32),
            "cohort": (self.cohort, np.int32),
        }
        check_columns(columns)
        check_codes("cohort", self.cohort, self.cohort_names)
        check_amounts("weight_s", self.weight_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitColumns:
    """Stays in zones, a row each; nested zones each tell their own.

    Parameters
    ----------
    visitor, floor, entered_at_ms, left_at_ms, dwell_s
        (n,) Who (of that day), where, when, how long.
    zone, cohort
        (n,) Index into `zone_names`, `cohort_names`.
    is_pass
        (n,) The stay was too short to be a stop.
    """

    visitor: UInt64s
    zone: Int32s
    zone_names: tuple[str, ...]
    floor: Int16s
    entered_at_ms: Int64s
    left_at_ms: Int64s
    dwell_s: Float32s
    is_pass: Bools
    cohort: Int32s
    cohort_names: tuple[str, ...]

    def __post_init__(self) -> None:
        columns: Columns = {
            "visitor": (self.visitor, np.uint64),
            "zone": (self.zone, np.int32),
            "floor": (self.floor, np.int16),
            "entered_at_ms": (self.entered_at_ms, np.int64),
            "left_at_ms": (self.left_at_ms, np.int64),
            "dwell_s": (self.dwell_s, np.float32),
            "is_pass": (self.is_pass, np.bool_),
            "cohort": (self.cohort, np.int32),
        }
        check_columns(columns)
        check_codes("zone", self.zone, self.zone_names)
        check_codes("cohort", self.cohort, self.cohort_names)
        check_amounts("dwell_s", self.dwell_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTimes:
    """Time spent in each cell in each block of time, counted but not yet fit to be shown.

    A cell is `column` = floor(x / cell_m), `row` = floor(y / cell_m) in the frame of its floor.
    Each (day, hour, floor, column, row) stands once.

    Parameters
    ----------
    day, hour
        (n,) Days since 1970-01-01 and hour of the day by the clocks of the site; `hour` is
        `WHOLE_DAY` where the block is a day.
    visitors
        (n,) Distinct visitors in the cell within the block.
    person_s
        (n,) Their seconds together.
    """

    cell_m: Metre
    block: Block
    day: Int32s
    hour: Int8s
    floor: Int16s
    column: Int32s
    row: Int32s
    visitors: Int64s
    person_s: Float64s

    def __post_init__(self) -> None:
        check_cell(self.cell_m)
        columns: Columns = {
            "day": (self.day, np.int32),
            "hour": (self.hour, np.int8),
            "floor": (self.floor, np.int16),
            "column": (self.column, np.int32),
            "row": (self.row, np.int32),
            "visitors": (self.visitors, np.int64),
            "person_s": (self.person_s, np.float64),
        }
        check_columns(columns)
        check_hours(self.block, self.hour)
        check_amounts("person_s", self.person_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneStays:
    """Stays in each zone in each block of time (by their entry), not yet fit to be shown.

    Each (day, hour, zone) stands once.

    Parameters
    ----------
    visitors, passers, stoppers
        (n,) Distinct visitors that entered in the block; those of them with a stay too short to be
        a stop, and those with a stop. Somebody may be both.
    stops
        (n,) Stays that were no pass-by.
    dwell_s
        (n,) Seconds of the stops together.
    stops_in_bin
        (n, len(DWELL_EDGES_S) + 1) Stops by their dwell: bin b holds edges[b - 1] <= dwell <
        edges[b].
    """

    block: Block
    day: Int32s
    hour: Int8s
    zone: Int32s
    zone_names: tuple[str, ...]
    visitors: Int64s
    passers: Int64s
    stoppers: Int64s
    stops: Int64s
    dwell_s: Float64s
    stops_in_bin: Int64s

    def __post_init__(self) -> None:
        columns: Columns = {
            "day": (self.day, np.int32),
            "hour": (self.hour, np.int8),
            "zone": (self.zone, np.int32),
            "visitors": (self.visitors, np.int64),
            "passers": (self.passers, np.int64),
            "stoppers": (self.stoppers, np.int64),
            "stops": (self.stops, np.int64),
            "dwell_s": (self.dwell_s, np.float64),
        }
        check_columns(columns)
        check_hours(self.block, self.hour)
        check_codes("zone", self.zone, self.zone_names)
        check_amounts("dwell_s", self.dwell_s)
        expected = (len(self.day), len(DWELL_EDGES_S) + 1)
        if self.stops_in_bin.shape != expected or self.stops_in_bin.dtype != np.int64:
            raise InvalidReport(
                f"stops_in_bin is {self.stops_in_bin.dtype} {self.stops_in_bin.shape}; expected "
                f"int64 {expected}, one bin more than edges."
            )


def site_clock(time_zone: str) -> ZoneInfo:
    """Return the clocks of a site by their IANA name.

    Raises
    ------
    InvalidReport
        If there are no such clocks.

    Examples
    --------
    >>> site_clock("Europe/Berlin").key
    'Europe/Berlin'
    """
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidReport(
            f"time_zone is {time_zone!r}; expected an IANA name, e.g. 'Europe/Berlin'. Correct it "
            "in the site map."
        ) from error


def check_hour_begins(what: str, at_ms: UnixMs, clock: ZoneInfo) -> None:
    """Refuse an instant at which no hour begins by the clocks of the site.

    In the night in which the clocks go back an hour lasts twice as long, and begins once: else a
    window could end in the midst of it, and two windows would tell what lies between them.

    Raises
    ------
    InvalidReport
        If ``at_ms`` is within an hour, or no instant that a clock can show.
    """
    try:
        here = dt.datetime.fromtimestamp(at_ms / 1000, clock)
        before = dt.datetime.fromtimestamp((at_ms - 1000) / 1000, clock)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidReport(
            f"the {what} of the window is {at_ms}; expected milliseconds since 1970."
        ) from error
    is_whole = at_ms % 1000 == 0 and here.minute == 0 and here.second == 0
    if not is_whole or (here.date(), here.hour) == (before.date(), before.hour):
        raise InvalidReport(
            f"the {what} of the window is {here.isoformat()}; expected a whole hour by the "
            f"clocks of the site ({clock.key}), e.g. {here:%Y-%m-%dT%H:00:00}."
        )


def check_cell(cell_m: Metre) -> None:
    """Refuse a cell that is no square of a size between a foot and a hall.

    Raises
    ------
    InvalidReport
        If ``cell_m`` is outside `CELL_M_MIN` to `CELL_M_MAX`, or NaN.
    """
    if not CELL_M_MIN <= cell_m <= CELL_M_MAX:
        raise InvalidReport(
            f"cell_m is {cell_m}; expected {CELL_M_MIN} to {CELL_M_MAX:.0f} metres. Set it to 1."
        )


def _check_choice(what: str, chosen: frozenset[int] | None, last: int) -> None:
    if chosen is not None and not (chosen and all(0 <= one <= last for one in chosen)):
        raise InvalidReport(
            f"{what} is {sorted(chosen)}; expected at least one of 0 to {last}, or none at all "
            "for every one."
        )


def check_hours(block: Block, hour: Int8s) -> None:
    """Refuse hours in rows of days, and the reverse.

    Raises
    ------
    InvalidReport
        If ``hour`` does not fit the blocks.
    """
    low, high = (WHOLE_DAY, WHOLE_DAY) if block is Block.DAY else (0, 23)
    if hour.size and not (low <= int(hour.min()) and int(hour.max()) <= high):
        raise InvalidReport(
            f"column hour runs from {hour.min()} to {hour.max()}; expected {low} to {high} of "
            f"blocks of one {block.value}."
        )
