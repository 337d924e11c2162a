"""Let the staff sign in: users with passwords, and credentials that expire.

Layer: edges. Takes: a database of revision 0017. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the users, and what tells a session from a key."""
    op.create_table(
        "staff_users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_staff_users"),
    )
    op.add_column("credentials", sa.Column("staff_name", sa.Text(), nullable=True))
    op.add_column("credentials", sa.Column("expires_at_ms", sa.BigInteger(), nullable=True))
    op.create_index("ix_credentials_staff_name", "credentials", ["staff_name"])
