"""The history's writer: who counts, as whom, into which file, and what a disk may do to it."""

import datetime as dt
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rtls.model.counted_tag import CountedTag
from rtls.model.errors import NotDurable
from rtls.model.units import TagId, UnixMs
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.history_folder import Table, files_of, next_number
from tests.unit.storage.history_days import (
    DAY,
    SITE,
    at,
    fixes,
    history_log,
    passed,
    salt_book,
    visit,
)

NOON = at(12)
LATER = UnixMs(NOON + 120_000)


def day_folder(folder: Path, day: dt.date = DAY) -> Path:
    return folder / "history" / f"site={SITE}" / f"day={day}"


def rows(folder: Path, table: Table, day: dt.date = DAY) -> list[dict[str, object]]:
    found = files_of(day_folder(folder, day), table).parts
    return [row for part in found for row in pq.read_table(part.path).to_pylist()]


def test_a_row_names_a_visitor_and_no_tag(tmp_path: Path) -> None:
    """Whoever finds the file learns where somebody was, and nothing that says who."""
    log = history_log(tmp_path)
    log.take_fixes(fixes(NOON, ["tag:0d13", "tag:0d14"]), now_ms=NOON)
    log.close(now_ms=NOON)
    first, second = rows(tmp_path, Table.FIXES)
    assert first["visitor"] != second["visitor"]
    assert {row["at_ms"] for row in (first, second)} == {NOON}
    content = b"".join(path.read_bytes() for path in day_folder(tmp_path).iterdir())
    assert b"0d13" not in content


def test_nobody_is_written_who_is_not_counted(tmp_path: Path) -> None:
    """`analytics` is a consent of its own, and counts from the instant on at which it was given."""
    counted = CountedTags([CountedTag(tag="tag:yes", since_ms=NOON, cohort="new")])
    log = history_log(tmp_path, counted=counted)
    for at_ms in (NOON - 1000, NOON, NOON + 1000):
        log.take_fixes(fixes(at_ms, ["tag:yes", "tag:no"]), now_ms=at_ms)
    log.take_visits(
        [visit("tag:yes", NOON - 5000), visit("tag:yes", NOON + 5), visit("tag:no", NOON + 5)],
        now_ms=LATER,
    )
    log.close(now_ms=LATER)
    assert [row["at_ms"] for row in rows(tmp_path, Table.FIXES)] == [NOON, NOON + 1000]
    assert [row["entered_at_ms"] for row in rows(tmp_path, Table.VISITS)] == [NOON + 5]
    assert {row["cohort"] for row in rows(tmp_path, Table.FIXES)} == {"new"}
    assert log.counters["not_counted"] == 4 + 2


def test_a_withdrawal_counts_also_for_visits_that_wait(tmp_path: Path) -> None:
    """A visit is held a minute for late readings; what is not written yet never will be."""
    counted = CountedTags([CountedTag(tag="tag:1", since_ms=0)])
    log = history_log(tmp_path, counted=counted)
    log.take_visits([visit("tag:1", NOON)], now_ms=NOON)
    counted.withdraw(TagId("tag:1"))
    log.turn(now_ms=LATER)
    log.close(now_ms=LATER)
    assert rows(tmp_path, Table.VISITS) == []


def test_a_visit_is_written_as_it_was_in_the_end(tmp_path: Path) -> None:
    """Late readings correct and withdraw; a file is never changed, so it waits for them."""
    log = history_log(tmp_path, settle_ms=65_000)
    log.take_visits([visit("a", NOON, dwell_s=10.0), visit("b", NOON)], now_ms=NOON)
    corrected = visit("a", NOON, dwell_s=40.0, revision=1)
    log.take_visits([corrected, visit("a", NOON, dwell_s=10.0)], now_ms=NOON + 1000)
    log.take_visits([visit("b", NOON, revision=1, is_withdrawn=True)], now_ms=NOON + 2000)
    log.turn(now_ms=UnixMs(NOON + 64_999))
    log.take_visits([passed("c", NOON)], now_ms=UnixMs(NOON + 64_999))
    log.close(now_ms=LATER)
    assert [(row["dwell_s"], row["is_pass"]) for row in rows(tmp_path, Table.VISITS)] == [
        (40.0, False),
        (0.0, True),
    ]


def test_a_file_is_finished_a_minute_after_its_first_row(tmp_path: Path) -> None:
    """So much a kill can cost, and no more: before, the file has a name that nobody reads."""
    log = history_log(tmp_path, file_ms=60_000)
    log.take_fixes(fixes(NOON, ["a"]), now_ms=NOON)
    log.turn(now_ms=UnixMs(NOON + 59_999))
    assert rows(tmp_path, Table.FIXES) == []
    log.turn(now_ms=UnixMs(NOON + 60_000))
    assert len(rows(tmp_path, Table.FIXES)) == 1
    log.take_fixes(fixes(NOON + 61_000, ["a"]), now_ms=UnixMs(NOON + 61_000))
    log.close(now_ms=UnixMs(NOON + 61_000))
    names = sorted(path.name for path in day_folder(tmp_path).iterdir())
    assert names == ["fixes-000001.parquet", "fixes-000002.parquet"]
    assert next_number(day_folder(tmp_path), Table.FIXES) == 3


