"""Add and list the tenants of a PostgreSQL server.

Layer: doors. Takes: settings. Gives: lines on standard output and a status to
inaisle.commands.cli_tenant.
"""

import json
import sys
from pathlib import Path

import sqlalchemy as sa
import typer

from inaisle.clock import SystemClock
from inaisle.database.database_place import database_place
from inaisle.errors import ExitStatus, Unavailable
from inaisle.settings import Settings
from offers.model.ids import TenantId
from offers.storage.database import prepare_database, url_of
from offers.storage.tenant_book import add_tenant, tenants_of


def run_add(settings: Settings, tenant: str) -> int:
    """Add a tenant, and make the schema first where there is none."""
    url = _server(settings)
    prepare_database(url)
    is_new = add_tenant(url, TenantId(tenant), at_ms=SystemClock().now_ms())
    typer.echo(f"tenant {tenant} {'was added' if is_new else 'is there already'}")
    return ExitStatus.DONE


def run_list(settings: Settings, *, as_json: bool) -> int:
    """Print the tenants, one a line."""
    found = tenants_of(_server(settings))
    if as_json:
        json.dump({"tenants": found}, sys.stdout)
        sys.stdout.write("\n")
    else:
        for tenant in found:
            typer.echo(tenant)
    return ExitStatus.DONE


def _server(settings: Settings) -> sa.URL:
    place = database_place(settings)
    if isinstance(place, Path):
        raise Unavailable(
            "offers.database_url is empty; expected a PostgreSQL server, which tenants share. A "
            "file holds one tenant: give each a folder of data instead."
        )
    return url_of(place)
