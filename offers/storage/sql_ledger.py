"""Keep the book of points and cashback in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Ledger`.

`begin_change` counts the wallet's changes by an UPDATE: on PostgreSQL it holds the row until the
commit, so that changes of one wallet come one after the other; on SQLite there is one writer
anyway. What a lot, a debt or a reversal may still give is a conditional UPDATE with a CHECK behind
it, nevertheless: a handler that forgot to begin would be refused, not believed.
"""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from offers.model.errors import Busy
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
from offers.storage.insert_once import insert_once
from offers.storage.ledger_rows import (
    history_entry_of_row,
    lot_of_row,
    referenced_of_row,
    row_of_account,
    row_of_lot,
    row_of_transaction,
    wallet_of_rows,
)
from offers.storage.tables import (
    LEDGER_ACCOUNTS,
    LEDGER_ALLOCATIONS,
    LEDGER_LOTS,
    LEDGER_POSTINGS,
    LEDGER_REFERENCES,
    LEDGER_TRANSACTIONS,
    WALLETS,
)
from rtls.model.units import UnixMs

_ADD_LEDGER_ALLOCATIONS = sa.insert(LEDGER_ALLOCATIONS)
_ADD_LEDGER_LOTS = sa.insert(LEDGER_LOTS)
_ADD_LEDGER_POSTINGS = sa.insert(LEDGER_POSTINGS)
_ADD_LEDGER_TRANSACTIONS = sa.insert(LEDGER_TRANSACTIONS)
_A = LEDGER_ACCOUNTS.c
_T = LEDGER_TRANSACTIONS.c
_R = LEDGER_REFERENCES.c
_L = LEDGER_LOTS.c
_X = LEDGER_ALLOCATIONS.c
_P = LEDGER_POSTINGS.c
_MINOR: Final = sa.BigInteger

