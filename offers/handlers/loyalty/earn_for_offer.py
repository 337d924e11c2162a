"""Give the points of an offer that needs no purchase.

Layer: flow. Takes: the card of an offer that its shopper has just opened. Gives: what was earned.
Opening twice earns once.
"""

from offers.handlers.loyalty.earn_points import terms_for
from offers.handlers.loyalty.post_points import earn
from offers.handlers.till.fund_costs import fund_offer_points
from offers.loyalty.earning import earning_of
from offers.model.campaigns.benefit import Points
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.points import Earned
from offers.model.offering.offer import OfferCard
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def earn_for_offer(
    card: OfferCard, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Earned | None:
    """Post the points that the offer grants; None where it grants something else."""
    benefit = card.revision.benefit
    if not isinstance(benefit, Points):
        return None
    offer = card.offer
    earning = earning_of(
        benefit.points,
        terms_for(work.programmes.current(offer.site), POINTS),
        reason=PostingReason.CAMPAIGN,
        reference=f"offer:{offer.offer}",
        site=offer.site,
        now_ms=now_ms,
    )
    earned = earn(offer.shopper, earning, work=work, now_ms=now_ms, secrets=secrets)
    fund_offer_points(offer, earned, work=work, now_ms=now_ms, secrets=secrets)
    return earned
