"""Say what wakes a campaign: a stay in a zone, a birthday, a sum spent, a wish of the staff.

Layer: nouns. Takes: what a merchandiser writes (see trigger_json). Gives: `Trigger` to campaigns
and decisions. Each member says when it wakes and how often one shopper can meet it; what then
speaks against an offer is for `offers.decision` to say.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.campaigns.basket_scope import EVERY_LINE, Scope
from offers.model.errors import InvalidCampaign
from offers.model.ids import check_name, check_text
from offers.model.loyalty.segment import Segment
from offers.model.money import Money
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import Second, ZoneId

DWELL_S_MAX: Final = 86_400.0
DAYS_BEFORE_MAX: Final = 60
DAYS_MAX: Final = 366
COUNT_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTrigger:
    """Wake the campaign when a stay in the zone has lasted `dwell_s`; once a visit."""

    zone: ZoneId
    dwell_s: Second

    def __post_init__(self) -> None:
        _check_zone(self.zone)
        if not 0.0 < self.dwell_s <= DWELL_S_MAX:
            raise InvalidCampaign(
                f"trigger.dwell_s is {self.dwell_s}; expected more than 0 and at most "
                f"{DWELL_S_MAX:.0f} seconds."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterTrigger:
    """Wake the campaign when the shopper enters the zone; once a visit."""

    zone: ZoneId

    def __post_init__(self) -> None:
        _check_zone(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveTrigger:
    """Wake the campaign when the shopper leaves the zone after a stay of at least `dwell_s_min`.

    The offer does not end with the visit, which is over already, but with its own time.
    """

    zone: ZoneId
    dwell_s_min: Second

    def __post_init__(self) -> None:
        _check_zone(self.zone)
        if not 0.0 <= self.dwell_s_min <= DWELL_S_MAX:
            raise InvalidCampaign(
                f"trigger.dwell_s_min is {self.dwell_s_min}; expected 0 to {DWELL_S_MAX:.0f} "
                "seconds."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TripStartTrigger:
    """Wake the campaign when a shopper's trip begins, wherever in the site; once a trip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TripEndTrigger:
    """Wake the campaign when a shopper's trip has ended; once a trip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeTrigger:
    """Wake the campaign when somebody has become a shopper; once a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthdayTrigger:
    """Wake the campaign on the shopper's birthday, or some days before; once a year.

    Day and month are enough. Who was born on 29 February has the birthday on the 28th in a year
    without that day: a gift a day early is a gift, a day late it is a mistake.
    """

    days_before: int = 0

    def __post_init__(self) -> None:
        _check_count("trigger.days_before", self.days_before, least=0, most=DAYS_BEFORE_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnniversaryTrigger:
    """Wake the campaign when full years have passed since the first purchase; once a year."""


class Measure(StrEnum):
    """What a milestone counts."""

    PURCHASES = "purchases"
    TRIPS = "trips"
    """trips to the site, which are counted while the shopper comes at least once a month"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneTrigger:
    """Wake the campaign when the count of a shopper reaches `count`; once for ever."""

    measure: Measure
    count: int

    def __post_init__(self) -> None:
        _check_count("trigger.count", self.count, least=1, most=COUNT_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendThresholdTrigger:
    """Wake the campaign when a purchase lifts the sum of `within_days` to the amount or beyond.

    It wakes at the crossing only: who stays above does not meet it again.
    """

    amount: Money
    within_days: int

    def __post_init__(self) -> None:
        if self.amount.amount_minor <= 0:
            raise InvalidCampaign(
                f"trigger.amount is {self.amount.amount_minor}; expected more than 0 minor units."
            )
        _check_count("trigger.within_days", self.within_days, least=1, most=DAYS_MAX)


class Movement(StrEnum):
    """Which way a shopper crossed the border of a segment."""

    ENTERED = "entered"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTrigger:
    """Wake the campaign when a shopper enters or leaves a segment; once each time.

    Entering `at_risk` is what a win-back campaign waits for.
    """

    segment: Segment
    movement: Movement = Movement.ENTERED


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketTrigger:
    """Wake the campaign when a card is shown at the till with a basket in scope; once a basket."""

    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None
    """what the lines in scope must cost together, at least"""

    def __post_init__(self) -> None:
        if self.basket_min is not None and self.basket_min.amount_minor <= 0:
            raise InvalidCampaign(
                f"trigger.basket_min is {self.basket_min.amount_minor}; expected more than 0. "
                "Leave the field out where any basket will do."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiringTrigger:
    """Wake the campaign when points of a shopper expire within so many days; once a lot."""

    within_days: int

    def __post_init__(self) -> None:
        _check_count("trigger.within_days", self.within_days, least=1, most=DAYS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegularPurchaseTrigger:
    """Wake the campaign when a shopper is seen to buy of a category regularly; once each.

    Meant for the proposal of a subscription.
    """

    category: str

    def __post_init__(self) -> None:
        check_text("trigger.category", self.category, error=InvalidCampaign)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralTrigger:
    """Wake the campaign when somebody whom the shopper brought has bought; once a referral."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyTrigger:
    """Wake the campaign when the shopper has answered the survey; once a survey."""

    survey: str

    def __post_init__(self) -> None:
        check_name("trigger.survey", self.survey, error=InvalidCampaign)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualTrigger:
    """Wake the campaign for a shopper when the staff say so."""


ZoneTrigger = VisitTrigger | EnterTrigger | LeaveTrigger
"""those that need the consent `locate` and a zone of the map"""
TripTrigger = TripStartTrigger | TripEndTrigger
"""those that need `locate`, wherever in the site"""
Trigger = (
    ZoneTrigger
    | TripTrigger
    | WelcomeTrigger
    | BirthdayTrigger
    | AnniversaryTrigger
    | MilestoneTrigger
    | SpendThresholdTrigger
    | SegmentTrigger
    | BasketTrigger
    | PointsExpiringTrigger
    | RegularPurchaseTrigger
    | ReferralTrigger
    | SurveyTrigger
    | ManualTrigger
)


class TriggerKind(StrEnum):
    """The name of each trigger: in a campaign's document, and to find who waits for an occasion."""

    VISIT = "visit"
    ENTER = "enter"
    LEAVE = "leave"
    TRIP_START = "trip_start"
    TRIP_END = "trip_end"
    WELCOME = "welcome"
    BIRTHDAY = "birthday"
    ANNIVERSARY = "anniversary"
    MILESTONE = "milestone"
    SPEND_THRESHOLD = "spend_threshold"
    SEGMENT = "segment"
    BASKET = "basket"
    POINTS_EXPIRING = "points_expiring"
    REGULAR_PURCHASE = "regular_purchase"
    REFERRAL = "referral"
    SURVEY = "survey"
    MANUAL = "manual"


KIND_OF_TRIGGER: Final[dict[type[Trigger], TriggerKind]] = {
    VisitTrigger: TriggerKind.VISIT,
    EnterTrigger: TriggerKind.ENTER,
    LeaveTrigger: TriggerKind.LEAVE,
    TripStartTrigger: TriggerKind.TRIP_START,
    TripEndTrigger: TriggerKind.TRIP_END,
    WelcomeTrigger: TriggerKind.WELCOME,
    BirthdayTrigger: TriggerKind.BIRTHDAY,
    AnniversaryTrigger: TriggerKind.ANNIVERSARY,
    MilestoneTrigger: TriggerKind.MILESTONE,
    SpendThresholdTrigger: TriggerKind.SPEND_THRESHOLD,
    SegmentTrigger: TriggerKind.SEGMENT,
    BasketTrigger: TriggerKind.BASKET,
    PointsExpiringTrigger: TriggerKind.POINTS_EXPIRING,
    RegularPurchaseTrigger: TriggerKind.REGULAR_PURCHASE,
    ReferralTrigger: TriggerKind.REFERRAL,
    SurveyTrigger: TriggerKind.SURVEY,
    ManualTrigger: TriggerKind.MANUAL,
}


def zone_of(trigger: Trigger) -> ZoneId | None:
    """Return the zone that the trigger watches, or None where it watches none."""
    return trigger.zone if isinstance(trigger, ZoneTrigger) else None


def needs_locate(trigger: Trigger) -> bool:
    """Say whether the trigger stands on where the shopper is."""
    return isinstance(trigger, ZoneTrigger | TripTrigger)


def _check_zone(zone: ZoneId) -> None:
    if not ID_PATTERN.match(zone):
        raise InvalidCampaign(
            f"trigger.zone is {zone!r}; expected the id of a zone of the site map."
        )


def _check_count(field: str, count: int, *, least: int, most: int) -> None:
    if type(count) is not int or not least <= count <= most:
        raise InvalidCampaign(f"{field} is {count!r}; expected a whole number, {least} to {most}.")
