"""Make, list and remove the users who sign in at the console, beside a running service.

Layer: doors. Takes: settings, what the command line says, a password from a prompt or from standard
input. Gives: lists, and an exit status to inaisle.commands.cli_user. Each step is an entry of the
audit.
"""

import json
import sys

import typer

from inaisle.clock import SystemClock
from inaisle.database.database_place import key_file
from inaisle.database.database_work import read_beside, write_beside
from inaisle.errors import ExitStatus
from inaisle.settings import Settings
from inaisle.site.site_loading import load_site_map
from offers.api.schema import render_instant
from offers.handlers.people.staff_users import (
    add_staff_user,
    change_password,
    remove_staff_user,
)
from offers.model.ids import StaffName, TillId
from offers.model.people.shopper import Role
from offers.model.people.staff_user import StaffUser, check_password
from offers.ports import SecretSource
from offers.storage.secret_source import SystemSecretSource, load_key
from rtls.model.units import SiteId, UnixMs


def run_add(settings: Settings, name: str, *, role: str, site: str | None, till: str | None) -> int:
    """Make a user with a password that is asked for.

    Parameters
    ----------
    settings
        Say where database and site map are.
    name
        What the user signs in with.
    role
        As on the command line.
    site
        Where the user works; None for the site of the map.
    till
        Which till; for role till only.
    """
    where = SiteId(site) if site is not None else load_site_map(settings.site).site
    user = make_staff_user(
        StaffName(name),
        Role(role.replace("-", "_")),
        password=_ask_password(),
        site=where,
        till=None if till is None else TillId(till),
        secrets=_secrets(settings),
        now_ms=SystemClock().now_ms(),
    )
    write_beside(settings, lambda work: add_staff_user(user, work=work, now_ms=user.created_at_ms))
    typer.echo(f"{user.name} signs in as {user.role} of {user.site}.")
    return ExitStatus.DONE


def run_list(settings: Settings, *, as_json: bool) -> int:
    """Print all users."""
    found = read_beside(settings, lambda work: work.staff.users())
    if as_json:
        typer.echo(json.dumps([_as_json(user) for user in found]))
        return ExitStatus.DONE
    for user in found:
        typer.echo(f"{user.name:20}  {user.role:12}  {user.site}  {user.till or '-'}")
    return ExitStatus.DONE


def run_remove(settings: Settings, name: str) -> int:
    """Remove a user; what is signed in under the name ends at once."""
    now_ms = SystemClock().now_ms()
    write_beside(
        settings, lambda work: remove_staff_user(StaffName(name), work=work, now_ms=now_ms)
    )
    typer.echo(f"{name} is removed.")
    return ExitStatus.DONE


def run_password(settings: Settings, name: str) -> int:
    """Set another password; what is signed in under the name ends at once."""
    password = _ask_password()
    check_password(password)
    hashed = _secrets(settings).hash_password(password)
    now_ms = SystemClock().now_ms()
    write_beside(
        settings,
        lambda work: change_password(
            StaffName(name), password_hash=hashed, work=work, now_ms=now_ms
        ),
    )
    typer.echo(f"{name} has a new password.")
    return ExitStatus.DONE


def make_staff_user(
    name: StaffName,
    role: Role,
    *,
    password: str,
    site: SiteId,
    till: TillId | None,
    secrets: SecretSource,
    now_ms: UnixMs,
) -> StaffUser:
    """Return a user with a password that has been found long enough, and hashed.

    Parameters
    ----------
    name, role, site, till
        Who it is.
    password
        As typed.
    secrets, now_ms
        What hashes it, and the time.
    """
    check_password(password)
    return StaffUser(
        name=name,
        role=role,
        site=site,
        till=till,
        password_hash=secrets.hash_password(password),
        created_at_ms=now_ms,
        changed_at_ms=now_ms,
    )


def _ask_password() -> str:
    # A pipe brings one line; a person is asked twice and sees nothing of it.
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


def _secrets(settings: Settings) -> SystemSecretSource:
    return SystemSecretSource(load_key(key_file(settings)))


def _as_json(user: StaffUser) -> dict[str, str | None]:
    return {
        "name": user.name,
        "role": user.role.value,
        "site": user.site,
        "till": user.till,
        "created_at": render_instant(user.created_at_ms),
        "password_set_at": render_instant(user.changed_at_ms),
    }
