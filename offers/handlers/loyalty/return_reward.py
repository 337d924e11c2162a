"""Give the points of a reward back whose coupon has ended unused.

Layer: flow. Takes: an offer whose coupon has just been expired or revoked. Gives: what came back.
Call it in the transaction that ended the coupon: since a coupon ends once, either by a till or by
its end, points come back once or not at all.
"""

from offers.handlers.loyalty.reverse_points import give_back
from offers.model.campaigns.trigger import TriggerKind
from offers.model.loyalty.ledger import PostingReason, TransactionKind
from offers.model.loyalty.points import Referenced, Reversed
from offers.model.loyalty.reward import UnusedReward
from offers.model.offering.offer import Offer
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def reward_reference(offer: str) -> str:
    """Return what the ledger calls the exchange that brought this offer."""
    return f"offer:{offer}"


def return_reward(offer: Offer, *, work: UnitOfWork, now_ms: UnixMs) -> Reversed | None:
    """Undo the spending that brought the offer, as far as its lots have not expired since.

    The points go back into the lots that they came from and keep their old expiry: an exchange that
    nobody uses lets no point live longer. The programme of the day of the exchange says whether
    they come back at all.

    Returns
    -------
    Reversed or None
        None where no points were spent on the offer, they are forfeit, or all have expired.
    """
    spending = _spending_for(offer, work=work)
    if spending is None:
        return None
    promised = work.programmes.as_of(offer.site, offer.issued_at_ms)
    if promised is not None and promised.unused_rewards is UnusedReward.FORFEIT:
        return None
    lots = work.ledger.spent_lots(spending.transaction)
    alive_minor = sum(used.amount_minor for used in lots if not used.lot.is_over(now_ms))
    if alive_minor == 0:
        return None
    return give_back(
        spending.transaction,
        alive_minor,
        reference=reward_reference(offer.offer),
        reason=PostingReason.REWARD,
        work=work,
        now_ms=now_ms,
    )


def _spending_for(offer: Offer, *, work: UnitOfWork) -> Referenced | None:
    # Most offers cost nothing: whoever was not asked for by name is not looked up.
    if not offer.occasion.startswith(f"{TriggerKind.MANUAL}:"):
        return None
    reference = reward_reference(offer.offer)
    for wallet in work.ledger.wallets_of(offer.shopper):
        found = work.ledger.of_reference(TransactionKind.SPEND, wallet.account.unit, reference)
        if found is not None:
            return found
    return None
