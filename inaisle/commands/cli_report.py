"""The command that writes a review by hand, or a report over many sites.

Layer: doors. Takes: two days and a folder. Gives: `inaisle report` to inaisle.cli.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inaisle.commands.cli_context import FlagValues, load_for

if TYPE_CHECKING:
    from inaisle.settings import Settings


class By(StrEnum):
    """What a row of a report over many sites stands for."""

    SITE = "site"
    REGION = "region"
    KIND = "kind"


class Level(StrEnum):
    """The zones that count in rows by site and region."""

    SHELF = "shelf"
    AISLE = "aisle"
    CATEGORY = "category"
    DEPARTMENT = "department"
    ENTRANCE = "entrance"
    CHECKOUT = "checkout"


def report(
    context: typer.Context,
    *,
    from_: Annotated[
        str | None, typer.Option("--from", help="First day, e.g. 2026-10-01; else as scheduled.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="First day that is not in it, by the clocks of the site.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder, of reviews if empty; with --chain a CSV file.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")] = None,
    chain: Annotated[
        str | None, typer.Option(help="Archive of a chain: s3://bucket/path or a folder.")
    ] = None,
    sites: Annotated[
        Path | None, typer.Option(help="With --chain: folder with a sub-folder for each site.")
    ] = None,
    by: Annotated[By, typer.Option(help="With --chain: what a row stands for.")] = By.SITE,
    level: Annotated[
        Level, typer.Option(help="With --chain: zones that count by site and region.")
    ] = Level.SHELF,
    by_week: Annotated[
        bool, typer.Option("--by-week", help="With --chain: a row for each week, and its change.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --chain: JSON for a machine.")] = False,
) -> None:
    """Write the review of a window as HTML and CSV; with --chain, a report over many sites."""
    flags: FlagValues = {
        ("site", "data"): data, ("archive", "to"): chain, ("chain", "sites"): sites,
    }  # fmt: skip
    settings = load_for(context, flags).settings
    days = _days(from_, until)
    if chain is not None:
        _tell_chain(settings, days, (by, level, by_week), out, as_json=json)
        return
    _refuse_of_chains({"--sites": sites, "--by-week": by_week, "--json": json})
    _write_review(settings, days, out)


def _refuse_of_chains(given: Mapping[str, object]) -> None:
    named = [name for name, value in given.items() if value]
    if named:
        raise typer.BadParameter(f"{', '.join(named)}: expected only with --chain. Add it.")


def _write_review(settings: "Settings", days: tuple[date, date] | None, out: Path | None) -> None:
    from inaisle.reports.report import default_clock, scheduled_days, write_review
    from inaisle.reports.review_side import review_folder

    clock = default_clock()
    from_day, until_day = days or scheduled_days(settings, clock=clock)
    page = write_review(
        settings,
        from_day=from_day,
        until_day=until_day,
        folder=out or review_folder(settings),
        clock=clock,
    )
    typer.echo(page)


def _tell_chain(
    settings: "Settings",
    days: tuple[date, date] | None,
    choices: tuple[By, Level, bool],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from inaisle.reports.chain_report import ChainAsked, GroupBy
    from inaisle.reports.chain_report_run import make_chain_report
    from inaisle.reports.chain_report_view import print_chain_report, write_chain_csv
    from inaisle.reports.report import default_clock
    from rtls.model.site_map import ZoneKind

    if days is None:
        raise typer.BadParameter("--chain stands alone; expected --from and --until beside it.")
    by, level, by_week = choices
    asked = ChainAsked(
        from_day=days[0],
        until_day=days[1],
        by=GroupBy(by.value),
        level=ZoneKind(level.value),
        by_week=by_week,
    )
    found = make_chain_report(settings, asked, clock=default_clock())
    if out is None:
        print_chain_report(found, as_json=as_json)
    else:
        write_chain_csv(found, out)
        typer.echo(out)


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
