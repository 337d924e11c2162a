"""Budgets in the life of a coupon: issued, held, used, brought back."""

import json
from dataclasses import replace

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.handlers.till.settle_basket import Settled
from offers.model.campaigns.benefit import PercentOff
from offers.model.campaigns.budget import BudgetKey, BudgetLimit, BudgetPer, BudgetState
from offers.model.campaigns.campaign import Budget, CampaignRevision, FrequencyCap
from offers.model.campaigns.campaign_json import parse_campaign, render_campaign
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidCampaign
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.redemption import Redemption
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign, checkout
from tests.unit.offers.till import Till

NOON_MS = START_MS + 10 * MINUTE_MS
# START_MS is 14 November 2023, 23:13 in Berlin: 50 minutes later it is another day there.
AFTER_MIDNIGHT_MS = NOON_MS + 50 * MINUTE_MS
PER_DAY = frozenset({BudgetPer.DAY})
PER_SHOPPER = frozenset({BudgetPer.SHOPPER})
OFTEN = FrequencyCap(offers_max=9, window_s=1)


def limited(*limits: BudgetLimit, name: str = "dowels-2-off") -> CampaignRevision:
    return replace(campaign(name, cap=OFTEN), budgets=limits)


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def redeem(shop: Shop, code: str, *, now_ms: int = NOON_MS):
    return redeem_coupon(checkout(code), work=shop.work, now_ms=now_ms, secrets=shop.secrets)


def state(shop: Shop, revision: CampaignRevision, **parts) -> BudgetState:
    key = BudgetKey(site=SITE, campaign=revision.campaign, **parts)
    found = shop.work.budgets.state_of(key)
    assert found is not None
    return found


def test_a_budget_of_a_day_begins_anew_at_the_sites_midnight(shop: Shop) -> None:
    """Twenty to midnight and ten past are two days in Berlin, and one in UTC."""
    shop.start(limited(BudgetLimit(cap=1, per=PER_DAY)))
    codes = [shop.code_in_hand(f"tag:{n}") for n in range(3)]
    assert isinstance(redeem(shop, codes[0]), Redemption)
    assert redeem(shop, codes[1]) is CheckoutRefusal.BUDGET_SPENT
    assert isinstance(redeem(shop, codes[1], now_ms=AFTER_MIDNIGHT_MS), Redemption)
    assert redeem(shop, codes[2], now_ms=AFTER_MIDNIGHT_MS) is CheckoutRefusal.BUDGET_SPENT


def test_a_budget_of_money_is_exact_to_the_cent(shop: Shop) -> None:
    """Five euro pay for two coupons of two; the third has one euro left, which is not enough."""
    revision = limited(BudgetLimit(cap=500, unit="EUR"))
    shop.start(revision)
    codes = [shop.code_in_hand(f"tag:{n}") for n in range(3)]
    answers = [redeem(shop, code) for code in codes]
    assert [isinstance(answer, Redemption) for answer in answers] == [True, True, False]
    assert answers[2] is CheckoutRefusal.BUDGET_SPENT
    assert state(shop, revision, unit="EUR").used == 400


def test_a_shopper_gets_no_second_offer_of_what_is_once_each(shop: Shop) -> None:
    """The limit is known before the offer is made, so that nobody is promised in vain."""
    shop.start(limited(BudgetLimit(cap=1, per=PER_SHOPPER, is_reserved=True)))
    shop.code_in_hand()
    again = shop.stand(at_ms=NOON_MS + 20 * MINUTE_MS)
    assert again is not None
    assert again.chosen is None
    shop.shopper(tag="tag:2")
    other = shop.stand("tag:2", at_ms=NOON_MS + 20 * MINUTE_MS)
    assert other is not None
    assert other.chosen is not None


def test_campaigns_share_the_budget_of_their_site(shop: Shop) -> None:
    """The shop gives three euro in all: the second campaign finds one of them left."""
    one, two = limited(), replace(limited(name="dowels-other"), priority=1)
    shop.start(one)
    first = shop.code_in_hand("tag:1")
    shop.start(two)
    second = shop.code_in_hand("tag:2")
    limits = (BudgetLimit(cap=300, unit="EUR"),)
    shop.work.sites.set_limits(SITE, limits)
    assert isinstance(redeem(shop, first), Redemption)
    assert redeem(shop, second) is CheckoutRefusal.BUDGET_SPENT
    shared = shop.work.budgets.state_of(BudgetKey(site=SITE, unit="EUR"))
    assert shared is not None
    assert shared.used == 200


