"""Know the tenants of a server, and to whom of them a credential leads.

Layer: edges. Takes: the URL of a database. Gives: tenants to the command that adds them, and the
tenant of a call to the door. Only here is anything looked up beyond one tenant: as the owner, to
add and to list, and by one function that tells tenant and site of a fingerprint and nothing else.
"""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from offers.model.errors import InvalidTenant
from offers.model.ids import TenantId, check_name
from offers.storage.faults import fault_of
from offers.storage.postgres_server import open_as_owner, open_to_look_up, refuse_no_owner
from offers.storage.tenancy import LOOKING, SETTING, give_counters, let_application_in
from rtls.model.units import SiteId, UnixMs

_SET: Final = sa.text("SELECT set_config(:name, :value, true)")
_ADD: Final = sa.text(
    "INSERT INTO tenants (added_at_ms) VALUES (:at_ms) ON CONFLICT DO NOTHING"
).execution_options(preserve_rowcount=True)
_ALL: Final = sa.text("SELECT tenant FROM tenants ORDER BY tenant")
_HOME: Final = sa.text("SELECT tenant, site FROM tenant_of_credential(:wanted)")


def add_tenant(url: sa.URL, tenant: TenantId, *, at_ms: UnixMs) -> bool:
    """Add a tenant to a migrated database, as its owner; False where it is there already.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    check_name("tenant", tenant, error=InvalidTenant)
    engine = open_as_owner(url)
    try:
        with engine.begin() as connection:
            refuse_no_owner(connection, url)
            give_counters(connection, tenant)
            let_application_in(connection)
            connection.execute(_SET, {"name": SETTING, "value": tenant})
            return connection.execute(_ADD, {"at_ms": at_ms}).rowcount == 1
    except SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()


def tenants_of(url: sa.URL) -> tuple[TenantId, ...]:
    """Return all tenants, for the owner.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    engine = open_as_owner(url)
    try:
        with engine.begin() as connection:
            refuse_no_owner(connection, url)
            connection.execute(_SET, {"name": LOOKING, "value": "tenants"})
            return tuple(TenantId(name) for name in connection.scalars(_ALL))
    except SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()


class CredentialHomes:
    """Says to which tenant and site a credential leads; of every tenant, and nothing else.

    Parameters
    ----------
    url
        The database; its role must be the application's, or may become it.
    """

    def __init__(self, url: sa.URL) -> None:
        self._engine = open_to_look_up(url)

    def find(self, fingerprint: str) -> tuple[TenantId, SiteId | None] | None:
        """Return tenant and site, which a shopper's credential has none of; None if unknown.

        Raises
        ------
        fault_of
            The `StorageError` that the database's own error means.
        """
        try:
            with self._engine.connect() as connection:
                row = connection.execute(_HOME, {"wanted": fingerprint}).one_or_none()
        except SQLAlchemyError as error:
            raise fault_of(error) from error
        if row is None:
            return None
        return TenantId(row.tenant), None if row.site is None else SiteId(row.site)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
