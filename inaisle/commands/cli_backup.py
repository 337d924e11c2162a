"""The commands that take a backup of a site, and put one back.

Layer: doors. Takes: arguments. Gives: `inaisle backup` and `inaisle restore` to inaisle.cli.
"""

from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import end_with, load_for
from inaisle.commands.cli_db import DataFlag, data_flag


def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="Folder below which the backup is made.")],
    *,
    history: Annotated[
        bool, typer.Option("--history", help="Positions and visits, too: much larger.")
    ] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Delete all but so many of this site's newest.")
    ] = None,
    data: DataFlag = None,
) -> None:
    """Copy database, keys, maps, calibration and reviews; the service may run meanwhile."""
    from inaisle.database.backup import run_backup

    settings = load_for(context, data_flag(data)).settings
    end_with(run_backup(settings, target, with_history=history, keep=keep))


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="What inaisle backup made.")],
    *,
    erased: Annotated[
        Path | None, typer.Option(help="The newest list of `inaisle db erasures`.")
    ] = None,
    nobody_was_erased: Annotated[
        bool, typer.Option("--nobody-was-erased", help="Since the backup, as you know for sure.")
    ] = False,
    data: DataFlag = None,
) -> None:
    """Put a backup into an empty folder and an empty database, and erase again who was erased."""
    from inaisle.database.restore import refuse_without_erasures, run_restore

    refuse_without_erasures(erased, nobody_was_erased=nobody_was_erased)
    end_with(run_restore(load_for(context, data_flag(data)).settings, folder, erased=erased))
