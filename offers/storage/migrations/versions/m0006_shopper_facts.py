"""Add what conditions ask about a shopper: facts, attributes, segments.

Layer: edges. Takes: a database of revision 0005. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _create_facts()
    _create_attributes()
    _create_memberships()
    _create_reviews()
    _create_levels()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_facts() -> None:
    op.create_table(
        "shopper_facts",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name="ck_shopper_facts_quantity"),
        sa.CheckConstraint(
            "amount_minor IS NULL OR amount_minor >= 0", name="ck_shopper_facts_amount"
        ),
        sa.CheckConstraint(
            "(amount_minor IS NULL) = (currency IS NULL)", name="ck_shopper_facts_currency"
        ),
        _refers("shopper_facts", "consent_id", "consents.consent_id"),
        _refers("shopper_facts", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_shopper_facts"),
        sa.UniqueConstraint(
            "shopper_id", "kind", "reference", name="uq_shopper_facts_shopper_id_kind_reference"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_shopper_facts_kind_shopper_id_at_ms", "shopper_facts", ["kind", "shopper_id", "at_ms"]
    )
    op.create_index(
        "ix_shopper_facts_places",
        "shopper_facts",
        ["at_ms"],
        sqlite_where=sa.text("kind || '' IN ('dwell', 'visit')"),
        postgresql_where=sa.text("kind || '' IN ('dwell', 'visit')"),
    )
    op.create_index("ix_shopper_facts_at_ms", "shopper_facts", ["at_ms"])


def _create_attributes() -> None:
    op.create_table(
        "shopper_attributes",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        _refers("shopper_attributes", "consent_id", "consents.consent_id"),
        _refers("shopper_attributes", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", "name", "value", name="pk_shopper_attributes"),
    )
    op.create_index("ix_shopper_attributes_name_value", "shopper_attributes", ["name", "value"])


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("left_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "left_at_ms IS NULL OR left_at_ms >= entered_at_ms", name="ck_memberships_lasts"
        ),
        _refers("memberships", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_memberships"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_memberships_site_segment_left_at_ms",
        "memberships",
        ["site", "segment", "left_at_ms"],
    )
    op.create_index("ix_memberships_left_at_ms", "memberships", ["left_at_ms"])
    op.create_index(
        "uq_memberships_open",
        "memberships",
        ["shopper_id", "site"],
        unique=True,
        sqlite_where=sa.text("left_at_ms IS NULL"),
        postgresql_where=sa.text("left_at_ms IS NULL"),
    )


def _create_reviews() -> None:
    op.create_table(
        "segment_reviews",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("levels_seen", sa.BigInteger(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=True),
        _refers("segment_reviews", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", "site", name="pk_segment_reviews"),
    )
    op.create_index("ix_segment_reviews_due_at_ms", "segment_reviews", ["due_at_ms"])
    op.create_index(
        "ix_segment_reviews_site_levels_seen", "segment_reviews", ["site", "levels_seen"]
    )


def _create_levels() -> None:
    op.create_table(
        "segment_levels",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("high_value_minor", sa.BigInteger(), nullable=False),
        sa.Column("looked_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "number >= 1 AND high_value_minor >= 1", name="ck_segment_levels_counts"
        ),
        sa.PrimaryKeyConstraint("site", "number", name="pk_segment_levels"),
    )
