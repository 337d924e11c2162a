"""deliver, open, dismiss, reveal: what happens to an offer on its way to the till."""

from dataclasses import replace

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.offering.deliver_offer import deliver_waiting
from offers.handlers.offering.open_offer import dismiss_offer, open_offer
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.handlers.till.price_basket import price_basket
from offers.model.errors import Expired, NotFound, WrongState
from offers.model.ids import ShopperId
from offers.model.offering.coupon import CouponCode, CouponState
from offers.model.offering.offer import NEXT_STATES, Offer, OfferCard, OfferState
from offers.model.offering.refusal import DeliveryRefusal
from offers.model.people.consent import Purpose
from offers.model.till.held_basket import PricedBasket
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, START_MS, Shop, asked, campaign

NOON_MS = UnixMs(START_MS + 10 * MINUTE_MS)
OFFER_END_MS = UnixMs(NOON_MS + 900_000)
COUPON_END_MS = UnixMs(NOON_MS + 86_400_000)


@pytest.fixture
def anna(shop: Shop) -> ShopperId:
    """A shopper with an offer issued at noon."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand()
    return anna


def card_of(shop: Shop, shopper: ShopperId) -> OfferCard:
    card = shop.offer_of(shopper)
    assert card is not None
    return card


def reveal(shop: Shop, anna: ShopperId, *, now_ms: int = NOON_MS) -> CouponCode:
    coupon = card_of(shop, anna).coupon
    assert coupon is not None
    return reveal_coupon(
        anna, coupon.coupon, work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets
    )


@pytest.mark.parametrize("before", list(OfferState))
@pytest.mark.parametrize("after", list(OfferState))
def test_an_offer_moves_only_forward(
    shop: Shop, anna: ShopperId, before: OfferState, after: OfferState
) -> None:
    """A redeemed offer that could be opened again could be redeemed again."""
    offer: Offer = replace(card_of(shop, anna).offer, state=before)
    if after in NEXT_STATES[before]:
        assert offer.in_state(after, at_ms=NOON_MS).state is after
    else:
        with pytest.raises(WrongState, match=f"is {before} and cannot become {after}"):
            offer.in_state(after, at_ms=NOON_MS)


def test_an_expired_offer_is_not_delivered(shop: Shop, anna: ShopperId) -> None:
    """At the very millisecond its time is over."""
    offer = card_of(shop, anna).offer.offer
    assert shop.deliver(offer, now_ms=OFFER_END_MS) is DeliveryRefusal.EXPIRED
    assert card_of(shop, anna).offer.state is OfferState.EXPIRED


def test_a_delivery_is_told_whether_it_may_be_pushed_now(shop: Shop, anna: ShopperId) -> None:
    """`notify` was granted at the decision and is withdrawn since."""
    shop.say(anna, Purpose.NOTIFY, is_granted=False, now_ms=NOON_MS)
    (card,) = deliver_waiting(anna, work=shop.work, now_ms=NOON_MS)
    assert not card.offer.may_notify
    assert deliver_waiting(anna, work=shop.work, now_ms=NOON_MS) == ()


def test_what_is_not_delivered_cannot_be_opened_or_revealed(shop: Shop, anna: ShopperId) -> None:
    """Its id may be guessed or leaked; the shopper does not know of it yet."""
    with pytest.raises(NotFound):
        open_offer(anna, card_of(shop, anna).offer.offer, work=shop.work, now_ms=NOON_MS)
    with pytest.raises(NotFound):
        reveal(shop, anna)


def test_another_shopper_finds_nothing(shop: Shop, anna: ShopperId) -> None:
    """Foreign and unknown are told apart nowhere."""
    card = card_of(shop, anna)
    shop.deliver(card.offer.offer, now_ms=NOON_MS)
    ben = shop.shopper(tag="tag:2")
    assert card.coupon is not None
    with pytest.raises(NotFound) as foreign:
        open_offer(ben, card.offer.offer, work=shop.work, now_ms=NOON_MS)
    with pytest.raises(NotFound) as unknown:
        open_offer(ben, "f" * 32, work=shop.work, now_ms=NOON_MS)
    assert str(foreign.value) == str(unknown.value)
    with pytest.raises(NotFound):
        reveal_coupon(ben, card.coupon.coupon, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)


def test_opening_twice_is_opening_once(shop: Shop, anna: ShopperId) -> None:
    """A phone that lost our answer asks again."""
    offer = card_of(shop, anna).offer.offer
    shop.deliver(offer, now_ms=NOON_MS)
    first = open_offer(anna, offer, work=shop.work, now_ms=NOON_MS)
    again = open_offer(anna, offer, work=shop.work, now_ms=UnixMs(NOON_MS + 1))
    assert first == again
    assert first.offer.opened_at_ms == NOON_MS


def test_dismissing_ends_the_coupon_too(shop: Shop, anna: ShopperId) -> None:
    """And doing it twice is no error."""
    offer = card_of(shop, anna).offer.offer
    shop.deliver(offer, now_ms=NOON_MS)
    card = dismiss_offer(anna, offer, work=shop.work, now_ms=NOON_MS)
    assert card == dismiss_offer(anna, offer, work=shop.work, now_ms=NOON_MS)
    assert card.coupon is not None
    assert card.coupon.state is CouponState.REVOKED


def test_the_code_shown_last_and_the_one_before_are_good(shop: Shop, anna: ShopperId) -> None:
    """A screen that reloads in the queue must not spoil the scan; an older code is dead."""
    shop.deliver(card_of(shop, anna).offer.offer, now_ms=NOON_MS)
    codes = [reveal(shop, anna).code for _ in range(3)]
    assert len(set(codes)) == 3
    prices = [
        price_basket(asked(code), work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
        for code in codes
    ]
    assert [isinstance(p, PricedBasket) and bool(p.applied) for p in prices] == [False, True, True]


def test_an_opened_coupon_outlives_its_offer_and_no_more(shop: Shop, anna: ShopperId) -> None:
    """The shelf's moment passes; the coupon is good until its own time is over."""
    shop.deliver(card_of(shop, anna).offer.offer, now_ms=NOON_MS)
    reveal(shop, anna)
    expire_overdue(work=shop.work, now_ms=OFFER_END_MS)
    assert reveal(shop, anna, now_ms=COUPON_END_MS - 1).expires_at_ms == COUPON_END_MS
    with pytest.raises(Expired):
        reveal(shop, anna, now_ms=COUPON_END_MS)
    expire_overdue(work=shop.work, now_ms=COUPON_END_MS)
    card = card_of(shop, anna)
    assert card.offer.state is OfferState.EXPIRED
    assert card.coupon is not None
    assert card.coupon.state is CouponState.EXPIRED


def test_no_secret_is_printed(shop: Shop, anna: ShopperId) -> None:
    """What `repr` shows ends up in a log one day."""
    shop.deliver(card_of(shop, anna).offer.offer, now_ms=NOON_MS)
    revealed = reveal(shop, anna)
    assert revealed.code not in repr(revealed)


def test_a_withdrawal_between_decision_and_delivery_stops_the_delivery(
    shop: Shop, anna: ShopperId
) -> None:
    """Checked again when sending: here the record appears behind the handler's back."""
    offer = card_of(shop, anna).offer
    granted = shop.work.consents.state_of(anna).granted(Purpose.PERSONALISE)
    assert granted is not None
    shop.work.consents.append(replace(granted, consent="9" * 32, is_granted=False))
    assert shop.deliver(offer.offer, now_ms=NOON_MS) is DeliveryRefusal.CONSENT_WITHDRAWN
    wish = ConsentWish(purpose=Purpose.PERSONALISE, is_granted=True, text_version="v1")
    change_consent(anna, wish, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert shop.deliver(offer.offer, now_ms=NOON_MS) is DeliveryRefusal.NOT_ISSUED
