"""Write conditions as the JSON that condition_json reads.

Layer: nouns. Takes: a `Condition`. Gives: plain objects to the campaign's document. What has its
default value is left out, so that a document stays as short as it was written.
"""

from collections.abc import Iterable
from typing import assert_never

from offers.model.conditions.condition import And, Condition, Not, Or
from offers.model.conditions.condition_terms import (
    MINUTES_A_DAY,
    AttributeIn,
    AttributeRange,
    BasketSum,
    ConsentGranted,
    DwellSeconds,
    EnrolledDays,
    Events,
    LocaleIn,
    LocalTimeIn,
    MomentTerm,
    PastCount,
    PastSum,
    Range,
    SegmentIn,
    ShopperTerm,
    StandingTerm,
    Term,
    TierIn,
    Weekday,
    ZoneIn,
)

Written = dict[str, object]


def render_condition(condition: Condition) -> Written:
    """Return what `parse_condition` reads as this condition."""
    match condition:
        case And():
            return {"and": [render_condition(part) for part in condition.parts]}
        case Or():
            return {"or": [render_condition(part) for part in condition.parts]}
        case Not():
            return {"not": render_condition(condition.part)}
        case _:
            return _term(condition)


def _term(term: Term) -> Written:
    if isinstance(term, MomentTerm):
        return _moment_term(term)
    return _shopper_term(term)


def _shopper_term(term: ShopperTerm) -> Written:
    match term:
        case PastCount():
            return {"kind": "count"} | _events(term.events) | _range(term.range)
        case PastSum():
            measured = _measured(term.measure.value, term.currency)
            return {"kind": "sum"} | _events(term.events) | measured | _range(term.range)
        case AttributeIn():
            return {"kind": "attribute", "name": term.name, "in": sorted(term.values)}
        case AttributeRange():
            return {"kind": "attribute", "name": term.name} | _range(term.range)
        case _:
            return _standing_term(term)


def _standing_term(term: StandingTerm) -> Written:
    match term:
        case LocaleIn():
            return {"kind": "locale", "in": sorted(locale.value for locale in term.locales)}
        case ConsentGranted():
            return {"kind": "consent", "purpose": term.purpose.value}
        case SegmentIn():
            return {"kind": "segment", "in": sorted(segment.value for segment in term.segments)}
        case TierIn():
            return {"kind": "tier", "in": sorted(term.tiers)}
        case EnrolledDays():
            return {"kind": "enrolled_days"} | _range(term.range)
        case _:
            assert_never(term)


def _moment_term(term: MomentTerm) -> Written:
    match term:
        case ZoneIn():
            return {"kind": "zone", "in": sorted(term.zones)}
        case DwellSeconds():
            return {"kind": "dwell_s"} | _range(term.range)
        case BasketSum():
            named = _named(categories=term.categories, skus=term.skus)
            measured = _measured(term.measure.value, term.currency)
            return {"kind": "basket"} | measured | named | _range(term.range)
        case LocalTimeIn():
            return _local_time(term)
        case _:
            assert_never(term)


def _events(events: Events) -> Written:
    named = _named(
        categories=events.categories, skus=events.skus, zones=events.zones, sites=events.sites
    )
    return {"of": events.kind.value, "within_days": events.within_days} | named


def _measured(measure: str, currency: str | None) -> Written:
    written: Written = {"measure": measure}
    return written if currency is None else written | {"currency": currency}


def _named(**lists: Iterable[str]) -> Written:
    return {name: entries for name, listed in lists.items() if (entries := sorted(listed))}


def _range(given: Range) -> Written:
    bounds = {"at_least": given.at_least, "at_most": given.at_most}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _local_time(term: LocalTimeIn) -> Written:
    written: Written = {"kind": "local_time"}
    if term.weekdays != frozenset(Weekday):
        written["weekdays"] = [day.value for day in Weekday if day in term.weekdays]
    if term.from_minute:
        written["from"] = _clock(term.from_minute)
    if term.until_minute != MINUTES_A_DAY:
        written["until"] = _clock(term.until_minute)
    return written


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
