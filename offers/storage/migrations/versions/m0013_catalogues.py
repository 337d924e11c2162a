"""Keep what the sites sell.

Layer: edges. Takes: a database of revision 0012. Gives: the table as it was at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of catalogues."""
    op.create_table(
        "catalogues",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("products", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("revision >= 1", name="ck_catalogues_revision"),
        sa.CheckConstraint("products >= 1", name="ck_catalogues_products"),
        sa.PrimaryKeyConstraint("site", name="pk_catalogues"),
    )
