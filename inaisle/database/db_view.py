"""Print how the database of offers stands, and upgrade its schema by hand.

Layer: doors. Takes: settings. Gives: lines on standard output and a status to
inaisle.commands.cli_db.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import typer

from inaisle.database.database_place import database_place
from inaisle.database.db_status import copy_file, status_of
from inaisle.errors import ExitStatus, Unavailable
from inaisle.settings import Settings
from offers.storage.database import prepare_database, renew_rights


def run_status(settings: Settings, *, as_json: bool) -> int:
    """Print what a look at the database finds; nothing is made or changed."""
    found = status_of(database_place(settings))
    if as_json:
        json.dump(asdict(found), sys.stdout)
        sys.stdout.write("\n")
    else:
        typer.echo(found.sentence)
    if found.warning:
        typer.echo(f"warning: {found.warning}.", err=True)
    return ExitStatus.REFUSED if found.warning else ExitStatus.DONE


def run_upgrade(settings: Settings) -> int:
    """Migrate to the newest schema, and print from where to where.

    Raises
    ------
    Unavailable
        If there is no database yet: the first start makes it.
    """
    place = database_place(settings)
    before = status_of(place)
    if before.revision is None:
        raise Unavailable(f"{before.place} has no schema yet; the first start of serve makes it.")
    if before.is_newest:
        if not isinstance(place, Path):
            renew_rights(place)
        typer.echo(f"schema {before.revision} is the newest: nothing to do")
        return ExitStatus.DONE
    if not before.is_newer and isinstance(place, Path):
        copy = place.with_name(f"{place.name}.{before.revision}.backup")
        copy_file(place, copy)
        typer.echo(f"copied to {copy}")
    elif not before.is_newer:
        typer.echo("no way back but a backup of before: pg_dump makes one", err=True)
    prepare_database(place)
    typer.echo(f"schema {before.revision} → {before.newest}")
    return ExitStatus.DONE
