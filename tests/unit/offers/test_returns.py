"""return_purchase, returned_lines: what comes back, to the minor unit."""

from dataclasses import replace
from itertools import permutations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from offers.checkout.discount import split_by_largest_remainder
from offers.checkout.returns import purchase_lines, returned_lines, undone_redemptions
from offers.model.campaigns.benefit import PercentOff
from offers.model.campaigns.campaign import Budget
from offers.model.errors import InvalidBasket, NotFound
from offers.model.ids import PurchaseId, RedemptionId, ReturnId
from offers.model.loyalty.ledger import POINTS
from offers.model.offering.coupon import CouponState
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.outbox import OutboxKind
from offers.model.till.basket import BasketLine
from offers.model.till.purchase import (
    PointsMove,
    Purchase,
    PurchaseLine,
    PurchasePoints,
    PurchaseReturn,
    ReturnedLine,
)
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import SITE, START_MS, TILL, Shop, asked, basket, campaign
from tests.unit.offers.till import Till


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def a_purchase(quantity: int, price_minor: int, *discounts_minor: int) -> Purchase:
    item = BasketLine(
        sku="screws", category="dowels", quantity=quantity, unit_price_minor=price_minor
    )
    return Purchase(
        purchase=PurchaseId("a" * 32),
        site=SITE,
        till=TILL,
        shopper=None,
        at_ms=START_MS,
        currency="EUR",
        lines=(PurchaseLine(item=item, discounts_minor=discounts_minor),),
        redemptions=tuple(RedemptionId(f"{n:032x}") for n in range(len(discounts_minor))),
    )


def returns_of(purchase: Purchase, *quantities: int) -> list[PurchaseReturn]:
    """Bring the first line back in these portions."""
    done: list[PurchaseReturn] = []
    for number, quantity in enumerate(quantities, 1):
        lines = returned_lines(purchase, done, {0: quantity})
        assert not isinstance(lines, TillRefusal)
        line = purchase.lines[0]
        purchase = replace(purchase, lines=(replace(line, returned=line.returned + quantity),))
        done.append(
            PurchaseReturn(
                returned=ReturnId(f"{number:032x}"),
                purchase=purchase.purchase,
                number=number,
                site=SITE,
                till=TILL,
                at_ms=START_MS,
                currency="EUR",
                lines=lines,
            )
        )
    return done


def test_three_for_ten_less_one_come_back_for_nine() -> None:
    """3 × 3.33 less 1.00 is 8.99: refunds of 3.00, 3.00, 2.99, whatever is rounded on the way."""
    refunds = [r.refund.amount_minor for r in returns_of(a_purchase(3, 333, 100), 1, 1, 1)]
    assert refunds == [300, 300, 299]


