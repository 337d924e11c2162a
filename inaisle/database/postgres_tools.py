"""Copy a tenant's rows out of a PostgreSQL database, with the schema, and back into an empty one.

Layer: doors. Takes: an address, a file. Gives: the file, or the database, to
inaisle.database.backup and inaisle.database.restore.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from inaisle.errors import Unavailable
from offers.storage.database import open_engine, renew_rights, url_of
from offers.storage.faults import fault_of
from offers.storage.postgres_server import TenantPlace
from offers.storage.tenancy import SETTING

TOOL_S_MAX: Final = 6 * 3_600.0


def dump(place: sa.URL | TenantPlace, path: Path) -> None:
    """Write the schema and the tenant's rows into a file, as they are at one instant.

    The policies that part tenants part their backups: what the tenant does not see is not copied.
    """
    command = ["pg_dump", "--format=custom", "--enable-row-security", f"--file={path}"]
    _run([*command, f"--role={_bound_role(place)}"], place)


def _bound_role(place: sa.URL | TenantPlace) -> str:
    """Return the role that readers work in: policies bind it, and not every owner.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    engine = open_engine(place, is_reader=True)
    try:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("SELECT current_user").scalar_one())
    except sa.exc.SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()


def _run(command: list[str], place: sa.URL | TenantPlace) -> None:
    """Run a program of PostgreSQL; the password goes by the environment, where nobody reads it.

    Raises
    ------
    Unavailable
        If it is not there, takes longer than `TOOL_S_MAX`, or ends with an error.
    """
    url = url_of(place)
    told = {"PGPASSWORD": url.password or ""}
    if isinstance(place, TenantPlace):
        told["PGOPTIONS"] = f"-c {SETTING}={place.tenant}"
    try:
        done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, with our own arguments
            [command[0], *_address_of(url), *command[1:]],
            env=os.environ | told,
            capture_output=True,
            text=True,
            timeout=TOOL_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(
            f"{command[0]} cannot run ({error}); expected the client programs of PostgreSQL. "
            "Install postgresql-client of the server's version."
        ) from error
    if done.returncode:
        raise Unavailable(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")


def _address_of(url: sa.URL) -> list[str]:
    """Return what PostgreSQL's programs are told about a database, its password left out."""
    told = {"host": url.host, "port": url.port, "username": url.username, "dbname": url.database}
    return [f"--{name}={value}" for name, value in told.items() if value is not None]


def fill(place: sa.URL | TenantPlace, path: Path) -> None:
    """Fill an empty database from a file that `dump` wrote; wholly or not at all."""
    command = ["pg_restore", "--single-transaction", "--exit-on-error"]
    # Of roles the other server knows nothing; ours is given its rights afterwards.
    _run([*command, "--no-owner", "--no-privileges", str(path)], place)
    renew_rights(place)
