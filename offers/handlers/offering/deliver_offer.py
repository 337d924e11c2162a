"""Bring an offer to the app, if it is still right to do so.

Layer: flow. Takes: an offer, or a shopper who asks. Gives: `OfferCard`s to the relay and the app,
or why not. Between the decision and now the shopper may have left, withdrawn consent, or waited too
long; so all three are checked again here. The relay asks `ready_to_deliver`, writes to the open
sockets, and then says `note_delivered`: an offer that reached no app has not been delivered. An app
that asks by itself gets both in one transaction.
"""

from dataclasses import replace

from offers.decision.eligibility import Eligibility, eligibility
from offers.handlers.messages.note_event import note_event
from offers.handlers.offering.end_offer import end_offer
from offers.model.errors import Busy, NotFound
from offers.model.ids import OfferId, ShopperId
from offers.model.messages.contact import Delivery, DeliveryChannel, DeliveryOutcome
from offers.model.messages.webhook import WebhookEventKind
from offers.model.offering.decision import Decision
from offers.model.offering.offer import Offer, OfferCard, OfferState
from offers.model.offering.refusal import DeliveryRefusal
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def ready_to_deliver(
    offer: OfferId, *, work: UnitOfWork, now_ms: UnixMs
) -> OfferCard | DeliveryRefusal:
    """Return what the app shows, or end the offer and say why; the offer stays issued.

    `may_notify` in the card is what holds now: true only if it held at the decision *and* `notify`
    has not been withdrawn since.

    Raises
    ------
    NotFound
        If there is no such offer.
    """
    found = work.offers.find(offer)
    if found is None:
        raise NotFound(f"offer {offer} is unknown; expected one that was issued.")
    if found.state is not OfferState.ISSUED:
        return DeliveryRefusal.NOT_ISSUED
    allowed = _may_deliver(found, work=work, now_ms=now_ms)
    if isinstance(allowed, DeliveryRefusal):
        is_over = allowed is DeliveryRefusal.EXPIRED
        state = OfferState.EXPIRED if is_over else OfferState.REVOKED
        end_offer(found, state, work=work, now_ms=now_ms)
        return allowed
    card = work.offers.card(offer)
    assert card is not None
    may_notify = found.may_notify and allowed.may_notify
    return replace(card, offer=replace(card.offer, may_notify=may_notify))


def note_delivered(
    offer: OfferId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    channel: DeliveryChannel = DeliveryChannel.APP,
) -> bool:
    """Mark an offer as delivered that was brought by a channel; False where it is so or over."""
    found = work.offers.find(offer)
    if found is None or found.state is not OfferState.ISSUED:
        return False
    if not work.offers.move(found, found.in_state(OfferState.DELIVERED, at_ms=now_ms)):
        return False
    work.contacts.note_delivery(
        Delivery(
            shopper=found.shopper,
            offer=offer,
            channel=channel,
            outcome=DeliveryOutcome.ACCEPTED,
            at_ms=now_ms,
        )
    )
    note_event(
        WebhookEventKind.OFFER_DELIVERED,
        subject=offer,
        shopper=found.shopper,
        site=found.site,
        detail={"campaign": found.campaign, "channel": channel.value},
        work=work,
        now_ms=now_ms,
    )
    return True


def deliver_offer(
    offer: OfferId, *, work: UnitOfWork, now_ms: UnixMs
) -> OfferCard | DeliveryRefusal:
    """Mark the offer as delivered and return what the app shows, or end it and say why.

    Raises
    ------
    Busy
        If another writer moved the offer meanwhile.
    """
    card = ready_to_deliver(offer, work=work, now_ms=now_ms)
    if isinstance(card, DeliveryRefusal):
        return card
    if not note_delivered(offer, work=work, now_ms=now_ms):
        raise Busy(f"offer {offer} has just changed; expected issued. Try again.")
    delivered = card.offer.in_state(OfferState.DELIVERED, at_ms=now_ms)
    return replace(card, offer=delivered)


def deliver_decided(decision: Decision, *, work: UnitOfWork, now_ms: UnixMs) -> OfferCard:
    """Deliver what was decided in this very transaction: who asks has it before him."""
    issued = next(
        offer
        for offer in work.offers.undelivered_of_shopper(decision.shopper)
        if offer.decision == decision.decision
    )
    card = deliver_offer(issued.offer, work=work, now_ms=now_ms)
    assert isinstance(card, OfferCard)  # nothing has come between
    return card


def deliver_waiting(
    shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs
) -> tuple[OfferCard, ...]:
    """Deliver all that waits for the shopper: for an app that connects, or lists its offers."""
    answers = (
        deliver_offer(offer.offer, work=work, now_ms=now_ms)
        for offer in work.offers.undelivered_of_shopper(shopper)
    )
    return tuple(card for card in answers if isinstance(card, OfferCard))


def _may_deliver(
    offer: Offer, *, work: UnitOfWork, now_ms: UnixMs
) -> Eligibility | DeliveryRefusal:
    if now_ms >= offer.expires_at_ms:
        return DeliveryRefusal.EXPIRED
    if offer.visit is not None:
        visit = work.visits.find(offer.visit)
        if visit is None or visit.left_at_ms is not None:
            return DeliveryRefusal.VISIT_ENDED
    needs_locate = offer.locate_consent is not None
    allowed = eligibility(work.consents.state_of(offer.shopper), needs_locate=needs_locate)
    return allowed if isinstance(allowed, Eligibility) else DeliveryRefusal.CONSENT_WITHDRAWN
