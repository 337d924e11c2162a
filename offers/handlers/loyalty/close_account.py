"""Close the wallets of a shopper who is erased.

Layer: flow. Takes: a shopper. Gives: how many wallets were closed. A closing entry brings each to
zero; then the links to the shopper and to the causes are deleted. The book still adds up, and
nobody can tell whose wallet it was.
"""

from offers.handlers.loyalty.post_points import begin_change
from offers.loyalty.entry import closing_of
from offers.model.ids import ShopperId
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def close_account(shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs) -> int:
    """Bring every wallet of the shopper to zero and forget whose it was; return how many."""
    wallets = work.ledger.wallets_of(shopper)
    for found in wallets:
        account = found.account.account
        wallet = begin_change(account, work=work, now_ms=now_ms)
        closing = closing_of(wallet, now_ms=now_ms)
        if closing is not None:
            work.ledger.post(closing)
        work.ledger.close_wallet(account)
    return len(wallets)
