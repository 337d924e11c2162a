"""Turn the nouns of the ledger into rows and back.

Layer: edges. Takes: accounts, lots, transactions, or rows. Gives: the other to sql_ledger.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.ids import TransactionId
from offers.model.loyalty.ledger import (
    Account,
    AccountId,
    AccountKind,
    LedgerTransaction,
    LedgerUnit,
    Lot,
    PostingReason,
    TransactionKind,
    Wallet,
)
from offers.model.loyalty.points import HistoryEntry, Referenced
from rtls.model.units import SiteId, UnixMs

Row = sa.Row[*tuple[object, ...]]


def row_of_account(account: Account) -> dict[str, object]:
    """Return the values of a new account's row."""
    return {
        "account_id": account.account,
        "kind": account.kind.value,
        "unit": account.unit,
        "site": account.site,
        "changes": 0,
        "debt_minor": 0,
        "campaign_id": account.campaign,
        "partner": account.partner,
    }


def row_of_transaction(entry: LedgerTransaction) -> dict[str, object]:
    """Return the values of the row; the sequence is the database's to give."""
    return {
        "transaction_id": entry.transaction,
        "wallet_id": entry.wallet.account,
        "kind": entry.kind.value,
        "reason": entry.reason.value,
        "site": entry.site,
        "amount_minor": entry.amount_minor,
        "debt_change_minor": entry.debt_change_minor,
        "at_ms": entry.at_ms,
        "reverses": entry.reverses,
    }


def row_of_lot(lot: Lot, *, wallet: AccountId) -> dict[str, object]:
    """Return the values of a new lot's row."""
    return {
        "lot_id": lot.lot,
        "account_id": wallet,
        "number": lot.number,
        "site": lot.site,
        "amount_minor": lot.amount_minor,
        "open_minor": lot.open_minor,
        "active_at_ms": lot.active_at_ms,
        "expires_at_ms": lot.expires_at_ms,
    }


def lot_of_row(row: Row) -> Lot:
    """Return the lot that the row holds."""
    return Lot(
        lot=TransactionId(row.lot_id),
        number=row.number,
        amount_minor=row.amount_minor,
        open_minor=row.open_minor,
        active_at_ms=UnixMs(row.active_at_ms),
        expires_at_ms=UnixMs(row.expires_at_ms),
        site=_site(row.site),
    )


def wallet_of_rows(account: Row, lots: Sequence[Row]) -> Wallet:
    """Return the wallet of an account's row and the rows of its open lots."""
    return Wallet(
        account=Account(
            account=AccountId(account.account_id),
            kind=AccountKind(account.kind),
            unit=LedgerUnit(account.unit),
        ),
        changes=account.changes,
        debt_minor=account.debt_minor,
        lots=tuple(lot_of_row(row) for row in lots),
    )


def referenced_of_row(row: Row) -> Referenced:
    """Return the transaction of a row that is joined with its reference and its wallet."""
    return Referenced(
        transaction=TransactionId(row.transaction_id),
        kind=TransactionKind(row.kind),
        reason=PostingReason(row.reason),
        wallet=Account(
            account=AccountId(row.account_id),
            kind=AccountKind(row.account_kind),
            unit=LedgerUnit(row.unit),
        ),
        site=_site(row.site),
        reverses=None if row.reverses is None else TransactionId(row.reverses),
        amount_minor=row.amount_minor,
        left_minor=row.left_minor,
    )


def history_entry_of_row(row: Row) -> HistoryEntry:
    """Return one line of a shopper's history."""
    return HistoryEntry(
        sequence=row.sequence,
        kind=TransactionKind(row.kind),
        reason=PostingReason(row.reason),
        unit=LedgerUnit(row.unit),
        at_ms=UnixMs(row.at_ms),
        change_minor=int(row.change_minor),
    )


def _site(name: str | None) -> SiteId | None:
    return None if name is None else SiteId(name)
