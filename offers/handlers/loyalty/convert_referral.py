"""Reward two shoppers when the one whom the other brought first buys; let go what waits too long.

Layer: flow. Takes: the shopper who has just bought, or the time. Gives: the `Referral` as it ended,
or None. Call it in the transaction of the purchase. What each gets is what the site's programme
grants for the activity "referral".
"""

from dataclasses import replace

from offers.handlers.loyalty.earn_points import earn_for_activity
from offers.handlers.offering.on_occasion import on_occasion
from offers.handlers.profile.note_fact import note_facts
from offers.model.conditions.fact import Fact, FactKind
from offers.model.ids import ShopperId
from offers.model.loyalty.ledger import PostingReason
from offers.model.loyalty.referral import PENDING_MS_MAX, Referral, ReferralState
from offers.model.offering.occasion import ReferralConverted
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def convert_referral(
    shopper: ShopperId,
    *,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Referral | None:
    """End the shopper's pending referral: converted, or refused or lapsed without a reward.

    It is refused where both were paired with one tag that nobody else had: one person with two
    cards. A trolley's tag passes through many hands and proves nothing.

    Parameters
    ----------
    shopper
        Who has bought.
    site
        Where; its programme says what a referral earns.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    """
    pending = work.referrals.of_referred(shopper)
    if pending is None or pending.state is not ReferralState.PENDING:
        return None
    state = _end_of(pending, work=work, now_ms=now_ms)
    if not work.referrals.end(pending.referral, state, at_ms=now_ms):
        return None
    if state is ReferralState.CONVERTED:
        for rewarded in (pending.referrer, pending.referred):
            earn_for_activity(
                rewarded,
                PostingReason.REFERRAL,
                subject=pending.referral,
                site=site,
                work=work,
                now_ms=now_ms,
                secrets=secrets,
            )
        fact = Fact(kind=FactKind.REFERRAL, reference=pending.referral, at_ms=now_ms, site=site)
        note_facts(pending.referrer, (fact,), work=work, now_ms=now_ms)
        on_occasion(
            ReferralConverted(referral=pending.referral),
            shopper=pending.referrer,
            site=site,
            work=work,
            now_ms=now_ms,
            secrets=secrets,
        )
    return replace(pending, state=state, ended_at_ms=now_ms)


def lapse_referrals(*, work: UnitOfWork, now_ms: UnixMs, limit: int) -> int:
    """End referrals whose shopper has not bought in time; return how many."""
    overdue = work.referrals.overdue(before_ms=UnixMs(now_ms - PENDING_MS_MAX), limit=limit)
    for referral in overdue:
        work.referrals.end(referral.referral, ReferralState.LAPSED, at_ms=now_ms)
    return len(overdue)


def _end_of(referral: Referral, *, work: UnitOfWork, now_ms: UnixMs) -> ReferralState:
    if referral.is_over(now_ms):
        return ReferralState.LAPSED
    if work.referrals.share_a_tag(referral.referrer, referral.referred):
        return ReferralState.REFUSED
    return ReferralState.CONVERTED
