"""Find the stays, trips and enrolments of the past that would have woken a campaign.

Layer: flow. Takes: a trigger and a `Past`. Gives: moments and occasions to past_moments. A trip has
ended once nothing was seen for as long as a trip may pause: only then could anybody know.
"""

from collections.abc import Iterator
from typing import assert_never

from offers.handlers.campaigns.past_span import MOMENTS_MAX, Found, Past
from offers.model.campaigns.trigger import (
    KIND_OF_TRIGGER,
    EnterTrigger,
    LeaveTrigger,
    Measure,
    TriggerKind,
    TripTrigger,
    VisitTrigger,
    ZoneTrigger,
)
from offers.model.offering.occasion import (
    CountGrown,
    Enrolled,
    Moment,
    Occasion,
    TripOccasion,
    ZoneOccasion,
)
from offers.model.people.consent import Purpose
from offers.model.visits.stay import Stay
from offers.model.visits.trip import TRIP_GAP_MS
from rtls.model.units import Second, UnixMs


def stay_moments(trigger: ZoneTrigger, past: Past) -> Iterator[Moment]:
    """Yield the moment of each stay that was of the trigger's kind."""
    stays = past.work.occasions.stays(
        past.site, trigger.zone, from_ms=past.since_ms, until_ms=past.until_ms, limit=MOMENTS_MAX
    )
    for stay in stays:
        found = _occasion(trigger, stay)
        if found is not None:
            occasion, at_ms = found
            yield Moment(
                event_id=stay.visit,
                shopper=stay.shopper,
                site=past.site,
                occasion=occasion,
                now_ms=at_ms,
            )


def trips(trigger: TripTrigger, past: Past) -> Found:
    """Yield the trips that began, or ended."""
    kind = KIND_OF_TRIGGER[type(trigger)]
    if kind is TriggerKind.TRIP_START:
        found = past.work.history.trips_begun(
            past.site, from_ms=past.since_ms, until_ms=past.until_ms, limit=MOMENTS_MAX
        )
        for trip in found:
            yield trip.shopper, TripOccasion(kind=kind, trip=trip.trip), trip.began_at_ms
        return
    found = past.work.history.trips_ended(
        past.site,
        from_ms=UnixMs(past.since_ms - TRIP_GAP_MS),
        until_ms=UnixMs(past.until_ms - TRIP_GAP_MS),
        limit=MOMENTS_MAX,
    )
    for trip in found:
        ended_ms = UnixMs(trip.seen_at_ms + TRIP_GAP_MS)
        yield trip.shopper, TripOccasion(kind=kind, trip=trip.trip), ended_ms


def trips_counted(past: Past) -> Found:
    """Yield how the count of trips grew."""
    found = past.work.history.trips_begun(
        past.site, from_ms=past.since_ms, until_ms=past.until_ms, limit=MOMENTS_MAX
    )
    for trip in found:
        grown = CountGrown(measure=Measure.TRIPS, before=trip.number - 1, after=trip.number)
        yield trip.shopper, grown, trip.began_at_ms


def enrolments(past: Past) -> Found:
    """Yield who became a shopper; the welcome comes with the first consent to be chosen for."""
    enrolled = past.work.occasions.enrolments(
        from_ms=past.since_ms, until_ms=past.until_ms, limit=MOMENTS_MAX
    )
    for shopper, at_ms in enrolled:
        granted_at_ms = (
            said.at_ms
            for said in past.work.consents.history_of(shopper)
            if said.purpose is Purpose.PERSONALISE and said.is_granted
        )
        yield shopper, Enrolled(), max(at_ms, min(granted_at_ms, default=at_ms))


def _occasion(trigger: ZoneTrigger, stay: Stay) -> tuple[Occasion, UnixMs] | None:
    lasted_s = stay.lasted_s
    match trigger:
        case VisitTrigger(dwell_s=dwell_s):
            at_ms = UnixMs(stay.entered_at_ms + round(dwell_s * 1_000))
            is_reached = lasted_s is None or lasted_s >= dwell_s
            return (_stay_occasion(trigger, stay, dwell_s), at_ms) if is_reached else None
        case EnterTrigger():
            return _stay_occasion(trigger, stay, Second(0.0)), stay.entered_at_ms
        case LeaveTrigger():
            if lasted_s is None or stay.left_at_ms is None:
                return None
            return _stay_occasion(trigger, stay, lasted_s), stay.left_at_ms
        case _:
            assert_never(trigger)


def _stay_occasion(trigger: ZoneTrigger, stay: Stay, dwell_s: Second) -> ZoneOccasion:
    return ZoneOccasion(
        kind=KIND_OF_TRIGGER[type(trigger)],
        zone=trigger.zone,
        visit=stay.visit,
        dwell_s=dwell_s,
        is_late=False,
        is_visit_open=True,
    )
