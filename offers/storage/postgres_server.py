"""Open a PostgreSQL database so that writers take turns, and refuse one that is not fit for us.

Layer: edges. Takes: a URL and a tenant. Gives: engines to offers.storage.database. Transactions are
READ COMMITTED, and each one that writes first takes one advisory lock of its tenant. So all
processes that write take turns, as they do on an SQLite file: rows become visible in the order of
their sequence numbers, which cursors and the audit chain stand on, and two writers cannot meet in a
deadlock (docs/decisions/0022). The server frees the lock with the connection, whatever happens.

Each transaction says whose it is before anything else, and is bound by that (docs/decisions/0043).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from zlib import crc32

import sqlalchemy as sa

from offers.model.errors import CorruptDatabase, InvalidTenant, StorageError
from offers.model.ids import TenantId, check_name
from offers.storage.tenancy import APPLICATION, SETTING

# "INAI" again; advisory locks are counted for each database apart. Writers share it, and who
# changes the schema has it alone.
WRITER_LOCK: Final = 0x494E4149
DRIVER: Final = "postgresql+psycopg"
READERS_MAX: Final = 8
WAIT_MS: Final = 5_000
MIGRATION_WAIT_MS: Final = 60_000
# A process that stopped in the middle of a transaction would keep the lock from all others.
IDLE_MS: Final = 10_000
VERSION_MIN: Final = 150_000
# Bytes decide the order of text, as on SQLite; and an index keeps its order when the operating
# system renews its tables of languages, which has silently broken many a UNIQUE.
COLLATIONS: Final = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
# Beyond 64 subtransactions a reader has to look each one up on the disk.
SAVEPOINTS_MAX: Final = 64

_SETTINGS: Final = (
    f"SET statement_timeout = {WAIT_MS}; SET idle_in_transaction_session_timeout = {IDLE_MS}; "
    "SET timezone = 'UTC'; SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'"
)
# A superuser and an owner put their rights off; who is the application already stays it. The last
# condition is for a schema of before, which gave the role no rights.
_BECOME_APPLICATION: Final = (
    "SELECT set_config('role', rolname, false) FROM pg_roles "  # noqa: S608 - names of ours
    f"WHERE rolname = '{APPLICATION}' AND pg_has_role(oid, 'MEMBER') "
    "AND has_table_privilege(oid, to_regclass('alembic_version'), 'SELECT')"
)
_MIGRATE_ALONE: Final = f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlace:
    """A database on a server, and the one tenant whose rows are there for who opens it."""

    url: sa.URL
    tenant: TenantId

    def __post_init__(self) -> None:
        check_name("tenant", self.tenant, error=InvalidTenant)


class _Driver(Protocol):
    """What we need of psycopg's connection."""

    autocommit: bool
    execute: Callable[[str], object]


def open_postgres(place: TenantPlace, *, is_reader: bool) -> sa.Engine:
    """Return an engine whose transactions are the tenant's; a writer's take their turn first."""
    engine = _engine(place.url, is_reader=is_reader)
    _work_as_application(engine, is_reader=is_reader)
    first = f"SELECT set_config('{SETTING}', '{place.tenant}', true)"
    if not is_reader:
        first += (
            f", pg_advisory_xact_lock_shared({WRITER_LOCK})"
            f", pg_advisory_xact_lock({turn_of(place.tenant)})"
        )

    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(first)

    sa.event.listen(engine, "begin", begin)
    return engine


def open_to_look_up(url: sa.URL) -> sa.Engine:
    """Return a reader's engine of no tenant: it sees no row, and may ask whose a credential is."""
    engine = _engine(url, is_reader=True)
    _work_as_application(engine, is_reader=True)
    return engine


def open_as_owner(url: sa.URL) -> sa.Engine:
    """Return an engine in the role that the URL names, to change the schema and add tenants."""
    engine = _engine(url, is_reader=False)

    def set_up(connection: _Driver, _record: object) -> None:
        was = connection.autocommit
        connection.autocommit = True
        connection.execute(_SETTINGS)
        # Of a fleet that is rolled out at once, all wait for the one that migrates.
        connection.execute(f"SET statement_timeout = {MIGRATION_WAIT_MS}")
        connection.autocommit = was

    def migrate_alone(connection: sa.Connection) -> None:
        connection.exec_driver_sql(_MIGRATE_ALONE)

    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", migrate_alone)
    return engine


