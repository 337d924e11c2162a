"""Writer and reader on a real file: all or nothing, durable, and honest about faults."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from offers.model.errors import Busy, CorruptDatabase, NotFound, StorageError
from offers.model.outbox import OutboxKind
from offers.model.shopper import Locale, Shopper
from offers.ports import UnitOfWork
from offers.storage import writer as writer_module
from offers.storage.database import open_engine, prepare_database
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.tables import METADATA, DataClass
from offers.storage.writer import Writer
from tests.unit.offers.shop import START_MS

ANNA = Shopper(shopper="a" * 32, enrolled_at_ms=START_MS, locale=Locale.DE)
BEN = Shopper(shopper="b" * 32, enrolled_at_ms=START_MS, locale=Locale.EN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "offers.db"
    prepare_database(path)
    return path


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(path)
    yield writer
    writer.close()


@pytest.fixture
def reader(path: Path) -> Iterator[Reader]:
    reader = Reader(path)
    yield reader
    reader.close()


def add(shopper: Shopper):
    return lambda work: work.shoppers.add(shopper)


def find(shopper: Shopper):
    return lambda work: work.shoppers.find(shopper.shopper)


def test_what_is_answered_is_there_for_every_reader(writer: Writer, reader: Reader) -> None:
    """Read your own writes, on another connection."""
    writer.run(add(ANNA))
    assert reader.run(find(ANNA)) == ANNA


def test_what_fails_leaves_nothing_and_its_neighbours_alone(writer: Writer, reader: Reader) -> None:
    """Each command has its own savepoint, although they share one commit."""
    gate = threading.Event()

    def add_and_fail(work: UnitOfWork) -> None:
        work.shoppers.add(BEN)
        raise NotFound("planted")

    first = writer.submit(lambda _: gate.wait(10))
    failing = writer.submit(add_and_fail)
    neighbour = writer.submit(add(ANNA))
    gate.set()
    assert first.result(10)
    with pytest.raises(NotFound, match="planted"):
        failing.result(10)
    assert neighbour.result(10) is None
    assert reader.run(find(BEN)) is None
    assert reader.run(find(ANNA)) == ANNA


def test_a_broken_constraint_concerns_its_own_command_only(writer: Writer) -> None:
    """A bug in one handler must not stop the till next to it."""
    writer.run(add(ANNA))
    with pytest.raises(StorageError, match="UNIQUE"):
        writer.run(add(ANNA))
    writer.run(add(BEN))


def test_many_commands_share_one_commit(path: Path) -> None:
    """One fsync for all that came during the one before: that is where the speed comes from."""
    commits: list[int] = []
    gate = threading.Event()
    writer = Writer(path, after_commit=lambda: commits.append(1))
    writer.submit(lambda _: gate.wait(10))
    futures = [writer.submit(lambda work: work.outbox.waiting(limit=1)) for _ in range(50)]
    gate.set()
    assert all(future.result(10) == () for future in futures)
    writer.close()
    assert len(commits) <= 3


def test_nobody_is_told_before_the_commit(path: Path, reader: Reader) -> None:
    """A future that is done before the fsync is a promise that a power cut breaks."""
    seen: list[object] = []
    futures = []
    writer = Writer(
        path, after_commit=lambda: seen.append((futures[0].done(), reader.run(find(ANNA))))
    )
    gate = threading.Event()
    futures.append(writer.submit(lambda work: (gate.wait(10), work.shoppers.add(ANNA))))
    gate.set()
    futures[0].result(10)
    writer.close()
    assert seen == [(False, ANNA)]


def test_a_commit_that_fails_is_told_to_all_and_the_writer_goes_on(
    path: Path, writer: Writer, reader: Reader
) -> None:
    """Another program holds the lock for longer than we wait: nothing is half done."""
    writer.run(add(ANNA))
    writer._engine.dispose()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def short_wait(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    sa.event.listen(writer._engine, "connect", short_wait)
    with pytest.raises(Busy, match="locked"):
        writer.run(add(BEN))
    other.execute("ROLLBACK")
    other.close()
    assert reader.run(find(BEN)) is None
    writer.run(add(BEN))
    assert reader.run(find(BEN)) == BEN


def test_a_full_disk_is_busy_for_all_of_the_batch_and_heals(
    path: Path, writer: Writer, reader: Reader
) -> None:
    """SQLite's own page limit stands in for the disk."""
    pages = _pragma(path, "page_count")

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    writer._engine.dispose()
    sa.event.listen(writer._engine, "connect", limit)
    big = "x" * 10_000

    def fill_up(work: UnitOfWork) -> None:
        work.shoppers.add(ANNA)
        work.outbox.add(OutboxKind.OFFER_ENDED, shopper=ANNA.shopper, subject=big, at_ms=START_MS)

    with pytest.raises(Busy, match="full"):
        writer.run(fill_up)
    assert reader.run(find(ANNA)) is None
    sa.event.remove(writer._engine, "connect", limit)
    writer._engine.dispose()
    writer.run(add(ANNA))
    assert reader.run(find(ANNA)) == ANNA


