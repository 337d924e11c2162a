"""hold, commit, cancel: a basket with its coupons on its way to a purchase."""

from dataclasses import replace

import pytest

from offers.handlers.offering.open_offer import dismiss_offer
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.handlers.till.settle_basket import Settled
from offers.model.campaigns.benefit import PercentOff
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import NotFound, WrongState
from offers.model.ids import BasketId
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.outbox import OutboxKind
from offers.model.till.held_basket import HOLD_MS, HeldBasket, HoldState
from offers.model.till.redemption import Redemption
from rtls.model.units import SiteId
from tests.unit.offers.shop import SITE, Shop, asked, campaign, checkout
from tests.unit.offers.till import NOON_MS, Till


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def coupon_of(shop: Shop, code: str) -> Coupon:
    found = shop.work.coupons.find_by_code(shop.secrets.fingerprint(code, purpose="coupon"))
    assert found is not None
    return found


def test_what_is_held_is_what_is_paid(shop: Shop, till: Till) -> None:
    """10.00 less 2.00: the shopper hears 8.00 before he pays, and pays 8.00."""
    shop.start(campaign())
    code = shop.code_in_hand()
    basket = till.hold(code, prices_minor=(600, 400))
    assert coupon_of(shop, code).state is CouponState.HELD
    settled = till.commit(basket)
    assert isinstance(settled, Settled)
    assert settled.purchase.paid.amount_minor == 800
    assert [line.discount_minor for line in settled.purchase.lines] == [120, 80]
    assert shop.work.purchases.find(settled.purchase.purchase) == settled.purchase
    (redemption,) = settled.redemptions
    assert shop.work.coupons.find_redemption(redemption.redemption) == redemption
    assert redemption.purchase == settled.purchase.purchase
    coupon = coupon_of(shop, code)
    assert coupon.state is CouponState.REDEEMED
    assert shop.used(coupon.campaign) == 1
    offer = shop.work.offers.find(coupon.offer)
    assert offer is not None
    assert offer.state is OfferState.REDEEMED
    assert shop.work.outbox.waiting(limit=9)[-1].kind is OutboxKind.OFFER_REDEEMED


