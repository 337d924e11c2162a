"""The position history gives back what was written, however the files came to lie; and forgets."""

import dataclasses
import datetime as dt
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.footfall.cell_times import cell_times_of
from rtls.footfall.zone_stays import zone_stays_of
from rtls.model.counted_tag import CountedTag
from rtls.model.errors import InvalidReport
from rtls.model.footfall import Block, DayGap, GapReason, ReportWindow
from rtls.model.units import UnixMs
from rtls.storage.history import history_reader
from rtls.storage.history.compaction import compact
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.history_asking import ReaderSettings
from rtls.storage.history.history_chores import DAY_FILES_MAX, HistoryChores
from rtls.storage.history.history_folder import Table, files_of
from rtls.storage.history.history_reader import HistoryReader
from rtls.storage.history.parquet_tables import SCHEMAS
from rtls.storage.history.retention import Keep, sweep
from rtls.storage.history.salt_book import visitor_of
from tests.unit.storage.history_days import (
    CLOCK,
    DAY,
    DAY_MS,
    HOUR_MS,
    SITE,
    SITE_MAP,
    at,
    fixes,
    history_log,
    salt_book,
    visit,
    window,
    write_hours,
)

CHOICES = [
    {},
    {"hours": frozenset({9, 11})},
    {"weekdays": frozenset({0})},
    {"weekdays": frozenset({1})},
    {"floor": 0},
    {"floor": 3},
    {"cohort": "new"},
    {"cohort": "nobody"},
]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def reader(tmp_path: Path, told: list[str]) -> HistoryReader:
    return HistoryReader(tmp_path / "history", report=told.append)


def day_folder(folder: Path, day: dt.date = DAY) -> Path:
    return folder / "history" / f"site={SITE}" / f"day={day}"


def answers(reader: HistoryReader, asked: ReportWindow) -> list[np.ndarray]:
    """Everything a reader can say of a window, rows in an order of their own."""
    fixes, visits = reader.fixes(asked), reader.visits(asked)
    by_fix = np.lexsort((fixes.x_m, fixes.visitor, fixes.at_ms))
    by_visit = np.lexsort((visits.left_at_ms, visits.visitor, visits.entered_at_ms))
    counted = [
        found
        for block in Block
        for found in (
            reader.cell_times(asked, cell_m=1.0, block=block),
            reader.zone_stays(asked, block=block),
        )
    ]
    return [
        *(column[by_fix] for column in arrays_of(fixes)),
        *(column[by_visit] for column in arrays_of(visits)),
        *(column for found in counted for column in arrays_of(found)),
    ]


def arrays_of(columns: object) -> list[np.ndarray]:
    found = (getattr(columns, field.name) for field in dataclasses.fields(columns))  # type: ignore[arg-type]
    return [value for value in found if isinstance(value, np.ndarray)]


