"""Add programmes and tiers.

Layer: edges. Takes: a database of revision 0008. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, those first that others refer to."""
    _create_programme_revisions()
    _create_shopper_tiers()
    _create_tier_changes()
    _create_tier_credits()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_programme_revisions() -> None:
    op.create_table(
        "programme_revisions",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("revision >= 1", name="ck_programme_revisions_revision"),
        sa.PrimaryKeyConstraint("site", "revision", name="pk_programme_revisions"),
    )


def _create_shopper_tiers() -> None:
    op.create_table(
        "shopper_tiers",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("due_at_ms", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("reviews", sa.BigInteger(), autoincrement=False, nullable=False),
        _refers("shopper_tiers", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", "site", name="pk_shopper_tiers"),
    )
    op.create_index("ix_shopper_tiers_due_at_ms", "shopper_tiers", ["due_at_ms"], unique=False)
    op.create_index("ix_shopper_tiers_site_tier", "shopper_tiers", ["site", "tier"], unique=False)


def _create_tier_changes() -> None:
    op.create_table(
        "tier_changes",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("tier_before", sa.Text(), nullable=True),
        sa.Column("tier_after", sa.Text(), nullable=True),
        sa.Column("is_up", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        _refers("tier_changes", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_tier_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_tier_changes_shopper_id_sequence",
        "tier_changes",
        ["shopper_id", "sequence"],
        unique=False,
    )


def _create_tier_credits() -> None:
    op.create_table(
        "tier_credits",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("bought_at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        _refers("tier_credits", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_tier_credits"),
        sa.UniqueConstraint("site", "reference", name="uq_tier_credits_site_reference"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_tier_credits_shopper_id_site_bought_at_ms",
        "tier_credits",
        ["shopper_id", "site", "bought_at_ms"],
        unique=False,
    )
