"""Undo earnings and spendings, in whole or in part, when goods come back.

Layer: flow. Takes: the transaction and how much of it. Gives: `Reversed`. Nothing is edited: a
reversal is a transaction of its own, and together they never exceed what they reverse.
"""

from collections.abc import Callable

from offers.handlers.loyalty.post_points import begin_change, check_same, post_and_tell
from offers.loyalty import entry
from offers.model.errors import NotFound, ReferenceReused, WrongState
from offers.model.ids import TransactionId
from offers.model.loyalty.ledger import LedgerTransaction, PostingReason, TransactionKind, Wallet
from offers.model.loyalty.points import Referenced, Reversed
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def claw_back(
    transaction: TransactionId,
    amount_minor: int,
    *,
    reference: str,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> Reversed:
    """Take a part of an earning back; what is not there any more becomes a debt.

    Parameters
    ----------
    transaction
        The earning.
    amount_minor
        How much of it; at least 1.
    reference
        Names the cause, e.g. the return; the same cause takes back once for each unit.
    work, now_ms
        The transaction and the time.

    It raises `NotFound` if there is no such earning, or the shopper has been erased;
    `WrongState` if less than ``amount_minor`` of it is left; `ReferenceReused` if the cause has
    reversed something else before; `Busy`, with nothing done, if another writer was faster.
    """
    earned = _of_kind(transaction, TransactionKind.EARN, work=work)

    def write(wallet: Wallet, current: Referenced) -> LedgerTransaction:
        return entry.clawback_of(
            wallet,
            current,
            amount_minor,
            reference=reference,
            expired_minor=work.ledger.expired_minor(transaction),
            now_ms=now_ms,
        )

    kind = TransactionKind.CLAW_BACK
    return _reverse(earned, amount_minor, kind, reference, write, work=work, now_ms=now_ms)


def give_back(
    transaction: TransactionId,
    amount_minor: int,
    *,
    reference: str,
    work: UnitOfWork,
    now_ms: UnixMs,
    grace_ms: int = entry.GRACE_MS,
    reason: PostingReason = PostingReason.RETURN,
) -> Reversed:
    """Return a part of a spending to the lots it came from.

    Parameters
    ----------
    transaction
        The spending.
    amount_minor
        How much of it; at least 1.
    reference
        Names the cause, e.g. the return; the same cause gives back once for each unit.
    work, now_ms
        The transaction and the time.
    grace_ms
        How long that lives whose lot has expired meanwhile.
    reason
        As the shopper reads it in the history.

    It raises `NotFound` if there is no such spending, or the shopper has been erased;
    `WrongState` if less than ``amount_minor`` of it is left; `ReferenceReused` if the cause has
    reversed something else before; `Busy`, with nothing done, if another writer was faster.
    """
    paid = _of_kind(transaction, TransactionKind.SPEND, work=work)

    def write(wallet: Wallet, current: Referenced) -> LedgerTransaction:
        return entry.giveback_of(
            wallet,
            current,
            amount_minor,
            spent=work.ledger.spent_lots(transaction),
            reference=reference,
            now_ms=now_ms,
            grace_ms=grace_ms,
            reason=reason,
        )

    kind = TransactionKind.GIVE_BACK
    return _reverse(paid, amount_minor, kind, reference, write, work=work, now_ms=now_ms)


def _of_kind(transaction: TransactionId, kind: TransactionKind, *, work: UnitOfWork) -> Referenced:
    found = work.ledger.of_transaction(transaction)
    if found is None or found.kind is not kind:
        raise NotFound(f"transaction {transaction}: expected one that did {kind}.")
    return found


def _reverse(
    found: Referenced,
    amount_minor: int,
    kind: TransactionKind,
    reference: str,
    write: Callable[[Wallet, Referenced], LedgerTransaction],
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> Reversed:
    wallet = begin_change(found.wallet.account, work=work, now_ms=now_ms)
    known = work.ledger.of_reference(kind, wallet.account.unit, reference)
    if known is not None:
        check_same(known, wallet.account.account, amount_minor)
        if known.reverses != found.transaction:
            raise ReferenceReused(
                f"{reference!r} has reversed {known.reverses}; expected {found.transaction}. Give "
                "each return a reference of its own."
            )
        return Reversed(
            transaction=known.transaction, amount_minor=known.amount_minor, is_new=False
        )
    # Read again: only since the change has begun does nobody else reverse it.
    current = work.ledger.of_transaction(found.transaction)
    if current is None:
        raise NotFound(f"transaction {found.transaction}: its wallet has just been closed.")
    if not 1 <= amount_minor <= current.left_minor:
        raise WrongState(
            f"transaction {found.transaction}: {current.left_minor} of {current.amount_minor} are "
            f"left to reverse; expected 1 to that many, not {amount_minor}."
        )
    posted = write(wallet, current)
    post_and_tell(posted, work=work, now_ms=now_ms)
    return Reversed(transaction=posted.transaction, amount_minor=amount_minor, is_new=True)