def test_what_a_till_was_told_is_honoured_whatever_limit_comes_meanwhile(
    shop: Shop, till: Till
) -> None:
    """A hold fixes the amounts; the new limit is told as overdrawn, and stays true itself."""
    shop.start(campaign())
    basket = till.hold(shop.code_in_hand())
    newer = limited(BudgetLimit(cap=100, unit="EUR"))
    shop.start(newer)
    till.commit(basket)
    found = state(shop, newer, unit="EUR")
    assert (found.used, found.overdrawn, found.cap) == (0, 200, 100)


def test_a_basket_held_before_midnight_is_paid_from_the_day_it_was_held_on(
    shop: Shop, till: Till
) -> None:
    """It was set aside there; the new day keeps its own."""
    revision = limited(BudgetLimit(cap=1, per=PER_DAY))
    shop.start(revision)
    till.now_ms = START_MS + 42 * MINUTE_MS
    basket = till.hold(shop.code_in_hand())
    till.now_ms = START_MS + 48 * MINUTE_MS
    assert isinstance(till.commit(basket), Settled)
    assert state(shop, revision, day="2023-11-14").used == 1
    assert state(shop, revision, day="2023-11-14").held == 0
    assert (
        shop.work.budgets.state_of(
            BudgetKey(site=SITE, campaign=revision.campaign, day="2023-11-15")
        )
        is None
    )


def test_goods_brought_back_give_all_budgets_back(shop: Shop, till: Till) -> None:
    """I9: redemptions, money, day and site, to the unit."""
    revision = replace(
        limited(BudgetLimit(cap=900, unit="EUR"), BudgetLimit(cap=9, per=PER_DAY)),
        budget=Budget(redemptions_max=5),
    )
    shop.start(revision)
    shop.work.sites.set_limits(SITE, (BudgetLimit(cap=900, unit="EUR", per=PER_DAY),))
    paid = till.pay(shop.code_in_hand())
    till.take_back(paid.purchase, {0: 1})
    counters = shop.work.budgets.of_campaign(revision.campaign, limit=9)
    assert {(c.key.unit, c.key.day): (c.held, c.used) for c in counters} == {
        ("redemptions", None): (1, 0),  # the coupon is good again, and has its own set aside
        ("redemptions", "2023-11-14"): (0, 0),
        ("EUR", None): (0, 0),
    }
    shared = shop.work.budgets.state_of(BudgetKey(site=SITE, unit="EUR", day="2023-11-14"))
    assert shared is not None
    assert shared.used == 0


def test_two_coupons_of_one_basket_do_not_share_the_last_redemption(shop: Shop) -> None:
    """Each fits alone; together only one does, and the other is told why."""
    limits = (BudgetLimit(cap=300, unit="EUR"),)
    shop.start(replace(campaign(), budgets=limits, stacking=StackingClass.COMBINABLE))
    codes = [shop.code_in_hand(f"tag:{n}") for n in range(2)]
    paid = Till(shop).pay(*codes)
    assert paid.redemptions is not None
    assert len(paid.redemptions) == 1


def test_counters_of_days_long_gone_are_forgotten(shop: Shop) -> None:
    """A row a day and shopper would grow for ever."""
    revision = limited(BudgetLimit(cap=9, per=PER_DAY))
    shop.start(revision)
    redeem(shop, shop.code_in_hand())
    day = {"day": "2023-11-14"}
    expire_overdue(work=shop.work, now_ms=NOON_MS + 40 * 86_400_000)
    assert state(shop, revision, **day).used == 1
    expire_overdue(work=shop.work, now_ms=NOON_MS + 500 * 86_400_000)
    key = BudgetKey(site=SITE, campaign=revision.campaign, **day)
    assert shop.work.budgets.state_of(key) is None


def test_budgets_are_written_in_the_campaigns_document() -> None:
    """And read back as they were."""
    revision = limited(BudgetLimit(cap=5, per=PER_SHOPPER), BudgetLimit(cap=9, unit="EUR"))
    assert parse_campaign(json.loads(render_campaign(revision))) == revision


def test_money_that_nobody_can_bound_cannot_be_set_aside() -> None:
    """10 % of an unknown basket: the campaign must say at most how much."""
    with pytest.raises(InvalidCampaign, match="discount_max"):
        replace(
            campaign(benefit=PercentOff(percent=10)),
            budgets=(BudgetLimit(cap=900, unit="EUR", is_reserved=True),),
        )