def test_more_than_the_queue_holds_is_refused_at_once(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A till is better told 'later' than kept waiting for ever."""
    gate = threading.Event()
    started = threading.Event()

    def hold(_work: UnitOfWork) -> None:
        started.set()
        gate.wait(10)

    held = writer.submit(hold)
    started.wait(10)
    waiting = [writer.submit(lambda _: None) for _ in range(writer_module.QUEUE_MAX)]
    with pytest.raises(Busy, match="commands wait"):
        writer.submit(lambda _: None)
    monkeypatch.setattr(writer_module, "WAIT_S_MAX", 0.0)
    gate.set()
    for future in [held, *waiting]:
        future.result(10)


def test_closing_carries_out_what_waits_and_refuses_what_comes(path: Path) -> None:
    """SIGTERM must not lose what was accepted."""
    writer = Writer(path)
    futures = [writer.submit(lambda work: work.outbox.waiting(limit=1)) for _ in range(300)]
    writer.close()
    assert all(future.done() and future.exception() is None for future in futures)
    assert not writer.is_alive
    with pytest.raises(Busy, match="closed"):
        writer.submit(lambda _: None)
    writer.close()


def test_a_cancelled_command_does_not_run(writer: Writer, reader: Reader) -> None:
    """A request whose client has gone need not be carried out."""
    gate = threading.Event()
    started = threading.Event()
    held = writer.submit(lambda _: (started.set(), gate.wait(10)))
    started.wait(10)
    cancelled = writer.submit(add(ANNA))
    assert cancelled.cancel()
    gate.set()
    held.result(10)
    writer.run(lambda _: None)
    assert reader.run(find(ANNA)) is None


def test_a_reader_cannot_write(reader: Reader) -> None:
    """There is one writer, by construction."""
    with pytest.raises(Busy, match="readonly"):
        reader.run(add(ANNA))


def test_a_reader_sees_one_state_while_the_writer_goes_on(writer: Writer, reader: Reader) -> None:
    """A report that counts twice must count the same."""

    def look_twice(work: UnitOfWork) -> tuple[object, object]:
        before = work.shoppers.find(ANNA.shopper)
        writer.run(add(ANNA))
        return before, work.shoppers.find(ANNA.shopper)

    assert reader.run(look_twice) == (None, None)
    assert reader.run(find(ANNA)) == ANNA


def test_every_connection_is_durable_and_checked(path: Path) -> None:
    """WAL, FULL (2), foreign keys: the settings that the promises stand on."""
    for is_reader in (False, True):
        engine = open_engine(path, is_reader=is_reader)
        with engine.connect() as connection:
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        engine.dispose()
        assert settings == ["wal", 2, 1, 5_000]


def test_the_migrated_schema_is_the_one_in_the_code(path: Path) -> None:
    """A column that exists in one of the two only would be found out in the shop."""
    engine = open_engine(path, is_reader=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        migrated = _constraints(connection)
    engine.dispose()
    fresh = sa.create_engine("sqlite://")
    METADATA.create_all(fresh)
    with fresh.connect() as connection:
        assert migrated == _constraints(connection)
    fresh.dispose()


def test_the_schema_can_be_written_for_postgresql() -> None:
    """Scaling out is to be no rewrite: no type of SQLite alone."""
    dialect = sa.dialects.postgresql.dialect()
    for table in METADATA.sorted_tables:
        assert "CREATE TABLE" in str(sa.schema.CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE" in str(sa.schema.CreateIndex(index).compile(dialect=dialect))


def test_every_column_says_what_it_holds_of_a_person() -> None:
    """Export and erasure are generated from this; an untagged column would be forgotten."""
    for table in METADATA.sorted_tables:
        for column in table.columns:
            assert isinstance(column.info.get("data"), DataClass), f"{table.name}.{column.name}"


def test_preparing_twice_changes_nothing(path: Path) -> None:
    """Every start does it."""
    before = _pragma(path, "schema_version")
    prepare_database(path)
    assert _pragma(path, "schema_version") == before


def test_a_damaged_file_refuses_to_start(path: Path) -> None:
    """Better no shop than a wrong one: say so, and which remedy."""
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 6] = os.urandom(4096 * 5)
    path.write_bytes(content)
    with pytest.raises(CorruptDatabase, match="backup"):
        prepare_database(path)


@pytest.mark.parametrize("content", [b"not a database at all, but a text" * 99])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """A path that points at the wrong thing."""
    path = tmp_path / "offers.db"
    path.write_bytes(content)
    with pytest.raises(CorruptDatabase):
        prepare_database(path)


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """Migrating somebody's photo collection would be unkind."""
    path = tmp_path / "photos.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (id)")
    connection.close()
    with pytest.raises(CorruptDatabase, match="another program"):
        prepare_database(path)


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    """Going back needs the backup of before; guessing costs data."""
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(CorruptDatabase, match="newer version"):
        prepare_database(path)


