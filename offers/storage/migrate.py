"""Bring the schema of a database up to the newest revision.

Layer: edges. Takes: an engine. Gives: nothing; the database then has the tables that
`offers.storage.tables` describes. The revisions are modules of this package, so an installed wheel
migrates without any file beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

from offers.model.errors import CorruptDatabase
from offers.storage.tenancy import (
    bind_owner,
    give_counters_to_all,
    let_application_in,
    open_to_owner,
)

FOLDER: Final = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Run all revisions that the database has not seen, in one transaction.

    Raises
    ------
    CorruptDatabase
        If the database has a revision that this version does not know.
    """
    scripts = ScriptDirectory(str(FOLDER))

    def steps(seen: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        newest_first = scripts.iterate_revisions("head", seen[0] if seen else "base")
        todo = [RevisionStep(scripts.revision_map, s, is_upgrade=True) for s in newest_first]
        return todo[::-1]

    with _without_foreign_keys(engine) as connection, connection.begin():
        forced: tuple[str, ...] = ()
        is_server = connection.dialect.name == "postgresql"
        if is_server:
            # An index on years of redemptions takes longer than any request may.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            forced = open_to_owner(connection)
        context = MigrationContext.configure(connection, opts={"fn": steps})
        try:
            with Operations.context(context):
                context.run_migrations()
        except (CommandError, RevisionError) as error:
            raise CorruptDatabase(
                f"the schema is of revision {context.get_current_heads()}; expected one up to "
                f"{scripts.get_current_head()}. The file was written by a newer version: install "
                "that version again."
            ) from error
        _check_foreign_keys(connection)
        if is_server:
            give_counters_to_all(connection)
            bind_owner(connection, forced)
            let_application_in(connection)


@contextmanager
def _without_foreign_keys(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Connect so that SQLite may put a new table in the place of one that others refer to.

    It can change a column in no other way, and dropping the old table would break the references
    (https://www.sqlite.org/lang_altertable.html#otheralter). PostgreSQL alters in place.
    """
    with engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        raw = connection.connection.driver_connection
        if is_sqlite and raw is not None:
            raw.execute("PRAGMA foreign_keys = OFF")  # before BEGIN: within it has no effect
        try:
            yield connection
        finally:
            if is_sqlite and raw is not None:
                raw.execute("PRAGMA foreign_keys = ON")


def _check_foreign_keys(connection: sa.Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise CorruptDatabase(
            f"after the migration {len(broken)} rows refer to nothing, e.g. {broken[0]}; expected "
            "none. The database is left as it was; restore a backup and migrate that."
        )
