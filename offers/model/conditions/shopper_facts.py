"""Gather what is known of a shopper and of the moment, for conditions to look at.

Layer: nouns. Takes: what storage holds of a shopper as of one instant. Gives: `ShopperFacts`,
`Surroundings` to the closures of conditions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from offers.model.conditions.condition_terms import Weekday
from offers.model.conditions.fact import Fact, FactKind
from offers.model.loyalty.segment import Segment
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.model.till.basket import Basket
from rtls.model.units import UnixMs, ZoneId

_WEEKDAYS = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopperFacts:
    """What is known of one shopper as of one instant, at one site."""

    as_of_ms: UnixMs
    enrolled_at_ms: UnixMs
    locale: Locale = Locale.DE
    granted: frozenset[Purpose] = frozenset()
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    segment: Segment | None = None
    tier: str | None = None
    past: Mapping[FactKind, tuple[Fact, ...]] = field(default_factory=dict)
    """of each kind that the conditions ask about, oldest first"""
    tallies: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    """what was counted already, by question: many campaigns ask the same"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactNeeds:
    """What has to be read of the past: of each kind so many days."""

    days: Mapping[FactKind, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """What the clocks of a site show."""

    weekday: Weekday
    minute: int
    """of the day"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The situation that is decided about. None: there is no such thing in this situation."""

    zone: ZoneId | None = None
    dwell_s: float | None = None
    basket: Basket | None = None
    local: LocalTime | None = None


NOWHERE = Surroundings()


def local_time(now_ms: UnixMs, zone: tzinfo) -> LocalTime:
    """Return what the clocks of a time zone show at an instant.

    Examples
    --------
    >>> local_time(UnixMs(1_700_000_000_000), UTC)
    LocalTime(weekday=<Weekday.TUESDAY: 'tuesday'>, minute=1333)
    """
    shown = datetime.fromtimestamp(now_ms // 1_000, tz=UTC).astimezone(zone)
    return LocalTime(weekday=_WEEKDAYS[shown.weekday()], minute=shown.hour * 60 + shown.minute)
