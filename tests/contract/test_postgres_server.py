"""What holds on PostgreSQL only: its settings, other sessions, its death and its owners."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from offers.model.errors import Busy, CorruptDatabase, StorageError
from offers.model.people.shopper import Locale, Shopper
from offers.ports import UnitOfWork
from offers.storage.database import open_engine, prepare_database
from offers.storage.postgres_server import WRITER_LOCK
from offers.storage.reader import Reader
from offers.storage.tables import SHOPPERS
from offers.storage.writer import Writer
from tests.postgres import PostgresServer, make_server
from tests.unit.offers.shop import START_MS

ANNA = Shopper(shopper="a" * 32, enrolled_at_ms=START_MS, locale=Locale.DE)
BEN = Shopper(shopper="b" * 32, enrolled_at_ms=START_MS, locale=Locale.EN)


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[sa.URL]:
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def writer(url: sa.URL) -> Iterator[Writer]:
    writer = Writer(url)
    yield writer
    writer.close()


@pytest.fixture
def stranger(url: sa.URL) -> Iterator[sa.Connection]:
    """A session of somebody else: an administrator, a report, a program of before."""
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def add(shopper: Shopper):
    return lambda work: work.shoppers.add(shopper)


def find(shopper: Shopper):
    return lambda work: work.shoppers.find(shopper.shopper)


def set_for_tests(writer: Writer, statement: str) -> None:
    """Let each connection that the writer opens from now on begin with the statement."""

    def set_up(connection, _record) -> None:
        connection.autocommit = True
        connection.execute(statement)
        connection.autocommit = False

    sa.event.listen(writer._engine, "connect", set_up)
    writer._engine.dispose()


@pytest.mark.parametrize("is_reader", [False, True])
def test_every_connection_is_durable_and_waits_for_nobody_for_ever(
    url: sa.URL, *, is_reader: bool
) -> None:
    """The settings that the promises stand on, whatever the server's own are."""
    engine = open_engine(url, is_reader=is_reader)
    names = ("synchronous_commit", "statement_timeout", "idle_in_transaction_session_timeout")
    with engine.connect() as connection:
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
        isolation = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        is_read_only = connection.exec_driver_sql("SHOW transaction_read_only").scalar_one()
    engine.dispose()
    assert found == ["on", "5s", "10s"]
    assert isolation == ("repeatable read" if is_reader else "read committed")
    assert is_read_only == ("on" if is_reader else "off")


def test_a_server_that_answers_before_the_disk_is_overruled(url: sa.URL) -> None:
    """synchronous_commit = off is a favourite advice for speed: it loses what was answered."""
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"ALTER DATABASE \"{url.database}\" SET synchronous_commit = 'off'"
        )
    engine.dispose()
    ours = open_engine(url, is_reader=False)
    with ours.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    ours.dispose()


def test_a_deadlock_with_a_stranger_is_tried_again(writer: Writer, stranger: sa.Connection) -> None:
    """The server gives up one of the two; if it is ours, nobody needs to know."""
    writer.run(lambda work: (work.shoppers.add(ANNA), work.shoppers.add(BEN)))
    touch = sa.update(SHOPPERS).values(locale="en")
    attempts: list[int] = []

    def touch_both(work: UnitOfWork) -> int:
        attempts.append(1)
        connection = work.shoppers._connection
        connection.execute(touch.where(SHOPPERS.c.shopper_id == ANNA.shopper))
        return connection.execute(touch.where(SHOPPERS.c.shopper_id == BEN.shopper)).rowcount

    stranger.execute(touch.where(SHOPPERS.c.shopper_id == BEN.shopper))
    ours = writer.submit(touch_both)
    wait_until_blocked(stranger)
    stranger.execute(touch.where(SHOPPERS.c.shopper_id == ANNA.shopper))
    stranger.commit()
    assert ours.result(10) == 1
    assert len(attempts) == 2


def wait_until_blocked(stranger: sa.Connection) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not stranger.exec_driver_sql(query).scalar_one():
        threading.Event().wait(0.002)


