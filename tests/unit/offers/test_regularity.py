"""Regularity: who comes back for the same thing at even gaps is offered a subscription."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.handlers.profile.note_fact import note_facts
from offers.handlers.profile.refresh_segment import mark_segment_due, refresh_segments
from offers.loyalty.regularity import regular_categories, regularity_of
from offers.model.campaigns.trigger import RegularPurchaseTrigger
from offers.model.conditions.fact import DAY_MS, Fact, FactKind
from offers.model.money import Money
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, campaign


def days(*numbers: float) -> list[UnixMs]:
    return [UnixMs(round(START_MS + number * DAY_MS)) for number in numbers]


@pytest.mark.parametrize(
    ("bought", "now", "every"),
    [
        ((0, 14, 28, 42), 43, 14),
        ((0, 14, 29, 42, 57), 58, 14.5),
        ((0, 14, 28), 29, None),  # three purchases are chance
        ((0, 3, 30, 33, 60), 61, None),  # now this gap, now that
        ((0, 14, 28, 42), 64, None),  # the habit has ended
        ((0, 1, 2, 3, 4, 5), 5, None),  # every day
        ((0, 200, 400, 600), 601, None),  # too seldom to subscribe to
        ((0, 0.1, 14, 14.2, 28, 42), 43, 14),  # came back for what he forgot
    ],
)
def test_even_gaps_are_a_habit(bought: tuple[float, ...], now: float, every: float | None) -> None:
    """Each line can be checked by hand against RegularitySettings."""
    found = regularity_of(days(*bought), now_ms=days(now)[0])
    assert (None if found is None else found.every_ms / DAY_MS) == every


@given(
    st.lists(st.integers(0, 300), max_size=12),
    st.integers(0, 1_000),
    st.randoms(use_true_random=False),
)
def test_a_habit_is_the_same_on_any_day_and_in_any_order(
    bought: list[int], later: int, shuffle: random.Random
) -> None:
    """Facts may come in any order, and a habit is no matter of the calendar."""
    instants = days(*bought)
    now_ms = max(instants, default=START_MS)
    found = regularity_of(instants, now_ms=now_ms)
    moved = [UnixMs(at_ms + later * DAY_MS) for at_ms in instants]
    shuffle.shuffle(moved)
    again = regularity_of(moved, now_ms=UnixMs(now_ms + later * DAY_MS))
    assert (found is None) == (again is None)
    if found is not None and again is not None:
        assert again.every_ms == found.every_ms
        assert again.next_at_ms == found.next_at_ms + later * DAY_MS


def found_among(gap_days, *, purchases: int) -> float:
    """The share of 2,000 shoppers whose gaps are drawn like this who are taken for regular."""
    source = random.Random(7)
    found = 0
    for _ in range(2_000):
        at_day, bought = 0.0, []
        for _ in range(purchases):
            at_day += gap_days(source)
            bought.append(at_day)
        found += regularity_of(days(*bought), now_ms=days(at_day)[0]) is not None
    return found / 2_000


def test_who_buys_at_random_is_seldom_taken_for_regular() -> None:
    """A proposal to somebody without the habit is a nuisance: one in twenty, and ever fewer."""

    def at_random(source: random.Random) -> float:
        return source.expovariate(1 / 20)

    assert found_among(at_random, purchases=4) < 0.06
    assert found_among(at_random, purchases=6) < 0.01


def test_who_comes_back_within_a_few_days_of_the_same_gap_is_found() -> None:
    """Every fortnight, give or take two days."""
    assert found_among(lambda source: source.gauss(14, 2), purchases=4) > 0.85


def line(number: float, category: str = "paint") -> Fact:
    return Fact(
        kind=FactKind.PURCHASE_LINE,
        reference=f"{category}-{number}",
        at_ms=days(number)[0],
        site=SITE,
        category=category,
        sku="sku-0",
        amount=Money(amount_minor=500, currency="EUR"),
    )


def test_each_category_has_its_own_habit() -> None:
    """Paint every fortnight and dowels now and then: paint is proposed."""
    lines = [line(n) for n in (0, 14, 28, 42)] + [line(n, "dowels") for n in (0, 1, 30, 42)]
    found = regular_categories(lines, now_ms=days(43)[0])
    assert {category: habit.next_at_ms for category, habit in found.items()} == {
        "paint": days(56)[0]
    }


def test_a_subscription_is_proposed_once(shop: Shop) -> None:
    """The fourth even purchase brings the proposal; the fifth does not bring it again."""
    proposal = replace(
        campaign("paint-subscription"), trigger=RegularPurchaseTrigger(category="paint")
    )
    shop.start(proposal)
    shopper = shop.shopper(tag=None)
    offered = []
    for number in (0, 14, 28, 42, 56):
        paid = replace(
            line(number), kind=FactKind.PURCHASE, reference=f"p{number}", category=None, sku=None
        )
        note_facts(shopper, [paid, line(number)], work=shop.work, now_ms=paid.at_ms)
        mark_segment_due(shopper, SITE, work=shop.work, now_ms=paid.at_ms)
        refresh_segments(
            work=shop.work, now_ms=UnixMs(paid.at_ms + 1), secrets=shop.secrets, limit=10
        )
        offered.append(shop.offer_of(shopper) is not None)
    assert offered == [False, False, False, True, True]
    assert len(shop.work.decisions.of_shopper(shopper, limit=10)) == 1
