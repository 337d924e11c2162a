"""Compile the single terms of a condition, each to one small function.

Layer: rules. Takes: a term. Gives: its test to the compiler of conditions. What does not change
from shopper to shopper is worked out here, once.
"""

from collections.abc import Callable
from typing import assert_never

from offers.decision.past_tally import tally_of
from offers.model.conditions.attribute import number_of
from offers.model.conditions.condition_terms import (
    MINUTES_A_DAY,
    AttributeIn,
    AttributeRange,
    BasketSum,
    ConsentGranted,
    DwellSeconds,
    EnrolledDays,
    LocaleIn,
    LocalTimeIn,
    Measure,
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
from offers.model.conditions.fact import DAY_MS
from offers.model.conditions.shopper_facts import LocalTime, ShopperFacts, Surroundings

Test = Callable[[ShopperFacts, Surroundings], bool | None]


def truth_of(term: Term) -> Test:
    """Return the function that tells whether the term holds, None where nobody can say."""
    if isinstance(term, MomentTerm):
        return _moment_test(term)
    return _shopper_test(term)


def _shopper_test(term: ShopperTerm) -> Test:
    match term:
        case PastCount() | PastSum():
            return _past_test(term)
        case AttributeIn() | AttributeRange():
            return _attribute_test(term)
        case _:
            return _standing_test(term)


def _standing_test(term: StandingTerm) -> Test:
    match term:
        case LocaleIn(locales=locales):
            return lambda facts, _: facts.locale in locales
        case ConsentGranted(purpose=purpose):
            return lambda facts, _: purpose in facts.granted
        case SegmentIn(segments=segments):
            return lambda facts, _: facts.segment in segments
        case TierIn(tiers=tiers):
            return lambda facts, _: facts.tier in tiers
        case EnrolledDays(range=days):
            return _enrolled_test(days)
        case _:
            assert_never(term)


def _past_test(term: PastCount | PastSum) -> Test:
    tally = tally_of(term)
    low, high = term.range.low, term.range.high
    return lambda facts, _: low <= tally(facts) <= high


def _attribute_test(term: AttributeIn | AttributeRange) -> Test:
    name, nothing = term.name, frozenset[str]()
    if isinstance(term, AttributeIn):
        wanted = term.values
        return lambda facts, _: not wanted.isdisjoint(facts.attributes.get(name, nothing))
    covers = term.range.covers

    def test(facts: ShopperFacts, _now: Surroundings) -> bool:
        numbers = map(number_of, facts.attributes.get(name, nothing))
        return any(number is not None and covers(number) for number in numbers)

    return test


def _enrolled_test(days: Range) -> Test:
    low, high = days.low, days.high
    return lambda facts, _: low <= (facts.as_of_ms - facts.enrolled_at_ms) // DAY_MS <= high


def _moment_test(term: MomentTerm) -> Test:
    match term:
        case ZoneIn(zones=zones):
            return lambda _, now: None if now.zone is None else now.zone in zones
        case DwellSeconds(range=seconds):
            return lambda _, now: None if now.dwell_s is None else seconds.covers(now.dwell_s)
        case BasketSum():
            return _basket_test(term)
        case LocalTimeIn():
            return lambda _, now: None if now.local is None else shows(term, now.local)
        case _:
            assert_never(term)


def _basket_test(term: BasketSum) -> Test:
    covers, is_amount = term.range.covers, term.measure is Measure.AMOUNT_MINOR
    is_whole = not term.categories and not term.skus

    def test(_facts: ShopperFacts, now: Surroundings) -> bool | None:
        basket = now.basket
        if basket is None:
            return None
        if is_amount and basket.currency != term.currency:
            return covers(0)
        return covers(
            sum(
                line.total_minor if is_amount else line.quantity
                for line in basket.lines
                if is_whole or line.category in term.categories or line.sku in term.skus
            )
        )

    return test


_BEFORE = {day: tuple(Weekday)[n - 1] for n, day in enumerate(Weekday)}


def shows(term: LocalTimeIn, local: LocalTime) -> bool:
    """Say whether a clock shows a time within the span.

    Examples
    --------
    >>> friday_night = LocalTimeIn(
    ...     weekdays=frozenset({Weekday.FRIDAY}), from_minute=22 * 60, until_minute=2 * 60
    ... )
    >>> shows(friday_night, LocalTime(weekday=Weekday.SATURDAY, minute=60))
    True
    """
    start, end, minute = term.from_minute, term.until_minute, local.minute
    if start < end:
        return local.weekday in term.weekdays and start <= minute < end
    is_evening = local.weekday in term.weekdays and start <= minute < MINUTES_A_DAY
    return is_evening or (_BEFORE[local.weekday] in term.weekdays and minute < end)
