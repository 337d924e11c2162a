"""The commands that add and list the retailers who share a PostgreSQL server.

Layer: doors. Takes: arguments. Gives: `inaisle tenant add`, `list` and `serve` to
inaisle.cli.
"""

from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import FlagValues, end_with, load_for

tenant_app = typer.Typer(
    help="Let several retailers share a PostgreSQL server.", no_args_is_help=True
)
DataFlag = Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")]


@tenant_app.command()
def add(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="a-z, 0-9 and '-': what offers.tenant names.")],
    *,
    data: DataFlag = None,
) -> None:
    """Add a retailer; for the owner of the tables, whom offers.database_url must name."""
    from inaisle.database.tenant_work import run_add

    end_with(run_add(load_for(context, {("site", "data"): data}).settings, tenant))


@tenant_app.command("list")
def list_tenants(
    context: typer.Context,
    *,
    data: DataFlag = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")] = False,
) -> None:
    """Print all retailers; for the owner of the tables as well."""
    from inaisle.database.tenant_work import run_list

    end_with(run_list(load_for(context, {("site", "data"): data}).settings, as_json=json))


@tenant_app.command()
def serve(
    context: typer.Context,
    *,
    sites: Annotated[
        Path | None, typer.Option(help="Folder of <tenant>/<site>/site_map.geojson.")
    ] = None,
    data: DataFlag = None,
    port: Annotated[int | None, typer.Option(help="Of the API; 0 takes a free one.")] = None,
) -> None:
    """Answer for the shops of many retailers: each request in its own, by its credential."""
    from inaisle.chain.tenant_serve import run_tenants

    flags: FlagValues = {
        ("tenants", "sites"): sites,
        ("site", "data"): data,
        ("api", "port"): port,
    }
    end_with(run_tenants(load_for(context, flags).settings))
