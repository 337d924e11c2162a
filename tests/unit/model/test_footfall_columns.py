"""Columns of the position history: what they refuse."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rtls.model.errors import InvalidReport
from rtls.model.footfall import WHOLE_DAY, Block, CellTimes, ReportWindow
from rtls.model.units import Metre, SiteId, UnixMs


def at(text: str) -> UnixMs:
    """Return the instant of a wall-clock time in Berlin."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return UnixMs(int(moment.timestamp() * 1000))


def window(start: str, end: str, time_zone: str = "Europe/Berlin") -> ReportWindow:
    return ReportWindow(
        site=SiteId("demo"), time_zone=time_zone, start_ms=at(start), end_ms=at(end)
    )


def test_a_window_of_one_whole_hour_is_taken() -> None:
    """It is the shortest that may be asked for."""
    assert window("2026-03-02T10:00", "2026-03-02T11:00").cohort is None


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2026-03-02T10:00", "2026-03-02T10:00", "not after its start"),
        ("2026-03-02T11:00", "2026-03-02T10:00", "not after its start"),
        ("2026-03-02T10:15", "2026-03-02T12:00", "the start .* a whole hour"),
        ("2026-03-02T10:00", "2026-03-02T11:00:30", "the end .* a whole hour"),
        ("2020-01-01T00:00", "2026-01-01T00:00", "at most 366"),
    ],
)
def test_an_impossible_window_is_named(start: str, end: str, says: str) -> None:
    """Moving windows would tell, one taken from the other, what a few persons did."""
    with pytest.raises(InvalidReport, match=says):
        window(start, end)


def test_the_hour_that_comes_twice_is_never_cut() -> None:
    """At 03:00 on 2026-10-25 the clocks go back: 02:00 to 03:00 lasts two hours and is one."""
    window("2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00")
    with pytest.raises(InvalidReport, match="whole hour"):
        window("2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00")


def test_clocks_half_an_hour_off_have_their_own_whole_hours() -> None:
    """In Kolkata 10:00 is 04:30 in London; the report is for people in Kolkata."""
    window("2026-03-02T10:00+05:30", "2026-03-02T11:00+05:30", "Asia/Kolkata")
    with pytest.raises(InvalidReport, match="whole hour"):
        window("2026-03-02T10:00+05:00", "2026-03-02T11:00+05:00", "Asia/Kolkata")


def test_unknown_clocks_are_named() -> None:
    """Else every report of the site would be an hour off, and nobody would know."""
    with pytest.raises(InvalidReport, match="IANA"):
        window("2026-03-02T10:00", "2026-03-02T11:00", "Mars/Olympus")


def cells(hours: list[int], block: Block, person_s: float = 1.0) -> CellTimes:
    n = len(hours)
    return CellTimes(
        cell_m=Metre(1.0),
        block=block,
        day=np.zeros(n, np.int32),
        hour=np.asarray(hours, np.int8),
        floor=np.zeros(n, np.int16),
        column=np.zeros(n, np.int32),
        row=np.zeros(n, np.int32),
        visitors=np.ones(n, np.int64),
        person_s=np.full(n, person_s),
    )


def test_rows_of_hours_and_of_days_do_not_mix() -> None:
    """A day and its hours added up would count everybody twice."""
    cells([WHOLE_DAY], Block.DAY)
    cells([0, 23], Block.HOUR)
    with pytest.raises(InvalidReport, match="column hour"):
        cells([WHOLE_DAY], Block.HOUR)
    with pytest.raises(InvalidReport, match="column hour"):
        cells([9], Block.DAY)


def test_time_that_is_no_number_is_refused() -> None:
    """One NaN in a sum makes the whole report NaN."""
    with pytest.raises(InvalidReport, match="person_s"):
        cells([9], Block.HOUR, float("nan"))
