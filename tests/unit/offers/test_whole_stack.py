"""whole_stack: gifts, points and free items beside the discounts of a basket."""

from dataclasses import replace

import pytest

from offers.checkout.whole_stack import whole_stack
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.settle_basket import Settled
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import (
    Benefit,
    Cashback,
    FreeItem,
    Gift,
    Information,
    MoneyOff,
    PointsMultiplier,
)
from offers.model.campaigns.stacking import StackingClass
from offers.model.ids import CampaignId, CouponId
from offers.model.loyalty.ledger import LedgerUnit
from offers.model.money import Money
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.held_basket import PricedBasket
from offers.model.till.stack import Stack, StackItem
from rtls.model.units import UnixMs
from tests.unit.offers.shop import Shop, asked, basket, campaign
from tests.unit.offers.till import NOON_MS, Till

TWO_EURO = MoneyOff(amount=Money(amount_minor=200, currency="EUR"))
GIFT = Gift(item="a pencil")
TWICE = PointsMultiplier(percent=200)
TENTH = Cashback(percent=10)
FREE = FreeItem(applies_to=Scope(categories=frozenset({"dowels"})))
BASKET = basket(1_000, 300)


def item(number: int, benefit: Benefit, **changes: object) -> StackItem:
    made = StackItem(
        coupon=CouponId(f"{number:032x}"),
        campaign=CampaignId(f"c{number}"),
        benefit=benefit,
        stacking=StackingClass.COMBINABLE,
        priority=0,
        expires_at_ms=UnixMs(NOON_MS + number),
    )
    return replace(made, **changes)


def stack(*items: StackItem, by_code: tuple[int, ...] = (), has_card: bool = True) -> Stack:
    codes = {CouponId(f"{number:032x}") for number in by_code}
    return whole_stack(items, BASKET, by_code=codes, has_card=has_card)


def taken(found: Stack) -> set[str]:
    return {one.item.campaign for one in found.applied}


def reasons(found: Stack) -> dict[str, CheckoutRefusal]:
    return {one.item.campaign: one.reason for one in found.left}


def test_points_and_cashback_join_the_discounts() -> None:
    """They take nothing off, so they stand in nobody's way."""
    found = stack(item(1, TWO_EURO), item(2, TWICE), item(3, TENTH))
    assert taken(found) == {"c1", "c2", "c3"}
    assert found.to_pay.amount_minor == 1_100


def test_points_need_somebody_who_gets_them() -> None:
    """The coupon stays good for a purchase with the card."""
    found = stack(item(1, TWICE), item(2, TENTH), by_code=(1, 2), has_card=False)
    assert reasons(found) == dict.fromkeys(("c1", "c2"), CheckoutRefusal.CARD_NEEDED)


def test_a_gift_is_used_when_it_is_asked_for() -> None:
    """The card must not use a gift up with the next paint pot."""
    assert reasons(stack(item(1, GIFT))) == {"c1": CheckoutRefusal.CODE_NEEDED}
    assert taken(stack(item(1, GIFT), by_code=(1,))) == {"c1"}


def test_a_free_item_joins_where_its_line_can_bear_it() -> None:
    """2.00 of 13.00 lie on both lines; the cheaper one cannot be given away whole on top of it."""
    assert stack(item(1, FREE)).to_pay.amount_minor == 1_000
    both = stack(item(1, FREE), item(2, TWO_EURO))
    assert taken(both) == {"c2"}
    assert reasons(both) == {"c1": CheckoutRefusal.OUTSTACKED}


def test_an_exclusive_one_joins_nothing_and_lets_nothing_join() -> None:
    """Alone is alone, in both directions."""
    alone = {"stacking": StackingClass.EXCLUSIVE}
    assert taken(stack(item(1, TWO_EURO, **alone), item(2, TWICE))) == {"c1"}
    assert taken(stack(item(1, TWO_EURO), item(2, TWICE, **alone))) == {"c1"}
    assert taken(stack(item(2, TWICE, **alone))) == {"c2"}


def test_one_a_line_holds_for_free_items_too() -> None:
    """Two of the class never meet on a line."""
    once = {"stacking": StackingClass.ONE_A_LINE}
    found = stack(item(1, FREE, **once), item(2, FREE, **once))
    assert taken(found) == {"c1"}
    assert reasons(found) == {"c2": CheckoutRefusal.OUTSTACKED}


def test_what_is_got_in_the_app_is_nothing_for_a_till() -> None:
    """A coupon of that kind does not exist; were there one, it would be passed over."""
    assert reasons(stack(item(1, Information()))) == {"c1": CheckoutRefusal.BASKET_WITHOUT_MATCH}


def test_a_cashback_coupon_pays_into_the_wallet_and_a_return_takes_it_out(shop: Shop) -> None:
    """C9: ten per cent of 10.00, without any programme at the site."""
    till = Till(shop)
    shop.start(campaign(benefit=TENTH))
    code = shop.code_in_hand()
    coupon = shop.work.coupons.find_by_code(shop.secrets.fingerprint(code, purpose="coupon"))
    assert coupon is not None
    held = till.ask(replace(asked(), card=till.scan(coupon.shopper)))
    assert isinstance(held, Held)
    settled = till.commit(held.held.held)
    assert isinstance(settled, Settled)
    (earned,) = settled.purchase.points
    assert (earned.unit, earned.total_minor) == (LedgerUnit("EUR"), 100)
    till.take_back(settled.purchase.purchase, {0: 1})
    (wallet,) = shop.work.ledger.wallets_of(coupon.shopper)
    assert wallet.balance_minor == 0


@pytest.mark.parametrize("has_code", [False, True])
def test_a_gift_at_the_till(shop: Shop, *, has_code: bool) -> None:
    """The till learns that there is one, and hands it out when it is shown."""
    till = Till(shop)
    shop.start(campaign(benefit=GIFT))
    code = shop.code_in_hand()
    coupon = shop.work.coupons.find_by_code(shop.secrets.fingerprint(code, purpose="coupon"))
    assert coupon is not None
    request = replace(asked(*([code] if has_code else [])), card=till.scan(coupon.shopper))
    priced = price_basket(request, work=shop.work, now_ms=UnixMs(till.now_ms), secrets=shop.secrets)
    assert isinstance(priced, PricedBasket)
    assert [one.benefit for one in priced.applied] == ([GIFT] if has_code else [])
    assert priced.to_pay.amount_minor == 1_000
