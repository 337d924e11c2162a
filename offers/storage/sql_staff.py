"""Keep the users among the staff in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Staff`.
"""

from typing import Final

import sqlalchemy as sa

from offers.model.ids import StaffName, TillId
from offers.model.people.shopper import Credential, Role
from offers.model.people.staff_user import StaffUser
from offers.storage.insert_once import insert_once
from offers.storage.sql_shoppers import credential_of
from offers.storage.tables import CREDENTIALS, STAFF_USERS
from rtls.model.units import SiteId, UnixMs

_FIND: Final = sa.select(STAFF_USERS).where(STAFF_USERS.c.name == sa.bindparam("named"))
_ALL: Final = sa.select(STAFF_USERS).order_by(STAFF_USERS.c.name)
_CHANGE: Final = (
    sa.update(STAFF_USERS)
    .where(STAFF_USERS.c.name == sa.bindparam("named"))
    .values(password_hash=sa.bindparam("hashed"), changed_at_ms=sa.bindparam("at_ms"))
)
_REMOVE: Final = sa.delete(STAFF_USERS).where(STAFF_USERS.c.name == sa.bindparam("named"))
_SESSIONS: Final = (
    sa.select(CREDENTIALS)
    .where(CREDENTIALS.c.staff_name == sa.bindparam("named"), CREDENTIALS.c.revoked_at_ms.is_(None))
    .order_by(CREDENTIALS.c.created_at_ms, CREDENTIALS.c.credential_id)
)


class SqlStaff:
    """The users among the staff, and their sessions."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(STAFF_USERS, connection.dialect.name)

    def add(self, user: StaffUser) -> bool:
        """Write a new user; False where the name is taken."""
        row = {
            "name": user.name,
            "role": user.role.value,
            "site": user.site,
            "till": user.till,
            "password_hash": user.password_hash,
            "created_at_ms": user.created_at_ms,
            "changed_at_ms": user.changed_at_ms,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def find(self, name: StaffName) -> StaffUser | None:
        """Return the user, or None."""
        row = self._connection.execute(_FIND, {"named": name}).one_or_none()
        return None if row is None else _user(row)

    def users(self) -> tuple[StaffUser, ...]:
        """Return all users, by name."""
        return tuple(_user(row) for row in self._connection.execute(_ALL))

    def change_password(self, name: StaffName, *, password_hash: str, at_ms: UnixMs) -> bool:
        """Write another password; False where there is no such user."""
        given = {"named": name, "hashed": password_hash, "at_ms": at_ms}
        return self._connection.execute(_CHANGE, given).rowcount == 1

    def remove(self, name: StaffName) -> bool:
        """Delete a user; False where there is none."""
        return self._connection.execute(_REMOVE, {"named": name}).rowcount == 1

    def sessions_of(self, name: StaffName) -> tuple[Credential, ...]:
        """Return the sessions that have not been ended, expired ones too, oldest first."""
        return tuple(
            credential_of(row) for row in self._connection.execute(_SESSIONS, {"named": name})
        )


def _user(row: sa.Row[*tuple[object, ...]]) -> StaffUser:
    return StaffUser(
        name=StaffName(row.name),
        role=Role(row.role),
        site=SiteId(row.site),
        till=None if row.till is None else TillId(row.till),
        password_hash=row.password_hash,
        created_at_ms=UnixMs(row.created_at_ms),
        changed_at_ms=UnixMs(row.changed_at_ms),
    )
