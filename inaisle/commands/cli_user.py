"""The commands that make, list and remove the users who sign in at the console.

Layer: doors. Takes: arguments. Gives: `inaisle user add`, `list`, `remove` and `password` to
inaisle.cli.
"""

from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import FlagValues, end_with, load_for
from inaisle.commands.cli_key import KeyRole

user_app = typer.Typer(help="Say who of the staff may sign in.", no_args_is_help=True)
DataFlag = Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
NameArgument = Annotated[str, typer.Argument(help="What the user signs in with.")]


@user_app.command()
def add(
    context: typer.Context,
    name: NameArgument,
    *,
    role: Annotated[KeyRole, typer.Option(help="What the user may do.")],
    site: Annotated[str | None, typer.Option(help="Where; else the site of the map.")] = None,
    till: Annotated[str | None, typer.Option(help="For role till: which one.")] = None,
    data: DataFlag = None,
) -> None:
    """Make a user; the password is asked for, or read from standard input."""
    from inaisle.staff.staff_accounts import run_add

    settings = load_for(context, _data(data)).settings
    end_with(run_add(settings, name, role=role.value, site=site, till=till))


@user_app.command("list")
def list_users(context: typer.Context, *, data: DataFlag = None, json: JsonFlag = False) -> None:
    """Print all users, without anything of their passwords."""
    from inaisle.staff.staff_accounts import run_list

    end_with(run_list(load_for(context, _data(data)).settings, as_json=json))


@user_app.command()
def remove(context: typer.Context, name: NameArgument, *, data: DataFlag = None) -> None:
    """Remove a user; what is signed in under the name ends at once."""
    from inaisle.staff.staff_accounts import run_remove

    end_with(run_remove(load_for(context, _data(data)).settings, name))


@user_app.command()
def password(context: typer.Context, name: NameArgument, *, data: DataFlag = None) -> None:
    """Set another password, asked for or read from standard input; sessions end at once."""
    from inaisle.staff.staff_accounts import run_password

    end_with(run_password(load_for(context, _data(data)).settings, name))


def _data(data: Path | None) -> FlagValues:
    return {("site", "data"): data}
