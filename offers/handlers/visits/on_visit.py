"""Turn what happens in a zone into at most one offer.

Layer: flow. Takes: a `ZoneEvent` from the visit feed. Gives: the `Decision`, where there was one to
take. Deduplication of the event, visit, decision, offer, coupon, cap, budget and outbox are one
transaction: a crash leaves all of them or none, and a second delivery of the event does nothing.

An event of a tag that nobody is paired with leaves no trace, not even its id.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from offers.handlers.offering.decide_moment import decide_moment
from offers.handlers.offering.end_offer import end_offer
from offers.handlers.offering.on_occasion import on_occasion
from offers.handlers.visits.note_stay import note_stay
from offers.handlers.visits.note_trip import note_trip
from offers.handlers.visits.on_revision import note_revision, revise_visit
from offers.model.campaigns.trigger import Measure, TriggerKind
from offers.model.ids import VisitId
from offers.model.offering.decision import Decision
from offers.model.offering.occasion import CountGrown, Moment, TripOccasion, ZoneOccasion
from offers.model.offering.offer import OfferState
from offers.model.people.pairing import Pairing
from offers.model.visits.open_visit import OpenVisit
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import Second, TagId, UnixMs
from rtls.model.visit import DwellReached, Transition, TransitionKind, Visit, ZoneEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSettings:
    """What a visit event must be to make an offer."""

    event_age_ms_max: int = 60_000
    """an event whose evidence is older does not: the shopper is elsewhere by now"""


DEFAULT_SETTINGS: Final = VisitSettings()


def on_visit(
    event: ZoneEvent,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    settings: VisitSettings = DEFAULT_SETTINGS,
) -> Decision | None:
    """Note the event, and decide where campaigns wait for it.

    Parameters
    ----------
    event
        From locating; may come twice, or late, or as a revision, which makes no offer but gives
        back what a leaving had revoked that did not happen.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    settings
        How old an event may be.

    Returns
    -------
    Decision or None
        None for events that ask for no decision, that came before, or whose tag is nobody's.
    """
    visit = work.visits.find(VisitId(event.visit_id))
    pairing = _pairing_of(
        event.tag, happened_at_ms=_happened_at_ms(event), work=work, now_ms=now_ms
    )
    is_nobodys = visit is None and pairing is None
    if is_nobodys or not note_revision(event, work=work, now_ms=now_ms):
        return None
    if event.revision > 0:
        return revise_visit(
            event,
            pairing,
            work=work,
            now_ms=now_ms,
            secrets=secrets,
            age_ms_max=settings.event_age_ms_max,
        )
    if pairing is not None:
        _note_trip(event, pairing, work=work, now_ms=now_ms, secrets=secrets, settings=settings)
    match event:
        case DwellReached():
            return _dwell(
                event, pairing, work=work, now_ms=now_ms, secrets=secrets, settings=settings
            )
        case Transition(kind=TransitionKind.ENTERED):
            return _enter(
                event, pairing, work=work, now_ms=now_ms, secrets=secrets, settings=settings
            )
        case Transition() | Visit():
            return _leave(
                event, pairing, work=work, now_ms=now_ms, secrets=secrets, settings=settings
            )
        case _:
            assert_never(event)


def _note_trip(
    event: ZoneEvent,
    pairing: Pairing,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    settings: VisitSettings,
) -> None:
    seen_at_ms = _happened_at_ms(event)
    trip = note_trip(pairing.shopper, event.site, at_ms=seen_at_ms, work=work, secrets=secrets)
    is_new = trip.began_at_ms == trip.seen_at_ms
    if not is_new or now_ms - seen_at_ms > settings.event_age_ms_max:
        return
    begun = TripOccasion(kind=TriggerKind.TRIP_START, trip=trip.trip)
    counted = CountGrown(measure=Measure.TRIPS, before=trip.number - 1, after=trip.number)
    for occasion in (begun, counted):
        on_occasion(
            occasion,
            shopper=pairing.shopper,
            site=event.site,
            work=work,
            now_ms=now_ms,
            secrets=secrets,
        )


def _pairing_of(
    tag: TagId, *, happened_at_ms: UnixMs, work: UnitOfWork, now_ms: UnixMs
) -> Pairing | None:
    pairing = work.pairings.open_of_tag(tag)
    if pairing is None or not pairing.is_active(now_ms):
        return None
    # What happened before the pairing is another person's, or was not agreed to.
    return pairing if happened_at_ms >= pairing.paired_at_ms else None


def _happened_at_ms(event: ZoneEvent) -> UnixMs:
    match event:
        case DwellReached():
            return event.reached_at_ms
        case Transition():
            return event.at_ms
        case Visit():
            return event.left_at_ms
        case _:
            assert_never(event)


def _enter(
    event: Transition,
    pairing: Pairing | None,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    settings: VisitSettings,
) -> Decision | None:
    if pairing is None:
        return None
    work.visits.add(_visit(event, pairing, entered_at_ms=event.at_ms))
    moment = _moment(
        event,
        pairing,
        _occasion(
            event,
            pairing,
            kind=TriggerKind.ENTER,
            dwell_s=Second(0.0),
            is_late=now_ms - event.decided_at_ms > settings.event_age_ms_max,
            work=work,
        ),
        now_ms=now_ms,
    )
    return decide_moment(moment, work=work, secrets=secrets, is_always_logged=False)


def _leave(
    event: Transition | Visit,
    pairing: Pairing | None,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    settings: VisitSettings,
) -> Decision | None:
    left_at_ms = _happened_at_ms(event)
    visit = VisitId(event.visit_id)
    known = work.visits.find(visit)
    if pairing is not None:
        # Known as ended, so that a dwell event which comes after this one makes no offer.
        work.visits.add(_visit(event, pairing, entered_at_ms=left_at_ms))
    work.visits.close(visit, at_ms=left_at_ms)
    for offer in work.offers.undelivered_of_visit(visit):
        end_offer(offer, OfferState.REVOKED, work=work, now_ms=now_ms)
    is_own_end = known is not None and known.left_at_ms is None
    if not isinstance(event, Transition) or pairing is None or known is None or not is_own_end:
        return None
    occasion = ZoneOccasion(
        kind=TriggerKind.LEAVE,
        zone=event.zone,
        visit=visit,
        dwell_s=Second(max(0, left_at_ms - known.entered_at_ms) / 1_000),
        is_late=now_ms - event.decided_at_ms > settings.event_age_ms_max,
        is_visit_open=known.pairing == pairing.pairing,
    )
    note_stay(event, occasion, pairing.shopper, work=work, now_ms=now_ms)
    moment = _moment(event, pairing, occasion, now_ms=now_ms)
    return decide_moment(moment, work=work, secrets=secrets, is_always_logged=False)


def _dwell(
    event: DwellReached,
    pairing: Pairing | None,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    settings: VisitSettings,
) -> Decision | None:
    if pairing is None:
        return None
    # The event is proof enough of the stay where the entry came before the pairing.
    work.visits.add(_visit(event, pairing, entered_at_ms=event.entered_at_ms))
    is_stale = now_ms - event.evidence_at_ms > settings.event_age_ms_max
    occasion = _occasion(
        event,
        pairing,
        kind=TriggerKind.VISIT,
        dwell_s=event.threshold_s,
        is_late=event.is_late or is_stale,
        work=work,
    )
    note_stay(event, occasion, pairing.shopper, work=work, now_ms=now_ms)
    moment = _moment(event, pairing, occasion, now_ms=now_ms)
    return decide_moment(moment, work=work, secrets=secrets)


def _occasion(
    event: DwellReached | Transition,
    pairing: Pairing,
    *,
    kind: TriggerKind,
    dwell_s: Second,
    is_late: bool,
    work: UnitOfWork,
) -> ZoneOccasion:
    visit = work.visits.find(VisitId(event.visit_id))
    assert visit is not None
    # A trolley may have changed hands during the stay: then the stay is not this shopper's.
    is_own = visit.pairing == pairing.pairing
    return ZoneOccasion(
        kind=kind,
        zone=event.zone,
        visit=visit.visit,
        dwell_s=dwell_s,
        is_late=is_late,
        is_visit_open=is_own and visit.left_at_ms is None,
    )


def _moment(
    event: DwellReached | Transition, pairing: Pairing, occasion: ZoneOccasion, *, now_ms: UnixMs
) -> Moment:
    return Moment(
        event_id=event.event_id,
        shopper=pairing.shopper,
        site=event.site,
        occasion=occasion,
        now_ms=now_ms,
    )


def _visit(event: ZoneEvent, pairing: Pairing, *, entered_at_ms: UnixMs) -> OpenVisit:
    return OpenVisit(
        visit=VisitId(event.visit_id),
        site=event.site,
        zone=event.zone,
        pairing=pairing.pairing,
        entered_at_ms=entered_at_ms,
    )
