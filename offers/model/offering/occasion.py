"""Say what has happened to a shopper that may wake campaigns.

Layer: nouns. Takes: zone events, dates, purchases and other facts, from handlers. Gives: `Occasion`
and the `Moment` around it to decisions. There is one for each kind of trigger; an occasion that
stands on where the shopper is needs the consent `locate`, the others do not.
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Final

from offers.model.campaigns.trigger import Measure, Movement, TriggerKind
from offers.model.errors import InvalidOffer
from offers.model.ids import ShopperId, VisitId, check_text
from offers.model.loyalty.segment import Segment
from offers.model.money import Money
from offers.model.till.basket import Basket
from rtls.model.units import Second, SiteId, UnixMs, ZoneId

SPENT_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOccasion:
    """A stay in a zone has begun, has lasted for a threshold, or is over."""

    kind: TriggerKind
    """`ENTER`, `VISIT` or `LEAVE`"""
    zone: ZoneId
    visit: VisitId
    dwell_s: Second
    """0 on entering; the threshold that has just been reached; on leaving the whole stay"""
    is_late: bool
    is_visit_open: bool
    """on leaving: whether the stay was this shopper's own"""
    resumed: int = 0
    """the revision by which a leaving was withdrawn, where it makes again what that had revoked"""

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return f"{self.visit}~{self.resumed}" if self.resumed else self.visit


@dataclass(frozen=True, slots=True, kw_only=True)
class TripOccasion:
    """A trip through the site has begun or ended."""

    kind: TriggerKind
    """`TRIP_START` or `TRIP_END`"""
    trip: str

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.trip


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """Somebody has become a shopper."""

    kind: ClassVar[TriggerKind] = TriggerKind.WELCOME

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return "once"


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthdayNear:
    """The shopper's birthday is so many days ahead, 0 for today."""

    kind: ClassVar[TriggerKind] = TriggerKind.BIRTHDAY

    days_ahead: int
    year: int
    """of the birthday"""

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return f"{self.year}-{self.days_ahead}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnniversaryReached:
    """Full years have passed since the first purchase."""

    kind: ClassVar[TriggerKind] = TriggerKind.ANNIVERSARY

    years: int

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return str(self.years)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountGrown:
    """A count of the shopper has grown, so that a milestone may have been passed."""

    kind: ClassVar[TriggerKind] = TriggerKind.MILESTONE

    measure: Measure
    before: int
    after: int

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return f"{self.measure.value}-{self.after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one purchase cost, and when."""

    amount: Money
    at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchased:
    """Something was bought, after the purchases before it."""

    kind: ClassVar[TriggerKind] = TriggerKind.SPEND_THRESHOLD

    purchase: str
    newest: Spent
    earlier: tuple[Spent, ...] = ()
    """those of the last 366 days, in any order"""

    def __post_init__(self) -> None:
        if len(self.earlier) > SPENT_MAX:
            raise InvalidOffer(
                f"earlier has {len(self.earlier)} purchases; expected at most {SPENT_MAX}. Leave "
                "out the oldest."
            )

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.purchase


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChanged:
    """The shopper has entered or left a segment."""

    kind: ClassVar[TriggerKind] = TriggerKind.SEGMENT

    segment: Segment
    movement: Movement
    change: str
    """names this crossing; the next one of the same border is another"""

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.change


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketShown:
    """A card was shown at a till together with a basket."""

    kind: ClassVar[TriggerKind] = TriggerKind.BASKET

    basket: Basket
    reference: str
    """names the basket"""

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpire:
    """Points of a lot expire in so many days."""

    kind: ClassVar[TriggerKind] = TriggerKind.POINTS_EXPIRING

    lot: str
    days_ahead: int

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return f"{self.lot}-{self.days_ahead}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtRegularly:
    """The shopper is seen to buy of a category regularly."""

    kind: ClassVar[TriggerKind] = TriggerKind.REGULAR_PURCHASE

    category: str

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.category


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralConverted:
    """Somebody whom the shopper brought has bought."""

    kind: ClassVar[TriggerKind] = TriggerKind.REFERRAL

    referral: str

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.referral


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswered:
    """The shopper has answered a survey."""

    kind: ClassVar[TriggerKind] = TriggerKind.SURVEY

    survey: str

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """The staff want the shopper to get an offer."""

    kind: ClassVar[TriggerKind] = TriggerKind.MANUAL

    request: str
    """names the wish, so that asking twice is asking once"""

    @property
    def key(self) -> str:
        """Return what tells it from others of its kind and shopper."""
        return self.request


PlaceOccasion = ZoneOccasion | TripOccasion
"""those that stand on where the shopper is"""
Occasion = (
    PlaceOccasion
    | Enrolled
    | BirthdayNear
    | AnniversaryReached
    | CountGrown
    | Purchased
    | SegmentChanged
    | BasketShown
    | PointsExpire
    | BoughtRegularly
    | ReferralConverted
    | SurveyAnswered
    | Requested
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The instant that is decided about: to whom what has happened where."""

    event_id: str
    shopper: ShopperId
    site: SiteId
    occasion: Occasion
    now_ms: UnixMs

    def __post_init__(self) -> None:
        check_text("event_id", self.event_id, error=InvalidOffer)

    @property
    def zone(self) -> ZoneId | None:
        """Return the zone that it happened in, where there is one."""
        return self.occasion.zone if isinstance(self.occasion, ZoneOccasion) else None

    @property
    def open_visit(self) -> VisitId | None:
        """Return the visit with whose end an offer ends; on leaving there is none any more."""
        occasion = self.occasion
        is_staying = isinstance(occasion, ZoneOccasion) and occasion.kind is not TriggerKind.LEAVE
        return occasion.visit if isinstance(occasion, ZoneOccasion) and is_staying else None

    @property
    def kind(self) -> TriggerKind:
        """Return the kind of trigger that waits for this."""
        return self.occasion.kind

    @property
    def key(self) -> str:
        """Return the name of the occasion: a campaign makes one offer to a shopper under it."""
        return f"{self.kind.value}:{self.occasion.key}"

    @property
    def needs_locate(self) -> bool:
        """Say whether it stands on where the shopper is."""
        return isinstance(self.occasion, PlaceOccasion)


def moment_of(occasion: Occasion, *, shopper: ShopperId, site: SiteId, now_ms: UnixMs) -> Moment:
    """Return the moment of an occasion that no event of locating names.

    Its event id is a hash of shopper, kind and key: noting the same twice is noting it once.
    """
    named = f"{site}/{shopper}/{occasion.kind.value}/{occasion.key}"
    event_id = hashlib.sha256(named.encode()).hexdigest()[:32]
    return Moment(event_id=event_id, shopper=shopper, site=site, occasion=occasion, now_ms=now_ms)
