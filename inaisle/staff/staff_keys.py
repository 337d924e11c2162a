"""Make, list and revoke the keys of tills and staff, beside a running service.

Layer: doors. Takes: settings and what the command line says. Gives: a key on standard output once,
lists, and an exit status to inaisle.commands.cli_key. Each step is an entry of the audit.
"""

import json

import typer

from inaisle.clock import SystemClock
from inaisle.database.database_place import key_file
from inaisle.database.database_work import read_beside, write_beside
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.settings import Settings
from inaisle.site.site_loading import load_site_map
from offers.api.schema import render_instant
from offers.handlers.people.issue_credential import issue_credential, revoke_credential
from offers.model.ids import CredentialId, TillId
from offers.model.people.shopper import Credential, Role
from offers.storage.secret_source import SystemSecretSource, load_key
from rtls.model.units import SiteId


def run_add(
    settings: Settings, *, role: str, site: str | None, till: str | None, as_json: bool
) -> int:
    """Make a key and print it.

    Parameters
    ----------
    settings
        Say where database and site map are.
    role
        As on the command line.
    site
        Where it is good; None for the site of the map.
    till
        Which till; for role till only.
    as_json
        For a machine.

    Raises
    ------
    InvalidSettings
        If a till is not named, or named for somebody else.
    """
    known = Role(role.replace("-", "_"))
    if (known is Role.TILL) != (till is not None):
        raise InvalidSettings(
            f"--till is {till!r} and --role {role}; expected --till with the role till, and only "
            "there."
        )
    where = SiteId(site) if site is not None else load_site_map(settings.site).site
    secrets = SystemSecretSource(load_key(key_file(settings)))
    issued = write_beside(
        settings,
        lambda work: issue_credential(
            known,
            work=work,
            now_ms=SystemClock().now_ms(),
            secrets=secrets,
            till=None if till is None else TillId(till),
            site=where,
        ),
    )
    if as_json:
        typer.echo(json.dumps(_as_json(issued.credential) | {"key": issued.secret}))
    else:
        typer.echo(f"{issued.secret}\nid {issued.credential.credential}; shown this once.")
    return ExitStatus.DONE


def run_list(settings: Settings, *, as_json: bool) -> int:
    """Print every key of tills and staff, revoked or not."""
    found = read_beside(settings, lambda work: work.shoppers.staff_credentials())
    if as_json:
        typer.echo(json.dumps([_as_json(credential) for credential in found]))
        return ExitStatus.DONE
    for credential in found:
        state = "revoked" if credential.revoked_at_ms is not None else "live"
        holder = credential.till or "-"
        typer.echo(
            f"{credential.credential}  {credential.role:12}  {credential.site}  {holder}  {state}"
        )
    return ExitStatus.DONE


def run_revoke(settings: Settings, credential: str) -> int:
    """End a key; `NotFound` where there is none with this id that is live."""
    now_ms = SystemClock().now_ms()
    write_beside(
        settings,
        lambda work: revoke_credential(CredentialId(credential), work=work, now_ms=now_ms),
    )
    typer.echo(f"{credential} is revoked.")
    return ExitStatus.DONE


def _as_json(credential: Credential) -> dict[str, str | None]:
    revoked_at_ms = credential.revoked_at_ms
    return {
        "credential": credential.credential,
        "role": credential.role.value,
        "site": credential.site,
        "till": credential.till,
        "created_at": render_instant(credential.created_at_ms),
        "revoked_at": None if revoked_at_ms is None else render_instant(revoked_at_ms),
    }
