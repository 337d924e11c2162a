"""The commands that put a catalogue of products in, and say which there is.

Layer: doors. Takes: arguments. Gives: `inaisle catalogue import`, `status` and `search` to
inaisle.cli.
"""

from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import end_with, load_for
from inaisle.commands.cli_db import DataFlag, JsonFlag, data_flag

catalogue_app = typer.Typer(help="Look after what the shop sells.", no_args_is_help=True)


@catalogue_app.command("import")
def import_catalogue(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV or JSON Lines (docs/search_and_routes.md).")],
    *,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Replace the site's catalogue by a file; with one fault nothing changes. Services follow."""
    from inaisle.catalogue.catalogue_view import run_import

    end_with(run_import(load_for(context, data_flag(data)).settings, file, as_json=json))


@catalogue_app.command()
def status(context: typer.Context, *, data: DataFlag = None, json: JsonFlag = False) -> None:
    """Say which catalogue the site has, and which of its zones the map does not know."""
    from inaisle.catalogue.catalogue_view import run_status

    end_with(run_status(load_for(context, data_flag(data)).settings, as_json=json))


@catalogue_app.command()
def search(
    context: typer.Context,
    words: Annotated[str, typer.Argument(help="What a shopper types.")],
    *,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Say what a shopper would find, and by which words."""
    from inaisle.catalogue.catalogue_view import run_search

    end_with(run_search(load_for(context, data_flag(data)).settings, words, as_json=json))
