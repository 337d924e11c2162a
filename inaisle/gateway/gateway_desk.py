"""Let gateways in and out: an account with the broker each, and whose site it is.

Layer: doors. Takes: settings and what the command line says. Gives: a password on standard output
once, lists, and an exit status to inaisle.commands.cli_gateway.
"""

import json
from pathlib import Path
from typing import Final

import typer

from inaisle.chain.site_library import MAP_NAME, SiteLibrary
from inaisle.clock import SystemClock
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.gateway.broker_accounts import (
    ACCOUNTS_NAME,
    ACL_NAME,
    BookedGateway,
    BrokerAccounts,
    check_gateway_id,
)
from inaisle.settings import Settings
from inaisle.site.map_in_force import maps_to_run_on
from offers.api.schema import render_instant
from rtls.model.site_map import SiteMap
from rtls.model.units import GatewayId, SiteId

FOLDER_NAME: Final = "mosquitto"
"""in the folder of site.data"""
RELOAD: Final = (
    "Let the broker read {passwd} and {acl} again: systemctl reload mosquitto, or kill -HUP and "
    "its process id."
)


def run_add(settings: Settings, name: str, *, site: str, out: Path | None, as_json: bool) -> int:
    """Give a gateway its account, and print its password.

    Parameters
    ----------
    settings
        Say where the maps are.
    name
        Of the gateway: its user name, its client id, and a level of its topics.
    site
        Where it hangs.
    out
        Folder of the broker's files; in the data folder if None.
    as_json
        For a machine.

    Raises
    ------
    InvalidSettings
        If the name cannot be, is taken, or no map of the site is known.
    """
    gateway = check_gateway_id(name)
    site_map, source = _map_of(settings, SiteId(site))
    accounts = BrokerAccounts(_folder(settings, out))
    with accounts.turn():
        known = accounts.gateways()
        if gateway in known or accounts.has_account(gateway):
            where = known[gateway].site if gateway in known else "a site that is not known"
            raise InvalidSettings(
                f"gateway {gateway!r} has an account already, at {where}; expected a new name. "
                f"For a new password: inaisle gateway remove {gateway}, then add it again."
            )
        added_at = render_instant(SystemClock().now_ms())
        booked = BookedGateway(site=site_map.site, added_at=added_at)
        # An entry without an account is seen in the list; an account without an entry is nobody's.
        accounts.keep_gateways({**known, gateway: booked})
        rules = accounts.complete_rules()
        password = accounts.put_account(gateway)
    document = {
        "gateway": gateway,
        "site": site_map.site,
        "user": gateway,
        "client_id": gateway,
        "password": password,
        "publishes": [f"inaisle/v1/gw/{gateway}/{leaf}" for leaf in ("up", "up.bin", "status")],
        "hears": [f"inaisle/v1/gw/{gateway}/down"],
        "rules_added": list(rules),
        "in_map": _is_in(site_map, gateway),
    }
    if as_json:
        typer.echo(json.dumps(document))
        return ExitStatus.DONE
    typer.echo(f"gateway   {gateway} of site {site_map.site}")
    typer.echo(f"user      {gateway}   (client id the same)")
    typer.echo(f"password  {password}   (shown now and never again)")
    if not document["in_map"]:
        typer.echo(_how_to_map(gateway, source))
    typer.echo(_reload(accounts))
    return ExitStatus.DONE


def run_account(settings: Settings, name: str, *, out: Path | None, as_json: bool) -> int:
    """Give a program of ours its account, or a new password, and print it."""
    accounts = BrokerAccounts(_folder(settings, out))
    with accounts.turn():
        accounts.complete_rules()
        password = accounts.put_account(name)
    if as_json:
        typer.echo(json.dumps({"user": name, "password": password}))
        return ExitStatus.DONE
    typer.echo(f"user      {name}")
    typer.echo(f"password  {password}   (shown now and never again: INAISLE__MQTT__PASSWORD)")
    typer.echo(_reload(accounts))
    return ExitStatus.DONE


def run_list(settings: Settings, *, out: Path | None, as_json: bool) -> int:
    """Print all gateways, without passwords, which nobody knows."""
    accounts = BrokerAccounts(_folder(settings, out))
    rows = [
        {
            "gateway": gateway,
            "site": booked.site,
            "added_at": booked.added_at,
            "has_account": accounts.has_account(gateway),
        }
        for gateway, booked in accounts.gateways().items()
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return ExitStatus.DONE
    for row in rows:
        missing = "" if row["has_account"] else "   no account: remove it and add it again"
        typer.echo(f"{row['gateway']:<32} {row['site']:<24} {row['added_at']}{missing}")
    return ExitStatus.DONE


def run_remove(settings: Settings, name: str, *, out: Path | None) -> int:
    """Take a gateway's account away.

    Raises
    ------
    InvalidSettings
        If there is no such gateway.
    """
    gateway = check_gateway_id(name)
    accounts = BrokerAccounts(_folder(settings, out))
    with accounts.turn():
        known = accounts.gateways()
        if gateway not in known and not accounts.has_account(gateway):
            raise InvalidSettings(
                f"gateway {gateway!r} has no account in {accounts.folder}; expected one that "
                "inaisle gateway list prints."
            )
        accounts.remove_account(gateway)
        accounts.keep_gateways({one: what for one, what in known.items() if one != gateway})
    typer.echo(f"gateway {gateway} has no account any more.")
    typer.echo(_reload(accounts))
    return ExitStatus.DONE


def _folder(settings: Settings, out: Path | None) -> Path:
    return out or settings.site.data / FOLDER_NAME


def _map_of(settings: Settings, site: SiteId) -> tuple[SiteMap, str]:
    """Return the map of a site, and where it came from.

    Raises
    ------
    InvalidSettings
        If none is known: a gateway of an unknown site could never be heard.
    """
    if settings.chain.sites is not None:
        found = SiteLibrary(settings.chain.sites).find(site)
        if found is None:
            raise InvalidSettings(
                f"site is {site!r}, which is not in {settings.chain.sites}; expected a sub-folder "
                f"of that name with {MAP_NAME}. Put the map of the site there first."
            )
        return found.site_map, str(settings.chain.sites / site / MAP_NAME)
    in_force = next(maps_to_run_on(settings.site))
    if in_force.site_map.site != site:
        raise InvalidSettings(
            f"site is {site!r}; expected {in_force.site_map.site!r}, the site of "
            f"{in_force.source}. Set chain.sites to the folder of the chain's sites, or site.map."
        )
    return in_force.site_map, in_force.source


def _is_in(site_map: SiteMap, gateway: GatewayId) -> bool:
    return any(anchor.gateway == gateway for anchor in site_map.anchors)


def _how_to_map(gateway: GatewayId, source: str) -> str:
    return (
        f"note      no anchor of {source} names it yet: what it says is counted and not located. "
        f'Give each anchor that it reports for the property "gateway": "{gateway}", in the file or '
        "in the floor studio."
    )


def _reload(accounts: BrokerAccounts) -> str:
    folder = accounts.folder
    return RELOAD.format(passwd=folder / ACCOUNTS_NAME, acl=folder / ACL_NAME)
