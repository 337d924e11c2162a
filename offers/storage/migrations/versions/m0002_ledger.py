"""Add the ledger of points and cashback.

Layer: edges. Takes: a database of revision 0001. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, those first that others refer to."""
    _create_ledger_accounts()
    _create_ledger_transactions()
    _create_wallets()
    _create_ledger_lots()
    _create_ledger_postings()
    _create_ledger_references()
    _create_ledger_allocations()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_ledger_accounts() -> None:
    op.create_table(
        "ledger_accounts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("changes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("debt_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.CheckConstraint("debt_minor >= 0", name="ck_ledger_accounts_debt"),
        sa.PrimaryKeyConstraint("account_id", name="pk_ledger_accounts"),
    )


def _create_ledger_transactions() -> None:
    op.create_table(
        "ledger_transactions",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("wallet_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("debt_change_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reverses", sa.Text(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name="ck_ledger_transactions_amount"),
        _refers("ledger_transactions", "reverses", "ledger_transactions.transaction_id"),
        _refers("ledger_transactions", "wallet_id", "ledger_accounts.account_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_ledger_transactions"),
        sa.UniqueConstraint("transaction_id", name="uq_ledger_transactions_transaction_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_ledger_transactions_reverses", "ledger_transactions", ["reverses"], unique=False
    )
    op.create_index(
        "ix_ledger_transactions_wallet_id_sequence",
        "ledger_transactions",
        ["wallet_id", "sequence"],
        unique=False,
    )


def _create_wallets() -> None:
    op.create_table(
        "wallets",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        _refers("wallets", "account_id", "ledger_accounts.account_id"),
        _refers("wallets", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", "unit", name="pk_wallets"),
        sa.UniqueConstraint("account_id", name="uq_wallets_account_id"),
    )


def _create_ledger_lots() -> None:
    op.create_table(
        "ledger_lots",
        sa.Column("lot_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("open_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("active_at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.CheckConstraint("expires_at_ms > active_at_ms", name="ck_ledger_lots_lasts"),
        sa.CheckConstraint(
            "open_minor >= 0 AND open_minor <= amount_minor", name="ck_ledger_lots_open"
        ),
        _refers("ledger_lots", "account_id", "ledger_accounts.account_id"),
        _refers("ledger_lots", "lot_id", "ledger_transactions.transaction_id"),
        sa.PrimaryKeyConstraint("lot_id", name="pk_ledger_lots"),
        sa.UniqueConstraint("account_id", "number", name="uq_ledger_lots_account_id_number"),
    )
    op.create_index(
        "ix_ledger_lots_account_id_open",
        "ledger_lots",
        ["account_id"],
        unique=False,
        sqlite_where=sa.text("open_minor > 0"),
        postgresql_where=sa.text("open_minor > 0"),
    )
    op.create_index(
        "ix_ledger_lots_expires_at_ms_open",
        "ledger_lots",
        ["expires_at_ms"],
        unique=False,
        sqlite_where=sa.text("open_minor > 0"),
        postgresql_where=sa.text("open_minor > 0"),
    )


def _create_ledger_postings() -> None:
    op.create_table(
        "ledger_postings",
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name="ck_ledger_postings_amount"),
        _refers("ledger_postings", "account_id", "ledger_accounts.account_id"),
        _refers("ledger_postings", "transaction_id", "ledger_transactions.transaction_id"),
        sa.PrimaryKeyConstraint("transaction_id", "account_id", name="pk_ledger_postings"),
    )
    op.create_index(
        "ix_ledger_postings_account_id", "ledger_postings", ["account_id"], unique=False
    )


def _create_ledger_references() -> None:
    op.create_table(
        "ledger_references",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("left_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.CheckConstraint(
            "left_minor >= 0 AND left_minor <= amount_minor", name="ck_ledger_references_left"
        ),
        _refers("ledger_references", "transaction_id", "ledger_transactions.transaction_id"),
        sa.PrimaryKeyConstraint("kind", "unit", "reference", name="pk_ledger_references"),
        sa.UniqueConstraint("transaction_id", name="uq_ledger_references_transaction_id"),
    )


def _create_ledger_allocations() -> None:
    op.create_table(
        "ledger_allocations",
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name="ck_ledger_allocations_amount"),
        _refers("ledger_allocations", "lot_id", "ledger_lots.lot_id"),
        _refers("ledger_allocations", "transaction_id", "ledger_transactions.transaction_id"),
        sa.PrimaryKeyConstraint("transaction_id", "lot_id", name="pk_ledger_allocations"),
    )
    op.create_index("ix_ledger_allocations_lot_id", "ledger_allocations", ["lot_id"], unique=False)
