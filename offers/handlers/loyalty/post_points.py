"""Let a shopper earn and spend points or cashback.

Layer: flow. Takes: an `Earning` or a `Spending`. Gives: `Earned`, `Spent`, or why nothing was
spent. The reference makes each happen once: the same purchase earns once for each unit, however
often it is told. What has expired is taken out first, whether or not the sweep has been there.
"""

from offers.handlers.messages.note_event import note_event
from offers.handlers.random_id import random_id
from offers.loyalty import entry
from offers.model.errors import Busy, ReferenceReused
from offers.model.ids import ShopperId
from offers.model.loyalty.ledger import (
    Account,
    AccountId,
    AccountKind,
    LedgerTransaction,
    LedgerUnit,
    TransactionKind,
    Wallet,
)
from offers.model.loyalty.points import Earned, Earning, LedgerRefusal, Referenced, Spending, Spent
from offers.model.messages.webhook import WebhookEventKind
from offers.model.outbox import OutboxKind
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def earn(
    shopper: ShopperId,
    earning: Earning,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Earned:
    """Write an earning; a debt is repaid from it first.

    Parameters
    ----------
    shopper
        Whose wallet grows; it is opened where there is none.
    earning
        What is earned. Its reference names the cause.
    work, now_ms, secrets
        The transaction, the time, the source of a new wallet's name.

    It raises `ReferenceReused` if the cause has earned before, and another amount, or for another
    shopper; `Busy`, with nothing done, if another writer was faster.
    """
    account = _wallet_for(shopper, earning.unit, work=work, secrets=secrets)
    wallet = begin_change(account, work=work, now_ms=now_ms)
    known = work.ledger.of_reference(TransactionKind.EARN, earning.unit, earning.reference)
    if known is not None:
        check_same(known, account, earning.amount_minor)
        return Earned(transaction=known.transaction, amount_minor=known.amount_minor, is_new=False)
    posted = entry.earn(wallet, earning, now_ms=now_ms)
    post_and_tell(posted, work=work, now_ms=now_ms)
    _tell(shopper, posted.transaction, earning.unit, earning.amount_minor, work=work, now_ms=now_ms)
    return Earned(transaction=posted.transaction, amount_minor=posted.amount_minor, is_new=True)


def spend(
    shopper: ShopperId,
    spending: Spending,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Spent | LedgerRefusal:
    """Write a spending from the lots that expire first, all of it or nothing.

    Parameters
    ----------
    shopper
        Who pays.
    spending
        What is spent. Its reference names the cause.
    work, now_ms, secrets
        The transaction, the time, the source of a new wallet's name.

    It raises `ReferenceReused` if the cause has spent before, and another amount, or of another
    shopper; `Busy`, with nothing done, if another writer was faster.
    """
    account = _wallet_for(shopper, spending.unit, work=work, secrets=secrets)
    wallet = begin_change(account, work=work, now_ms=now_ms)
    known = work.ledger.of_reference(TransactionKind.SPEND, spending.unit, spending.reference)
    if known is not None:
        check_same(known, account, spending.amount_minor)
        return Spent(transaction=known.transaction, amount_minor=known.amount_minor, is_new=False)
    posted = entry.spend(wallet, spending, now_ms=now_ms)
    if isinstance(posted, LedgerRefusal):
        return posted
    post_and_tell(posted, work=work, now_ms=now_ms)
    spent_minor = -spending.amount_minor
    _tell(shopper, posted.transaction, spending.unit, spent_minor, work=work, now_ms=now_ms)
    return Spent(transaction=posted.transaction, amount_minor=posted.amount_minor, is_new=True)


def _tell(
    shopper: ShopperId,
    transaction: str,
    unit: LedgerUnit,
    change_minor: int,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    note_event(
        WebhookEventKind.POINTS_CHANGED,
        subject=transaction,
        shopper=shopper,
        detail={"unit": str(unit), "change_minor": str(change_minor)},
        work=work,
        now_ms=now_ms,
    )


def begin_change(account: AccountId, *, work: UnitOfWork, now_ms: UnixMs) -> Wallet:
    """Return the wallet as nobody else can change it now, after what has expired is out of it."""
    wallet = work.ledger.begin_change(account)
    expired = entry.expiry_of(wallet, now_ms=now_ms)
    if expired is None:
        return wallet
    post_and_tell(expired, work=work, now_ms=now_ms)
    return wallet.without_overdue(now_ms)


def post_and_tell(posted: LedgerTransaction, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """Write a transaction into the book, and let the shopper's open apps know of it."""
    work.ledger.post(posted)
    holder = work.ledger.holder_of(posted.wallet.account)
    if holder is not None:
        work.outbox.add(
            OutboxKind.POINTS_CHANGED, shopper=holder, subject=posted.wallet.unit, at_ms=now_ms
        )


def check_same(known: Referenced, account: AccountId, amount_minor: int) -> None:
    """Refuse a cause that comes again with another wish.

    Raises
    ------
    ReferenceReused
        Unless account and amount are those of before.
    """
    if known.wallet.account != account or known.amount_minor != amount_minor:
        raise ReferenceReused(
            f"the cause has {known.kind} {known.amount_minor} in transaction {known.transaction}; "
            f"expected the same, not {amount_minor}. Give each cause a reference of its own."
        )


def _wallet_for(
    shopper: ShopperId, unit: LedgerUnit, *, work: UnitOfWork, secrets: SecretSource
) -> AccountId:
    found = work.ledger.wallet_of(shopper, unit)
    if found is not None:
        return found
    named = AccountId(random_id(secrets))
    account = Account(account=named, kind=AccountKind.WALLET, unit=unit)
    if not work.ledger.open_wallet(shopper, account):
        raise Busy("the shopper's wallet has just been opened by another request. Try again.")
    return named
