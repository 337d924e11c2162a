"""reveal_coupon, price_basket: a coupon of ours as tills that know GS1 scan it."""

import json
from dataclasses import replace

import pytest

from offers.checkout.check_digit import check_digit_of
from offers.checkout.gs1 import FNC1
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import (
    Benefit,
    FreeItem,
    Information,
    MoneyOff,
    PercentOff,
    Service,
)
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.campaign_json import parse_campaign, render_campaign
from offers.model.campaigns.gs1_reference import Gs1Reference, Gs1Scheme
from offers.model.errors import InvalidCampaign, InvalidCode, InvalidProgramme
from offers.model.json_members import object_of
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.money import Money
from offers.model.offering.coupon import CouponCode
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.held_basket import PricedBasket
from offers.model.till.redemption import Redemption
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, TWO_EURO, Shop, asked, campaign, checkout
from tests.unit.offers.test_points_at_the_till import PROGRAMME
from tests.unit.offers.till import NOON_MS, Till

PREFIX = "4012345"
GCN = PREFIX + "00001" + check_digit_of(PREFIX + "00001")
GLOBAL = Gs1Reference(scheme=Gs1Scheme.GLOBAL_COUPON, digits="00001")
AMERICAN = Gs1Reference(scheme=Gs1Scheme.NORTH_AMERICAN_OFFER, digits="654321")
KNOWN_TO_GS1 = replace(PROGRAMME, gs1_company_prefix=PREFIX)


def named(reference: Gs1Reference = GLOBAL, *, benefit: Benefit = TWO_EURO) -> CampaignRevision:
    return replace(campaign(benefit=benefit), gs1=reference)


def shown(shop: Shop, revision: CampaignRevision, *, programme=KNOWN_TO_GS1) -> CouponCode:
    """Bring a shopper all the way to the screen with the code."""
    start_programme(programme, work=shop.work, now_ms=NOON_MS)
    shop.start(revision)
    shopper = shop.shopper(now_ms=NOON_MS - 6 * MINUTE_MS)
    shop.stand(at_ms=NOON_MS)
    card = shop.offer_of(shopper)
    assert card is not None
    assert card.coupon is not None
    shop.deliver(card.offer.offer, now_ms=NOON_MS)
    return reveal_coupon(
        shopper, card.coupon.coupon, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
    )


def element(code: CouponCode) -> str:
    assert code.gs1 is not None
    return code.gs1


def redeem(shop: Shop, code: str, *, now_ms: int = NOON_MS, **changes):
    request = checkout(code, **changes)
    return redeem_coupon(request, work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets)


def test_the_app_shows_number_serial_last_day_and_amount(shop: Shop) -> None:
    """What a till of any maker reads: 14 November 2023 plus a day, and 2.00 euro off."""
    code = shown(shop, named())
    serial = element(code).removeprefix(f"17231115255{GCN}").removesuffix(f"{FNC1}3902200")
    assert len(serial) == 12
    assert serial.isdigit()
    assert len(code.code) == 12


@pytest.mark.parametrize(
    ("benefit", "field"),
    [
        (MoneyOff(amount=Money(amount_minor=200, currency="JPY")), f"{FNC1}3900200"),
        (PercentOff(percent=15), f"{FNC1}39400015"),
        (FreeItem(applies_to=Scope(skus=frozenset({"sku-0"}))), f"{FNC1}39000"),
        (Service(service="cutting"), ""),
    ],
)
def test_each_benefit_is_said_as_far_as_gs1_has_words(shop: Shop, benefit, field: str) -> None:
    """A till that knows nothing of us then still takes the right amount off."""
    text = element(shown(shop, named(benefit=benefit)))
    assert text[len(f"17231115255{GCN}") + 12 :] == field


@pytest.mark.parametrize("reference", [GLOBAL, AMERICAN], ids=["255", "8112"])
def test_a_scanned_element_string_is_the_coupon(shop: Shop, reference: Gs1Reference) -> None:
    """Scanned as it comes, with the symbology in front, it takes two euro off, once."""
    text = element(shown(shop, named(reference)))
    redemption = redeem(shop, f"]e0{text}")
    assert isinstance(redemption, Redemption)
    assert redemption.discount.total.amount_minor == 200
    assert redeem(shop, text) is CheckoutRefusal.COUPON_USED


