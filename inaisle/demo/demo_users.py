"""Make the users that a visitor of the demo signs in with, each with a password of its own.

Layer: doors. Takes: the database and randomness of a demo. Gives: names and passwords to
inaisle.demo.demo, which shows them. A folder that is used again gets new passwords: the old ones
were shown once and are stored nowhere.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from inaisle.staff.access_keys import FIRST_TILL
from inaisle.staff.staff_accounts import make_staff_user
from offers.handlers.people.staff_users import add_staff_user, remove_staff_user
from offers.model.ids import StaffName
from offers.model.people.shopper import Role
from offers.model.people.staff_user import StaffUser
from offers.ports import SecretSource, UnitOfWork, Writer
from rtls.model.units import SiteId, UnixMs

DEMO_ROLES: Final[Mapping[StaffName, Role]] = MappingProxyType(
    {
        StaffName("operator"): Role.OPERATOR,
        StaffName("merchandiser"): Role.MERCHANDISER,
        StaffName("admin"): Role.STORE_ADMIN,
        StaffName("kasse"): Role.TILL,
    }
)
# Crockford's letters: none is taken for another when a password is copied from a screen.
LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
PASSWORD_LETTERS: Final = 12


def provide_demo_users(
    writer: Writer, *, secrets: SecretSource, site: SiteId, now_ms: UnixMs
) -> dict[str, str]:
    """Make one user a role and return their passwords by name.

    Parameters
    ----------
    writer, secrets
        The database and randomness.
    site, now_ms
        Where they work, and the time.
    """
    passwords = {name: demo_password(secrets) for name in DEMO_ROLES}
    for name, role in DEMO_ROLES.items():
        user = make_staff_user(
            name,
            role,
            password=passwords[name],
            site=site,
            till=FIRST_TILL if role is Role.TILL else None,
            secrets=secrets,
            now_ms=now_ms,
        )
        writer.run(partial(_put, user, now_ms))
    return {str(name): password for name, password in passwords.items()}


def demo_password(secrets: SecretSource) -> str:
    """Return twelve letters (60 bits) in groups of four."""
    drawn = [LETTERS[byte % len(LETTERS)] for byte in secrets.random_bytes(PASSWORD_LETTERS)]
    return "-".join("".join(drawn[start : start + 4]) for start in range(0, PASSWORD_LETTERS, 4))


def _put(user: StaffUser, now_ms: UnixMs, work: UnitOfWork) -> None:
    if work.staff.find(user.name) is not None:
        remove_staff_user(user.name, work=work, now_ms=now_ms)
    add_staff_user(user, work=work, now_ms=now_ms)
