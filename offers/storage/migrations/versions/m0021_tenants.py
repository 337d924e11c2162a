"""Let one PostgreSQL database serve many tenants, none of which sees or meets another.

Layer: edges. Takes: a database of revision 0020. Gives: the tables as they were at this revision.
What is there belongs to the tenant "default" from now on. A file of SQLite stays as it is: it holds
one tenant, and its place on the disk is what keeps it apart.
"""

import sqlalchemy as sa
from alembic import op

from offers.model.errors import StorageError
from offers.model.ids import ONLY_TENANT
from offers.storage.tenancy import (
    SETTING,
    TENANTS,
    drop_lookups,
    give_tenant,
    make_lookups,
    open_to_owner,
    tables_of_tenants,
    take_tenant,
)

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the tenant into every table and key, and a policy on every table."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    give_tenant(connection, tables_of_tenants(connection), rows_of=ONLY_TENANT)
    op.create_table(TENANTS, sa.Column("added_at_ms", sa.BigInteger(), nullable=False))
    give_tenant(connection, [TENANTS], rows_of=ONLY_TENANT)
    op.create_primary_key("pk_tenants", TENANTS, ["tenant"])
    connection.execute(sa.select(sa.func.set_config(SETTING, ONLY_TENANT, True)))
    op.execute(sa.text("INSERT INTO tenants (added_at_ms) VALUES (0)"))
    make_lookups(connection)


def downgrade() -> None:
    """Take the tenant out again.

    Raises
    ------
    StorageError
        If another tenant than "default" has been added: its rows would be that one's.
    """
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    open_to_owner(connection)
    others = connection.scalars(
        sa.text("SELECT tenant FROM tenants WHERE tenant <> :only"), {"only": ONLY_TENANT}
    ).all()
    if others:
        raise StorageError(
            f"the database serves {len(others)} more tenants, e.g. {others[0]!r}; expected "
            f"{ONLY_TENANT!r} alone. Give each of them a database of its own first."
        )
    drop_lookups(connection)
    op.drop_table(TENANTS)
    take_tenant(connection, tables_of_tenants(connection), rows_of=ONLY_TENANT)
