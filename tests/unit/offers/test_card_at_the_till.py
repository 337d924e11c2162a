"""reveal_card, hold_basket: one code on the phone applies all coupons, once."""

from dataclasses import replace

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.offering.open_offer import dismiss_offer
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.settle_basket import Settled
from offers.model.campaigns.campaign import FrequencyCap
from offers.model.campaigns.trigger import BasketTrigger
from offers.model.ids import ShopperId
from offers.model.money import Money
from offers.model.offering.refusal import CheckoutRefusal, TillRefusal
from offers.model.people.card import CardCodeForm
from offers.model.till.held_basket import BasketRequest, PricedBasket
from offers.storage.tables import CARD_STEPS
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, TILL, Shop, asked, basket, campaign
from tests.unit.offers.till import NOON_MS, Till


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


@pytest.fixture
def anna(shop: Shop) -> ShopperId:
    """A shopper with a coupon of two euro on her phone."""
    shop.start(campaign(cap=FrequencyCap(offers_max=9, window_s=1)))
    anna = shop.shopper()
    shop.stand()
    card = shop.offer_of(anna)
    assert card is not None
    shop.deliver(card.offer.offer, now_ms=NOON_MS)
    return anna


def showing(card: str, *prices_minor: int) -> BasketRequest:
    return replace(asked(prices_minor=prices_minor or (1_000,)), card=card)


def price(till: Till, request: BasketRequest):
    return price_basket(
        request, work=till.shop.work, now_ms=UnixMs(till.now_ms), secrets=till.shop.secrets
    )


@pytest.mark.parametrize("form", list(CardCodeForm))
def test_the_card_brings_all_coupons_of_the_shopper(
    till: Till, anna: ShopperId, form: CardCodeForm
) -> None:
    """C28: nobody looks for codes in a queue; the purchase is the shopper's."""
    held = till.ask(showing(till.scan(anna, form)))
    assert isinstance(held, Held)
    assert held.held.to_pay.amount_minor == 800
    settled = till.commit(held.held.held)
    assert isinstance(settled, Settled)
    assert settled.purchase.shopper == anna


def test_a_card_without_coupons_makes_a_purchase_too(shop: Shop, till: Till) -> None:
    """Points are earned without any coupon."""
    ben = shop.shopper(tag=None)
    held = till.ask(showing(till.scan(ben)))
    assert isinstance(held, Held)
    settled = till.commit(held.held.held)
    assert isinstance(settled, Settled)
    assert (settled.purchase.shopper, settled.purchase.paid.amount_minor) == (ben, 1_000)


def test_a_code_of_the_card_is_taken_once(till: Till, anna: ShopperId) -> None:
    """A screenshot in the other queue; the quote has not used it up, the hold has."""
    code = till.scan(anna)
    assert isinstance(price(till, showing(code)), PricedBasket)
    held = till.ask(showing(code))
    assert isinstance(held, Held)
    assert price(till, showing(code)) is TillRefusal.CARD_NOT_VALID
    assert till.ask(showing(code)) is TillRefusal.CARD_NOT_VALID
    till.now_ms += 30_000
    again = till.ask(replace(showing(till.scan(anna)), replaces=held.held.held))
    assert isinstance(again, Held)
    assert again.held.to_pay.amount_minor == 800


@pytest.mark.parametrize("wait_ms", [61_000, -61_000, 3_600_000])
def test_an_old_code_a_wrong_one_and_a_stranger_look_the_same(
    till: Till, anna: ShopperId, wait_ms: int
) -> None:
    """A photo of the screen is worthless a minute later; a till's own clock does not matter."""
    code = till.scan(anna)
    till.now_ms += wait_ms
    other = code[:-1] + ("0" if code[-1] != "0" else "1")
    for shown in (code, other, "C1" + "0" * 24, "no card at all", ""):
        assert till.ask(showing(shown)) is TillRefusal.CARD_NOT_VALID


def test_a_refused_hold_does_not_use_the_code_up(till: Till, anna: ShopperId) -> None:
    """Nothing is half done: the till replaces a basket that has ended, and scans no second time."""
    code = till.scan(anna)
    refused = till.ask(replace(showing(code), replaces="f" * 32))
    assert refused is TillRefusal.HOLD_EXPIRED
    assert isinstance(till.ask(showing(code)), Held)


def test_the_basket_that_takes_the_place_needs_no_second_scan(till: Till, anna: ShopperId) -> None:
    """The cashier adds a line ten minutes' patience long; the card was shown."""
    held = till.ask(showing(till.scan(anna)))
    assert isinstance(held, Held)
    till.now_ms += 5 * MINUTE_MS
    again = till.ask(replace(asked(prices_minor=(1_000, 200)), replaces=held.held.held))
    assert isinstance(again, Held)
    assert again.held.shopper == anna
    assert again.held.to_pay.amount_minor == 1_000


