"""Read a trigger from a campaign's document, and write one back.

Layer: nouns. Takes: the member "trigger". Gives: a `Trigger`, or an error that names the member.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from offers.model.campaigns.trigger import (
    KIND_OF_TRIGGER,
    AnniversaryTrigger,
    BasketTrigger,
    BirthdayTrigger,
    EnterTrigger,
    LeaveTrigger,
    ManualTrigger,
    Measure,
    MilestoneTrigger,
    Movement,
    PointsExpiringTrigger,
    ReferralTrigger,
    RegularPurchaseTrigger,
    SegmentTrigger,
    SpendThresholdTrigger,
    SurveyTrigger,
    Trigger,
    TriggerKind,
    TripEndTrigger,
    TripStartTrigger,
    VisitTrigger,
    WelcomeTrigger,
)
from offers.model.errors import InvalidCampaign
from offers.model.json_members import (
    Json,
    integer_of,
    money_of,
    refuse_unknown,
    rendered_members,
    required_money_of,
    scope_of,
    seconds_of,
    text_of,
)
from offers.model.loyalty.segment import Segment
from rtls.model.units import ZoneId

E = TypeVar("E", bound=StrEnum)


def parse_trigger(given: Json) -> Trigger:
    """Return the trigger; raise `InvalidCampaign` where a member is missing, unknown or wrong."""
    kind = _member_of_enum(TriggerKind, given.get("kind"), "trigger.kind")
    members, parse = _PARSERS[kind]
    refuse_unknown(given, "trigger", members | {"kind"})
    return parse(given)


def render_trigger(trigger: Trigger) -> dict[str, object]:
    """Return the member that `parse_trigger` reads."""
    return {"kind": KIND_OF_TRIGGER[type(trigger)].value, **rendered_members(trigger)}


def _visit(given: Json) -> VisitTrigger:
    return VisitTrigger(zone=_zone(given), dwell_s=seconds_of(given, "dwell_s", "trigger"))


def _enter(given: Json) -> EnterTrigger:
    return EnterTrigger(zone=_zone(given))


def _leave(given: Json) -> LeaveTrigger:
    least = {"dwell_s_min": 0, **given}
    return LeaveTrigger(zone=_zone(given), dwell_s_min=seconds_of(least, "dwell_s_min", "trigger"))


def _milestone(given: Json) -> MilestoneTrigger:
    return MilestoneTrigger(
        measure=_member_of_enum(Measure, given.get("measure"), "trigger.measure"),
        count=integer_of(given, "count"),
    )


def _spend_threshold(given: Json) -> SpendThresholdTrigger:
    return SpendThresholdTrigger(
        amount=required_money_of(given, "amount", "trigger"),
        within_days=integer_of(given, "within_days"),
    )


def _segment(given: Json) -> SegmentTrigger:
    movement = given.get("movement", Movement.ENTERED.value)
    return SegmentTrigger(
        segment=_member_of_enum(Segment, given.get("segment"), "trigger.segment"),
        movement=_member_of_enum(Movement, movement, "trigger.movement"),
    )


def _basket(given: Json) -> BasketTrigger:
    return BasketTrigger(applies_to=scope_of(given), basket_min=money_of(given, "basket_min"))


_PARSERS: Final[Mapping[TriggerKind, tuple[set[str], Callable[[Json], Trigger]]]] = (
    MappingProxyType(
        {
            TriggerKind.VISIT: ({"zone", "dwell_s"}, _visit),
            TriggerKind.ENTER: ({"zone"}, _enter),
            TriggerKind.LEAVE: ({"zone", "dwell_s_min"}, _leave),
            TriggerKind.TRIP_START: (set(), lambda _: TripStartTrigger()),
            TriggerKind.TRIP_END: (set(), lambda _: TripEndTrigger()),
            TriggerKind.WELCOME: (set(), lambda _: WelcomeTrigger()),
            TriggerKind.BIRTHDAY: (
                {"days_before"},
                lambda given: BirthdayTrigger(days_before=integer_of(given, "days_before", 0)),
            ),
            TriggerKind.ANNIVERSARY: (set(), lambda _: AnniversaryTrigger()),
            TriggerKind.MILESTONE: ({"measure", "count"}, _milestone),
            TriggerKind.SPEND_THRESHOLD: ({"amount", "within_days"}, _spend_threshold),
            TriggerKind.SEGMENT: ({"segment", "movement"}, _segment),
            TriggerKind.BASKET: ({"applies_to", "basket_min"}, _basket),
            TriggerKind.POINTS_EXPIRING: (
                {"within_days"},
                lambda given: PointsExpiringTrigger(within_days=integer_of(given, "within_days")),
            ),
            TriggerKind.REGULAR_PURCHASE: (
                {"category"},
                lambda given: RegularPurchaseTrigger(category=text_of(given, "category")),
            ),
            TriggerKind.REFERRAL: (set(), lambda _: ReferralTrigger()),
            TriggerKind.SURVEY: (
                {"survey"},
                lambda given: SurveyTrigger(survey=text_of(given, "survey")),
            ),
            TriggerKind.MANUAL: (set(), lambda _: ManualTrigger()),
        }
    )
)


def _zone(given: Json) -> ZoneId:
    return ZoneId(text_of(given, "zone"))


def _member_of_enum(kinds: type[E], given: object, what: str) -> E:
    try:
        return kinds(str(given))
    except ValueError as error:
        expected = [kind.value for kind in kinds]
        raise InvalidCampaign(f"{what} is {given!r}; expected of {expected}.") from error
