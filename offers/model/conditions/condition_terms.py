"""State the single terms of a condition: what is compared, and with which values.

Layer: nouns. Takes: what condition_json reads. Gives: the leaves of `Condition`. Terms about the
shopper have two faces, a closure and SQL; terms about the moment (zone, dwell, basket, local time)
have the closure only: an audience is counted as if they were fulfilled.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.conditions.fact import FactKind, days_kept
from offers.model.errors import InvalidCondition
from offers.model.ids import NAME_PATTERN, check_text
from offers.model.loyalty.segment import Segment
from offers.model.money import AMOUNT_MINOR_MAX, CURRENCIES
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import SiteId, ZoneId

VALUES_MAX: Final = 100
MINUTES_A_DAY: Final = 1_440


class Weekday(StrEnum):
    """A day of the week; the order is that of ISO 8601."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Measure(StrEnum):
    """What is summed."""

    AMOUNT_MINOR = "amount_minor"
    QUANTITY = "quantity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """From `at_least` to `at_most`, both counted in; one of them may be open."""

    at_least: int | None = None
    at_most: int | None = None

    def __post_init__(self) -> None:
        for field, bound in (("at_least", self.at_least), ("at_most", self.at_most)):
            is_sound = bound is None or (type(bound) is int and 0 <= bound <= AMOUNT_MINOR_MAX)
            if not is_sound:
                raise InvalidCondition(
                    f"{field} is {bound!r}; expected a whole number from 0 to {AMOUNT_MINOR_MAX}."
                )
        if self.at_least is None and self.at_most is None:
            raise InvalidCondition("at_least is missing; expected it, or at_most, or both.")
        if None not in {self.at_least, self.at_most} and self.low > self.high:
            raise InvalidCondition(
                f"at_least is {self.at_least} and at_most {self.at_most}; expected at_least not "
                "above at_most, or the condition is never true."
            )

    @property
    def low(self) -> float:
        """Return the lower end."""
        return float("-inf") if self.at_least is None else self.at_least

    @property
    def high(self) -> float:
        """Return the upper end."""
        return float("inf") if self.at_most is None else self.at_most

    def covers(self, number: float) -> bool:
        """Say whether a number lies within."""
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Which facts of the past are meant: of one kind, of the last days, of these things.

    The last n days are n times 24 hours. An empty set leaves its question open.
    """

    kind: FactKind
    within_days: int
    categories: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()
    zones: frozenset[ZoneId] = frozenset()
    sites: frozenset[SiteId] = frozenset()

    def __post_init__(self) -> None:
        days_max = days_kept(self.kind)
        if type(self.within_days) is not int or not 1 <= self.within_days <= days_max:
            raise InvalidCondition(
                f"within_days is {self.within_days!r}; expected 1 to {days_max}: a {self.kind} is "
                "not kept for longer."
            )
        _check_texts("categories", self.categories)
        _check_texts("skus", self.skus)
        _check_ids("zones", self.zones)
        _check_ids("sites", self.sites)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCount:
    """So many facts of the past."""

    events: Events
    range: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSum:
    """So much in facts of the past; what was brought back is subtracted."""

    events: Events
    measure: Measure
    range: Range
    currency: str | None = None
    """of the amounts that are summed; others do not count"""

    def __post_init__(self) -> None:
        _check_currency(self.measure, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeIn:
    """One of the shopper's values of an attribute is among these."""

    name: str
    values: frozenset[str]

    def __post_init__(self) -> None:
        _check_name("name", self.name)
        _check_some("in", len(self.values))
        _check_texts("in", self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRange:
    """One of the shopper's values of an attribute is a number within a range."""

    name: str
    range: Range

    def __post_init__(self) -> None:
        _check_name("name", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocaleIn:
    """The shopper reads one of these languages."""

    locales: frozenset[Locale]

    def __post_init__(self) -> None:
        _check_some("in", len(self.locales))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGranted:
    """The shopper has granted a purpose."""

    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentIn:
    """The shopper is in one of these segments of the site."""

    segments: frozenset[Segment]

    def __post_init__(self) -> None:
        _check_some("in", len(self.segments))


@dataclass(frozen=True, slots=True, kw_only=True)
class TierIn:
    """The shopper has one of these tiers of the site."""

    tiers: frozenset[str]

    def __post_init__(self) -> None:
        _check_some("in", len(self.tiers))
        for tier in self.tiers:
            _check_name("in", tier)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledDays:
    """So many whole days of 24 hours since the shopper enrolled."""

    range: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneIn:
    """The shopper stands in one of these zones."""

    zones: frozenset[ZoneId]

    def __post_init__(self) -> None:
        _check_some("in", len(self.zones))
        _check_ids("in", self.zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellSeconds:
    """The stay has lasted so long."""

    range: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketSum:
    """So much of these items is in the basket at the till; empty sets mean every line."""

    measure: Measure
    range: Range
    currency: str | None = None
    categories: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _check_currency(self.measure, self.currency)
        _check_texts("categories", self.categories)
        _check_texts("skus", self.skus)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTimeIn:
    """The site's clocks show such a time: from the minute until just before the other.

    Where `until_minute` is not above `from_minute` the span goes past midnight, and belongs to the
    day on which it began.
    """

    weekdays: frozenset[Weekday] = frozenset(Weekday)
    from_minute: int = 0
    until_minute: int = MINUTES_A_DAY

    def __post_init__(self) -> None:
        _check_some("weekdays", len(self.weekdays))
        is_sound = 0 <= self.from_minute < MINUTES_A_DAY and 0 < self.until_minute <= MINUTES_A_DAY
        if not is_sound or self.from_minute == self.until_minute:
            raise InvalidCondition(
                f"from is minute {self.from_minute} of the day and until {self.until_minute}; "
                "expected two different times from 00:00 to 24:00."
            )


PastTerm = PastCount | PastSum
AttributeTerm = AttributeIn | AttributeRange
StandingTerm = LocaleIn | ConsentGranted | SegmentIn | TierIn | EnrolledDays
ShopperTerm = PastTerm | AttributeTerm | StandingTerm
MomentTerm = ZoneIn | DwellSeconds | BasketSum | LocalTimeIn
Term = ShopperTerm | MomentTerm


def _check_some(field: str, count: int) -> None:
    if not 1 <= count <= VALUES_MAX:
        raise InvalidCondition(f"{field} has {count} entries; expected 1 to {VALUES_MAX}.")


def _check_texts(field: str, values: frozenset[str]) -> None:
    if len(values) > VALUES_MAX:
        raise InvalidCondition(
            f"{field} has {len(values)} entries; expected at most {VALUES_MAX}. Name a category "
            "instead of its items."
        )
    for entry in values:
        check_text(field, entry, error=InvalidCondition)


def _check_ids(field: str, ids: frozenset[ZoneId] | frozenset[SiteId]) -> None:
    if len(ids) > VALUES_MAX:
        raise InvalidCondition(f"{field} has {len(ids)} entries; expected at most {VALUES_MAX}.")
    for given in ids:
        if not ID_PATTERN.match(given):
            raise InvalidCondition(f"{field} has {given!r}; expected ids of the site map.")


def _check_name(field: str, name: str) -> None:
    if not NAME_PATTERN.match(name):
        raise InvalidCondition(f"{field} is {name!r}; expected 1 to 63 of a-z, 0-9 and '-'.")


def _check_currency(measure: Measure, currency: str | None) -> None:
    if (measure is Measure.AMOUNT_MINOR) != (currency is not None):
        raise InvalidCondition(
            f"currency is {currency!r} and measure {measure}; expected a currency with "
            "amount_minor, and only there."
        )
    if currency is not None and currency not in CURRENCIES:
        raise InvalidCondition(
            f"currency is {currency!r}; expected an ISO 4217 code in capitals, e.g. 'EUR'."
        )
