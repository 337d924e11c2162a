"""The commands that give tills and staff their keys, and take them away.

Layer: doors. Takes: arguments. Gives: `inaisle key add`, `list` and `revoke` to inaisle.cli.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import FlagValues, end_with, load_for

key_app = typer.Typer(help="Give tills and staff their keys.", no_args_is_help=True)
DataFlag = Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


class KeyRole(StrEnum):
    """Who may have a key; shoppers get theirs by enrolling."""

    TILL = "till"
    MERCHANDISER = "merchandiser"
    STORE_ADMIN = "store-admin"
    OPERATOR = "operator"


@key_app.command()
def add(
    context: typer.Context,
    *,
    role: Annotated[KeyRole, typer.Option(help="What the holder may do.")],
    site: Annotated[str | None, typer.Option(help="Where; else the site of the map.")] = None,
    till: Annotated[str | None, typer.Option(help="For role till: which one.")] = None,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Make a key and print it, for the first and last time."""
    from inaisle.staff.staff_keys import run_add

    settings = load_for(context, _data(data)).settings
    end_with(run_add(settings, role=role.value, site=site, till=till, as_json=json))


@key_app.command("list")
def list_keys(context: typer.Context, *, data: DataFlag = None, json: JsonFlag = False) -> None:
    """Print all keys of tills and staff, without the secrets, which nobody knows."""
    from inaisle.staff.staff_keys import run_list

    end_with(run_list(load_for(context, _data(data)).settings, as_json=json))


@key_app.command()
def revoke(
    context: typer.Context,
    credential: Annotated[str, typer.Argument(help="Its id, as `inaisle key list` prints it.")],
    *,
    data: DataFlag = None,
) -> None:
    """End a key; the next call with it is refused, also by a running service."""
    from inaisle.staff.staff_keys import run_revoke

    end_with(run_revoke(load_for(context, _data(data)).settings, credential))


def _data(data: Path | None) -> FlagValues:
    return {("site", "data"): data}


@key_app.command()
def footfall(context: typer.Context, *, data: DataFlag = None) -> None:
    """Print the key that this shop's reports round by, for <site>/footfall.key of its chain."""
    from inaisle.reports.footfall_side import release_key

    flags: FlagValues = {("site", "data"): data}
    typer.echo(release_key(load_for(context, flags).settings).hex())
