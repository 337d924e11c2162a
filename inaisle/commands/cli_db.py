"""The commands that look after the database of offers.

Layer: doors. Takes: arguments. Gives: `inaisle db status`, `upgrade`, `verify`, `replay`,
`erasures` and `replay-erasures` to inaisle.cli.
"""

from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import FlagValues, end_with, load_for

db_app = typer.Typer(help="Look after the database of offers.", no_args_is_help=True)
DataFlag = Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


@db_app.command()
def status(context: typer.Context, *, data: DataFlag = None, json: JsonFlag = False) -> None:
    """Say where the database is, whether it is sound, and whether its schema is the newest."""
    from inaisle.database.db_view import run_status

    end_with(run_status(load_for(context, data_flag(data)).settings, as_json=json))


@db_app.command()
def upgrade(context: typer.Context, *, data: DataFlag = None) -> None:
    """Bring the schema up to date; a file is copied before. A starting service does it, too."""
    from inaisle.database.db_view import run_upgrade

    end_with(run_upgrade(load_for(context, data_flag(data)).settings))


@db_app.command()
def verify(
    context: typer.Context,
    *,
    head: Annotated[
        str | None,
        typer.Option(help="sequence:hash, as printed earlier: the chain must still lead there."),
    ] = None,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Compute the audit chain anew, and name the first entry that somebody has touched."""
    from inaisle.database.audit_view import run_verify

    end_with(run_verify(load_for(context, data_flag(data)).settings, noted=head, as_json=json))


@db_app.command()
def replay(
    context: typer.Context,
    *,
    last: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many, the newest first.")
    ] = 1_000,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Take the last decisions again from the log, and name those that come out otherwise."""
    from inaisle.database.decision_replay import run_replay

    end_with(run_replay(load_for(context, data_flag(data)).settings, last=last, as_json=json))


@db_app.command()
def erasures(context: typer.Context, *, data: DataFlag = None) -> None:
    """Print the list of who was erased: keep it apart from the backups."""
    from inaisle.database.erasure_list import print_erasures

    end_with(print_erasures(load_for(context, data_flag(data)).settings))


@db_app.command("replay-erasures")
def replay_erasures(
    context: typer.Context,
    listed: Annotated[Path, typer.Argument(help="What `inaisle db erasures` printed.")],
    *,
    data: DataFlag = None,
) -> None:
    """Erase those again whom a restored backup brought back. Before the service starts."""
    from inaisle.database.erasure_list import run_replay_erasures

    end_with(run_replay_erasures(load_for(context, data_flag(data)).settings, listed))


def data_flag(data: Path | None) -> FlagValues:
    """Return what ``--data`` says as a setting."""
    return {("site", "data"): data}
