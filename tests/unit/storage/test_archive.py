"""The archive of a chain: what the log tells, whole and once, on any store of objects."""

import dataclasses
import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtls.model.counted_tag import CountedTag
from rtls.model.errors import InvalidConnection, NotDurable
from rtls.model.footfall import Block
from rtls.model.units import Metre, TagId, UnixMs
from rtls.storage.archive.archive_chores import MARGIN_MS, ROUND_MS, ArchiveChores
from rtls.storage.archive.archive_names import day_name, settled_name
from rtls.storage.archive.archive_writer import ArchiveWriter
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.archive.settling import settle_day
from rtls.storage.history import history_queries
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.history_folder import Table
from rtls.storage.history.history_reader import HistoryReader
from rtls.storage.history.retention import Keep
from tests.unit.storage.archived_days import (
    SETTLE_MS,
    archived_site,
    batch,
    fix_place,
    settle,
    take_minutes,
    told_visit,
    visit_place,
)
from tests.unit.storage.history_days import (
    DAY,
    DAY_MS,
    SITE,
    at,
    fixes,
    history_log,
    visit,
    window,
)

TAGS = [f"tag:{n}" for n in range(12)]
FOLDER = day_name(SITE, DAY)


@pytest.fixture(params=["memory", "folder"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectFolder]:
    """One in memory stands for every store of objects that is not a folder."""
    if request.param == "folder":
        yield ObjectFolder(str(tmp_path / "archive"))
        return
    yield ObjectFolder(f"memory://{secrets.token_hex(4)}")


def rows_of(objects: ObjectFolder, table: Table) -> pa.Table:
    name = f"{FOLDER}/{settled_name(table)}"
    return pq.read_table(io.BytesIO(objects.get([name])[name]))


def test_what_is_read_again_after_a_kill_counts_once(objects: ObjectFolder, tmp_path: Path) -> None:
    """Objects are put before offsets are committed, so that a kill between them repeats rows."""
    site = archived_site(tmp_path / "salts")
    first = ArchiveWriter(objects)
    take_minutes(first, site, TAGS, first=0, last=90)
    first.take_visit(visit_place(0), site, told_visit("tag:1", at(9)), now_ms=at(10))
    assert first.put() == {(Table.FIXES, 0): 90, (Table.VISITS, 0): 1}

    again = ArchiveWriter(objects)  # nothing was committed; it cuts elsewhere
    take_minutes(again, site, TAGS, first=0, last=40)
    again.put()
    take_minutes(again, site, TAGS, first=40, last=120)
    again.take_visit(visit_place(0), site, told_visit("tag:1", at(9)), now_ms=at(10))
    again.put()

    settle(objects)
    assert rows_of(objects, Table.FIXES).num_rows == 120 * len(TAGS)
    assert rows_of(objects, Table.VISITS).num_rows == 1
    assert objects.names(FOLDER) == ["fixes-000001.parquet", "visits-000001.parquet"]


def test_settling_that_does_not_know_rows_again_would_double_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above."""
    objects = ObjectFolder(str(tmp_path / "archive"))
    site = archived_site(tmp_path / "salts")
    for last in (90, 120):
        writer = ArchiveWriter(objects)
        take_minutes(writer, site, TAGS, first=0, last=last)
        writer.put()
    monkeypatch.setitem(history_queries.ONCE, Table.FIXES, history_queries.SORTED[Table.FIXES])
    settle(objects)
    assert rows_of(objects, Table.FIXES).num_rows == 210 * len(TAGS)


def test_a_settled_day_reads_as_the_history_of_the_store_itself(tmp_path: Path) -> None:
    """The reports of a chain are those of its stores: same columns, same answers."""
    log = history_log(tmp_path / "store")
    site = archived_site(tmp_path / "salts")
    writer = ArchiveWriter(ObjectFolder(str(tmp_path / "chain")))
    for second in range(120):
        now_ms = at(9) + 1000 * second
        log.take_fixes(fixes(now_ms, TAGS), now_ms=now_ms)
        writer.take_fixes(fix_place(second), site, *batch(now_ms, TAGS), now_ms=now_ms)
    for n, tag in enumerate(TAGS):
        log.take_visits([visit(tag, at(9) + n, dwell_s=3.0 + 9 * n)], now_ms=at(9.1))
        told = told_visit(tag, at(9) + n, dwell_s=3.0 + 9 * n)
        writer.take_visit(visit_place(n), site, told, now_ms=at(9.1))
    log.close(now_ms=at(9.2))
    writer.put()
    settle(ObjectFolder(str(tmp_path / "chain")))

    told_of = []
    for folder in (tmp_path / "store" / "history", tmp_path / "chain"):
        reader = HistoryReader(folder, report=pytest.fail)
        cells = reader.cell_times(window(), cell_m=Metre(1.0), block=Block.DAY)
        stays = reader.zone_stays(window(), block=Block.DAY)
        assert reader.gaps(window()) == ()
        told_of.append([
            *(column.tolist() for column in (cells.row, cells.column, cells.visitors)),
            cells.person_s.tolist(),
            *(column.tolist() for column in (stays.visitors, stays.passers, stays.stoppers)),
            stays.dwell_s.tolist(),
            stays.stops_in_bin.tolist(),
        ])  # fmt: skip
    assert told_of[0] == told_of[1]


def test_of_a_visit_the_highest_revision_holds_and_a_withdrawn_one_is_none(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """Late readings put right what was told, perhaps in an object that was put long ago."""
    site, writer = archived_site(tmp_path / "salts"), ArchiveWriter(objects)
    first, other = told_visit("tag:1", at(9)), told_visit("tag:2", at(9))
    told = [
        dataclasses.replace(first, dwell_s=99.0, revision=2),
        first,
        other,
        dataclasses.replace(first, dwell_s=70.0, revision=1),
        dataclasses.replace(other, revision=1, is_withdrawn=True),
    ]
    for offset, one in enumerate(told):
        writer.take_visit(visit_place(offset), site, one, now_ms=at(10))
        writer.put()
    settle(objects)
    found = rows_of(objects, Table.VISITS)
    assert found["dwell_s"].to_pylist() == [99.0]


def test_of_who_is_not_counted_nothing_is_written_and_no_tag_of_anybody(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """Consent is asked for each row; a hash from which the tag could be guessed is no pseudonym."""
    since = CountedTag(tag=TagId("tag:7"), since_ms=at(9.5), cohort="regular")
    site = archived_site(tmp_path / "salts", counted=CountedTags([since]))
    writer = ArchiveWriter(objects)
    for offset, hour in enumerate((9.4, 9.6)):
        writer.take_fixes(fix_place(offset), site, *batch(at(hour), TAGS), now_ms=at(10))
        told = told_visit("tag:7", at(hour))
        writer.take_visit(visit_place(2 * offset), site, told, now_ms=at(10))
        writer.take_visit(visit_place(2 * offset + 1), site, told_visit("tag:8", at(hour)),
                          now_ms=at(10))  # fmt: skip
    writer.put()
    for name in objects.names(FOLDER):
        content = objects.get([f"{FOLDER}/{name}"])[f"{FOLDER}/{name}"]
        table = pq.read_table(io.BytesIO(content))
        assert table.num_rows == 1
        assert "tag:" not in str(table.to_pylist())
        assert table["cohort"].to_pylist() == ["regular"]
    assert writer.counters["not_counted"] == 2 * len(TAGS) - 1 + 3


def test_a_prediction_of_who_was_not_heard_is_no_place(objects: ObjectFolder) -> None:
    """Where somebody may be who was last heard 20 s ago is where nobody was seen."""
    writer = ArchiveWriter(objects)
    old = batch(at(9), TAGS, age_ms=20_000)
    writer.take_fixes(fix_place(0), archived_site(None), *old, now_ms=at(9))
    assert writer.rows == 0
    assert writer.put() == {(Table.FIXES, 0): 1}  # read all the same


def test_what_comes_after_its_day_was_settled_is_counted_and_not_written(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """Its salt is gone: a second one would make two visitors of one shopper."""
    writer, site = ArchiveWriter(objects), archived_site(tmp_path / "salts")
    late_ms = UnixMs(at(24) + SETTLE_MS)
    writer.take_fixes(fix_place(0), site, *batch(at(9), TAGS), now_ms=UnixMs(late_ms - 1))
    assert writer.rows == len(TAGS)
    site.salts.destroy_settled(now_ms=late_ms)
    writer.take_fixes(fix_place(1), site, *batch(at(9), TAGS), now_ms=late_ms)
    writer.take_visit(visit_place(0), site, told_visit("tag:1", at(9)), now_ms=late_ms)
    assert writer.counters["too_late"] == len(TAGS) + 1
    assert not list((tmp_path / "salts").iterdir())


def test_two_processes_make_one_visitor_of_one_shopper(tmp_path: Path) -> None:
    """Ten visitors who were five persons would pass the threshold of the reports."""
    one, other = (archived_site(tmp_path / "salts") for _ in range(2))
    salt = one.salts.salt_of(DAY, now_ms=at(9))
    assert other.salts.salt_of(DAY, now_ms=at(9)) == salt
    assert len(list((tmp_path / "salts").iterdir())) == 1


def test_a_store_that_refuses_costs_time_and_no_row(
    objects: ObjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offsets are given only when all objects are there, and none is forgotten till then."""
    writer, site = ArchiveWriter(objects), archived_site(tmp_path / "salts")
    take_minutes(writer, site, TAGS, first=0, last=10)
    writer.take_visit(visit_place(0), site, told_visit("tag:1", at(9)), now_ms=at(10))
    put, left = ObjectFolder.put, [1]

    def full(self: ObjectFolder, name: str, content: bytes) -> None:
        if not left:
            raise NotDurable("full")
        left.pop()
        put(self, name, content)

    monkeypatch.setattr(ObjectFolder, "put", full)
    with pytest.raises(NotDurable):
        writer.put()
    monkeypatch.setattr(ObjectFolder, "put", put)
    assert writer.put() == {(Table.FIXES, 0): 10, (Table.VISITS, 0): 1}
    settle(objects)
    assert rows_of(objects, Table.FIXES).num_rows == 10 * len(TAGS)
    assert rows_of(objects, Table.VISITS).num_rows == 1


def test_what_a_kill_left_of_settling_goes_and_the_day_stays(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """The day is put before what arrived is removed; a kill between them leaves both."""
    writer, site = ArchiveWriter(objects), archived_site(tmp_path / "salts")
    take_minutes(writer, site, TAGS, first=0, last=10)
    writer.put()
    name = f"{FOLDER}/{objects.names(FOLDER)[0]}"
    arrived = objects.get([name])[name]
    settle(objects)
    before = rows_of(objects, Table.FIXES)
    objects.put(name, arrived)
    assert settle(objects)[Table.FIXES].left_over == 1
    assert rows_of(objects, Table.FIXES).equals(before)
    assert objects.names(FOLDER) == [settled_name(Table.FIXES)]


def test_an_object_that_cannot_be_read_is_set_aside_and_stops_nothing(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """One damaged object of a million must not cost a day of a store."""
    writer, site = ArchiveWriter(objects), archived_site(tmp_path / "salts")
    take_minutes(writer, site, TAGS, first=0, last=10)
    writer.put()
    damaged = "arriving-fixes-p00007-000000000000000000-000000000000000009.parquet"
    objects.put(f"{FOLDER}/{damaged}", b"PAR1 no more")
    done = settle(objects)[Table.FIXES]
    assert len(done.damaged) == 1
    assert damaged in done.damaged[0]
    assert done.rows == 10 * len(TAGS)
    assert f"{damaged}.damaged" in objects.names(FOLDER)


def test_chores_settle_what_is_over_and_let_go_of_what_is_too_old(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """Nobody has to look after it: days become whole, and go when their time is over."""
    writer, site = ArchiveWriter(objects), archived_site(tmp_path / "salts")
    take_minutes(writer, site, TAGS, first=0, last=10)
    writer.take_visit(visit_place(0), site, told_visit("tag:1", at(9)), now_ms=at(10))
    writer.put()
    chores = ArchiveChores(
        objects=objects,
        sites=lambda: [SITE],
        find_site=lambda _: site,
        keep=Keep(fixes_days=7, visits_days=30),
        report=pytest.fail,
    )

    def round_at(now_ms: int) -> list[str]:
        while chores.step(now_ms=UnixMs(now_ms), is_ours=lambda _: True):
            pass
        return objects.names(FOLDER)

    settled_ms = at(24) + SETTLE_MS + MARGIN_MS
    assert len(round_at(settled_ms - 2 * ROUND_MS)) == 2
    assert chores.counters["settled_days"] == 0
    assert round_at(settled_ms) == ["fixes-000001.parquet", "visits-000001.parquet"]
    assert round_at(at(0) + 7 * DAY_MS) == ["visits-000001.parquet"]
    assert round_at(at(0) + 30 * DAY_MS) == []


def test_a_day_that_another_process_settles_is_left_alone(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """Of objects that are half gone half a day would be made, in the place of the whole one."""
    writer, site = ArchiveWriter(objects), archived_site(tmp_path / "salts")
    for first in (0, 10):
        take_minutes(writer, site, TAGS, first=first, last=first + 10)
        writer.put()
    seen = objects.names(FOLDER)
    settle(objects)
    whole = rows_of(objects, Table.FIXES)
    objects.remove([f"{FOLDER}/{settled_name(Table.FIXES)}"])
    objects.put(f"{FOLDER}/{seen[0]}", b"as it was before it went")
    with pytest.raises(NotDurable, match="Another process"):
        settle_day(objects, SITE, DAY, Table.FIXES, seen)
    assert objects.names(FOLDER) == [seen[0]]
    assert whole.num_rows == 20 * len(TAGS)


def test_chores_of_sites_that_are_others_are_left_to_them(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    """Thousands of days are settled in a night by all processes together, each by one."""
    writer, site = ArchiveWriter(objects), archived_site(tmp_path / "salts")
    take_minutes(writer, site, TAGS, first=0, last=10)
    writer.put()
    chores = ArchiveChores(
        objects=objects,
        sites=lambda: [SITE],
        find_site=lambda _: site,
        keep=Keep(),
        report=pytest.fail,
    )
    late_ms = UnixMs(at(24) + SETTLE_MS + MARGIN_MS)
    while chores.step(now_ms=late_ms, is_ours=lambda _: False):
        pass
    assert chores.counters["settled_days"] == 0
    assert settled_name(Table.FIXES) not in objects.names(FOLDER)


def test_what_another_process_reads_now_is_forgotten(objects: ObjectFolder) -> None:
    """It begins where was committed; our offsets would be behind its own."""
    writer = ArchiveWriter(objects)
    writer.take_fixes(fix_place(0), archived_site(None), *batch(at(9), TAGS), now_ms=at(9))
    writer.forget([(Table.FIXES, 0)])
    assert writer.put() == {}
    assert objects.names(FOLDER) == []


def test_a_place_that_cannot_be_is_refused_by_name() -> None:
    """A typing error in a URL would otherwise be a folder of that name."""
    with pytest.raises(InvalidConnection, match="nowhere://x"):
        ObjectFolder("nowhere://x")
