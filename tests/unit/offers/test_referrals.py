"""Referrals: a code for friends, taken once, from who is new, and never from oneself."""

from dataclasses import replace

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.loyalty.claim_referral import claim_referral, referral_code_of
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.settle_basket import Settled
from offers.model.campaigns.trigger import ReferralTrigger
from offers.model.errors import InvalidShopper
from offers.model.ids import ReferralId, ShopperId
from offers.model.loyalty.earning_rule import EarningRule, EarningTerms, ForActivity, HowOften
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.referral import (
    PENDING_MS_MAX,
    REFERRALS_IN_WINDOW_MAX,
    WINDOW_MS,
    Referral,
    ReferralRefusal,
    ReferralState,
)
from offers.model.offering.offer import OfferState
from offers.model.till.held_basket import BasketRequest
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, asked, campaign
from tests.unit.offers.till import Till

DAY_MS = 86_400_000


def code_of(shop: Shop, shopper: ShopperId) -> str:
    return referral_code_of(shopper, work=shop.work, secrets=shop.secrets)


def claim(shop: Shop, shopper: ShopperId, code: str, *, now_ms: int = START_MS):
    return claim_referral(
        shopper, code, work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets
    )


def test_a_code_stays_and_is_taken_as_people_type_it(shop: Shop) -> None:
    """It is printed on cards and read out on the phone."""
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    code = code_of(shop, anna)
    assert code_of(shop, anna) == code
    assert code_of(shop, ben) != code
    referral = claim(shop, ben, f"{code[:4]}-{code[4:8]} {code[8:]}".lower())
    assert isinstance(referral, Referral)
    assert (referral.referrer, referral.referred) == (anna, ben)
    assert referral.state is ReferralState.PENDING


@pytest.mark.parametrize("code", ["", "nonsense", "0000-0000-0000"])
def test_an_unknown_code_is_refused(shop: Shop, code: str) -> None:
    """Whether it cannot be a code or is nobody's makes no difference."""
    assert claim(shop, shop.shopper(tag=None), code) is ReferralRefusal.CODE_UNKNOWN


def test_nobody_brings_oneself(shop: Shop) -> None:
    """The first thing that everybody tries."""
    anna = shop.shopper(tag=None)
    assert claim(shop, anna, code_of(shop, anna)) is ReferralRefusal.OWN_CODE


def test_a_shopper_is_brought_once(shop: Shop) -> None:
    """By whoever was first, whatever comes later."""
    anna, ben, carla = (shop.shopper(tag=None) for _ in range(3))
    first = claim(shop, carla, code_of(shop, anna))
    assert claim(shop, carla, code_of(shop, ben)) is ReferralRefusal.ALREADY_REFERRED
    assert shop.work.referrals.of_referred(carla) == first


def test_who_brings_a_crowd_is_stopped_for_a_while(shop: Shop) -> None:
    """Twenty a month are friends; more is a trade. After a month it goes on."""
    anna = shop.shopper(tag=None)
    code = code_of(shop, anna)
    for _ in range(REFERRALS_IN_WINDOW_MAX):
        assert isinstance(claim(shop, shop.shopper(tag=None), code), Referral)
    late = shop.shopper(tag=None)
    assert claim(shop, late, code, now_ms=START_MS + WINDOW_MS) is ReferralRefusal.TOO_MANY
    assert isinstance(claim(shop, late, code, now_ms=START_MS + WINDOW_MS + 1), Referral)


def test_two_who_carried_one_phone_are_told_from_two_who_pushed_one_trolley(shop: Shop) -> None:
    """A trolley passes through many hands, so it proves nothing; a phone does not."""
    anna = shop.shopper(tag="phone")
    shop.unpair(anna)
    again = shop.shopper(tag="phone")
    assert shop.work.referrals.share_a_tag(anna, again)
    assert shop.work.referrals.share_a_tag(again, anna)
    ben = shop.shopper(tag="trolley")
    shop.unpair(ben)
    assert not shop.work.referrals.share_a_tag(anna, ben)
    shop.pair(anna, "trolley")
    shop.unpair(anna)
    assert shop.work.referrals.share_a_tag(anna, ben)
    shop.shopper(tag="trolley")
    assert not shop.work.referrals.share_a_tag(anna, ben)


