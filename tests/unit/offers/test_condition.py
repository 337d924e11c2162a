"""Conditions: whom a campaign means, in which situation, and why somebody is not meant."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from offers.decision.condition import compile_condition, needs_of
from offers.model.conditions.condition import DEPTH_MAX, NODES_MAX, And, Not, Or, walk
from offers.model.conditions.condition_json import parse_condition, render_condition
from offers.model.conditions.condition_terms import LocalTimeIn, MomentTerm, ShopperTerm, Weekday
from offers.model.conditions.fact import DAY_MS, Fact, FactKind
from offers.model.conditions.shopper_facts import (
    NOWHERE,
    LocalTime,
    ShopperFacts,
    Surroundings,
    local_time,
)
from offers.model.errors import InvalidCampaign, InvalidCondition
from offers.model.money import Money
from rtls.model.units import UnixMs, ZoneId
from tests.reference.condition import truth
from tests.unit.offers.condition_samples import NOW_MS, SURROUNDINGS, conditions, shoppers
from tests.unit.offers.shop import SITE, basket

TWO_DOWELS = {
    "kind": "count",
    "of": "purchase_line",
    "within_days": 30,
    "categories": ["dowels"],
    "at_least": 2,
}


def bought(days_ago: float, *, category: str = "dowels", euro: int = 10, kind="purchase_line"):
    return Fact(
        kind=FactKind(kind),
        reference=f"{kind}-{days_ago}",
        at_ms=UnixMs(round(NOW_MS - days_ago * DAY_MS)),
        site=SITE,
        category=category,
        amount=Money(amount_minor=euro * 100, currency="EUR"),
    )


def shopper(*past: Fact, **known) -> ShopperFacts:
    by_kind = {
        kind: tuple(sorted((f for f in past if f.kind is kind), key=lambda fact: fact.at_ms))
        for kind in FactKind
    }
    return ShopperFacts(
        as_of_ms=NOW_MS, **({"enrolled_at_ms": UnixMs(NOW_MS - DAY_MS)} | known), past=by_kind
    )


def holds(document: object, facts: ShopperFacts, now: Surroundings = NOWHERE) -> bool | None:
    return compile_condition(parse_condition(document)).truth(facts, now)


@given(conditions())
def test_what_is_written_is_read_again(condition) -> None:
    """A campaign is stored as its document; it must not come back as another one."""
    assert parse_condition(render_condition(condition)) == condition


@given(conditions(), shoppers(), SURROUNDINGS)
def test_the_closure_says_what_the_words_say(condition, facts, now) -> None:
    """The closure is compiled, remembers and bisects; its twin reads the words one by one."""
    compiled = compile_condition(condition)
    expected = truth(condition, facts, now)
    assert compiled.truth(facts, now) is expected
    assert (compiled.unmet(facts, now) is None) == (expected is True)
    # With what has been remembered, the answer is the same.
    assert compiled.truth(facts, now) is expected


@given(conditions(), shoppers(), SURROUNDINGS)
def test_more_surroundings_never_turn_an_answer_round(condition, facts, now) -> None:
    """Whom the audience does not count, because nothing could reach him, is never reached."""
    compiled = compile_condition(condition)
    if compiled.truth(facts, now) is True:
        assert compiled.could_reach(facts)


def test_a_count_looks_back_so_many_days_and_no_further() -> None:
    """The window is half open: what is exactly thirty days old no longer counts."""
    assert holds(TWO_DOWELS, shopper(bought(1), bought(29.9)))
    assert holds(TWO_DOWELS, shopper(bought(1), bought(30))) is False
    assert holds(TWO_DOWELS, shopper(bought(1), bought(2, category="paint"))) is False


def test_a_sum_subtracts_what_was_brought_back() -> None:
    """Whoever buys for 500 euro and returns all of it has not spent 500 euro."""
    spent = {
        "kind": "sum",
        "of": "purchase",
        "within_days": 90,
        "measure": "amount_minor",
        "currency": "EUR",
        "at_least": 5_000,
    }
    purchase = bought(5, euro=60, kind="purchase")
    assert holds(spent, shopper(purchase))
    assert holds(spent, shopper(purchase, bought(1, euro=20, kind="return"))) is False
    assert needs_of(parse_condition(spent)).days == {FactKind.PURCHASE: 90, FactKind.RETURN: 90}


def test_a_basket_can_be_asked_for_a_bundle() -> None:
    """Dowels and paint together, for fifteen euro or more of dowels."""
    bundle = {
        "and": [
            {"kind": "basket", "measure": "quantity", "categories": ["paint"], "at_least": 1},
            {
                "kind": "basket",
                "measure": "amount_minor",
                "currency": "EUR",
                "categories": ["dowels"],
                "at_least": 1_500,
            },
        ]
    }
    dowels = basket(1_000, 500)
    assert holds(bundle, shopper(), Surroundings(basket=dowels)) is False
    assert holds(bundle, shopper()) is None


def test_why_not_names_the_term_that_fails() -> None:
    """A shopper who asks why has an answer that a merchandiser finds in the document."""
    document = {
        "and": [
            {"kind": "locale", "in": ["de"]},
            {"and": [{"kind": "zone", "in": ["dowels"]}, TWO_DOWELS]},
            {"not": {"kind": "enrolled_days", "at_most": 0}},
        ]
    }
    compiled = compile_condition(parse_condition(document))
    here = Surroundings(zone=ZoneId("dowels"))
    both = (bought(1), bought(2))
    assert compiled.unmet(shopper(*both), here) is None
    assert compiled.unmet(shopper(), here) == "conditions.and[1].and[1]"
    assert compiled.unmet(shopper(*both), NOWHERE) == "conditions.and[1].and[0]"
    new = shopper(*both, enrolled_at_ms=NOW_MS)
    assert compiled.unmet(new, here) == "conditions.and[2]"


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    """Friday from 22:00 until 02:00 ends on Saturday at two, and not on Friday at two."""
    night = LocalTimeIn(
        weekdays=frozenset({Weekday.FRIDAY}), from_minute=22 * 60, until_minute=2 * 60
    )
    test = compile_condition(night).truth

    def at(day: Weekday, minute: int) -> bool | None:
        return test(shopper(), Surroundings(local=LocalTime(weekday=day, minute=minute)))

    assert at(Weekday.FRIDAY, 22 * 60)
    assert at(Weekday.SATURDAY, 119)
    assert at(Weekday.SATURDAY, 120) is False
    assert at(Weekday.FRIDAY, 60) is False


def test_the_doubled_hour_of_october_shows_the_same_time_twice() -> None:
    """A site's clock decides; two instants an hour apart may both be half past two."""
    berlin = ZoneInfo("Europe/Berlin")
    first = UnixMs(int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp() * 1_000))
    second = UnixMs(first + 3_600_000)
    shown = LocalTime(weekday=Weekday.SUNDAY, minute=150)
    assert local_time(first, berlin) == local_time(second, berlin) == shown


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "conditions is list; expected an object"),
        ({"kind": "wish"}, "conditions.kind is 'wish'; expected of"),
        ({"and": []}, "conditions.and: expected a list with at least one"),
        ({"and": [], "or": []}, "conditions has the members"),
        (
            {"and": [TWO_DOWELS, TWO_DOWELS, TWO_DOWELS | {"within_days": 900}]},
            "conditions.and[2].within_days is 900; expected 1 to 400",
        ),
        ({"not": TWO_DOWELS | {"within_day": 3}}, "conditions.not has unknown members"),
        (TWO_DOWELS | {"at_least": 2.0}, "conditions.at_least is 2.0; expected a whole number"),
        (TWO_DOWELS | {"at_least": True}, "conditions.at_least is True"),
        (TWO_DOWELS | {"at_most": 1}, "conditions.at_least is 2 and at_most 1"),
        (TWO_DOWELS | {"categories": "dowels"}, "conditions.categories is not a list"),
        (TWO_DOWELS | {"of": "theft"}, "conditions.of is 'theft'; expected of"),
        ({"kind": "zone", "in": []}, "conditions.in has 0 entries"),
        ({"kind": "zone", "in": ["A B"]}, "conditions.in has 'A B'"),
        ({"kind": "local_time", "from": "25:00"}, "conditions.from is '25:00'"),
        ({"kind": "local_time", "from": "9:00"}, "conditions.from is '9:00'"),
        ({"kind": "local_time", "from": "10:00", "until": "10:00"}, "two different times"),
        ({"kind": "local_time", "until": "24:01"}, "two different times"),
        (
            {"kind": "basket", "measure": "amount_minor", "at_least": 1},
            "conditions.currency is None and measure amount_minor",
        ),
        ({"kind": "attribute", "name": "interest", "in": ["a"], "at_least": 1}, "not both"),
    ],
)
def test_a_wrong_document_is_refused_with_its_place(document: object, message: str) -> None:
    """Whoever writes a campaign reads where to look, and what was expected."""
    with pytest.raises(InvalidCondition) as caught:
        parse_condition(document)
    assert message in str(caught.value)
    assert isinstance(caught.value, InvalidCampaign)