def test_a_held_coupon_is_for_no_other_till(shop: Shop, till: Till) -> None:
    """A screenshot in two queues: the second till is told, and not why."""
    shop.start(campaign())
    code = shop.code_in_hand()
    basket = till.hold(code)
    again = till.ask(asked(code))
    assert again is CheckoutRefusal.COUPON_HELD
    assert again.for_strangers is CheckoutRefusal.COUPON_NOT_VALID
    single = redeem_coupon(checkout(code), work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert single is CheckoutRefusal.COUPON_HELD
    assert isinstance(till.commit(basket), Settled)


def test_a_basket_is_paid_once_and_cancelled_never_after(shop: Shop, till: Till) -> None:
    """Under another key, a till learns what became of its basket."""
    shop.start(campaign())
    basket = till.hold(shop.code_in_hand())
    assert isinstance(till.commit(basket), Settled)
    assert till.commit(basket) is TillRefusal.HOLD_COMMITTED
    assert till.cancel(basket) is TillRefusal.HOLD_COMMITTED
    assert shop.used(campaign().campaign) == 1


def test_a_cancelled_basket_gives_its_coupon_and_budget_back(shop: Shop, till: Till) -> None:
    """The shopper has forgotten his purse; his coupon is good at the next till at once."""
    shop.start(campaign(budget=Budget(redemptions_max=1, is_reserved=False)))
    code = shop.code_in_hand()
    basket = till.hold(code)
    assert not shop.has_budget(campaign().campaign)
    assert isinstance(till.cancel(basket), HeldBasket)
    assert isinstance(till.cancel(basket), HeldBasket), "twice is as good as once"
    assert till.commit(basket) is TillRefusal.HOLD_CANCELLED
    assert shop.has_budget(campaign().campaign)
    assert till.pay(code).discount.amount_minor == 200


def test_a_hold_ends_by_itself_after_ten_minutes(shop: Shop, till: Till) -> None:
    """A till that was switched off must not strand a coupon."""
    shop.start(campaign(budget=Budget(redemptions_max=1)))
    code = shop.code_in_hand()
    basket = till.hold(code)
    till.wait(HOLD_MS - 1)
    assert coupon_of(shop, code).state is CouponState.HELD
    till.wait(1)
    assert coupon_of(shop, code).state is CouponState.ISSUED
    assert till.commit(basket) is TillRefusal.HOLD_EXPIRED
    assert till.pay(code).discount.amount_minor == 200


def test_the_clock_ends_a_hold_where_the_sweep_has_not_been(shop: Shop, till: Till) -> None:
    """A late sweep makes nothing good that is over, and blocks nobody."""
    shop.start(campaign())
    first, second = shop.code_in_hand("tag:1"), shop.code_in_hand("tag:2")
    late, other = till.hold(first), till.hold(second)
    till.now_ms += HOLD_MS
    assert till.commit(late) is TillRefusal.HOLD_EXPIRED
    assert coupon_of(shop, first).state is CouponState.ISSUED
    assert till.pay(second).discount.amount_minor == 200, "taken out of the basket that is over"
    assert till.commit(other) is TillRefusal.HOLD_EXPIRED


def test_a_coupon_that_expires_in_the_hold_is_paid_as_it_was_told(shop: Shop, till: Till) -> None:
    """The hold fixed the amounts; given up, the coupon is over."""
    shop.start(campaign())
    first, second = shop.code_in_hand("tag:1"), shop.code_in_hand("tag:2")
    till.now_ms = coupon_of(shop, first).expires_at_ms - 1
    paid, given_up = till.hold(first), till.hold(second)
    till.wait(60_000)
    assert isinstance(till.commit(paid), Settled)
    till.cancel(given_up)
    assert till.ask(asked(second)) is CheckoutRefusal.COUPON_EXPIRED


def test_an_offer_cannot_be_dismissed_out_of_a_basket_that_is_held(shop: Shop, till: Till) -> None:
    """Else what the cashier said would not be what is paid."""
    shop.start(campaign())
    code = shop.code_in_hand()
    basket = till.hold(code)
    coupon = coupon_of(shop, code)
    with pytest.raises(WrongState, match="in a basket at a till"):
        dismiss_offer(coupon.shopper, coupon.offer, work=shop.work, now_ms=NOON_MS)
    till.cancel(basket)
    dismiss_offer(coupon.shopper, coupon.offer, work=shop.work, now_ms=NOON_MS)
    assert coupon_of(shop, code).state is CouponState.REVOKED


def test_codes_that_may_stand_together_are_taken_together(shop: Shop, till: Till) -> None:
    """Ten per cent and two euro of 20.00: percentages first, so 2.00 and 2.00."""
    tenth = replace(
        campaign("a-tenth", benefit=PercentOff(percent=10)), stacking=StackingClass.COMBINABLE
    )
    shop.start(tenth)
    percent = shop.code_in_hand("tag:1")
    shop.start(replace(campaign(), stacking=StackingClass.COMBINABLE, priority=9))
    money = shop.code_in_hand("tag:2")
    purchase = till.pay(money, percent, prices_minor=(2_000,))
    assert purchase.paid.amount_minor == 1_600
    assert len(purchase.redemptions) == 2


def test_a_code_that_is_not_taken_stands_beside_those_that_are(shop: Shop, till: Till) -> None:
    """The cashier can say which of the slips is of no use today."""
    shop.start(campaign(cap=FrequencyCap(offers_max=9, window_s=1)))
    one, other = shop.code_in_hand("tag:1"), shop.code_in_hand("tag:2")
    held = till.ask(asked(one, "0000-0000-0000", other))
    assert isinstance(held, Held)
    reasons = {refused.code: refused.reason for refused in held.priced.refused}
    assert reasons[1] is CheckoutRefusal.COUPON_UNKNOWN
    assert reasons.keys() - {1} in ({0}, {2})
    assert CheckoutRefusal.OUTSTACKED in reasons.values()
    assert held.held.to_pay.amount_minor == 800


def test_a_basket_without_card_and_coupon_needs_no_hold(till: Till) -> None:
    """Nothing would be set aside, and nothing is to be remembered of a stranger."""
    assert till.ask(asked()) is TillRefusal.NOTHING_TO_HOLD


def test_a_basket_that_changes_takes_the_place_of_the_one_before(shop: Shop, till: Till) -> None:
    """One more screw: the same coupons, the last unit of the budget, a new price."""
    tenth = campaign(
        benefit=PercentOff(percent=10), budget=Budget(redemptions_max=1, is_reserved=False)
    )
    shop.start(tenth)
    code = shop.code_in_hand()
    first = till.hold(code, prices_minor=(1_000,))
    second = till.ask(replace(asked(code, prices_minor=(1_000, 500)), replaces=first))
    assert isinstance(second, Held)
    assert second.held.to_pay.amount_minor == 1_350
    assert till.commit(first) is TillRefusal.HOLD_CANCELLED
    assert isinstance(till.commit(second.held.held), Settled)


@pytest.mark.parametrize("ended", [HoldState.COMMITTED, HoldState.CANCELLED, HoldState.EXPIRED])
def test_what_has_ended_cannot_be_replaced(shop: Shop, till: Till, ended: HoldState) -> None:
    """And nothing happens to it."""
    shop.start(campaign())
    code = shop.code_in_hand()
    basket = till.hold(code)
    match ended:
        case HoldState.COMMITTED:
            till.commit(basket)
        case HoldState.CANCELLED:
            till.cancel(basket)
        case HoldState.EXPIRED:
            till.now_ms += HOLD_MS
    assert till.ask(replace(asked(code), replaces=basket)) is TillRefusal.HOLD_EXPIRED


def test_a_basket_of_another_site_is_as_unknown_as_one_that_never_was(
    shop: Shop, till: Till
) -> None:
    """An id must not be worth guessing."""
    shop.start(campaign())
    basket = till.hold(shop.code_in_hand())
    elsewhere = Till(shop, site=SiteId("elsewhere"))
    for asking, name in ((elsewhere, basket), (till, BasketId("f" * 32))):
        with pytest.raises(NotFound, match="no such basket"):
            asking.commit(name)
        with pytest.raises(NotFound, match="no such basket"):
            asking.cancel(name)


def test_a_single_redemption_is_a_purchase_too(shop: Shop) -> None:
    """A till without baskets takes goods back like any other."""
    shop.start(campaign())
    answer = redeem_coupon(
        checkout(shop.code_in_hand(), 600, 400),
        work=shop.work,
        now_ms=NOON_MS,
        secrets=shop.secrets,
    )
    assert isinstance(answer, Redemption)
    assert answer.purchase is not None
    purchase = shop.work.purchases.find(answer.purchase)
    assert purchase is not None
    assert purchase.redemptions == (answer.redemption,)
    assert purchase.paid == answer.to_pay
    assert (purchase.site, purchase.shopper) == (SITE, None)


def test_old_holds_are_forgotten(shop: Shop, till: Till) -> None:
    """A basket that was given up says what somebody nearly bought; nobody needs that for ever."""
    shop.start(campaign())
    basket = till.hold(shop.code_in_hand())
    till.cancel(basket)
    till.wait(31 * 86_400_000)
    assert shop.work.held_baskets.find(basket) is None


def test_the_database_lets_a_coupon_have_one_unreversed_redemption(shop: Shop, till: Till) -> None:
    """I5, by the constraint alone: the same coupon, moved back by a bug."""
    shop.start(campaign())
    code = shop.code_in_hand()
    purchase = till.pay(code)
    first = shop.work.coupons.find_redemption(purchase.redemptions[0])
    assert first is not None
    assert not shop.work.coupons.add_redemption(replace(first, redemption="f" * 32))
