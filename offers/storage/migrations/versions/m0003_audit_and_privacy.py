"""Add the audit chain and what privacy needs.

Layer: edges. Takes: a database of revision 0002. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, those first that others refer to."""
    _create_audit()
    _create_erasures()
    _create_suspensions()
    _create_minors()
    _create_consent_texts()
    _let_rows_outlive_their_shopper()


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("actor_ref", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("sequence >= 1", name="ck_audit_sequence"),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
        sa.UniqueConstraint("previous", name="uq_audit_previous"),
    )
    op.create_index("ix_audit_subject_sequence", "audit", ["subject", "sequence"], unique=False)


def _create_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_erasures"),
    )


def _create_suspensions() -> None:
    op.create_table(
        "suspensions",
        sa.Column("suspension_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_credential", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("appeal", sa.Text(), nullable=True),
        sa.Column("appealed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(appeal IS NULL) = (appealed_at_ms IS NULL)", name="ck_suspensions_appeal"
        ),
        sa.ForeignKeyConstraint(
            ["shopper_id"], ["shoppers.shopper_id"], name="fk_suspensions_shopper_id"
        ),
        sa.PrimaryKeyConstraint("suspension_id", name="pk_suspensions"),
    )
    op.create_index(
        "ix_suspensions_site_lifted_at_ms", "suspensions", ["site", "lifted_at_ms"], unique=False
    )
    op.create_index(
        "uq_suspensions_shopper_open",
        "suspensions",
        ["shopper_id"],
        unique=True,
        sqlite_where=sa.text("lifted_at_ms IS NULL"),
        postgresql_where=sa.text("lifted_at_ms IS NULL"),
    )


def _create_minors() -> None:
    op.create_table(
        "minors",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("of_age_on", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shopper_id"], ["shoppers.shopper_id"], name="fk_minors_shopper_id"
        ),
        sa.PrimaryKeyConstraint("shopper_id", name="pk_minors"),
    )


def _create_consent_texts() -> None:
    op.create_table(
        "consent_texts",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", "locale", name="pk_consent_texts"),
    )
    op.add_column("consents", sa.Column("text_sha256", sa.Text(), nullable=True))


def _let_rows_outlive_their_shopper() -> None:
    # SQLite cannot change a column: the table is made anew and filled from the old one.
    with op.batch_alter_table("redemptions") as table:
        for name in ("coupon_id", "offer_id", "shopper_id"):
            table.alter_column(name, existing_type=sa.Text(), nullable=True)
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("shopper_id", existing_type=sa.Text(), nullable=True)