def test_brackets_and_a_held_basket_do_as_well(shop: Shop) -> None:
    """A cashier types what stands below the bars; quote, hold and commit all take it."""
    text = element(shown(shop, named()))
    serial = text[len(f"17231115255{GCN}") :][:12]
    typed = f"(17)231115(255) {GCN}{serial}(3902)200"
    priced = price_basket(asked(typed), work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert isinstance(priced, PricedBasket)
    assert priced.to_pay.amount_minor == 800
    held = Till(shop).ask(asked(typed))
    assert isinstance(held, Held)
    Till(shop).commit(held.held.held)
    assert redeem(shop, text) is CheckoutRefusal.COUPON_USED


def test_nobody_prints_himself_more_than_the_campaign_gives(shop: Shop) -> None:
    """Amount and date of the string are for other tills: ours takes the campaign's word."""
    text = element(shown(shop, named()))
    forged = text.replace("3902200", "3902900").replace("17231115", "17991231")
    redemption = redeem(shop, forged)
    assert isinstance(redemption, Redemption)
    assert redemption.discount.total.amount_minor == 200


def test_unknown_foreign_and_expired_look_the_same_to_strangers(shop: Shop) -> None:
    """As with our own codes: a guesser must not learn which numbers are alive."""
    text = element(shown(shop, named()))
    refusals = [
        redeem(shop, f"255{GCN}000000000001"),
        redeem(shop, f"255{GCN}"),
        redeem(shop, "2554006381333931000000000001"),
        redeem(shop, text, site=SiteId("elsewhere")),
        redeem(shop, text, now_ms=NOON_MS + 2 * 86_400_000),
    ]
    told = {refusal.for_strangers for refusal in refusals}
    assert told == {CheckoutRefusal.COUPON_NOT_VALID}


@pytest.mark.parametrize(
    ("scanned", "told"),
    [
        (f"255{GCN[:-1]}0", "check digit"),
        (f"255{GCN}12A", "expected a digit"),
        ("(01)04006381333931", "begins no field of a coupon"),
        ("(255 4012345000016", "expected an identifier in brackets"),
        ("17261350255" + GCN, "expected YYMMDD"),
        ("8112001234567890", "expected 21 to 36"),
    ],
)
def test_a_malformed_string_is_told_where_and_what_to_do(
    shop: Shop, scanned: str, told: str
) -> None:
    """A scanner that is set up wrongly would otherwise look like a hundred bad coupons."""
    with pytest.raises(InvalidCode, match=f"coupon code 2 of the request, position .*{told}"):
        price_basket(
            asked("7K2M-9QXD-4TRB", scanned),
            work=shop.work,
            now_ms=NOON_MS,
            secrets=shop.secrets,
        )


def test_the_string_before_stays_good_and_any_earlier_one_does_not(shop: Shop) -> None:
    """As with our own codes: a screen that reloads in the queue spoils no scan."""
    first = shown(shop, named())
    coupon = shop.work.coupons.find(first.coupon)
    assert coupon is not None
    again = [
        reveal_coupon(
            coupon.shopper, coupon.coupon, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
        )
        for _ in range(2)
    ]
    assert redeem(shop, element(first)) is CheckoutRefusal.COUPON_UNKNOWN
    assert isinstance(redeem(shop, element(again[0])), Redemption)
    assert redeem(shop, again[1].code) is CheckoutRefusal.COUPON_USED


def test_a_campaign_without_reference_has_our_code_alone(shop: Shop) -> None:
    """Fifteen digits are easier to guess than sixty bits: who does not need them has none."""
    assert shown(shop, campaign()).gs1 is None


def test_a_reference_that_gives_no_number_is_refused_at_the_start(shop: Shop) -> None:
    """Coupons that nobody could print must not be given out, whichever file is read first."""
    short = named(Gs1Reference(scheme=Gs1Scheme.GLOBAL_COUPON, digits="1"))
    start_programme(KNOWN_TO_GS1, work=shop.work, now_ms=NOON_MS)
    with pytest.raises(InvalidCampaign, match=r"expected 12 together\. Fill the reference"):
        shop.start(short)
    start_programme(PROGRAMME, work=shop.work, now_ms=NOON_MS)
    with pytest.raises(InvalidCampaign, match="names no gs1_company_prefix"):
        shop.start(named())


def test_a_programme_that_would_strand_coupons_is_refused(shop: Shop) -> None:
    """The other way round: the campaigns were there first."""
    shop.start(named())
    with pytest.raises(InvalidProgramme, match="names no gs1_company_prefix"):
        start_programme(PROGRAMME, work=shop.work, now_ms=NOON_MS)


@pytest.mark.parametrize("reference", [GLOBAL, AMERICAN])
def test_the_documents_say_it_and_are_read_back(reference: Gs1Reference) -> None:
    """What a merchandiser writes is what is kept."""
    revision = named(reference)
    assert parse_campaign(object_of(_loaded(render_campaign(revision)), "it")) == revision
    written = render_programme(KNOWN_TO_GS1)
    assert parse_programme(written, source="it") == KNOWN_TO_GS1


@pytest.mark.parametrize(
    ("gs1", "told"),
    [
        ({}, "expected one of"),
        ({"coupon_reference": "1", "north_american_offer": "123456"}, "expected one of"),
        ({"coupon_reference": "12x"}, "expected 1 to 6 digits"),
        ({"north_american_offer": "12345"}, "expected 6 digits"),
        ({"gcn": "4012345000016"}, "unknown members"),
    ],
)
def test_a_reference_that_is_none_is_refused(gs1: dict[str, str], told: str) -> None:
    """The error names field, value and remedy."""
    document = dict(object_of(_loaded(render_campaign(campaign())), "it"))
    with pytest.raises(InvalidCampaign, match=told):
        parse_campaign(document | {"gs1": gs1})


def test_what_needs_no_coupon_has_no_reference() -> None:
    """There would be nothing to scan."""
    with pytest.raises(InvalidCampaign, match="gs1 is given, but this benefit needs no coupon"):
        named(benefit=Information())


def test_a_prefix_that_is_none_is_refused() -> None:
    """GS1 gives six to twelve digits."""
    with pytest.raises(InvalidProgramme, match="gs1_company_prefix is '40-12'"):
        replace(PROGRAMME, gs1_company_prefix="40-12")


def _loaded(text: str) -> object:
    loaded: object = json.loads(text)
    return loaded