def test_a_document_deeper_or_larger_than_the_bounds_is_refused_before_it_is_built() -> None:
    """Ten thousand brackets must cost an attacker more than they cost us."""
    leaf: object = {"kind": "locale", "in": ["de"]}
    deep = leaf
    for _ in range(DEPTH_MAX - 1):
        deep = {"not": deep}
    assert parse_condition(deep)
    with pytest.raises(InvalidCondition, match="deeper than 8"):
        parse_condition({"not": deep})
    assert parse_condition({"or": [leaf] * (NODES_MAX - 1)})
    with pytest.raises(InvalidCondition, match="more than 100 nodes"):
        parse_condition({"or": [leaf] * NODES_MAX})
    for _ in range(100_000):
        deep = {"not": deep}
    with pytest.raises(InvalidCondition, match="deeper"):
        parse_condition(deep)


def test_a_tree_built_by_hand_has_the_same_bounds() -> None:
    """A template made in code must not be what no document may be."""
    leaf = parse_condition({"kind": "locale", "in": ["de"]})
    tree = leaf
    for _ in range(DEPTH_MAX - 1):
        tree = Not(part=tree)
    with pytest.raises(InvalidCondition, match="deeper"):
        Not(part=tree)
    with pytest.raises(InvalidCondition, match="at most 100"):
        Or(parts=(leaf,) * NODES_MAX)
    with pytest.raises(InvalidCondition, match="empty"):
        And(parts=())


def test_the_examples_of_the_manual_are_conditions_and_name_every_kind() -> None:
    """Whoever copies a line out of the manual must not be refused."""
    text = (Path(__file__).parents[3] / "docs" / "conditions.md").read_text()
    examples = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    read = [parse_condition(example) for example in examples]
    assert {type(node) for condition in read for _, node in walk(condition)} >= set(
        get_args(ShopperTerm) + get_args(MomentTerm)
    )
    assert all(kind.value in text for kind in FactKind)
