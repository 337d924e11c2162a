"""Take out of the wallets what has expired.

Layer: flow. Takes: the time. Gives: how many wallets were changed. Rules look at the clock
themselves, and every change of a wallet takes out first what is over: a late sweep makes nothing
spendable that has expired, it only tells the book later.
"""

from offers.handlers.loyalty.post_points import begin_change
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def expire_points(*, work: UnitOfWork, now_ms: UnixMs, limit: int) -> int:
    """Post the expiry of at most ``limit`` wallets; return of how many."""
    overdue = work.ledger.with_overdue(now_ms=now_ms, limit=limit)
    for account in overdue:
        begin_change(account, work=work, now_ms=now_ms)
    return len(overdue)
