"""Lay down the tables of the ledger: accounts, transactions, postings, lots, allocations.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.

Two tables alone tie the book to a person: `wallets`, and `ledger_references`, which names causes.
Erasure deletes their rows; what stays names nobody. `ledger_transactions`, `ledger_postings` and
`ledger_allocations` are only ever added to: there is no statement that changes or deletes a row.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, sequence, text

LEDGER_ACCOUNTS: Final = sa.Table(
    "ledger_accounts",
    METADATA,
    key("account_id", primary=True),
    text("kind", DataClass.BUSINESS),
    text("unit", DataClass.BUSINESS),
    text("site", DataClass.BUSINESS, nullable=True),
    number("changes", DataClass.BUSINESS),
    number("debt_minor", DataClass.BUSINESS),
    # Of the accounts of a campaign's cost alone.
    text("campaign_id", DataClass.BUSINESS, nullable=True),
    text("partner", DataClass.BUSINESS, nullable=True),
    sa.CheckConstraint("debt_minor >= 0", name="debt"),
    sa.Index(None, "partner", "site"),
)

WALLETS: Final = sa.Table(
    "wallets",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("unit", DataClass.BEHAVIOUR),
    key("account_id", sa.ForeignKey("ledger_accounts.account_id")),
    sa.PrimaryKeyConstraint("shopper_id", "unit"),
    sa.UniqueConstraint("account_id"),
)

LEDGER_TRANSACTIONS: Final = sa.Table(
    "ledger_transactions",
    METADATA,
    sequence(),
    key("transaction_id"),
    key("wallet_id", sa.ForeignKey("ledger_accounts.account_id")),
    text("kind", DataClass.BUSINESS),
    text("reason", DataClass.BUSINESS),
    text("site", DataClass.BUSINESS, nullable=True),
    number("amount_minor", DataClass.BUSINESS),
    number("debt_change_minor", DataClass.BUSINESS),
    number("at_ms", DataClass.BUSINESS),
    key("reverses", sa.ForeignKey("ledger_transactions.transaction_id"), nullable=True),
    sa.UniqueConstraint("transaction_id"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.Index(None, "wallet_id", "sequence"),
    sa.Index(None, "reverses"),
    sqlite_autoincrement=True,
)

LEDGER_REFERENCES: Final = sa.Table(
    "ledger_references",
    METADATA,
    text("kind", DataClass.BUSINESS),
    text("unit", DataClass.BUSINESS),
    text("reference", DataClass.BEHAVIOUR),
    key("transaction_id", sa.ForeignKey("ledger_transactions.transaction_id")),
    number("amount_minor", DataClass.BUSINESS),
    # What has not been reversed: counted down by one conditional UPDATE.
    number("left_minor", DataClass.BUSINESS),
    sa.PrimaryKeyConstraint("kind", "unit", "reference"),
    sa.UniqueConstraint("transaction_id"),
    sa.CheckConstraint("left_minor >= 0 AND left_minor <= amount_minor", name="left"),
)

LEDGER_POSTINGS: Final = sa.Table(
    "ledger_postings",
    METADATA,
    key(
        "transaction_id",
        sa.ForeignKey("ledger_transactions.transaction_id"),
        primary=True,
    ),
    key("account_id", sa.ForeignKey("ledger_accounts.account_id"), primary=True),
    number("amount_minor", DataClass.BUSINESS),
    sa.CheckConstraint("amount_minor <> 0", name="amount"),
    sa.Index(None, "account_id"),
)

LEDGER_LOTS: Final = sa.Table(
    "ledger_lots",
    METADATA,
    key("lot_id", sa.ForeignKey("ledger_transactions.transaction_id"), primary=True),
    key("account_id", sa.ForeignKey("ledger_accounts.account_id")),
    number("number", DataClass.BUSINESS),
    text("site", DataClass.BUSINESS, nullable=True),
    number("amount_minor", DataClass.BUSINESS),
    number("open_minor", DataClass.BUSINESS),
    number("active_at_ms", DataClass.BUSINESS),
    number("expires_at_ms", DataClass.BUSINESS),
    sa.UniqueConstraint("account_id", "number"),
    sa.CheckConstraint("open_minor >= 0 AND open_minor <= amount_minor", name="open"),
    sa.CheckConstraint("expires_at_ms > active_at_ms", name="lasts"),
)
_IS_OPEN: Final = LEDGER_LOTS.c.open_minor > 0
sa.Index(
    "ix_ledger_lots_account_id_open",
    LEDGER_LOTS.c.account_id,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)
sa.Index(
    "ix_ledger_lots_expires_at_ms_open",
    LEDGER_LOTS.c.expires_at_ms,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)

LEDGER_ALLOCATIONS: Final = sa.Table(
    "ledger_allocations",
    METADATA,
    key(
        "transaction_id",
        sa.ForeignKey("ledger_transactions.transaction_id"),
        primary=True,
    ),
    key("lot_id", sa.ForeignKey("ledger_lots.lot_id"), primary=True),
    number("amount_minor", DataClass.BUSINESS),
    sa.CheckConstraint("amount_minor <> 0", name="amount"),
    sa.Index(None, "lot_id"),
)
