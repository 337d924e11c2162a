"""price_basket, redeem_coupon, answer_once: money off at the till, once."""

import pytest

from offers.handlers.answer_once import answer_once
from offers.handlers.till.price_basket import coupon_of_code, price_basket
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.campaigns.budget import BudgetKey, BudgetStage, Charge
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.errors import InvalidKey, KeyReused
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import CredentialId
from offers.model.money import Money
from offers.model.offering.coupon import CouponState
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.outbox import OutboxKind
from offers.model.till.held_basket import PricedBasket
from offers.model.till.redemption import Redemption
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, asked, campaign, checkout

NOON_MS = UnixMs(START_MS + 10 * MINUTE_MS)


def redeem(shop: Shop, code: str, *prices: int, now_ms: int = NOON_MS, **changes):
    request = checkout(code, *prices, **changes)
    return redeem_coupon(request, work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets)


def test_a_coupon_takes_two_euro_off_and_is_used_then(shop: Shop) -> None:
    """The end of the founding scene: 10.00 less 2.00 is 8.00, once."""
    shop.start(campaign())
    code = shop.code_in_hand()
    redemption = redeem(shop, code, 600, 400)
    assert isinstance(redemption, Redemption)
    assert redemption.discount.lines_minor == (120, 80)
    assert redemption.to_pay == Money(amount_minor=800, currency="EUR")
    assert redeem(shop, code) is CheckoutRefusal.COUPON_USED
    card = shop.offer_of(redemption.shopper)
    assert card is not None
    assert card.offer.state is OfferState.REDEEMED
    assert card.coupon is not None
    assert card.coupon.state is CouponState.REDEEMED
    assert shop.used(redemption.campaign) == 1
    assert shop.work.outbox.waiting(limit=9)[-1].kind is OutboxKind.OFFER_REDEEMED
    assert shop.work.coupons.find_redemption(redemption.redemption) == redemption


def test_a_quote_says_the_same_and_uses_nothing_up(shop: Shop) -> None:
    """A till asks as often as the basket changes."""
    shop.start(campaign())
    code = shop.code_in_hand()
    for _ in range(3):
        priced = price_basket(
            asked(code, prices_minor=(1_000,)),
            work=shop.work,
            now_ms=NOON_MS,
            secrets=shop.secrets,
        )
        assert isinstance(priced, PricedBasket)
        assert priced.to_pay.amount_minor == 800
    assert isinstance(redeem(shop, code, 1_000), Redemption)


def test_strangers_cannot_tell_why_a_code_is_not_good(shop: Shop) -> None:
    """Unknown, foreign, expired and used look alike: a guesser must not learn more."""
    shop.start(campaign(cap=FrequencyCap(offers_max=9, window_s=1)))
    used, fresh = shop.code_in_hand("tag:1"), shop.code_in_hand("tag:2")
    redeem(shop, used)
    refusals = [
        redeem(shop, "0000-0000-0000"),
        redeem(shop, "not a code"),
        redeem(shop, fresh, site=SiteId("elsewhere")),
        redeem(shop, fresh, now_ms=NOON_MS + 86_400_000),
        redeem(shop, used),
    ]
    assert refusals == [
        CheckoutRefusal.COUPON_UNKNOWN,
        CheckoutRefusal.COUPON_UNKNOWN,
        CheckoutRefusal.COUPON_FOREIGN,
        CheckoutRefusal.COUPON_EXPIRED,
        CheckoutRefusal.COUPON_USED,
    ]
    assert {refusal.for_strangers for refusal in refusals} == {CheckoutRefusal.COUPON_NOT_VALID}


def test_a_refusal_about_the_basket_is_told_as_it_is() -> None:
    """The code is good; what is missing the cashier can say aloud."""
    assert CheckoutRefusal.BASKET_TOO_SMALL.for_strangers is CheckoutRefusal.BASKET_TOO_SMALL


