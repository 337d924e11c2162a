"""What holds on an SQLite file only: its settings, its locks, a full disk, damage and owners."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from offers.model.errors import Busy, CorruptDatabase
from offers.model.outbox import OutboxKind
from offers.model.people.shopper import Locale, Shopper
from offers.ports import UnitOfWork
from offers.storage.database import open_engine, prepare_database
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource, load_key
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
    big = "x" * 100_000  # more than the pages that migrating has left free

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


def test_every_connection_is_durable_and_checked(path: Path) -> None:
    """WAL, FULL (2), foreign keys: the settings that the promises stand on."""
    for is_reader in (False, True):
        engine = open_engine(path, is_reader=is_reader)
        with engine.connect() as connection:
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in (
                    "journal_mode",
                    "synchronous",
                    "foreign_keys",
                    "busy_timeout",
                    "secure_delete",
                )
            ]
        engine.dispose()
        assert settings == ["wal", 2, 1, 5_000, 1]


def test_preparing_twice_does_not_touch_the_schema(path: Path) -> None:
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
