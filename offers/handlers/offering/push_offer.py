"""Push an offer to a closed app: allowed now, its slot taken, to which browsers, for how long.

Layer: flow. Takes: an offer that no open app has taken. Gives: `Push` to the push sender, or why
not; takes back what became of it. All that was checked when the offer was written is checked again
here, and the trip's slot is taken in the same transaction, so that two offers never share one.
"""

from dataclasses import dataclass, replace
from typing import Final, assert_never

from offers.decision.push_choice import PushMoment, push_refusal
from offers.handlers.messages.contact_link import unsubscribe_token
from offers.handlers.offering.deliver_offer import note_delivered, ready_to_deliver
from offers.model.errors import Busy, NotFound
from offers.model.ids import OfferId, PushSubscriptionId
from offers.model.messages.contact import Delivery, DeliveryChannel, DeliveryOutcome
from offers.model.messages.push import PushSubscription
from offers.model.messages.push_rules import TTL_S_MAX, PushRules
from offers.model.offering.offer import Offer, OfferCard
from offers.model.offering.refusal import DeliveryRefusal, PushRefusal
from offers.model.people.shopper import Locale
from offers.model.visits.trip import Trip
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

_PUSH: Final = DeliveryChannel.PUSH


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What goes to the push services."""

    card: OfferCard
    locale: Locale
    browsers: tuple[PushSubscription, ...]
    ttl_s: int
    """how long a push service may keep it: no longer than the shopper is there"""
    unsubscribe_token: str


def prepare_push(
    offer: OfferId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource, rules: PushRules
) -> Push | PushRefusal | DeliveryRefusal:
    """Return the push with its slot taken, or why there is none.

    Parameters
    ----------
    offer
        One that is issued; asked again after a failed attempt, it keeps its slot.
    work, now_ms, secrets
        The transaction, the time, the key of unsubscribe links.
    rules
        As the service is set up; the programme of the site may name other quiet hours.

    Raises `Busy` if another writer took the slot since the check; nothing is done.
    """
    try:
        card = ready_to_deliver(offer, work=work, now_ms=now_ms)
    except NotFound:
        return DeliveryRefusal.NOT_ISSUED  # erased since
    if isinstance(card, DeliveryRefusal):
        return card
    rules = _in_force(card.offer.site, rules, work=work)
    browsers = work.push_subscriptions.of_shopper(card.offer.shopper)
    trip = _trip_of(card.offer, work=work, now_ms=now_ms)
    moment = _moment(card, trip, browsers, work=work, now_ms=now_ms, rules=rules)
    refusal = push_refusal(moment)
    if refusal is not None:
        return refusal
    assert trip is not None
    _take(card.offer, trip, moment, work=work, rules=rules)
    shopper = work.shoppers.find(card.offer.shopper)
    assert shopper is not None
    return Push(
        card=card,
        locale=shopper.locale,
        browsers=browsers,
        ttl_s=min(moment.left_ms // 1_000, TTL_S_MAX),
        unsubscribe_token=unsubscribe_token(shopper.shopper, _PUSH, now_ms=now_ms, secrets=secrets),
    )


def note_push(
    offer: OfferId,
    outcome: DeliveryOutcome,
    *,
    gone: tuple[PushSubscriptionId, ...] = (),
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Write what became of a push, once nothing more is tried.

    What a push service has taken cannot be called back: the offer counts as delivered. What nobody
    took gives its slot back, for the next offer of the trip.
    """
    for subscription in gone:
        work.push_subscriptions.remove(subscription)
    found = work.offers.find(offer)
    if found is None:
        return  # erased meanwhile
    match outcome:
        case DeliveryOutcome.ACCEPTED:
            note_delivered(offer, work=work, now_ms=now_ms, channel=_PUSH)
        case DeliveryOutcome.FAILED:
            work.trips.free_push_slot(offer)
            failed = Delivery(
                shopper=found.shopper, offer=offer, channel=_PUSH, outcome=outcome, at_ms=now_ms
            )
            work.contacts.note_delivery(failed)
        case _:
            assert_never(outcome)


def _in_force(site: SiteId, rules: PushRules, *, work: UnitOfWork) -> PushRules:
    programme = work.programmes.current(site)
    if programme is None:
        return rules
    quiet_hours = programme.settings.quiet_hours(work.sites.budgets(site).time_zone)
    return rules if quiet_hours is None else replace(rules, quiet_hours=quiet_hours)


def _trip_of(offer: Offer, *, work: UnitOfWork, now_ms: UnixMs) -> Trip | None:
    trip = work.trips.newest(offer.shopper, offer.site)
    return trip if trip is not None and trip.holds(now_ms) else None


def _moment(
    card: OfferCard,
    trip: Trip | None,
    browsers: tuple[PushSubscription, ...],
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    rules: PushRules,
) -> PushMoment:
    offer, slots = card.offer, rules.pushes_a_trip
    return PushMoment(
        now_ms=now_ms,
        may_notify=offer.may_notify,
        wishes=work.contacts.wishes_of(offer.shopper),
        has_browser=bool(browsers),
        is_quiet=rules.quiet_hours.covers(now_ms),
        has_trip=trip is not None,
        has_slot=trip is not None and work.trips.has_push_slot(trip.trip, offer.offer, slots=slots),
        is_repeat=trip is not None and work.trips.has_push_slot(trip.trip, offer.offer, slots=0),
        last_pushed_at_ms=work.contacts.last_addressed(offer.shopper, _PUSH),
        left_ms=offer.expires_at_ms - now_ms,
    )


def _take(
    offer: Offer, trip: Trip, moment: PushMoment, *, work: UnitOfWork, rules: PushRules
) -> None:
    if moment.is_repeat:
        return
    rest_ms = moment.wishes.rest_ms(_PUSH)
    is_taken = work.trips.take_push_slot(
        trip.trip, offer.offer, slots=rules.pushes_a_trip, at_ms=moment.now_ms
    ) and work.contacts.take_pace(offer.shopper, _PUSH, at_ms=moment.now_ms, rest_ms=rest_ms)
    if not is_taken:
        raise Busy(f"offer {offer.offer}: another push of the trip was just sent. Try again.")