portions = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@given(
    portions=portions,
    price_minor=st.integers(0, 1_000),
    cuts=st.lists(st.integers(0, 10_000), max_size=4),
    earned=st.integers(0, 1_000),
)
def test_partial_returns_sum_to_the_full_one(
    portions: list[int], price_minor: int, cuts: list[int], earned: int
) -> None:
    """I9: no cent is lost or made by bringing pieces back one by one."""
    quantity = sum(portions)
    whole_minor = quantity * price_minor
    weights = [*cuts, 1]
    discounts = (
        split_by_largest_remainder(whole_minor // 2, [w * whole_minor for w in weights])
        if whole_minor
        else (0,) * len(weights)
    )
    moved = PurchasePoints(
        move=PointsMove.EARNED, unit=POINTS, transaction="d" * 32, lines_minor=(earned,)
    )
    purchase = replace(a_purchase(quantity, price_minor, *discounts), points=(moved,))
    (whole,) = purchase_lines(purchase)
    lines = [r.lines[0] for r in returns_of(purchase, *portions)]
    assert sum(line.refund_minor for line in lines) == whole.refund_minor
    sums = [sum(shares) for shares in zip(*(x.discounts_minor for x in lines), strict=True)]
    assert tuple(sums) == whole.discounts_minor
    assert sum(line.points_minor[0] for line in lines) == earned
    for line in lines:
        assert line.refund_minor + sum(line.discounts_minor) == line.quantity * price_minor


def test_no_piece_is_worth_less_than_nothing() -> None:
    """Two at 1 cent, half of it paid by each of two coupons: floors alone would give -1."""
    for order in permutations((1, 1)):
        for returned in returns_of(a_purchase(2, 1, 1, 1), *order):
            assert returned.refund.amount_minor == 0
            assert sum(returned.lines[0].discounts_minor) == 1


def test_a_redemption_is_undone_when_all_of_its_discount_is_back() -> None:
    """And not before, and not twice."""
    purchase = a_purchase(3, 100, 60, 0)
    returns = returns_of(purchase, 1, 1, 1)
    undone = [
        undone_redemptions(purchase, returns[:n], returned.lines)
        for n, returned in enumerate(returns)
    ]
    assert undone == [(), (), (0,)]


def test_the_money_coupon_and_budget_come_back_with_the_goods(shop: Shop, till: Till) -> None:
    """Bought by mistake and brought back at once: the shopper stands where he stood before."""
    shop.start(campaign(budget=Budget(redemptions_max=1)))
    code = shop.code_in_hand()
    purchase = till.pay(code, prices_minor=(600, 400))
    first = till.take_back(purchase.purchase, {0: 1})
    assert first.refund.amount_minor == 480
    assert till.ask(asked(code)) is CheckoutRefusal.COUPON_USED
    second = till.take_back(purchase.purchase, {1: 1})
    assert second.refund.amount_minor == 320
    assert shop.work.purchases.returns_of(purchase.purchase) == (first, second)
    assert shop.used(campaign().campaign) == 0
    assert shop.work.outbox.waiting(limit=9)[-1].kind is OutboxKind.COUPON_REVERSED
    again = till.pay(code, prices_minor=(1_000,))
    assert again.paid.amount_minor == 800
    assert shop.used(campaign().campaign) == 1


def test_a_coupon_that_is_over_does_not_come_back(shop: Shop, till: Till) -> None:
    """A return after a year must not bring back what nobody reckons with."""
    shop.start(campaign(budget=Budget(redemptions_max=1)))
    code = shop.code_in_hand()
    purchase = till.pay(code)
    till.wait(2 * 86_400_000)
    till.take_back(purchase.purchase, {0: 1})
    redemption = shop.work.coupons.find_redemption(purchase.redemptions[0])
    assert redemption is not None
    coupon = shop.work.coupons.find(redemption.coupon)
    assert coupon is not None
    assert coupon.state is CouponState.REVERSED
    assert shop.has_budget(campaign().campaign), "the budget is free for another"


def test_a_campaign_may_keep_its_coupons_used(shop: Shop, till: Till) -> None:
    """A welcome gift is given once, whatever comes back."""
    shop.start(replace(campaign(), is_coupon_given_back=False))
    code = shop.code_in_hand()
    purchase = till.pay(code)
    till.take_back(purchase.purchase, {0: 1})
    assert till.ask(asked(code)) is CheckoutRefusal.COUPON_USED


def test_nothing_comes_back_twice(shop: Shop, till: Till) -> None:
    """The second try of a full return, a line that never was, and one piece too many."""
    shop.start(campaign())
    purchase = till.pay(shop.code_in_hand())
    for pieces in ({0: 2}, {1: 1}, {0: 1, 7: 1}):
        assert till.bring_back(purchase.purchase, pieces) is TillRefusal.RETURN_TOO_LARGE
    till.take_back(purchase.purchase, {0: 1})
    assert till.bring_back(purchase.purchase, {0: 1}) is TillRefusal.RETURN_TOO_LARGE


def test_the_database_counts_the_pieces_too(shop: Shop, till: Till) -> None:
    """The conditional statement itself, without the rule in front of it."""
    shop.start(campaign())
    purchase = till.pay(shop.code_in_hand())
    first = till.take_back(purchase.purchase, {0: 1})
    forged = replace(first, returned=ReturnId("e" * 32))
    assert not shop.work.purchases.add_return(forged), "the number is taken"
    assert not shop.work.purchases.add_return(replace(forged, number=2)), "no piece is left"


def test_a_purchase_of_another_site_is_unknown(shop: Shop, till: Till) -> None:
    """Goods come back where they were sold."""
    shop.start(campaign())
    purchase = till.pay(shop.code_in_hand())
    with pytest.raises(NotFound, match="no such purchase"):
        Till(shop, site=SiteId("elsewhere")).bring_back(purchase.purchase, {0: 1})


def test_a_coupon_comes_back_as_often_as_its_goods(shop: Shop, till: Till) -> None:
    """I5 over many rounds: each use has a number, each but the last a reversal."""
    shop.start(campaign(benefit=PercentOff(percent=50), budget=Budget(redemptions_max=1)))
    code = shop.code_in_hand()
    for _ in range(4):
        purchase = till.pay(code, prices_minor=(1_001,))
        assert purchase.paid.amount_minor == 500
        assert till.take_back(purchase.purchase, {0: 1}).refund.amount_minor == 500
    assert shop.used(campaign().campaign) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0},
        {"line": -1},
        {"refund_minor": -1},
        {"discounts_minor": (-1,)},
    ],
)
def test_a_returned_line_refuses_nonsense(change: dict[str, object]) -> None:
    """A negative refund would be a payment."""
    line = ReturnedLine(line=0, quantity=1, refund_minor=1, discounts_minor=(1,))
    with pytest.raises(InvalidBasket):
        replace(line, **change)


def test_a_purchase_refuses_nonsense() -> None:
    """No line below zero, no share of a coupon that was not used, none without lines."""
    purchase = a_purchase(1, 100, 60)
    assert basket(1).total.amount_minor == 1
    with pytest.raises(InvalidBasket, match="no more than it costs"):
        a_purchase(1, 100, 60, 60)
    with pytest.raises(InvalidBasket, match="share of each"):
        replace(purchase, redemptions=())
    with pytest.raises(InvalidBasket, match="lines"):
        replace(purchase, lines=())
    with pytest.raises(InvalidBasket, match="as many as were bought"):
        replace(purchase.lines[0], returned=2)
    assert UnixMs(START_MS) == purchase.at_ms
