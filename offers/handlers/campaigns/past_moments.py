"""Find the moments of the past at which a campaign would have been asked.

Layer: flow. Takes: a `CampaignRevision` and a `Past`. Gives: `Moment`s to simulate_campaign, as
on_visit, on_occasion and the daily round would have made them, and what nobody can know of them.
"""

from collections.abc import Iterator
from itertools import islice
from typing import assert_never

from offers.handlers.campaigns import past_days, past_purchases, past_visits
from offers.handlers.campaigns.past_span import MOMENTS_MAX, Found, Past
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.history import LeftOut
from offers.model.campaigns.trigger import (
    AnniversaryTrigger,
    BasketTrigger,
    BirthdayTrigger,
    ManualTrigger,
    Measure,
    MilestoneTrigger,
    PointsExpiringTrigger,
    ReferralTrigger,
    RegularPurchaseTrigger,
    SegmentTrigger,
    SpendThresholdTrigger,
    SurveyTrigger,
    Trigger,
    TripEndTrigger,
    TripStartTrigger,
    TripTrigger,
    WelcomeTrigger,
    ZoneTrigger,
)
from offers.model.errors import InvalidCampaign
from offers.model.ids import SurveyId
from offers.model.offering.occasion import (
    Moment,
    ReferralConverted,
    SegmentChanged,
    SurveyAnswered,
    moment_of,
)

_ALWAYS_LEFT_OUT = (
    LeftOut.OTHER_CAMPAIGNS,
    LeftOut.DISMISSALS,
    LeftOut.FORGOTTEN_SHOPPERS,
    LeftOut.LIFTED_SUSPENSIONS,
)


def past_moments(revision: CampaignRevision, past: Past) -> Iterator[Moment]:
    """Yield the moments, oldest first, each occasion once, `MOMENTS_MAX` at most.

    Raises
    ------
    InvalidCampaign
        If nothing wakes it but the staff.
    """
    trigger = revision.trigger
    if isinstance(trigger, ManualTrigger):
        raise InvalidCampaign(
            f"campaign {revision.campaign}: trigger.kind is 'manual'; expected one that something "
            "wakes: nobody can know whom the staff would have asked for. Ask for the audience's "
            "size instead."
        )
    if isinstance(trigger, ZoneTrigger):
        return past_visits.stay_moments(trigger, past)
    return islice(_once(_occasions(trigger, past), past), MOMENTS_MAX)


def left_out(revision: CampaignRevision) -> tuple[LeftOut, ...]:
    """Return what the numbers of a simulation do not know."""
    trigger, found = revision.trigger, list(_ALWAYS_LEFT_OUT)
    is_of_trips = isinstance(trigger, MilestoneTrigger) and trigger.measure is Measure.TRIPS
    if is_of_trips or isinstance(trigger, ZoneTrigger | TripTrigger):
        found.append(LeftOut.LATE_EVENTS)
    if isinstance(trigger, BasketTrigger):
        found.append(LeftOut.BASKETS_NOT_HELD)
    if revision.part is not None:
        found.append(LeftOut.OTHER_ARMS)
    is_asking = revision.audience is not None or revision.conditions is not None
    if is_asking or isinstance(trigger, BirthdayTrigger):
        found.append(LeftOut.EARLIER_ANSWERS)
    return tuple(found)


def _once(found: Found, past: Past) -> Iterator[Moment]:
    seen: set[str] = set()
    for shopper, occasion, at_ms in found:
        moment = moment_of(occasion, shopper=shopper, site=past.site, now_ms=at_ms)
        if past.since_ms <= at_ms < past.until_ms and moment.event_id not in seen:
            seen.add(moment.event_id)
            yield moment


def _occasions(trigger: Trigger, past: Past) -> Found:
    match trigger:
        case WelcomeTrigger():
            return past_visits.enrolments(past)
        case TripStartTrigger() | TripEndTrigger():
            return past_visits.trips(trigger, past)
        case BirthdayTrigger() | AnniversaryTrigger() | PointsExpiringTrigger():
            return _days(trigger, past)
        case SegmentTrigger() | SurveyTrigger() | ReferralTrigger():
            return _changes(trigger, past)
        case _:
            return _purchases(trigger, past)


def _days(
    trigger: BirthdayTrigger | AnniversaryTrigger | PointsExpiringTrigger, past: Past
) -> Found:
    match trigger:
        case BirthdayTrigger():
            return past_days.birthdays(trigger, past)
        case AnniversaryTrigger():
            return past_days.anniversaries(past)
        case PointsExpiringTrigger():
            return past_days.expiring_points(trigger, past)
        case _:
            assert_never(trigger)


def _purchases(trigger: Trigger, past: Past) -> Found:
    match trigger:
        case MilestoneTrigger(measure=measure):
            is_of_trips = measure is Measure.TRIPS
            counted = past_visits.trips_counted if is_of_trips else past_purchases.purchases_counted
            return counted(past)
        case SpendThresholdTrigger():
            return past_purchases.sums(past)
        case BasketTrigger():
            return past_purchases.baskets(past)
        case RegularPurchaseTrigger():
            return past_purchases.habits(trigger, past)
        case _:
            raise AssertionError(trigger)  # the caller has taken all others


def _changes(trigger: SegmentTrigger | SurveyTrigger | ReferralTrigger, past: Past) -> Found:
    history, since_ms, until_ms = past.work.history, past.since_ms, past.until_ms
    match trigger:
        case SegmentTrigger(segment=segment, movement=movement):
            for moved in history.segment_moves(
                past.site, segment, movement, from_ms=since_ms, until_ms=until_ms, limit=MOMENTS_MAX
            ):
                change = f"{segment.value}:{movement.value}:{moved.at_ms}"
                changed = SegmentChanged(segment=segment, movement=movement, change=change)
                yield moved.shopper, changed, moved.at_ms
        case SurveyTrigger(survey=survey):
            for answer in history.survey_answers(
                SurveyId(survey), from_ms=since_ms, until_ms=until_ms, limit=MOMENTS_MAX
            ):
                yield answer.shopper, SurveyAnswered(survey=survey), answer.at_ms
        case ReferralTrigger():
            for brought in history.conversions(
                past.site, from_ms=since_ms, until_ms=until_ms, limit=MOMENTS_MAX
            ):
                yield brought.shopper, ReferralConverted(referral=brought.name), brought.at_ms
        case _:
            assert_never(trigger)
