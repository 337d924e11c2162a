"""Referrals: a code for friends, taken once, from who is new, and never from oneself."""

import pytest

from offers.handlers.claim_referral import claim_referral, referral_code_of
from offers.model.errors import InvalidShopper
from offers.model.ids import ReferralId, ShopperId
from offers.model.referral import (
    REFERRALS_IN_WINDOW_MAX,
    WINDOW_MS,
    Referral,
    ReferralRefusal,
    ReferralState,
)
from rtls.model.units import UnixMs
from tests.unit.offers.shop import START_MS, Shop


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