def are_equal(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return all(
        np.allclose(one, other) if one.dtype.kind == "f" else np.array_equal(one, other)
        for one, other in zip(some, others, strict=True)
    )


def counted_two() -> CountedTags:
    return CountedTags(
        [
            CountedTag(tag="tag:1", since_ms=0, cohort="new"),
            CountedTag(tag="tag:2", since_ms=0, cohort=""),
        ]
    )


def test_what_was_written_is_read_again(tmp_path: Path, reader: HistoryReader) -> None:
    """Row by row and to the last digit that a file holds."""
    log = history_log(tmp_path, counted=counted_two())
    taken = fixes(at(9), ["tag:1", "tag:2"])
    log.take_fixes(taken, now_ms=at(9))
    log.take_visits([visit("tag:2", at(9), dwell_s=42.5)], now_ms=at(9))
    log.close(now_ms=at(9))
    salt = salt_book(tmp_path / "salts").salt_of(DAY, now_ms=at(9))
    assert salt is not None
    visitors = [visitor_of(CountedTag(tag=tag, since_ms=0), salt) for tag in ("tag:1", "tag:2")]
    found = reader.fixes(window())
    assert found.visitor.tolist() == visitors
    assert [found.cohort_names[code] for code in found.cohort] == ["new", ""]
    for name in ("floor", "x_m", "y_m", "sigma_m", "weight_s"):
        assert np.array_equal(getattr(found, name), getattr(taken, name))
    stays = reader.visits(window())
    assert stays.visitor.tolist() == visitors[1:]
    assert stays.dwell_s.tolist() == [42.5]
    assert [stays.zone_names[code] for code in stays.zone] == [SITE_MAP.zones[0].zone]
    assert (stays.left_at_ms - stays.entered_at_ms).tolist() == [42_500]
    assert reader.cohorts(window()) == ("", "new")
    assert reader.gaps(window()) == ()


@pytest.mark.parametrize("choice", CHOICES, ids=str)
@pytest.mark.parametrize("block", Block)
def test_counts_are_those_of_the_rows(
    tmp_path: Path, reader: HistoryReader, choice: dict[str, object], block: Block
) -> None:
    """DuckDB counts what the plain rules of footfall count over the same rows."""
    write_hours(history_log(tmp_path, counted=counted_two()), [8.999, 9, 11.5], seconds=10)
    asked = window(8, 13, **choice)
    cells = cell_times_of(reader.fixes(asked), cell_m=0.7, block=block, time_zone=CLOCK)
    found = reader.cell_times(asked, cell_m=0.7, block=block)
    assert are_equal(arrays_of(found), arrays_of(cells))
    stays = zone_stays_of(reader.visits(asked), block=block, time_zone=CLOCK)
    assert are_equal(arrays_of(reader.zone_stays(asked, block=block)), arrays_of(stays))
    expected = {"cohort": "nobody", "floor": 3, "weekdays": frozenset({1})}
    is_empty = any(choice.get(name) == value for name, value in expected.items())
    assert (len(found.day) == 0) is is_empty


def test_compaction_changes_no_answer(tmp_path: Path, reader: HistoryReader) -> None:
    """Many small files become one sorted one; no report may be able to tell."""
    write_hours(history_log(tmp_path, file_ms=10_000), [8.999, 9, 11.5], seconds=30)
    asked = [window(8, 13, **choice) for choice in CHOICES[:2]]
    before = [answers(reader, one) for one in asked]
    for table in Table:
        done = compact(day_folder(tmp_path), table)
        assert done.files > 1
        (part,) = files_of(day_folder(tmp_path), table).parts
        assert pq.read_schema(part.path).equals(SCHEMAS[table])
    instants = pq.read_table(part.path)["entered_at_ms"].to_pylist()
    assert instants == sorted(instants)
    assert all(are_equal(b, answers(reader, one)) for b, one in zip(before, asked, strict=True))
    assert compact(day_folder(tmp_path), Table.FIXES).files == 0


@pytest.mark.parametrize("leaves", ["all small files", "an unfinished file"])
def test_a_compaction_that_was_cut_short_counts_nothing_twice(
    tmp_path: Path, reader: HistoryReader, leaves: str
) -> None:
    """Before the rename the small files count, after it the large one, and never both."""
    write_hours(history_log(tmp_path, file_ms=10_000), [9], seconds=70)
    folder, kept = day_folder(tmp_path), tmp_path / "kept"
    before = answers(reader, window())
    shutil.copytree(folder, kept)
    compact(folder, Table.FIXES)
    (large,) = files_of(folder, Table.FIXES).parts
    for path in kept.iterdir():
        shutil.copy(path, folder)
    if leaves == "an unfinished file":
        large.path.rename(large.path.with_name(large.path.name + ".writing"))
    assert are_equal(before, answers(reader, window()))
    assert compact(folder, Table.FIXES).files == (0 if leaves == "all small files" else 7)
    assert len(files_of(folder, Table.FIXES).parts) == 1
    assert are_equal(before, answers(reader, window()))


def chores(folder: Path, told: Callable[[str], None] = print, **keep: int) -> HistoryChores:
    return HistoryChores(
        folder / "history",
        site_map=SITE_MAP,
        salts=salt_book(folder / "salts"),
        keep=Keep(**keep),
        report=told,
    )


def test_a_day_is_compacted_once_it_is_settled(tmp_path: Path) -> None:
    """Not before: its last visits are still told within the hour after midnight."""
    write_hours(history_log(tmp_path, file_ms=10_000), [9], seconds=70)
    ours = chores(tmp_path)
    ours.run(now_ms=UnixMs(at(25) - 1))
    assert len(files_of(day_folder(tmp_path), Table.FIXES).parts) > 1
    for second in range(3):
        ours.run(now_ms=UnixMs(at(25) + 1000 * second))
    assert [len(files_of(day_folder(tmp_path), table).parts) for table in Table] == [1, 1]


def test_a_long_day_does_not_grow_without_bound(tmp_path: Path) -> None:
    """A thousand files of a minute each would make today's question slow."""
    log = history_log(tmp_path, file_ms=1)
    for minute in range(DAY_FILES_MAX + 1):
        now_ms = UnixMs(at(9) + 60_000 * minute)
        log.take_fixes(fixes(now_ms, ["tag:1"]), now_ms=now_ms)
        log.turn(now_ms=UnixMs(now_ms + 1))
    chores(tmp_path).run(now_ms=now_ms)
    assert len(files_of(day_folder(tmp_path), Table.FIXES).parts) == 1


def test_nothing_is_kept_longer_than_was_promised(tmp_path: Path) -> None:
    """To the second, in simulated time: a row of the first instant of a day decides for the day."""
    midnight = at(0)
    write_hours(history_log(tmp_path), [0])
    limit_ms = midnight + 30 * DAY_MS
    place = tmp_path / "history"
    keep = Keep(fixes_days=2, visits_days=30)
    fixes, visits = (len(files_of(day_folder(tmp_path), table).parts) for table in Table)
    just_before_ms = UnixMs(midnight + 2 * DAY_MS - 1)
    assert sweep(place, SITE, time_zone=CLOCK, keep=keep, now_ms=just_before_ms) == 0
    assert (
        sweep(place, SITE, time_zone=CLOCK, keep=keep, now_ms=UnixMs(just_before_ms + 1)) == fixes
    )
    assert sweep(place, SITE, time_zone=CLOCK, keep=keep, now_ms=UnixMs(limit_ms - 1)) == 0
    assert sweep(place, SITE, time_zone=CLOCK, keep=keep, now_ms=UnixMs(limit_ms)) == visits
    assert not day_folder(tmp_path).exists()


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 3 * 24), step_h=st.integers(1, 30), days=st.integers(1, 4))
def test_at_any_instant_no_row_is_older_than_it_may_be(
    tmp_path_factory: pytest.TempPathFactory, start: int, step_h: int, days: int
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    log = history_log(folder, salts=salt_book(None))
    written = [at(start) + n * step_h * HOUR_MS for n in range(8)]
    for at_ms in written:
        log.take_fixes(fixes(at_ms, ["tag:1"]), now_ms=UnixMs(at_ms))
    log.close(now_ms=UnixMs(written[-1]))
    now_ms = UnixMs(written[-1] + HOUR_MS)
    keep = Keep(fixes_days=days, visits_days=days)
    sweep(folder / "history", SITE, time_zone=CLOCK, keep=keep, now_ms=now_ms)
    left = [
        row
        for path in (folder / "history").rglob("*.parquet")
        for row in pq.read_table(path)["at_ms"].to_pylist()
    ]
    assert all(at_ms > now_ms - days * DAY_MS for at_ms in left)
    # And not a day more than that is lost.
    assert set(left) >= {at_ms for at_ms in written if at_ms > now_ms - (days - 1) * DAY_MS}


def test_days_cannot_be_linked(tmp_path: Path) -> None:
    """Who knows every tag and both days' files guesses no better which visitors are one person."""
    tags = [f"tag:{n}" for n in range(200)]
    log = history_log(tmp_path)
    days = [DAY, DAY + dt.timedelta(days=1)]
    for day in days:
        log.take_fixes(fixes(at(9, day=day), tags), now_ms=at(9, day=day))
    log.close(now_ms=at(9, day=days[1]))
    first, second = (
        pq.read_table(next(day_folder(tmp_path, day).iterdir()))["visitor"].to_pylist()
        for day in days
    )
    assert not set(first) & set(second)
    # The order of the numbers tells nothing either: ranks of the two days do not go together.
    ranks = np.corrcoef(np.argsort(np.argsort(first)), np.argsort(np.argsort(second)))[0, 1]
    assert abs(ranks) < 0.25
    # After the salts are gone, knowing all tags does not help.
    book = salt_book(tmp_path / "salts")
    book.destroy_settled(now_ms=at(25, day=days[1]))
    kept = b"".join(path.read_bytes() for path in (tmp_path / "salts").iterdir())
    assert kept == b""
    guesses = {visitor_of(CountedTag(tag=tag, since_ms=0), bytes(32)) for tag in tags}
    assert not guesses & set(first)


def test_a_day_without_data_and_one_outside_are_told(reader: HistoryReader) -> None:
    """A report says which days it had to do without."""
    asked = ReportWindow(site=SITE, time_zone=CLOCK, start_ms=at(0), end_ms=at(48))
    gone = [DayGap(day=DAY + dt.timedelta(days=n), reason=GapReason.NO_DATA) for n in (0, 1)]
    assert list(reader.gaps(asked)) == gone
    assert len(reader.fixes(asked).at_ms) == 0
    assert reader.cohorts(asked) == ("",)


def damage(path: Path, how: str) -> str:
    """Spoil a file in one of the ways in which files are spoilt; return a word of the reason."""
    if how == "cut short":
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
        return "cannot be read"
    if how == "empty":
        path.write_bytes(b"")
        return "cannot be read"
    if how == "foreign":
        pq.write_table(pa.table({"at_ms": [1], "price": [2.0]}), path)
        return "column visitor is missing"
    if how == "another type":
        table = pq.read_table(path)
        pq.write_table(table.set_column(0, "at_ms", table["at_ms"].cast(pa.string())), path)
        return "column at_ms is string"
    content = bytearray(path.read_bytes())
    middle = range(200, min(1200, len(content) - 2500))
    for place in middle:
        content[place] ^= 0x5A
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    return "damaged within"


@pytest.mark.parametrize("how", ["cut short", "empty", "foreign", "another type", "bits turned"])
def test_a_damaged_file_is_named_and_the_others_are_in_the_report(
    tmp_path: Path, reader: HistoryReader, told: list[str], how: str
) -> None:
    """A report with a gap that is told is better than none."""
    log = history_log(tmp_path, file_ms=60_000)
    tags = [f"tag:{n}" for n in range(40)]
    write_hours(log, [9, 10], tags=tags, seconds=60)
    whole = reader.fixes(window()).at_ms
    spoilt = day_folder(tmp_path) / "fixes-000001.parquet"
    reason = damage(spoilt, how)
    left = HistoryReader(tmp_path / "history", report=told.append)
    found = left.fixes(window()).at_ms
    assert 0 < len(found) < len(whole)
    assert (found >= at(10)).all()
    if how != "bits turned":
        unreadable = DayGap(day=DAY, reason=GapReason.UNREADABLE, file=spoilt.name)
        assert left.gaps(window()) == (unreadable,)
    assert any(spoilt.name in line and reason in line for line in told), told


def test_compaction_sets_a_damaged_file_aside(tmp_path: Path, reader: HistoryReader) -> None:
    """It is neither taken for whole nor thrown away: it may hold what somebody can still save."""
    write_hours(history_log(tmp_path, file_ms=10_000), [9], seconds=70)
    damage(day_folder(tmp_path) / "fixes-000002.parquet", "cut short")
    done = compact(day_folder(tmp_path), Table.FIXES)
    assert [line.split()[0] for line in done.damaged] == ["fixes-000002.parquet"]
    assert (day_folder(tmp_path) / "fixes-000002.parquet.damaged").exists()
    (gap,) = reader.gaps(window())
    assert gap.file == "fixes-000002.parquet.damaged"


def test_a_question_about_too_many_rows_is_refused_and_not_tried(
    tmp_path: Path, reader: HistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory has a bound; what goes beyond it is asked for in counts."""
    write_hours(history_log(tmp_path), [9], seconds=10)
    monkeypatch.setattr(history_reader, "ROWS_MAX", 19)
    with pytest.raises(InvalidReport, match="more than 19 fixes; expected"):
        reader.fixes(window())
    assert reader.cell_times(window(), cell_m=1.0, block=Block.DAY).person_s.sum() == 20.0


@pytest.mark.parametrize("day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
def test_the_nights_in_which_clocks_change_have_their_hours(tmp_path: Path, day: dt.date) -> None:
    """One has 23 hours and one 25; every row is in one of them, and in one only."""
    log = history_log(tmp_path)
    begin = int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp() * 1000) - 4 * HOUR_MS
    instants = [UnixMs(begin + n * HOUR_MS // 2) for n in range(60)]
    for at_ms in instants:
        log.take_fixes(fixes(at_ms, ["tag:1"]), now_ms=at_ms)
    log.close(now_ms=instants[-1])
    asked = ReportWindow(
        site=SITE, time_zone=CLOCK, start_ms=UnixMs(begin), end_ms=UnixMs(begin + 32 * HOUR_MS)
    )
    left = HistoryReader(
        tmp_path / "history", report=print, settings=ReaderSettings(memory_mib=128, threads=1)
    )
    for block in Block:
        expected = cell_times_of(left.fixes(asked), cell_m=2.0, block=block, time_zone=CLOCK)
        found = left.cell_times(asked, cell_m=2.0, block=block)
        assert are_equal(arrays_of(found), arrays_of(expected))
        assert found.person_s.sum() == 60.0
