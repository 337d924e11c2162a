"""Make the offer that was decided on: offer, coupon, cap slot, budget and outbox together.

Layer: flow. Takes: a `Decision` with a choice. Gives: the `Offer` to on_visit and
on_occasion. The rules have said
yes; here the database says yes again, by one conditional statement for each limit.
"""

from offers.handlers.messages.note_event import note_event
from offers.handlers.messages.send_mail import queue_mail
from offers.handlers.profile.note_fact import note_facts
from offers.handlers.random_id import random_id
from offers.handlers.till.coupon_budgets import reserve_at_issue
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.trigger import TriggerKind
from offers.model.conditions.fact import Fact, FactKind
from offers.model.errors import Busy
from offers.model.ids import CouponId, OfferId
from offers.model.messages.mail import MailKind
from offers.model.messages.webhook import WebhookEventKind
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.decision import Decision
from offers.model.offering.offer import Offer, OfferState
from offers.model.outbox import OutboxKind
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def issue_offer(decision: Decision, *, work: UnitOfWork, secrets: SecretSource) -> Offer:
    """Write the chosen offer and all that belongs to it.

    Raises
    ------
    Busy
        If another writer took the last slot or the rest of the budget since the decision; the
        transaction must be given up, and the retry decides afresh.
    """
    assert decision.chosen is not None
    revision = work.campaigns.revision(decision.chosen.campaign, decision.chosen.revision)
    offer = _offer(decision, revision, secrets=secrets)
    is_issued = work.offers.add(offer) and work.offers.take_cap_slot(offer, revision.frequency_cap)
    if is_issued and revision.has_coupon:
        is_issued = _issue_coupon(offer, revision, work=work, secrets=secrets)
    if not is_issued:
        raise Busy(f"campaign {offer.campaign}: a limit has just been reached. Try again.")
    work.outbox.add(
        OutboxKind.OFFER_ISSUED, shopper=offer.shopper, subject=offer.offer, at_ms=decision.at_ms
    )
    note_event(
        WebhookEventKind.OFFER_ISSUED,
        subject=offer.offer,
        shopper=offer.shopper,
        site=offer.site,
        detail=_detail(offer),
        work=work,
        now_ms=decision.at_ms,
    )
    _mail(offer, work=work)
    fact = Fact(
        kind=FactKind.OFFER,
        reference=offer.offer,
        at_ms=offer.issued_at_ms,
        site=offer.site,
        zone=offer.zone,
    )
    note_facts(offer.shopper, (fact,), work=work, now_ms=offer.issued_at_ms)
    return offer


def _mail(offer: Offer, *, work: UnitOfWork) -> None:
    # An offer of no place lasts, so it may be said by mail, too; one at a shelf never is.
    kind = offer.occasion.partition(":")[0]
    if kind == TriggerKind.POINTS_EXPIRING:
        mail, at_ms = MailKind.POINTS_EXPIRING, offer.issued_at_ms
        queue_mail(mail, offer.shopper, subject=offer.occasion, work=work, now_ms=at_ms)


def _detail(offer: Offer) -> dict[str, str]:
    # Of the occasion its kind alone: what names it would let strangers tell visits apart.
    detail = {"campaign": offer.campaign, "occasion": offer.occasion.partition(":")[0]}
    return detail if offer.zone is None else detail | {"zone": offer.zone}


def _offer(decision: Decision, revision: CampaignRevision, *, secrets: SecretSource) -> Offer:
    chosen = decision.chosen
    assert chosen is not None
    return Offer(
        offer=OfferId(random_id(secrets)),
        shopper=decision.shopper,
        campaign=chosen.campaign,
        revision=chosen.revision,
        decision=decision.decision,
        site=decision.site,
        occasion=decision.occasion,
        zone=decision.zone,
        visit=decision.visit,
        locate_consent=chosen.locate_consent,
        personalise_consent=chosen.personalise_consent,
        may_notify=chosen.may_notify,
        state=OfferState.ISSUED,
        issued_at_ms=decision.at_ms,
        expires_at_ms=UnixMs(decision.at_ms + revision.offer_valid_s * 1_000),
    )


def _issue_coupon(
    offer: Offer, revision: CampaignRevision, *, work: UnitOfWork, secrets: SecretSource
) -> bool:
    coupon = Coupon(
        coupon=CouponId(random_id(secrets)),
        offer=offer.offer,
        shopper=offer.shopper,
        campaign=offer.campaign,
        revision=offer.revision,
        site=offer.site,
        state=CouponState.ISSUED,
        issued_at_ms=offer.issued_at_ms,
        expires_at_ms=UnixMs(offer.issued_at_ms + revision.coupon_valid_s * 1_000),
        is_reserved=any(limit.is_reserved for limit in revision.limits),
    )
    work.coupons.add(coupon)
    return reserve_at_issue(coupon, revision, work=work)
