"""Random conditions, and random shoppers and moments to ask them about.

Few names and small numbers, so that a random condition often holds for a random shopper.
"""

from hypothesis import strategies as st

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
    Range,
    SegmentIn,
    TierIn,
    Weekday,
    ZoneIn,
)
from offers.model.conditions.fact import DAY_MS, Fact, FactKind
from offers.model.conditions.shopper_facts import LocalTime, ShopperFacts, Surroundings
from offers.model.loyalty.segment import Segment
from offers.model.money import Money
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from rtls.model.units import SiteId, UnixMs, ZoneId
from tests.unit.offers.shop import SITE, START_MS, basket

NOW_MS = UnixMs(START_MS + 500 * DAY_MS)
CATEGORIES = st.sampled_from(["dowels", "paint"])
SKUS = st.sampled_from(["sku-0", "sku-1"])
ZONES = st.sampled_from([ZoneId("dowels"), ZoneId("entrance")])
SITES = st.sampled_from([SITE, SiteId("elsewhere")])
KINDS = st.sampled_from(
    [
        FactKind.PURCHASE,
        FactKind.PURCHASE_LINE,
        FactKind.RETURN,
        FactKind.RETURN_LINE,
        FactKind.VISIT,
    ]
)
ATTRIBUTES = st.sampled_from(["interest", "household-size"])
VALUES = st.sampled_from(["garden", "wood", "1", "2", "03", "7"])
TIERS = st.sampled_from(["silver", "gold"])


@st.composite
def ranges(draw, most: int = 6) -> Range:
    low = draw(st.none() | st.integers(0, most))
    high = draw(st.integers(low or 0, most) if low is None else st.none() | st.integers(low, most))
    return Range(at_least=low, at_most=high)


def some(values, *, least: int = 1):
    return st.frozensets(values, min_size=least, max_size=2)


EVENTS = st.builds(
    Events,
    kind=KINDS,
    within_days=st.integers(1, 5),
    categories=some(CATEGORIES, least=0),
    skus=some(SKUS, least=0),
    zones=some(ZONES, least=0),
    sites=some(SITES, least=0),
)
QUANTITY = st.fixed_dictionaries({"measure": st.just(Measure.QUANTITY)})
AMOUNT = st.fixed_dictionaries(
    {
        "measure": st.just(Measure.AMOUNT_MINOR),
        "currency": st.sampled_from(["EUR", "EUR", "CHF"]),
    }
)
LOCAL_TIMES = st.tuples(
    some(st.sampled_from(list(Weekday))), st.integers(0, 1_439), st.integers(1, 1_440)
).filter(lambda span: span[1] != span[2])
SHOPPER_TERMS = st.one_of(
    st.builds(PastCount, events=EVENTS, range=ranges()),
    st.builds(
        lambda events, given, measured: PastSum(events=events, range=given, **measured),
        EVENTS,
        ranges(),
        QUANTITY | AMOUNT,
    ),
    st.builds(AttributeIn, name=ATTRIBUTES, values=some(VALUES)),
    st.builds(AttributeRange, name=ATTRIBUTES, range=ranges()),
    st.builds(LocaleIn, locales=some(st.sampled_from(list(Locale)))),
    st.builds(ConsentGranted, purpose=st.sampled_from(list(Purpose))),
    st.builds(SegmentIn, segments=some(st.sampled_from(list(Segment)))),
    st.builds(TierIn, tiers=some(TIERS)),
    st.builds(EnrolledDays, range=ranges()),
)
MOMENT_TERMS = st.one_of(
    st.builds(ZoneIn, zones=some(ZONES)),
    st.builds(DwellSeconds, range=ranges()),
    st.builds(
        lambda given, measured, categories, skus: BasketSum(
            range=given, categories=categories, skus=skus, **measured
        ),
        ranges(2_000),
        QUANTITY | AMOUNT,
        some(CATEGORIES, least=0),
        some(SKUS, least=0),
    ),
    LOCAL_TIMES.map(
        lambda span: LocalTimeIn(weekdays=span[0], from_minute=span[1], until_minute=span[2])
    ),
)


def conditions(terms=SHOPPER_TERMS | MOMENT_TERMS) -> st.SearchStrategy[Condition]:
    """Trees of up to 12 terms, never deeper than is allowed."""
    return st.recursive(
        terms,
        lambda parts: (
            st.lists(parts, min_size=1, max_size=3).map(lambda some: And(parts=tuple(some)))
            | st.lists(parts, min_size=1, max_size=3).map(lambda some: Or(parts=tuple(some)))
            | parts.map(lambda part: Not(part=part))
        ),
        max_leaves=6,
    )


@st.composite
def facts(draw, number: int) -> Fact:
    age_ms = draw(st.integers(0, 6 * DAY_MS) | st.integers(0, 6).map(lambda days: days * DAY_MS))
    amount = draw(st.none() | st.integers(0, 6))
    currency = draw(st.sampled_from(["EUR", "EUR", "CHF"]))
    return Fact(
        kind=draw(KINDS),
        reference=f"fact-{number}",
        at_ms=UnixMs(NOW_MS - age_ms),
        site=draw(SITES),
        zone=draw(st.none() | ZONES),
        category=draw(st.none() | CATEGORIES),
        sku=draw(st.none() | SKUS),
        amount=None if amount is None else Money(amount_minor=amount, currency=currency),
        quantity=draw(st.integers(0, 3)),
    )


@st.composite
def shoppers(draw) -> ShopperFacts:
    past = [draw(facts(number)) for number in range(draw(st.integers(0, 8)))]
    past.sort(key=lambda fact: fact.at_ms)
    return ShopperFacts(
        as_of_ms=NOW_MS,
        enrolled_at_ms=UnixMs(NOW_MS - draw(st.integers(0, 7 * DAY_MS))),
        locale=draw(st.sampled_from(list(Locale))),
        granted=draw(st.frozensets(st.sampled_from(list(Purpose)))),
        attributes=draw(st.dictionaries(ATTRIBUTES, some(VALUES))),
        segment=draw(st.none() | st.sampled_from(list(Segment))),
        tier=draw(st.none() | TIERS),
        past={kind: tuple(f for f in past if f.kind is kind) for kind in FactKind},
    )


SURROUNDINGS = st.builds(
    Surroundings,
    zone=st.none() | ZONES,
    dwell_s=st.none() | st.floats(0, 7),
    basket=st.none()
    | st.builds(
        lambda prices, category: basket(*prices, category=category),
        st.lists(st.integers(0, 1_000), min_size=1, max_size=3),
        CATEGORIES,
    ),
    local=st.none()
    | st.builds(LocalTime, weekday=st.sampled_from(list(Weekday)), minute=st.integers(0, 1_439)),
)