def test_who_keeps_the_turn_makes_the_others_busy_and_not_wait_for_ever(
    writer: Writer, stranger: sa.Connection
) -> None:
    """A process that hangs in its transaction; the server ends it, and until then: later."""
    set_for_tests(writer, "SET statement_timeout = 50")
    stranger.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
    with pytest.raises(Busy, match="statement timeout"):
        writer.run(add(ANNA))
    stranger.rollback()
    writer.run(add(ANNA))


def test_a_hanging_process_loses_its_turn(url: sa.URL, stranger: sa.Connection) -> None:
    """Stopped by a debugger, or by a machine that sleeps: the server frees the lock by itself."""
    stranger.exec_driver_sql("SET idle_in_transaction_session_timeout = 50")
    stranger.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
    writer = Writer(url)
    writer.run(add(ANNA))
    writer.close()
    stranger.invalidate()


def test_a_connection_that_was_cut_is_replaced_unnoticed(
    writer: Writer, stranger: sa.Connection
) -> None:
    """A firewall, a failover, an administrator: between two commits it costs nothing."""
    writer.run(add(ANNA))
    stranger.exec_driver_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    writer.run(add(BEN))


def test_a_connection_cut_in_the_middle_leaves_nothing(
    url: sa.URL, writer: Writer, stranger: sa.Connection
) -> None:
    """Neither of the batch is told that it is done, and the writer goes on."""
    inside = threading.Event()
    gate = threading.Event()

    def add_slowly(work: UnitOfWork) -> None:
        work.shoppers.add(ANNA)
        inside.set()
        gate.wait(10)
        work.shoppers.find(ANNA.shopper)

    cut = writer.submit(add_slowly)
    inside.wait(10)
    stranger.exec_driver_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    gate.set()
    with pytest.raises(Busy, match="nothing is half done"):
        cut.result(10)
    writer.run(add(BEN))
    reader = Reader(url)
    assert reader.run(find(ANNA)) is None
    assert reader.run(find(BEN)) == BEN
    reader.close()


@pytest.mark.slow
def test_a_server_that_is_killed_is_busy_and_then_works_again() -> None:
    """`Busy` is 503 with Retry-After: the till asks again, and what was answered is still there."""
    server = make_server()
    server.start()
    try:
        url = server.database()
        writer, reader = Writer(url), Reader(url)
        writer.run(add(ANNA))
        assert reader.run(find(ANNA)) == ANNA
        server.kill()
        with pytest.raises(Busy):
            writer.run(add(BEN))
        with pytest.raises(Busy):
            reader.run(find(ANNA))
        assert writer.is_alive
        server.start()
        writer.run(add(BEN))
        assert reader.run(find(ANNA)) == ANNA
        assert reader.run(find(BEN)) == BEN
        writer.close()
        reader.close()
    finally:
        server.remove()


def test_the_database_of_another_program_is_left_alone(
    url: sa.URL, stranger: sa.Connection
) -> None:
    """Our tables among somebody else's: one day one of the two drops them."""
    prepare_database(url)
    stranger.exec_driver_sql("DROP TABLE alembic_version")
    stranger.commit()
    with pytest.raises(CorruptDatabase, match="another program"):
        prepare_database(url)


def test_text_that_is_stored_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    """SQL_ASCII takes any bytes for text, and gives them back as something else."""
    url = postgres.create("TEMPLATE template0 ENCODING 'SQL_ASCII'")
    with pytest.raises(StorageError, match=r"encoding is SQL_ASCII.*LOCALE 'C'"):
        prepare_database(url)
    postgres.drop(url)


def test_a_server_that_is_not_there_is_named_without_the_password(free_port: int) -> None:
    """The message goes to a log, and to whoever reads it."""
    url = sa.make_url(f"postgresql://somebody:geheim@127.0.0.1:{free_port}/offers")
    with pytest.raises(Busy, match=str(free_port)) as told:
        prepare_database(url)
    assert "geheim" not in str(told.value)