def test_one_tag_is_another_visitor_the_next_day(tmp_path: Path) -> None:
    """Days cannot be linked; within a day one person is one visitor, in fixes and visits."""
    log = history_log(tmp_path)
    midnight = at(24)
    for at_ms in (midnight - 1000, midnight):
        log.take_fixes(fixes(at_ms, ["tag:1"]), now_ms=UnixMs(at_ms))
    log.take_visits([visit("tag:1", midnight - 9000, dwell_s=20.0)], now_ms=UnixMs(midnight))
    log.close(now_ms=UnixMs(midnight + 90_000))
    (before,) = rows(tmp_path, Table.FIXES)
    (after,) = rows(tmp_path, Table.FIXES, DAY + dt.timedelta(days=1))
    (stay,) = rows(tmp_path, Table.VISITS)
    assert before["visitor"] == stay["visitor"] != after["visitor"]


def test_a_restart_leaves_a_shopper_the_same_visitor(tmp_path: Path) -> None:
    """Else ten visitors of a cell could be five persons, and pass for ten."""
    for second in (0, 1):
        log = history_log(tmp_path)
        log.take_fixes(fixes(NOON + second * 1000, ["tag:1"]), now_ms=NOON)
        log.close(now_ms=NOON)
    assert len({row["visitor"] for row in rows(tmp_path, Table.FIXES)}) == 1


def test_two_shoppers_of_one_trolley_are_two_visitors(tmp_path: Path) -> None:
    """A trolley has ten holders a day; as one visitor they would be withheld, or walk as one."""
    anna = CountedTag(tag="trolley", since_ms=0, first_held_ms=NOON)
    ben = CountedTag(tag="trolley", since_ms=0, first_held_ms=NOON + 5_000)
    # Anna has agreed anew: she is whom she was.
    again = CountedTag(tag="trolley", since_ms=NOON + 1_000, first_held_ms=NOON)
    counted = CountedTags()
    log = history_log(tmp_path, counted=counted)
    for second, holder in ((1, anna), (2, again), (6, ben)):
        counted.put(holder)
        at_ms = UnixMs(NOON + second * 1000)
        log.take_fixes(fixes(at_ms, ["trolley"]), now_ms=at_ms)
        log.take_visits([visit("trolley", at_ms)], now_ms=at_ms)
    log.close(now_ms=UnixMs(NOON + 90_000))
    first, second, third = (row["visitor"] for row in rows(tmp_path, Table.FIXES))
    assert first == second != third


def test_what_comes_after_the_salt_is_gone_is_counted_and_not_written(tmp_path: Path) -> None:
    """A day that is settled stays as it is: its figures may be out already."""
    log = history_log(tmp_path)
    log.take_visits([visit("tag:1", at(20))], now_ms=at(25))
    log.close(now_ms=at(25.5))
    assert rows(tmp_path, Table.VISITS) == []
    assert log.counters["too_late"] == 1


def test_the_salt_of_a_day_is_destroyed_an_hour_after_it(tmp_path: Path) -> None:
    """To the second: then nobody can tell any more whom a visitor was."""
    salts = salt_book(tmp_path / "salts")
    assert salts.salt_of(DAY, now_ms=NOON) is not None
    (file,) = (tmp_path / "salts").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert salts.destroy_settled(now_ms=UnixMs(at(25) - 1)) == 0
    assert salts.salt_of(DAY, now_ms=UnixMs(at(25) - 1)) is not None
    assert salts.destroy_settled(now_ms=at(25)) == 1
    assert list((tmp_path / "salts").iterdir()) == []
    assert salts.salt_of(DAY, now_ms=at(25)) is None
    assert salt_book(tmp_path / "salts").salt_of(DAY, now_ms=at(25)) is None


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """The operator reads which folder, and what to do."""
    (tmp_path / "history").write_text("a file in the way")
    log = history_log(tmp_path)
    log.take_fixes(fixes(NOON, ["tag:1"]), now_ms=NOON)
    with pytest.raises(NotDurable, match=r"history.*expected"):
        log.turn(now_ms=LATER)
    assert log.counters["lost"] == 1
    log.give_up()
    (tmp_path / "history").unlink()
    log.take_fixes(fixes(LATER, ["tag:1"]), now_ms=LATER)
    log.close(now_ms=LATER)
    assert len(rows(tmp_path, Table.FIXES)) == 1
