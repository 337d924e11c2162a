"""The command that writes a review by hand.

Layer: doors. Takes: two days and a folder. Gives: `inaisle report` to inaisle.cli.
"""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from inaisle.cli_context import FlagValues, load_for


def report(
    context: typer.Context,
    *,
    from_: Annotated[
        str | None, typer.Option("--from", help="First day, e.g. 2026-10-01; else as scheduled.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="First day that is not in it, by the clocks of the site.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; that of reviews if empty.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")] = None,
) -> None:
    """Write the review of a window: one HTML page, and its figures as CSV."""
    from inaisle.report import default_clock, scheduled_days, write_review
    from inaisle.review_side import review_folder

    flags: FlagValues = {("site", "data"): data}
    settings = load_for(context, flags).settings
    clock = default_clock()
    from_day, until_day = _days(from_, until) or scheduled_days(settings, clock=clock)
    page = write_review(
        settings,
        from_day=from_day,
        until_day=until_day,
        folder=out or review_folder(settings),
        clock=clock,
    )
    typer.echo(page)


def _days(from_: str | None, until: str | None) -> tuple[date, date] | None:
    if from_ is None and until is None:
        return None
    if from_ is None or until is None:
        raise typer.BadParameter("--from and --until belong together; expected both or neither.")
    return _day("--from", from_), _day("--until", until)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} is {text!r}; expected a day as 2026-11-02.") from error
