"""Conditions, read off their words: no compiling, no memory, no index."""

from offers.model.conditions.condition import And, Condition, Not, Or
from offers.model.conditions.condition_terms import (
    AttributeIn,
    AttributeRange,
    BasketSum,
    ConsentGranted,
    DwellSeconds,
    EnrolledDays,
    Events,
    LocaleIn,
    LocalTimeIn,
    Measure,
    PastCount,
    PastSum,
    SegmentIn,
    TierIn,
    Weekday,
    ZoneIn,
)
from offers.model.conditions.fact import Fact, FactKind
from offers.model.conditions.shopper_facts import LocalTime, ShopperFacts, Surroundings

DAY_MS = 24 * 60 * 60 * 1_000
FALSE, UNKNOWN, TRUE = 0, 1, 2
AS_TRUTH = {FALSE: False, UNKNOWN: None, TRUE: True}


def truth(condition: Condition, facts: ShopperFacts, now: Surroundings) -> bool | None:
    return AS_TRUTH[_value(condition, facts, now)]


def _value(condition: Condition, facts: ShopperFacts, now: Surroundings) -> int:
    match condition:
        case And(parts=parts):
            return min(_value(part, facts, now) for part in parts)
        case Or(parts=parts):
            return max(_value(part, facts, now) for part in parts)
        case Not(part=part):
            return 2 - _value(part, facts, now)
        case ZoneIn() | DwellSeconds() | BasketSum() | LocalTimeIn():
            return _moment_value(condition, now)
        case _:
            return TRUE if _holds(condition, facts) else FALSE


def _holds(  # noqa: C901, PLR0911 - one line a term
    term: object, facts: ShopperFacts
) -> bool:
    match term:
        case PastCount(events=events, range=wanted):
            return wanted.covers(len(_meant(facts, events, events.kind)))
        case PastSum():
            return term.range.covers(_net_sum(term, facts))
        case AttributeIn(name=name, values=values):
            return bool(values & facts.attributes.get(name, frozenset()))
        case AttributeRange(name=name, range=wanted):
            known = facts.attributes.get(name, frozenset())
            return any(str(n) in known for n in range(100) if wanted.covers(n))
        case LocaleIn(locales=locales):
            return facts.locale in locales
        case ConsentGranted(purpose=purpose):
            return purpose in facts.granted
        case SegmentIn(segments=segments):
            return facts.segment in segments
        case TierIn(tiers=tiers):
            return facts.tier in tiers
        case EnrolledDays(range=wanted):
            return wanted.covers((facts.as_of_ms - facts.enrolled_at_ms) // DAY_MS)
    raise AssertionError(term)


def _net_sum(term: PastSum, facts: ShopperFacts) -> int:
    bought = _meant(facts, term.events, term.events.kind)
    back = {FactKind.PURCHASE: FactKind.RETURN, FactKind.PURCHASE_LINE: FactKind.RETURN_LINE}
    opposite = back.get(term.events.kind)
    returned = [] if opposite is None else _meant(facts, term.events, opposite)
    return sum(_worth(term, fact) for fact in bought) - sum(_worth(term, f) for f in returned)


def _worth(term: PastSum, fact: Fact) -> int:
    if term.measure is Measure.QUANTITY:
        return fact.quantity
    is_counted = fact.amount is not None and fact.amount.currency == term.currency
    return fact.amount.amount_minor if is_counted else 0


def _meant(facts: ShopperFacts, events: Events, kind: FactKind) -> list[Fact]:
    since_ms = facts.as_of_ms - events.within_days * DAY_MS
    return [
        fact
        for fact in facts.past.get(kind, ())
        if fact.at_ms > since_ms
        and (not events.categories or fact.category in events.categories)
        and (not events.skus or fact.sku in events.skus)
        and (not events.zones or fact.zone in events.zones)
        and (not events.sites or fact.site in events.sites)
    ]


def _moment_value(term: object, now: Surroundings) -> int:
    match term:
        case ZoneIn(zones=zones) if now.zone is not None:
            return TRUE if now.zone in zones else FALSE
        case DwellSeconds(range=wanted) if now.dwell_s is not None:
            return TRUE if wanted.covers(now.dwell_s) else FALSE
        case LocalTimeIn() if now.local is not None:
            return TRUE if now.local in _shown_times(term) else FALSE
        case BasketSum() if now.basket is not None:
            counted = [
                line.total_minor if term.measure is Measure.AMOUNT_MINOR else line.quantity
                for line in now.basket.lines
                if not (term.categories or term.skus)
                or line.category in term.categories
                or line.sku in term.skus
            ]
            is_other = term.currency not in {None, now.basket.currency}
            return TRUE if term.range.covers(0 if is_other else sum(counted)) else FALSE
    return UNKNOWN


def _shown_times(term: LocalTimeIn) -> set[LocalTime]:
    """Every minute of the week that the span holds, one after the other."""
    week = list(Weekday)
    shown: set[LocalTime] = set()
    for day in term.weekdays:
        minute = term.from_minute
        while True:
            weekday = week[(week.index(day) + minute // 1_440) % 7]
            shown.add(LocalTime(weekday=weekday, minute=minute % 1_440))
            minute += 1
            if minute % 1_440 == term.until_minute % 1_440:
                return_at = minute
                break
        assert return_at > term.from_minute
    return shown
