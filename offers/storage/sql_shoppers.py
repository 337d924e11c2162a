"""Keep shoppers and credentials in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Shoppers`.
"""

import sqlalchemy as sa

from offers.model.ids import CredentialId, ShopperId, StaffName, TillId
from offers.model.people.shopper import Credential, Locale, Role, Shopper
from offers.storage.tables import CREDENTIALS, SHOPPERS
from rtls.model.units import SiteId, UnixMs

_ADD_CREDENTIALS = sa.insert(CREDENTIALS)
_ADD_SHOPPERS = sa.insert(SHOPPERS)
_FIND = sa.select(SHOPPERS).where(SHOPPERS.c.shopper_id == sa.bindparam("shopper"))
_FIND_CREDENTIAL = sa.select(CREDENTIALS).where(
    CREDENTIALS.c.fingerprint == sa.bindparam("fingerprint")
)
_OF_STAFF = (
    sa.select(CREDENTIALS)
    .where(CREDENTIALS.c.shopper_id.is_(None), CREDENTIALS.c.staff_name.is_(None))
    .order_by(CREDENTIALS.c.created_at_ms, CREDENTIALS.c.credential_id)
)
_REVOKE = (
    sa.update(CREDENTIALS)
    .where(
        CREDENTIALS.c.credential_id == sa.bindparam("credential"),
        CREDENTIALS.c.revoked_at_ms.is_(None),
    )
    .values(revoked_at_ms=sa.bindparam("at_ms"))
)


class SqlShoppers:
    """Shoppers and their credentials."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, shopper: Shopper) -> None:
        """Write a new shopper."""
        self._connection.execute(
            _ADD_SHOPPERS,
            {
                "shopper_id": shopper.shopper,
                "enrolled_at_ms": shopper.enrolled_at_ms,
                "locale": shopper.locale.value,
            },
        )

    def find(self, shopper: ShopperId) -> Shopper | None:
        """Return the shopper, or None."""
        row = self._connection.execute(_FIND, {"shopper": shopper}).one_or_none()
        if row is None:
            return None
        return Shopper(
            shopper=row.shopper_id,
            enrolled_at_ms=row.enrolled_at_ms,
            locale=Locale(row.locale),
        )

    def add_credential(self, credential: Credential, *, fingerprint: str) -> None:
        """Write a new credential under the fingerprint of its secret."""
        self._connection.execute(
            _ADD_CREDENTIALS,
            {
                "credential_id": credential.credential,
                "fingerprint": fingerprint,
                "role": credential.role.value,
                "shopper_id": credential.shopper,
                "till": credential.till,
                "site": credential.site,
                "created_at_ms": credential.created_at_ms,
                "revoked_at_ms": credential.revoked_at_ms,
                "staff_name": credential.staff,
                "expires_at_ms": credential.expires_at_ms,
            },
        )

    def find_credential(self, fingerprint: str) -> Credential | None:
        """Return the credential whose secret has this fingerprint, or None."""
        row = self._connection.execute(_FIND_CREDENTIAL, {"fingerprint": fingerprint}).one_or_none()
        return None if row is None else credential_of(row)

    def staff_credentials(self) -> tuple[Credential, ...]:
        """Return all keys of tills and staff, oldest first, revoked or not; no sessions."""
        return tuple(credential_of(row) for row in self._connection.execute(_OF_STAFF))

    def revoke_credential(self, credential: CredentialId, *, at_ms: UnixMs) -> bool:
        """End a credential; False where it is unknown or ended."""
        done = self._connection.execute(_REVOKE, {"credential": credential, "at_ms": at_ms})
        return done.rowcount == 1


def credential_of(row: sa.Row[*tuple[object, ...]]) -> Credential:
    """Return the credential that a row holds."""
    return Credential(
        credential=CredentialId(row.credential_id),
        role=Role(row.role),
        shopper=None if row.shopper_id is None else ShopperId(row.shopper_id),
        till=None if row.till is None else TillId(row.till),
        site=None if row.site is None else SiteId(row.site),
        created_at_ms=row.created_at_ms,
        revoked_at_ms=row.revoked_at_ms,
        staff=None if row.staff_name is None else StaffName(row.staff_name),
        expires_at_ms=row.expires_at_ms,
    )
