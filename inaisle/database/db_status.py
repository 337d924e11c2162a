"""Look at the database of offers without changing it, and copy a file before it is changed.

Layer: doors. Takes: a place. Gives: what was found or copied to `inaisle db` and `inaisle doctor`.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from inaisle.database.database_place import name_of
from inaisle.errors import Unavailable
from offers.storage.database import (
    Place,
    newest_revision,
    open_engine,
    refuse_unsound,
    revision_of,
)
from offers.storage.faults import fault_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatus:
    """What a look at the database found; ``warning`` is empty where all is well."""

    place: str
    revision: str | None
    newest: str
    warning: str = ""

    @property
    def is_newest(self) -> bool:
        """Say whether the schema is that of this version."""
        return self.revision == self.newest

    @property
    def is_newer(self) -> bool:
        """Say whether a newer version than this one has written it."""
        return self.revision is not None and self.revision > self.newest

    @property
    def sentence(self) -> str:
        """Return the finding in words."""
        if self.revision is None:
            return f"{self.place} will be made at the first start, with schema {self.newest}"
        if self.is_newest:
            return f"{self.place} is sound, schema {self.revision} is the newest"
        order = "newer than" if self.is_newer else "behind"
        return f"{self.place} is sound, schema {self.revision} is {order} {self.newest}"


def status_of(place: Place) -> DatabaseStatus:
    """Return what is there; nothing is made or changed.

    Raises `CorruptDatabase` or another `StorageError` where `prepare_database` would.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    newest = newest_revision()
    if isinstance(place, Path) and not place.exists():
        return DatabaseStatus(place=name_of(place), revision=None, newest=newest)
    engine = open_engine(place, is_reader=True)
    try:
        with engine.connect() as connection:
            refuse_unsound(connection, place)
            found = revision_of(connection)
            return DatabaseStatus(
                place=name_of(place),
                revision=found,
                newest=newest,
                warning=_warning(connection, found, newest),
            )
    except sa.exc.SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()


def copy_file(path: Path, copy: Path) -> None:
    """Copy an SQLite file as it is at one instant, also while others write.

    Raises
    ------
    Unavailable
        If the copy is there already, or cannot be written.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise Unavailable(
            f"{copy} cannot be written ({error}); nothing was changed. Move it away if it is there "
            "from before, or free disk space."
        ) from error


def _warning(connection: sa.Connection, found: str | None, newest: str) -> str:
    if found is not None and found > newest:
        return (
            f"schema {found} is newer than {newest}, the newest that this version knows; "
            "install the newer version again"
        )
    if connection.dialect.name != "postgresql":
        return ""
    for setting in ("fsync", "full_page_writes"):
        if connection.exec_driver_sql(f"SHOW {setting}").scalar_one() == "off":
            return f"{setting} is off: a power cut loses redemptions; set it on in postgresql.conf"
    return ""
