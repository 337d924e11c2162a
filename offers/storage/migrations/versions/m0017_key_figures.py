"""Keep the daily totals of the tills, and the alerts of key figures.

Layer: edges. Takes: a database of revision 0016. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "till_days",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("receipts", sa.BigInteger(), nullable=False),
        sa.Column("sales_minor", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "number >= 1 AND number <= 100 AND receipts >= 0 AND sales_minor >= 0",
            name="ck_till_days_counts",
        ),
        sa.PrimaryKeyConstraint("site", "day", "currency", "number", name="pk_till_days"),
    )
    op.create_table(
        "kpi_alerts",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("kpi", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("found_week", sa.Text(), nullable=False),
        sa.Column("since_week", sa.Text(), nullable=False),
        sa.Column("before_millionths", sa.BigInteger(), nullable=False),
        sa.Column("after_millionths", sa.BigInteger(), nullable=False),
        sa.Column("noted_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_kpi_alerts"),
        sa.UniqueConstraint(
            "site",
            "kpi",
            "direction",
            "found_week",
            name="uq_kpi_alerts_site_kpi_direction_found_week",
        ),
        sqlite_autoincrement=True,
    )
