"""Put right what is known of a visit when late readings show it otherwise than it was told.

Layer: flow. Takes: a revised `ZoneEvent` from on_visit. Gives: the visit as it was, and offers that
were not yet delivered taken back where their ground is gone. A revision makes no offer, since the
shopper has walked on; what a leaving had revoked that did not happen is made again (give_back).
"""

from offers.handlers.offering.end_offer import end_offer
from offers.handlers.visits.give_back import give_back_offers, note_withdrawn_dwell
from offers.model.ids import VisitId
from offers.model.offering.decision import Decision
from offers.model.offering.offer import OfferState
from offers.model.people.pairing import Pairing
from offers.model.visits.open_visit import OpenVisit
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs
from rtls.model.visit import DwellReached, Transition, TransitionKind, Visit, ZoneEvent


def note_revision(event: ZoneEvent, *, work: UnitOfWork, now_ms: UnixMs) -> bool:
    """Write that an event has come in its revision, so that no earlier one is taken any more.

    Returns
    -------
    bool
        False where this revision or a later one came before.
    """
    if not work.visits.note_event(_key(event, event.revision), at_ms=now_ms):
        return False
    for earlier in range(event.revision - 1, -1, -1):
        if not work.visits.note_event(_key(event, earlier), at_ms=now_ms):
            break  # what is earlier still was written together with it
    return True


def revise_visit(
    event: ZoneEvent,
    pairing: Pairing | None,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    age_ms_max: int,
) -> Decision | None:
    """Write what a revision says of its visit, and give back what it should not have cost.

    Parameters
    ----------
    event
        With a revision above 0, not seen before.
    pairing
        Whose tag it is now, if anybody's.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    age_ms_max
        How old an offer may be that is given back.
    """
    visit = VisitId(event.visit_id)
    match event:
        case DwellReached(is_withdrawn=True):
            note_withdrawn_dwell(event, work=work, now_ms=now_ms)
            _take_back_offers(visit, work=work, now_ms=now_ms)
        case Transition(kind=TransitionKind.LEFT, is_withdrawn=True):
            if _reopen(visit, pairing, work=work):
                return give_back_offers(
                    event, work=work, now_ms=now_ms, secrets=secrets, age_ms_max=age_ms_max
                )
        case Transition(kind=TransitionKind.ENTERED, is_withdrawn=False):
            if pairing is not None:
                work.visits.add(_entered(event, pairing))
        case Transition():  # he has left, or was never there
            work.visits.close(visit, at_ms=event.at_ms)
            _take_back_offers(visit, work=work, now_ms=now_ms)
        case DwellReached() | Visit():
            pass  # of the end of a visit its transition has said all
    return None


def _take_back_offers(visit: VisitId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    for offer in work.offers.undelivered_of_visit(visit):
        end_offer(offer, OfferState.REVOKED, work=work, now_ms=now_ms)


def _reopen(visit: VisitId, pairing: Pairing | None, *, work: UnitOfWork) -> bool:
    known = work.visits.find(visit)
    # What ended with its pairing stays ended, whatever the tag has done since.
    if known is None or pairing is None or known.pairing != pairing.pairing:
        return False
    work.visits.reopen(visit)
    return True


def _entered(event: Transition, pairing: Pairing) -> OpenVisit:
    return OpenVisit(
        visit=VisitId(event.visit_id),
        site=event.site,
        zone=event.zone,
        pairing=pairing.pairing,
        entered_at_ms=event.at_ms,
    )


def _key(event: ZoneEvent, revision: int) -> str:
    return event.event_id if revision == 0 else f"{event.event_id}.{revision}"