PROGRAMME = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS),),
    rules=(
        EarningRule(
            rule="friends",
            unit=POINTS,
            earns=ForActivity(
                amount_minor=500, activity=PostingReason.REFERRAL, how_often=HowOften.EACH
            ),
        ),
    ),
)


def buy(shop: Shop, shopper: ShopperId, *, now_ms: int) -> None:
    till = Till(shop=shop, now_ms=now_ms)
    held = till.ask(card_of(till, shopper))
    assert isinstance(held, Held), held
    assert isinstance(till.commit(held.held.held), Settled)


def card_of(till: Till, shopper: ShopperId) -> BasketRequest:
    return replace(asked(prices_minor=(1_000,)), card=till.scan(shopper))


def points_of(shop: Shop, shopper: ShopperId) -> int:
    wallet = shop.work.ledger.wallet_of(shopper, POINTS)
    if wallet is None:
        return 0
    return sum(lot.open_minor for lot in shop.work.ledger.begin_change(wallet).lots)


def test_both_are_rewarded_at_the_first_purchase_and_only_then(shop: Shop) -> None:
    """Enrolling costs nothing; a reward for it alone would be farmed."""
    start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    claim(shop, ben, code_of(shop, anna))
    assert (points_of(shop, anna), points_of(shop, ben)) == (0, 0)
    for day in (1, 2):
        buy(shop, ben, now_ms=START_MS + day * DAY_MS)
        assert (points_of(shop, anna), points_of(shop, ben)) == (500, 500)
    ended = shop.work.referrals.of_referred(ben)
    assert ended is not None
    assert (ended.state, ended.ended_at_ms) == (ReferralState.CONVERTED, START_MS + DAY_MS)


def test_who_has_bought_is_not_new(shop: Shop) -> None:
    """Two old friends must not bring each other."""
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    buy(shop, ben, now_ms=START_MS)
    assert claim(shop, ben, code_of(shop, anna)) is ReferralRefusal.ALREADY_BOUGHT


def test_one_person_with_two_cards_gets_nothing(shop: Shop) -> None:
    """Both cards were carried by one phone, and by nobody else."""
    start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    anna = shop.shopper(tag="phone")
    shop.unpair(anna)
    again = shop.shopper(tag="phone")
    claim(shop, again, code_of(shop, anna))
    buy(shop, again, now_ms=START_MS + DAY_MS)
    assert (points_of(shop, anna), points_of(shop, again)) == (0, 0)
    ended = shop.work.referrals.of_referred(again)
    assert ended is not None
    assert ended.state is ReferralState.REFUSED


@pytest.mark.parametrize("is_swept", [True, False])
def test_a_purchase_after_ninety_days_is_no_longer_the_friends_doing(
    shop: Shop, *, is_swept: bool
) -> None:
    """The clock decides, whether or not the sweep has been there."""
    start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    claim(shop, ben, code_of(shop, anna))
    late_ms = UnixMs(START_MS + PENDING_MS_MAX)
    if is_swept:
        expire_overdue(work=shop.work, now_ms=late_ms)
    buy(shop, ben, now_ms=late_ms)
    assert points_of(shop, anna) == 0
    ended = shop.work.referrals.of_referred(ben)
    assert ended is not None
    assert ended.state is ReferralState.LAPSED


def test_a_referral_of_one_person_cannot_be_written() -> None:
    """Neither by a rule that forgot to look nor by a row that was edited."""
    with pytest.raises(InvalidShopper, match="expected two shoppers"):
        Referral(
            referral=ReferralId("a" * 32),
            referrer=ShopperId("b" * 32),
            referred=ShopperId("b" * 32),
            state=ReferralState.PENDING,
            at_ms=START_MS,
        )


def test_a_friend_who_buys_wakes_the_campaign_for_who_brought_him(shop: Shop) -> None:
    """At the friend's first purchase, in its transaction; the second brings nothing more."""
    shop.start(replace(campaign("friend"), trigger=ReferralTrigger()))
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    claim(shop, ben, code_of(shop, anna))
    for number in (1, 2):
        buy(shop, ben, now_ms=START_MS + number * 60_000)
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    assert [card.offer.campaign for card in cards] == ["friend"]
    assert shop.offer_of(ben) is None