def test_a_coupon_by_card_and_by_code_is_one_coupon(shop: Shop, till: Till) -> None:
    """The shopper shows everything; it counts once."""
    shop.start(campaign())
    code = shop.code_in_hand()
    coupon = shop.work.coupons.find_by_code(shop.secrets.fingerprint(code, purpose="coupon"))
    assert coupon is not None
    priced = price(till, replace(showing(till.scan(coupon.shopper)), codes=(code, code)))
    assert isinstance(priced, PricedBasket)
    assert priced.to_pay.amount_minor == 800
    assert priced.refused == ()


def test_the_card_says_which_coupon_waits_and_why(till: Till, anna: ShopperId) -> None:
    """The owner is there: the till may know that a coupon exists."""
    first = till.ask(showing(till.scan(anna)))
    assert isinstance(first, Held)
    till.now_ms += 30_000
    priced = price(till, showing(till.scan(anna)))
    assert isinstance(priced, PricedBasket)
    (refused,) = priced.refused
    assert refused.reason is CheckoutRefusal.COUPON_HELD
    assert (refused.code, refused.campaign) == (None, campaign().campaign)


def test_the_card_brings_nothing_of_other_sites_and_nothing_dismissed(
    shop: Shop, till: Till, anna: ShopperId
) -> None:
    """And nothing that has not reached the shopper."""
    elsewhere = Till(shop, site=SiteId("elsewhere"))
    request = BasketRequest(
        basket=basket(1_000), till=TILL, site=SiteId("elsewhere"), card=elsewhere.scan(anna)
    )
    priced = price(elsewhere, request)
    assert isinstance(priced, PricedBasket)
    assert (priced.applied, priced.refused) == ((), ())
    card = shop.offer_of(anna)
    assert card is not None
    dismiss_offer(anna, card.offer.offer, work=shop.work, now_ms=NOON_MS)
    at_home = price(till, showing(till.scan(anna)))
    assert isinstance(at_home, PricedBasket)
    assert at_home.applied == ()


def test_codes_that_nobody_can_show_again_are_forgotten(
    shop: Shop, till: Till, anna: ShopperId
) -> None:
    """The table holds minutes, not a history of visits to the till."""
    assert isinstance(till.ask(showing(till.scan(anna))), Held)
    connection = shop.work.cards._connection
    query = CARD_STEPS.select().where(CARD_STEPS.c.shopper_id == anna)
    assert len(connection.execute(query).all()) == 1
    expire_overdue(work=shop.work, now_ms=UnixMs(till.now_ms + 61_000))
    assert connection.execute(query).all() == []


def test_each_shopper_has_one_card_for_ever(shop: Shop, till: Till) -> None:
    """The number is on nobody else's screen."""
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    till.scan(anna)
    till.scan(ben)
    numbers = {shop.work.cards.number_of(one) for one in (anna, ben)}
    till.scan(anna)
    assert {shop.work.cards.number_of(one) for one in (anna, ben)} == numbers
    assert len(numbers) == 2


AT_THE_TILL = replace(
    campaign("big-basket", cap=FrequencyCap(offers_max=9, window_s=1)),
    trigger=BasketTrigger(basket_min=Money(amount_minor=2_000, currency="EUR")),
)


def test_a_basket_that_a_campaign_waits_for_has_its_coupon_at_once(shop: Shop, till: Till) -> None:
    """C65: who buys enough is thanked now, and not with a letter."""
    shop.start(AT_THE_TILL)
    anna = shop.shopper(tag=None)
    held = till.ask(showing(till.scan(anna), 2_000))
    assert isinstance(held, Held)
    assert held.held.to_pay.amount_minor == 1_800
    assert isinstance(till.commit(held.held.held), Settled)


def test_a_basket_that_is_too_small_wakes_nobody_and_a_quote_never_does(
    shop: Shop, till: Till
) -> None:
    """A quote has no effect, whatever the basket."""
    shop.start(AT_THE_TILL)
    anna = shop.shopper(tag=None)
    small = till.ask(showing(till.scan(anna), 1_999))
    assert isinstance(small, Held)
    assert small.held.to_pay.amount_minor == 1_999
    till.now_ms += 60_000
    quoted = price(till, showing(till.scan(anna), 5_000))
    assert isinstance(quoted, PricedBasket)
    assert quoted.to_pay.amount_minor == 5_000


def test_a_changed_basket_is_not_thanked_twice(shop: Shop, till: Till) -> None:
    """Once a basket: the till that adds an item shows the same card's basket again."""
    shop.start(AT_THE_TILL)
    anna = shop.shopper(tag=None)
    first = till.ask(showing(till.scan(anna), 2_000))
    assert isinstance(first, Held)
    again = till.ask(replace(asked(prices_minor=(3_000,)), replaces=first.held.held))
    assert isinstance(again, Held)
    assert again.held.to_pay.amount_minor == 2_800
    assert len(shop.work.decisions.of_shopper(anna, limit=9)) == 1