_WALLET_OF = sa.select(WALLETS.c.account_id).where(
    WALLETS.c.shopper_id == sa.bindparam("shopper"), WALLETS.c.unit == sa.bindparam("of_unit")
)
_HOLDER_OF = sa.select(WALLETS.c.shopper_id).where(WALLETS.c.account_id == sa.bindparam("wallet"))
_ACCOUNTS_OF = (
    sa.select(LEDGER_ACCOUNTS)
    .join_from(WALLETS, LEDGER_ACCOUNTS, WALLETS.c.account_id == _A.account_id)
    .where(WALLETS.c.shopper_id == sa.bindparam("shopper"))
    .order_by(WALLETS.c.unit)
)
_ACCOUNT = sa.select(LEDGER_ACCOUNTS).where(_A.account_id == sa.bindparam("account"))
_BEGIN = (
    sa.update(LEDGER_ACCOUNTS)
    .where(_A.account_id == sa.bindparam("account"))
    .values(changes=_A.changes + 1)
)
_OPEN_LOTS = sa.select(LEDGER_LOTS).where(
    _L.account_id == sa.bindparam("account"), _L.open_minor > 0
)
_OVERDUE = (
    sa.select(_L.account_id)
    .where(_L.open_minor > 0, _L.expires_at_ms <= sa.bindparam("now_ms"))
    .distinct()
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_AMOUNT = sa.bindparam("amount", type_=_MINOR)
_TAKE = (
    sa.update(LEDGER_LOTS)
    .where(
        _L.lot_id == sa.bindparam("lot"),
        _L.open_minor >= _AMOUNT,
        _L.open_minor - _AMOUNT <= _L.amount_minor,
    )
    .values(open_minor=_L.open_minor - _AMOUNT)
)
_CHANGE_DEBT = (
    sa.update(LEDGER_ACCOUNTS)
    .where(_A.account_id == sa.bindparam("account"), _A.debt_minor + _AMOUNT >= 0)
    .values(debt_minor=_A.debt_minor + _AMOUNT)
)
_COUNT_REVERSED = (
    sa.update(LEDGER_REFERENCES)
    .where(_R.transaction_id == sa.bindparam("reversed"), _R.left_minor >= _AMOUNT)
    .values(left_minor=_R.left_minor - _AMOUNT)
)
_REFERENCED = sa.select(
    LEDGER_TRANSACTIONS, _R.left_minor, _A.unit, _A.account_id, _A.kind.label("account_kind")
).select_from(
    LEDGER_REFERENCES.join(LEDGER_TRANSACTIONS, _T.transaction_id == _R.transaction_id).join(
        LEDGER_ACCOUNTS, _A.account_id == _T.wallet_id
    )
)
_OF_REFERENCE = _REFERENCED.where(
    _R.kind == sa.bindparam("of_kind"),
    _R.unit == sa.bindparam("of_unit"),
    _R.reference == sa.bindparam("of_reference"),
)
_OF_TRANSACTION = _REFERENCED.where(_R.transaction_id == sa.bindparam("transaction"))
_SPENT_LOTS = (
    sa.select(LEDGER_LOTS, _X.amount_minor.label("taken_minor"))
    .join_from(LEDGER_ALLOCATIONS, LEDGER_LOTS, _L.lot_id == _X.lot_id)
    .where(_X.transaction_id == sa.bindparam("transaction"))
)
_EXPIRED_OF_LOT = (
    sa.select(sa.func.coalesce(sa.func.sum(_X.amount_minor), 0))
    .join_from(LEDGER_ALLOCATIONS, LEDGER_TRANSACTIONS, _T.transaction_id == _X.transaction_id)
    .where(_X.lot_id == sa.bindparam("lot"), _T.kind == TransactionKind.EXPIRE.value)
)
# A clawback that takes less from the wallet than its amount has taken the rest from what expired.
_CLAWED_FROM_EXPIRED = (
    sa.select(
        sa.func.coalesce(sa.func.sum(_T.amount_minor + sa.func.coalesce(_P.amount_minor, 0)), 0)
    )
    .select_from(
        LEDGER_TRANSACTIONS.outerjoin(
            LEDGER_POSTINGS,
            sa.and_(_P.transaction_id == _T.transaction_id, _P.account_id == _T.wallet_id),
        )
    )
    .where(_T.reverses == sa.bindparam("lot"))
)
_CUT_LINK = sa.delete(WALLETS).where(WALLETS.c.account_id == sa.bindparam("account"))
_CUT_REFERENCES = sa.delete(LEDGER_REFERENCES).where(
    _R.transaction_id.in_(
        sa.select(_T.transaction_id).where(_T.wallet_id == sa.bindparam("account"))
    )
)
_HISTORY = (
    sa.select(
        LEDGER_TRANSACTIONS,
        WALLETS.c.unit,
        sa.func.coalesce(_P.amount_minor, 0).label("change_minor"),
    )
    .select_from(
        WALLETS.join(LEDGER_TRANSACTIONS, _T.wallet_id == WALLETS.c.account_id).outerjoin(
            LEDGER_POSTINGS,
            sa.and_(_P.transaction_id == _T.transaction_id, _P.account_id == _T.wallet_id),
        )
    )
    .where(
        WALLETS.c.shopper_id == sa.bindparam("shopper"),
        _T.sequence < sa.bindparam("before"),
    )
    .order_by(_T.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


class SqlLedger:
    """Wallets and what moved them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        dialect = connection.dialect.name
        self._insert_account = insert_once(LEDGER_ACCOUNTS, dialect)
        self._insert_link = insert_once(WALLETS, dialect)
        self._insert_reference = insert_once(LEDGER_REFERENCES, dialect)

    def open_wallet(self, shopper: ShopperId, wallet: Account) -> bool:
        """Give the shopper an empty wallet; False where there is one of this unit already."""
        self._connection.execute(self._insert_account, row_of_account(wallet))
        link = {"shopper_id": shopper, "unit": wallet.unit, "account_id": wallet.account}
        return self._connection.execute(self._insert_link, link).rowcount == 1

    def wallet_of(self, shopper: ShopperId, unit: LedgerUnit) -> AccountId | None:
        """Return the name of the shopper's wallet, or None."""
        given = {"shopper": shopper, "of_unit": unit}
        found = self._connection.execute(_WALLET_OF, given).scalar_one_or_none()
        return None if found is None else AccountId(found)

    def wallets_of(self, shopper: ShopperId) -> tuple[Wallet, ...]:
        """Return all wallets of the shopper with their open lots, by unit."""
        accounts = self._connection.execute(_ACCOUNTS_OF, {"shopper": shopper}).all()
        return tuple(self._wallet(row) for row in accounts)

    def holder_of(self, wallet: AccountId) -> ShopperId | None:
        """Return whose wallet it is; None once the shopper is erased."""
        found = self._connection.execute(_HOLDER_OF, {"wallet": wallet}).scalar_one_or_none()
        return None if found is None else ShopperId(found)

    def begin_change(self, wallet: AccountId) -> Wallet:
        """Count one more change of the wallet, which makes all others wait, and return it."""
        is_there = self._connection.execute(_BEGIN, {"account": wallet}).rowcount == 1
        assert is_there
        return self._wallet(self._connection.execute(_ACCOUNT, {"account": wallet}).one())

    def with_overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[AccountId, ...]:
        """Return wallets with open lots whose time is over."""
        rows = self._connection.execute(_OVERDUE, {"now_ms": now_ms, "most": limit})
        return tuple(AccountId(row.account_id) for row in rows)

    def post(self, entry: LedgerTransaction) -> None:
        """Write a transaction, and what follows for lots, debt and what it reverses."""
        self._connection.execute(_ADD_LEDGER_TRANSACTIONS, row_of_transaction(entry))
        self._note_reference(entry)
        self._note_postings(entry)
        self._move_lots(entry)
        if entry.debt_change_minor:
            given = {"account": entry.wallet.account, "amount": entry.debt_change_minor}
            self._check(_CHANGE_DEBT, given, what=f"the debt of {entry.transaction}")
        if entry.reverses is not None:
            given = {"reversed": entry.reverses, "amount": entry.amount_minor}
            self._check(_COUNT_REVERSED, given, what=f"what is left of {entry.reverses}")

    def of_reference(
        self, kind: TransactionKind, unit: LedgerUnit, reference: str
    ) -> Referenced | None:
        """Return what the cause has moved already, or None."""
        given = {"of_kind": kind.value, "of_unit": unit, "of_reference": reference}
        row = self._connection.execute(_OF_REFERENCE, given).one_or_none()
        return None if row is None else referenced_of_row(row)

    def of_transaction(self, transaction: TransactionId) -> Referenced | None:
        """Return the transaction as its cause knows it; None: unknown, or its wallet is closed."""
        given = {"transaction": transaction}
        row = self._connection.execute(_OF_TRANSACTION, given).one_or_none()
        return None if row is None else referenced_of_row(row)

    def spent_lots(self, spending: TransactionId) -> tuple[SpentLot, ...]:
        """Return which lots a spending used."""
        rows = self._connection.execute(_SPENT_LOTS, {"transaction": spending})
        return tuple(SpentLot(lot=lot_of_row(row), amount_minor=row.taken_minor) for row in rows)

    def expired_minor(self, earning: TransactionId) -> int:
        """Return what of an earning has expired and has not been counted by a clawback."""
        given = {"lot": earning}
        expired = int(self._connection.execute(_EXPIRED_OF_LOT, given).scalar_one())
        if expired == 0:
            return 0
        return expired - int(self._connection.execute(_CLAWED_FROM_EXPIRED, given).scalar_one())

    def close_wallet(self, wallet: AccountId) -> None:
        """Cut the wallet's link to its shopper, and its transactions' links to their causes."""
        self._connection.execute(_CUT_LINK, {"account": wallet})
        self._connection.execute(_CUT_REFERENCES, {"account": wallet})

    def history_of(
        self, shopper: ShopperId, *, before: int, limit: int
    ) -> tuple[HistoryEntry, ...]:
        """Return what moved the shopper's wallets before the cursor, newest first."""
        given = {"shopper": shopper, "before": before, "most": limit}
        return tuple(history_entry_of_row(row) for row in self._connection.execute(_HISTORY, given))

    def _wallet(self, account: sa.Row[*tuple[object, ...]]) -> Wallet:
        lots = self._connection.execute(_OPEN_LOTS, {"account": account.account_id})
        return wallet_of_rows(account, lots.all())

    def _note_reference(self, entry: LedgerTransaction) -> None:
        if entry.reference is None:
            return
        row = {
            "kind": entry.kind.value,
            "unit": entry.wallet.unit,
            "reference": entry.reference,
            "transaction_id": entry.transaction,
            "amount_minor": entry.amount_minor,
            "left_minor": entry.amount_minor,
        }
        self._check(self._insert_reference, row, what=f"the reference {entry.reference!r}")

    def _note_postings(self, entry: LedgerTransaction) -> None:
        issuers = [p.account for p in entry.postings if p.account != entry.wallet]
        rows = [row_of_account(account) for account in issuers]
        self._connection.execute(self._insert_account, rows)
        self._connection.execute(
            _ADD_LEDGER_POSTINGS,
            [
                {
                    "transaction_id": entry.transaction,
                    "account_id": posting.account.account,
                    "amount_minor": posting.amount_minor,
                }
                for posting in entry.postings
            ],
        )

    def _move_lots(self, entry: LedgerTransaction) -> None:
        if entry.lot is not None:
            row = row_of_lot(entry.lot, wallet=entry.wallet.account)
            self._connection.execute(_ADD_LEDGER_LOTS, row)
        for allocation in entry.allocations:
            if entry.lot is None or allocation.lot != entry.lot.lot:  # its own came in with it
                given = {"lot": allocation.lot, "amount": allocation.amount_minor}
                self._check(_TAKE, given, what=f"lot {allocation.lot}")
        rows = [
            {
                "transaction_id": entry.transaction,
                "lot_id": allocation.lot,
                "amount_minor": allocation.amount_minor,
            }
            for allocation in entry.allocations
        ]
        if rows:
            self._connection.execute(_ADD_LEDGER_ALLOCATIONS, rows)

    def _check(
        self, step: sa.Update | sa.Insert, given: Mapping[str, object], *, what: str
    ) -> None:
        if self._connection.execute(step, given).rowcount != 1:
            raise Busy(f"{what} has just changed; expected what was read before. Try again.")
