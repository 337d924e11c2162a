"""Which budgets a coupon takes from: limits of campaign and site, by shopper and by day."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.checkout.budget_charges import Spender, charges_of, day_of, reserved_charges
from offers.model.campaigns.benefit import MoneyOff, PercentOff
from offers.model.campaigns.benefit_money import money_max
from offers.model.campaigns.budget import (
    REDEMPTIONS,
    BudgetKey,
    BudgetLimit,
    BudgetPer,
    check_limits,
)
from offers.model.campaigns.budget_json import parse_limits, render_limits
from offers.model.errors import InvalidCampaign
from offers.model.money import Money
from tests.unit.offers.shop import SITE, TWO_EURO

PER_SHOPPER = frozenset({BudgetPer.SHOPPER})
PER_DAY = frozenset({BudgetPer.DAY})
ANNA = Spender(site=SITE, campaign="dowels", shopper="a" * 32, day="2026-11-22")
TOTAL = BudgetKey(site=SITE, campaign="dowels")


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def test_each_limit_has_its_own_counter_and_its_own_unit() -> None:
    """Anna's day, the campaign's money, and the site's day: one redemption of 1.50 each."""
    charges = charges_of(
        ANNA,
        of_campaign=[
            BudgetLimit(cap=1, per=PER_SHOPPER | PER_DAY),
            BudgetLimit(cap=100_000, unit="EUR"),
        ],
        of_site=[BudgetLimit(cap=500_000, unit="EUR", per=PER_DAY)],
        discount=euro(150),
    )
    taken = {(c.key.campaign, c.key.shopper, c.key.day, c.key.unit): c.amount for c in charges}
    assert taken == {
        ("dowels", ANNA.shopper, ANNA.day, REDEMPTIONS): 1,
        ("dowels", None, None, "EUR"): 150,
        (None, None, ANNA.day, "EUR"): 150,
        ("dowels", None, None, REDEMPTIONS): 1,
    }


def test_redemptions_are_counted_where_nobody_limits_them() -> None:
    """A limit that comes later must include what was given away before."""
    assert [(c.key, c.cap) for c in charges_of(ANNA, of_campaign=[], discount=euro(1))] == [
        (TOTAL, None)
    ]
    limited = charges_of(ANNA, of_campaign=[BudgetLimit(cap=5)], discount=euro(1))
    assert [(c.key, c.cap) for c in limited] == [(TOTAL, 5)]


def test_the_order_of_charges_is_that_of_their_ids() -> None:
    """Two tills that lock the same rows in two orders would wait for each other for ever."""
    limits = [BudgetLimit(cap=9), BudgetLimit(cap=9, unit="EUR"), BudgetLimit(cap=9, per=PER_DAY)]
    forward = charges_of(ANNA, of_campaign=limits, discount=euro(1))
    assert forward == charges_of(ANNA, of_campaign=limits[::-1], discount=euro(1))


def test_a_coupon_sets_aside_the_most_that_it_can_take() -> None:
    """Whoever holds a coupon is not refused at the till for lack of budget."""
    limits = [BudgetLimit(cap=900, unit="EUR", is_reserved=True), BudgetLimit(cap=9, per=PER_DAY)]
    most = PercentOff(percent=10, discount_max=euro(300))
    assert [c.amount for c in reserved_charges(ANNA, of_campaign=limits, benefit=most)] == [300]
    assert money_max(PercentOff(percent=10)) is None
    assert money_max(TWO_EURO) == euro(200)
    assert isinstance(TWO_EURO, MoneyOff)


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        # 29 March 2026: Berlin's night without 2 o'clock; 25 October: with two of them.
        (1_774_738_799_000, "Europe/Berlin", "2026-03-28"),
        (1_774_738_800_000, "Europe/Berlin", "2026-03-29"),
        (1_774_821_599_000, "Europe/Berlin", "2026-03-29"),
        (1_774_821_600_000, "Europe/Berlin", "2026-03-30"),
        (1_792_879_200_000, "Europe/Berlin", "2026-10-25"),
        (1_792_969_199_000, "Europe/Berlin", "2026-10-25"),
        (1_792_969_200_000, "Europe/Berlin", "2026-10-26"),
        (1_792_969_200_000, "America/New_York", "2026-10-25"),
        (1_709_251_199_000, "UTC", "2024-02-29"),
    ],
)
def test_a_day_is_the_sites_own(at: int, zone: str, day: str) -> None:
    """A shop's day ends at its own midnight: 23 hours after the last in March, 25 in October."""
    assert day_of(at, time_zone=zone) == day


@pytest.mark.parametrize(
    ("given_json", "fault"),
    [
        ({}, "dict; expected a list"),
        ([{"redemptions_max": 0}], "expected 1 to"),
        ([{"redemptions_max": 1.5}], "expected a whole number"),
        ([{"redemptions_max": 1, "amount_max": {}}], "either 'redemptions_max' or 'amount_max'"),
        ([{"amount_max": {"amount_minor": 1, "currency": "EURO"}}], "unit is 'EURO'"),
        ([{"amount_max": 5}], "amount_max is 5"),
        ([{"redemptions_max": 1, "per": ["week"]}], "expected a list of"),
        ([{"redemptions_max": 1, "per": ["day"], "is_reserved": True}], "is_reserved with per"),
        ([{"redemptions_max": 1, "max": 2}], "expected members of"),
        ([{"redemptions_max": 1}, {"redemptions_max": 2}], "twice"),
        ([{"redemptions_max": 1}] * 11, "at most 10"),
        ([{"redemptions_max": 1, "is_reserved": 1}], "expected true or false"),
    ],
)
def test_limits_that_cannot_work_are_refused_by_name(given_json, fault: str) -> None:
    """Where somebody reads the error, and not at the till."""
    with pytest.raises(InvalidCampaign, match=fault):
        parse_limits(given_json)


LIMITS = st.lists(
    st.builds(
        BudgetLimit,
        cap=st.integers(1, 10**12),
        unit=st.sampled_from([REDEMPTIONS, "EUR", "CHF"]),
        per=st.sets(st.sampled_from(BudgetPer)).map(frozenset),
    ),
    max_size=10,
    unique_by=lambda limit: (limit.unit, limit.per),
)


@given(LIMITS)
def test_limits_are_read_as_they_were_written(limits: list[BudgetLimit]) -> None:
    """A campaign is stored as its document."""
    check_limits(limits)
    assert parse_limits(json.loads(json.dumps(render_limits(limits)))) == tuple(limits)