def test_a_refused_basket_leaves_the_coupon_good(shop: Shop) -> None:
    """Nothing is half done."""
    shop.start(campaign())
    code = shop.code_in_hand()
    assert redeem(shop, code, 0) is CheckoutRefusal.BASKET_WITHOUT_MATCH
    assert isinstance(redeem(shop, code, 500), Redemption)


def test_first_come_first_served_when_nothing_is_reserved(shop: Shop) -> None:
    """Three coupons are out, one is paid for: the second at the till is refused."""
    shop.start(campaign(budget=Budget(redemptions_max=1, is_reserved=False)))
    codes = [shop.code_in_hand(f"tag:{n}") for n in range(3)]
    answers = [redeem(shop, code) for code in codes]
    assert isinstance(answers[0], Redemption)
    assert answers[1:] == [CheckoutRefusal.BUDGET_SPENT] * 2


def test_the_database_refuses_a_budget_that_is_overdrawn(shop: Shop) -> None:
    """The conditional statement itself, without the rule in front of it."""
    one = campaign(budget=Budget(redemptions_max=1))
    shop.start(one)
    found = coupon_of_code(
        shop.code_in_hand(), work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
    )
    assert found is not None
    coupon = found.coupon
    charges = [Charge(key=BudgetKey(site=SITE, campaign=one.campaign), cap=1, amount=1)]
    budgets = shop.work.budgets
    assert not budgets.reserve("f" * 32, BudgetStage.TILL, charges)
    assert not budgets.use("f" * 32, "e" * 32, charges)
    assert budgets.use(coupon, "d" * 32, charges), "it is set aside for this one"
    assert not budgets.use(coupon, "e" * 32, charges)
    assert shop.used(one.campaign) == 1


TILL_CREDENTIAL = CredentialId("c" * 32)


def ask(shop: Shop, key: str, body: bytes, code: str) -> StoredAnswer:
    def act() -> StoredAnswer:
        answer = redeem(shop, code)
        if isinstance(answer, Redemption):
            return StoredAnswer(status=201, body=answer.redemption.encode())
        return StoredAnswer(status=409, body=answer.for_strangers.encode())

    request = IdempotentRequest.of(caller=TILL_CREDENTIAL, key=key, operation="redeem", body=body)
    return answer_once(request, act, work=shop.work, now_ms=NOON_MS)


def test_the_same_key_gets_the_same_bytes(shop: Shop) -> None:
    """I8: a till that lost our answer is not told that the coupon is used."""
    shop.start(campaign())
    code = shop.code_in_hand()
    first = ask(shop, "key-00000001", b"basket", code)
    assert first.status == 201
    assert ask(shop, "key-00000001", b"basket", code) == first
    assert ask(shop, "key-00000002", b"basket", code).status == 409


def test_the_same_key_with_another_body_is_refused(shop: Shop) -> None:
    """One key, one wish."""
    shop.start(campaign())
    code = shop.code_in_hand()
    ask(shop, "key-00000001", b"basket", code)
    with pytest.raises(KeyReused, match="came before with another request"):
        ask(shop, "key-00000001", b"other basket", code)


def test_a_refusal_is_kept_under_its_key_too(shop: Shop) -> None:
    """The retry of a 'no' is a 'no', even if the code has become known since."""
    shop.start(campaign())
    refused = ask(shop, "key-00000001", b"", "0000-0000-0000")
    assert ask(shop, "key-00000001", b"", shop.code_in_hand()) == refused


@pytest.mark.parametrize("key", ["short", "x" * 129, "with blank", "line\nbreak", "ümlaut-key"])
def test_a_key_that_cannot_stand_in_a_header_is_refused(key: str) -> None:
    """And in a log: no line may be smuggled in."""
    with pytest.raises(InvalidKey, match="expected 8 to 128"):
        IdempotentRequest.of(caller=TILL_CREDENTIAL, key=key, operation="redeem", body=b"")