def test_the_key_is_made_once_and_for_our_eyes_only(tmp_path: Path) -> None:
    """With another key every coupon in the shoppers' hands would be unknown."""
    path = tmp_path / "keys" / "offers.key"
    key = load_key(path)
    assert load_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(key[:-1])
    with pytest.raises(CorruptDatabase, match="31 bytes"):
        load_key(path)


def test_a_fingerprint_needs_the_key_and_names_the_purpose() -> None:
    """A till's secret typed as a coupon code must not be found."""
    one, other = (SystemSecretSource(bytes([n]) * 32) for n in (1, 2))
    told = one.fingerprint("secret", purpose="coupon")
    assert len(told) == 64
    assert told == one.fingerprint("secret", purpose="coupon")
    assert told != one.fingerprint("secret", purpose="credential")
    assert told != other.fingerprint("secret", purpose="coupon")
    assert one.random_bytes(16) != one.random_bytes(16)


def _pragma(path: Path, name: str) -> int:
    connection = sqlite3.connect(path)
    found: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    connection.close()
    return found


def _constraints(connection: sa.Connection) -> dict[str, object]:
    inspector = sa.inspect(connection)

    def names(found) -> set[tuple[str | None, str]]:
        return {(c["name"], str(c.get("sqltext", c.get("column_names")))) for c in found}

    return {
        table.name: (
            names(inspector.get_unique_constraints(table.name)),
            names(inspector.get_check_constraints(table.name)),
            {
                (key["name"], key["referred_table"], str(key["constrained_columns"]))
                for key in inspector.get_foreign_keys(table.name)
            },
            names(inspector.get_indexes(table.name)),
        )
        for table in METADATA.sorted_tables
    }
