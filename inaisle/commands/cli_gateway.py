"""The commands that let gateways in and out.

Layer: doors. Takes: arguments. Gives: `inaisle gateway add`, `list`, `remove` and `account` to
inaisle.cli.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import FlagValues, end_with, load_for

gateway_app = typer.Typer(help="Let gateways in, each with its own account.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="Its id: 3 to 63 of a-z, 0-9 and '-'.")]
OutFlag = Annotated[
    Path | None, typer.Option("--out", help="Folder of the broker's files; else in the data.")
]
DataFlag = Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")]
SitesFlag = Annotated[
    Path | None, typer.Option("--sites", help="Folder with a sub-folder for each site.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


class ServiceAccount(StrEnum):
    """Programs of ours that connect to the broker."""

    INGEST = "inaisle-ingest"
    RECORD = "inaisle-record"


@gateway_app.command()
def add(
    context: typer.Context,
    name: NameArgument,
    *,
    site: Annotated[str, typer.Option(help="Where it hangs.")],
    sites: SitesFlag = None,
    out: OutFlag = None,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Give a gateway its account and print the password, for the first and last time."""
    from inaisle.gateway.gateway_desk import run_add

    settings = load_for(context, {**_data(data), ("chain", "sites"): sites}).settings
    end_with(run_add(settings, name, site=site, out=out, as_json=json))


@gateway_app.command("list")
def list_gateways(
    context: typer.Context, *, out: OutFlag = None, data: DataFlag = None, json: JsonFlag = False
) -> None:
    """Print all gateways and their sites, without passwords, which nobody knows."""
    from inaisle.gateway.gateway_desk import run_list

    end_with(run_list(load_for(context, _data(data)).settings, out=out, as_json=json))


@gateway_app.command()
def remove(
    context: typer.Context, name: NameArgument, *, out: OutFlag = None, data: DataFlag = None
) -> None:
    """Take a gateway's account away."""
    from inaisle.gateway.gateway_desk import run_remove

    end_with(run_remove(load_for(context, _data(data)).settings, name, out=out))


@gateway_app.command()
def account(
    context: typer.Context,
    name: Annotated[ServiceAccount, typer.Argument(help="Which program.")],
    *,
    out: OutFlag = None,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Give ingest, or the surveyor's recorder, a password of its own, or a new one."""
    from inaisle.gateway.gateway_desk import run_account

    settings = load_for(context, _data(data)).settings
    end_with(run_account(settings, name.value, out=out, as_json=json))


def _data(data: Path | None) -> FlagValues:
    return {("site", "data"): data}
