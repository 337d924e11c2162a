"""Writer and reader on both databases: all or nothing, durable, and honest about faults."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from offers.model.errors import Busy, CorruptDatabase, NotFound, StorageError
from offers.model.ids import ONLY_TENANT
from offers.model.people.shopper import Locale, Shopper
from offers.ports import UnitOfWork
from offers.storage import writer as writer_module
from offers.storage.database import Place, open_to_migrate, prepare_database
from offers.storage.reader import Reader
from offers.storage.tables import METADATA, DataClass
from offers.storage.tenancy import drop_lookups, give_tenant
from offers.storage.writer import Writer
from tests.unit.offers.shop import START_MS

ANNA = Shopper(shopper="a" * 32, enrolled_at_ms=START_MS, locale=Locale.DE)
BEN = Shopper(shopper="b" * 32, enrolled_at_ms=START_MS, locale=Locale.EN)


@pytest.fixture
def writer(database: Place) -> Iterator[Writer]:
    writer = Writer(database)
    yield writer
    writer.close()


@pytest.fixture
def reader(database: Place) -> Iterator[Reader]:
    reader = Reader(database)
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
    with pytest.raises(StorageError, match=r"UNIQUE|duplicate key"):
        writer.run(add(ANNA))
    writer.run(add(BEN))


def test_many_commands_share_one_commit(database: Place) -> None:
    """One fsync for all that came during the one before: that is where the speed comes from."""
    commits: list[int] = []
    gate = threading.Event()
    writer = Writer(database, after_commit=lambda: commits.append(1))
    writer.submit(lambda _: gate.wait(10))
    futures = [writer.submit(lambda work: work.outbox.waiting(limit=1)) for _ in range(50)]
    gate.set()
    assert all(future.result(10) == () for future in futures)
    writer.close()
    assert len(commits) <= 3


def test_nobody_is_told_before_the_commit(database: Place, reader: Reader) -> None:
    """A future that is done before the fsync is a promise that a power cut breaks."""
    seen: list[object] = []
    futures = []
    writer = Writer(
        database, after_commit=lambda: seen.append((futures[0].done(), reader.run(find(ANNA))))
    )
    gate = threading.Event()
    futures.append(writer.submit(lambda work: (gate.wait(10), work.shoppers.add(ANNA))))
    gate.set()
    futures[0].result(10)
    writer.close()
    assert seen == [(False, ANNA)]


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


def test_closing_carries_out_what_waits_and_refuses_what_comes(database: Place) -> None:
    """SIGTERM must not lose what was accepted."""
    writer = Writer(database)
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
    """There is one way to write, by construction."""
    with pytest.raises(Busy, match=r"read-?only"):
        reader.run(add(ANNA))


def test_a_reader_sees_one_state_while_the_writer_goes_on(writer: Writer, reader: Reader) -> None:
    """A report that counts twice must count the same."""

    def look_twice(work: UnitOfWork) -> tuple[object, object]:
        before = work.shoppers.find(ANNA.shopper)
        writer.run(add(ANNA))
        return before, work.shoppers.find(ANNA.shopper)

    assert reader.run(look_twice) == (None, None)
    assert reader.run(find(ANNA)) == ANNA


def test_two_writers_take_turns(database: Place, reader: Reader) -> None:
    """Two processes on one database: what one has read stays true until it has written."""
    first, second = Writer(database), Writer(database)
    inside = threading.Event()
    gate = threading.Event()

    def enrol_unless_somebody_is_there(work: UnitOfWork, shopper: Shopper) -> bool:
        is_free = work.shoppers.find(ANNA.shopper) is None
        inside.set()
        gate.wait(10)
        if is_free:
            work.shoppers.add(shopper)
        return is_free

    earlier = first.submit(lambda work: enrol_unless_somebody_is_there(work, ANNA))
    inside.wait(10)
    later = second.submit(lambda work: enrol_unless_somebody_is_there(work, BEN))
    gate.set()
    assert (earlier.result(10), later.result(10)) == (True, False)
    first.close()
    second.close()
    assert reader.run(find(BEN)) is None


def test_the_migrated_schema_is_the_one_in_the_code(database: Place) -> None:
    """A column that exists in one of the two only would be found out in the shop."""
    engine = open_to_migrate(database)
    with engine.connect() as connection:
        is_server = connection.dialect.name == "postgresql"
        options = {"compare_type": True, "include_object": is_of_all if is_server else None}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
        migrated = constraints(connection)
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        if is_server:
            tables = [table.name for table in METADATA.sorted_tables]
            give_tenant(connection, tables, rows_of=ONLY_TENANT)
        assert migrated == constraints(connection)
    engine.dispose()


def is_of_all(_thing: object, name: str | None, kind: str, *_: object) -> bool:
    """What both databases have: the tenant, and keys that begin with it, are the server's."""
    return kind in {"table", "column"} and name not in {"tenant", "tenants"}


def constraints(connection: sa.Connection) -> dict[str, object]:
    inspector = sa.inspect(connection)

    def names(found) -> set[tuple[str | None, str]]:
        return {(c["name"], str(c.get("sqltext", c.get("column_names")))) for c in found}

    return {
        table.name: (
            inspector.get_pk_constraint(table.name)["constrained_columns"],
            names(inspector.get_unique_constraints(table.name)),
            names(inspector.get_check_constraints(table.name)),
            {
                (
                    key["name"],
                    key["referred_table"],
                    str(key["constrained_columns"]),
                    str(key["referred_columns"]),
                )
                for key in inspector.get_foreign_keys(table.name)
            },
            {
                (index["name"], str(index["column_names"]), index["unique"], conditions(index))
                for index in inspector.get_indexes(table.name)
            },
        )
        for table in METADATA.sorted_tables
    }


def conditions(index) -> str:
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where")))


def test_every_column_says_what_it_holds_of_a_person() -> None:
    """Export and erasure are generated from this; an untagged column would be forgotten."""
    for table in METADATA.sorted_tables:
        for column in table.columns:
            assert isinstance(column.info.get("data"), DataClass), f"{table.name}.{column.name}"


def test_preparing_twice_changes_nothing(database: Place, writer: Writer, reader: Reader) -> None:
    """Every start does it, also while another process works on the same database."""
    writer.run(add(ANNA))
    prepare_database(database)
    assert reader.run(find(ANNA)) == ANNA


def test_processes_that_start_together_migrate_once(database: Place) -> None:
    """A fleet that is rolled out at once."""
    engine = open_to_migrate(database)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            drop_lookups(connection)
            connection.exec_driver_sql("DROP TABLE tenants")
        METADATA.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    engine.dispose()
    with ThreadPoolExecutor(4) as processes:
        for _ in processes.map(prepare_database, [database] * 4):
            pass
    prepare_database(database)


def test_a_database_of_a_newer_version_is_refused(database: Place) -> None:
    """Going back needs the backup of before; guessing costs data."""
    engine = open_to_migrate(database)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(CorruptDatabase, match="newer version"):
        prepare_database(database)
