"""Let partners bear a part of what campaigns cost, and settle with them.

Layer: edges. Takes: a database of revision 0011. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns of partners, and the tables of their settlements."""
    op.add_column("budgets", sa.Column("partner", sa.Text(), nullable=True))
    op.add_column("ledger_accounts", sa.Column("campaign_id", sa.Text(), nullable=True))
    op.add_column("ledger_accounts", sa.Column("partner", sa.Text(), nullable=True))
    op.create_index("ix_ledger_accounts_partner_site", "ledger_accounts", ["partner", "site"])
    _create_funded_lines()
    _create_settlements()
    _create_settlement_lines()


def _create_funded_lines() -> None:
    op.create_table(
        "funded_lines",
        sa.Column("redemption_id", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("worth_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("worth_minor > 0", name="ck_funded_lines_worth"),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["redemptions.redemption_id"],
            name="fk_funded_lines_redemption_id",
        ),
        sa.PrimaryKeyConstraint("redemption_id", "line", name="pk_funded_lines"),
    )


def _create_settlements() -> None:
    op.create_table(
        "partner_settlements",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("corrects", sa.BigInteger(), nullable=True),
        sa.Column("from_day", sa.Text(), nullable=False),
        sa.Column("until_day", sa.Text(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("after_sequence", sa.BigInteger(), nullable=False),
        sa.Column("through_sequence", sa.BigInteger(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1", name="ck_partner_settlements_number"),
        sa.CheckConstraint(
            "corrects IS NULL OR corrects < number", name="ck_partner_settlements_corrects"
        ),
        sa.CheckConstraint("until_ms > from_ms", name="ck_partner_settlements_period"),
        sa.CheckConstraint(
            "through_sequence >= after_sequence", name="ck_partner_settlements_sequences"
        ),
        sa.PrimaryKeyConstraint("site", "partner", "number", name="pk_partner_settlements"),
    )


def _create_settlement_lines() -> None:
    names = ["site", "partner", "number"]
    op.create_table(
        "partner_settlement_lines",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("charged_minor", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "charged_minor >= 0 AND taken_back_minor >= 0",
            name="ck_partner_settlement_lines_amounts",
        ),
        sa.ForeignKeyConstraint(
            names,
            [f"partner_settlements.{name}" for name in names],
            name="fk_partner_settlement_lines_site_partner_number",
        ),
        sa.PrimaryKeyConstraint(
            *names, "campaign_id", "currency", name="pk_partner_settlement_lines"
        ),
    )
