"""Make an offer again that was revoked by a leaving which did not happen.

Layer: flow. Takes: a withdrawn `LEFT` from on_revision, with its visit open again. Gives: the new
decision. After an outage the readings of one gateway come a moment before those of another: a tag
is told to be lost, its waiting offer is revoked, and a second later it is known to have stood there
all the time. The offer that was revoked stays so; a new one is decided about like any other, so
that consent, caps and budgets hold as they are now, and what it had held was given back before.
"""

from offers.handlers.offering.decide_moment import decide_moment
from offers.model.campaigns.trigger import TriggerKind, VisitTrigger
from offers.model.ids import VisitId
from offers.model.offering.decision import Decision
from offers.model.offering.occasion import Moment, ZoneOccasion
from offers.model.offering.offer import Offer
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import Second, UnixMs
from rtls.model.visit import DwellReached, Transition


def give_back_offers(
    event: Transition,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    age_ms_max: int,
) -> Decision | None:
    """Decide again about each campaign whose offer the leaving has revoked.

    Parameters
    ----------
    event
        The leaving that did not happen; its visit has been reopened.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    age_ms_max
        An offer that was made longer ago belongs to a moment that is past.

    Returns
    -------
    Decision or None
        The last one that was taken; None where there was nothing to give back.
    """
    # Of an offer that was given back and revoked before, only the newest counts.
    revoked = {
        offer.campaign: offer
        for offer in work.offers.revoked_of_visit(VisitId(event.visit_id))
        if now_ms - offer.issued_at_ms <= age_ms_max
    }
    decided: Decision | None = None
    for offer in revoked.values():
        decided = _decide_again(offer, event, work=work, now_ms=now_ms, secrets=secrets) or decided
    return decided


def note_withdrawn_dwell(event: DwellReached, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """Write that the ground of an offer is gone, so that it is not given back later."""
    work.visits.note_event(_withdrawn(event.event_id), at_ms=now_ms)


def _decide_again(
    offer: Offer, event: Transition, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Decision | None:
    first = work.decisions.find(offer.decision)
    assert first is not None  # an offer's decision is kept as long as the offer
    ground = first.event_id.partition("~")[0]
    if work.visits.is_noted(_withdrawn(ground)):
        return None
    trigger = work.campaigns.revision(offer.campaign, offer.revision).trigger
    assert offer.zone is not None  # it stood on a stay
    occasion = ZoneOccasion(
        kind=TriggerKind(offer.occasion.partition(":")[0]),
        zone=offer.zone,
        visit=VisitId(event.visit_id),
        dwell_s=trigger.dwell_s if isinstance(trigger, VisitTrigger) else Second(0.0),
        is_late=False,
        is_visit_open=True,
        resumed=event.revision,
    )
    moment = Moment(
        event_id=f"{ground}~{event.revision}",
        shopper=offer.shopper,
        site=offer.site,
        occasion=occasion,
        now_ms=now_ms,
    )
    return decide_moment(
        moment, work=work, secrets=secrets, is_always_logged=False, only=offer.campaign
    )


def _withdrawn(event_id: str) -> str:
    return f"{event_id}.withdrawn"
