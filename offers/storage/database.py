"""Open the database, refuse one that is not sound, and bring its schema up to date.

Layer: edges. Takes: a place: the path of an SQLite file, or the URL of a PostgreSQL database, and
the tenant where it has several. Gives: engines to writer and reader. What the two databases do
differently stands in `sqlite_file` and `postgres_server`; schema, statements and tests are the
same, but for the tenant, which `tenancy` puts into the tables of the server alone.
"""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from offers.model.ids import ONLY_TENANT
from offers.storage import postgres_server, sqlite_file
from offers.storage.faults import fault_of
from offers.storage.postgres_server import TenantPlace
from offers.storage.tenancy import TENANTS, let_application_in

REVISIONS: Final = Path(__file__).parent / "migrations" / "versions"
Place = Path | sa.URL | TenantPlace


def prepare_database(place: Place) -> None:
    """Create or check the database and migrate it; call once, before the first writer.

    Raises `CorruptDatabase` if it is damaged, of another program, or of a newer version of ours,
    `StorageError` if it cannot hold what we promise, and `Busy` where it cannot be reached, locked
    or written.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
    engine = open_to_migrate(place)
    try:
        with engine.connect() as connection:
            refuse_unsound(connection, place)
            is_newest = revision_of(connection) == newest_revision()
            if not is_newest and not isinstance(place, Path):
                postgres_server.refuse_no_owner(connection, url_of(place))
        if not is_newest:
            from offers.storage.migrate import migrate  # a third of a second that most starts save

            migrate(engine)
        if isinstance(place, Path):
            with engine.begin() as connection:
                sqlite_file.mark_as_ours(connection)
        else:
            check_tenant(place)
    except SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()


def renew_rights(place: sa.URL | TenantPlace) -> None:
    """Give the application's role its rights; for who made that role after the tables.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    engine = postgres_server.open_as_owner(url_of(place))
    try:
        with engine.begin() as connection:
            postgres_server.refuse_no_owner(connection, url_of(place))
            let_application_in(connection)
    except SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()


def open_engine(place: Place, *, is_reader: bool) -> sa.Engine:
    """Return an engine whose transactions begin as a reader's or as the writer's.

    The writer takes its lock when a transaction begins, since a lock that is taken later can fail
    in the middle. A reader cannot write at all, and sees one consistent state.
    """
    if isinstance(place, Path):
        return sqlite_file.open_sqlite(place, is_reader=is_reader)
    return postgres_server.open_postgres(tenant_place(place), is_reader=is_reader)


def open_to_migrate(place: Place) -> sa.Engine:
    """Return an engine that may change the schema: on a server that of its owner, of no tenant."""
    if isinstance(place, Path):
        return sqlite_file.open_sqlite(place, is_reader=False)
    return postgres_server.open_as_owner(url_of(place))


def url_of(place: sa.URL | TenantPlace) -> sa.URL:
    """Return where the server and the database are."""
    return place.url if isinstance(place, TenantPlace) else place


def refuse_unsound(connection: sa.Connection, place: Place) -> None:
    """Raise where the database is damaged, unfit, or of another program."""
    if isinstance(place, Path):
        sqlite_file.refuse_unsound(connection, place)
    else:
        postgres_server.refuse_unfit(connection, url_of(place))


def newest_revision() -> str:
    """Return the newest revision of the schema: the files are named ``m<revision>_<what>.py``."""
    return max(path.name[1:].partition("_")[0] for path in REVISIONS.glob("m*.py"))


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision that the database has, None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql(
        "SELECT version_num FROM alembic_version"
    ).scalar_one_or_none()
    return None if found is None else str(found)


def tenant_place(place: sa.URL | TenantPlace) -> TenantPlace:
    """Return the place with its tenant; an URL alone is that of the only one."""
    return TenantPlace(url=place, tenant=ONLY_TENANT) if isinstance(place, sa.URL) else place


def check_tenant(place: sa.URL | TenantPlace) -> None:
    """Refuse a tenant that nobody has added, and a role that no policy binds.

    Raises `InvalidTenant` or `StorageError`; a schema of before tenants is left to who migrates it.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    tenants = tenant_place(place)
    engine = postgres_server.open_postgres(tenants, is_reader=True)
    try:
        with engine.connect() as connection:
            if sa.inspect(connection).has_table(TENANTS):
                postgres_server.refuse_unbound(connection, tenants)
    except SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()