def turn_of(tenant: TenantId) -> int:
    """Return the number of the lock that the tenant's writers take turns by."""
    # Two tenants of one number would wait for each other, and lose nothing else by it.
    return WRITER_LOCK << 32 | crc32(tenant.encode())


def _work_as_application(engine: sa.Engine, *, is_reader: bool) -> None:
    def set_up(connection: _Driver, _record: object) -> None:
        was = connection.autocommit
        connection.autocommit = True
        connection.execute(_SETTINGS)
        connection.execute(_BECOME_APPLICATION)
        if is_reader:
            connection.execute("SET default_transaction_read_only = on")
        connection.autocommit = was

    sa.event.listen(engine, "connect", set_up)


def _engine(url: sa.URL, *, is_reader: bool) -> sa.Engine:
    return sa.create_engine(
        url.set(drivername=DRIVER),
        pool_size=READERS_MAX if is_reader else 1,
        max_overflow=0,
        pool_timeout=WAIT_MS / 1_000,
        # One round trip, so that a server that was started again is answered at once.
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ" if is_reader else "READ COMMITTED",
        connect_args={
            "client_encoding": "UTF8",
            "connect_timeout": WAIT_MS // 1_000,
            "tcp_user_timeout": IDLE_MS,
        },
    )


def refuse_unfit(connection: sa.Connection, url: sa.URL) -> None:
    """Look at what the server and the database are, and whose tables are there.

    Raises
    ------
    StorageError
        If the server is too old, or its text is not stored and ordered as ours must be.
    CorruptDatabase
        If the database is of another program.
    """
    name = url.render_as_string(hide_password=True)
    version = int(_shown(connection, "server_version_num"))
    if version < VERSION_MIN:
        raise StorageError(
            f"{name}: the server is {_shown(connection, 'server_version')}; expected PostgreSQL "
            f"{VERSION_MIN // 10_000} or newer."
        )
    _check_text(connection, name)
    inspector = sa.inspect(connection)
    tables = set(inspector.get_table_names())
    if tables and not {"alembic_version", "redemptions"} <= tables:
        raise CorruptDatabase(
            f"{name}: {len(tables)} tables of another program are there, e.g. {min(tables)}; "
            "expected an empty database or our own. Give one of our own."
        )


def refuse_no_owner(connection: sa.Connection, url: sa.URL) -> None:
    """Refuse to change tables that belong to somebody else.

    Raises
    ------
    StorageError
        If the role of the URL does not own the tables that are there.
    """
    owns = connection.exec_driver_sql(
        "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class "
        "WHERE oid = to_regclass('alembic_version')"
    ).scalar_one_or_none()
    if owns is False:
        raise StorageError(
            f"{url.render_as_string(hide_password=True)}: the role does not own the tables, and "
            "may not change them; expected the owner. Run the command with the owner's URL."
        )


def refuse_unbound(connection: sa.Connection, place: TenantPlace) -> None:
    """Refuse a role that no policy binds, and a tenant that nobody has added.

    Raises
    ------
    StorageError
        If the role in which writers and readers work sees the rows of all tenants.
    InvalidTenant
        If there is no such tenant.
    """
    name = place.url.render_as_string(hide_password=True)
    if connection.exec_driver_sql(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).scalar_one():
        raise StorageError(
            f"{name}: row-level security does not bind the role; expected one that it binds. Make "
            f"the role by CREATE ROLE {APPLICATION} NOLOGIN, GRANT it to the user of the URL, and "
            "run inaisle db upgrade as the owner."
        )
    if connection.exec_driver_sql("SELECT count(*) FROM tenants").scalar_one() != 1:
        raise InvalidTenant(
            f"{name}: tenant is {place.tenant!r}; expected one that was added. Run inaisle tenant "
            f"add {place.tenant}, or correct offers.tenant."
        )


def _check_text(connection: sa.Connection, name: str) -> None:
    encoding = _shown(connection, "server_encoding")
    collation = connection.exec_driver_sql(
        "SELECT datcollate FROM pg_database WHERE datname = current_database()"
    ).scalar_one()
    if encoding != "UTF8" or collation not in COLLATIONS:
        raise StorageError(
            f"{name}: encoding is {encoding} and collation {collation}; expected UTF8 and C. Make "
            "the database by CREATE DATABASE … ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0."
        )


def _shown(connection: sa.Connection, setting: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {setting}").scalar_one())
