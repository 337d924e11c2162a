"""Keep the book of points and cashback: append transactions, know what is open.

Layer: ports. Takes: nouns. Gives: `Ledger` to storage.
"""

from typing import Protocol

from offers.model.ids import ShopperId, TransactionId
from offers.model.loyalty.ledger import (
    Account,
    AccountId,
    LedgerTransaction,
    LedgerUnit,
    TransactionKind,
    Wallet,
)
from offers.model.loyalty.points import HistoryEntry, Referenced, SpentLot
from rtls.model.units import UnixMs


class Ledger(Protocol):
    """Wallets and what moved them. Transactions are added, and never changed or deleted."""

    def open_wallet(self, shopper: ShopperId, wallet: Account) -> bool:
        """Give the shopper an empty wallet; False where there is one of this unit already."""
        ...

    def wallet_of(self, shopper: ShopperId, unit: LedgerUnit) -> AccountId | None:
        """Return the name of the shopper's wallet, or None."""
        ...

    def wallets_of(self, shopper: ShopperId) -> tuple[Wallet, ...]:
        """Return all wallets of the shopper with their open lots, by unit."""
        ...

    def holder_of(self, wallet: AccountId) -> ShopperId | None:
        """Return whose wallet it is; None once the shopper is erased."""
        ...

    def begin_change(self, wallet: AccountId) -> Wallet:
        """Count one more change of the wallet, which makes all others wait, and return it."""
        ...

    def with_overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[AccountId, ...]:
        """Return wallets with open lots whose time is over."""
        ...

    def post(self, entry: LedgerTransaction) -> None:
        """Write a transaction, and what follows for lots, debt and what it reverses.

        Raises
        ------
        Busy
            If the reference has just been used, or a lot, the debt or the reversed transaction no
            longer holds what the entry takes from it.
        """
        ...

    def of_reference(
        self, kind: TransactionKind, unit: LedgerUnit, reference: str
    ) -> Referenced | None:
        """Return what the cause has moved already, or None."""
        ...

    def of_transaction(self, transaction: TransactionId) -> Referenced | None:
        """Return the transaction as its cause knows it; None: unknown, or its wallet is closed."""
        ...

    def spent_lots(self, spending: TransactionId) -> tuple[SpentLot, ...]:
        """Return which lots a spending used."""
        ...

    def expired_minor(self, earning: TransactionId) -> int:
        """Return what of an earning has expired and has not been counted by a clawback."""
        ...

    def close_wallet(self, wallet: AccountId) -> None:
        """Cut the wallet's link to its shopper, and its transactions' links to their causes."""
        ...

    def history_of(
        self, shopper: ShopperId, *, before: int, limit: int
    ) -> tuple[HistoryEntry, ...]:
        """Return what moved the shopper's wallets before the cursor, newest first."""
        ...
