"""What the app is used for becomes facts: once a day, with consent, and not without bound."""

from dataclasses import replace

import pytest

from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.profile.note_use import (
    PRODUCTS_A_DAY_MAX,
    ProductScan,
    ScanNoted,
    note_app_opened,
    note_product_scan,
)
from offers.model.conditions.condition_terms import Events, PastCount, Range
from offers.model.conditions.fact import FactKind
from offers.model.ids import ShopperId
from offers.model.loyalty.earning_rule import EarningRule, EarningTerms, ForActivity, HowOften
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.programme import Programme
from offers.model.people.consent import Purpose
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign

DAY_MS = 86_400_000
DRILL = ProductScan(sku="4006209123456", category="tools")
PROGRAMME = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS),),
    rules=(
        EarningRule(
            rule="scans",
            unit=POINTS,
            earns=ForActivity(
                amount_minor=5, activity=PostingReason.SCAN, how_often=HowOften.DAILY
            ),
        ),
    ),
)


def scan(shop: Shop, shopper: ShopperId, what: ProductScan = DRILL, *, now_ms: int = START_MS):
    return note_product_scan(
        shopper, what, SITE, work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets
    )


def opened(shop: Shop, shopper: ShopperId, *, now_ms: int = START_MS) -> bool:
    return note_app_opened(shopper, SITE, work=shop.work, now_ms=UnixMs(now_ms))


def reached(shop: Shop, events: Events, at_least: int, *, now_ms: int) -> int:
    often = PastCount(events=events, range=Range(at_least=at_least))
    return shop.work.facts.audience_size(often, site=SITE, as_of_ms=UnixMs(now_ms))


def test_an_app_is_opened_once_a_day_by_the_clock_of_the_site(shop: Shop) -> None:
    """START_MS is 23:13 in Berlin: an hour later is another day there, and the same in London."""
    shop.start(campaign())  # so that the site and its clocks are known
    anna = shop.shopper(tag=None)
    assert [opened(shop, anna), opened(shop, anna, now_ms=START_MS + MINUTE_MS)] == [True, False]
    assert opened(shop, anna, now_ms=START_MS + 60 * MINUTE_MS)
    logins = Events(kind=FactKind.LOGIN, within_days=30)
    assert reached(shop, logins, 2, now_ms=START_MS + DAY_MS) == 1
    assert reached(shop, logins, 3, now_ms=START_MS + DAY_MS) == 0


def test_a_scan_is_asked_for_by_product_and_category(shop: Shop) -> None:
    """Whoever has scanned a tool this week is an audience."""
    anna, ben = shop.shopper(tag=None), shop.shopper(tag=None)
    assert scan(shop, anna).is_new
    assert not scan(shop, anna).is_new
    scan(shop, ben, ProductScan(sku="1"))
    tools = Events(kind=FactKind.SCAN, within_days=7, categories=frozenset({"tools"}))
    drills = Events(kind=FactKind.SCAN, within_days=7, skus=frozenset({DRILL.sku}))
    for events in (tools, drills):
        assert reached(shop, events, 1, now_ms=START_MS + MINUTE_MS) == 1
        assert reached(shop, events, 2, now_ms=START_MS + MINUTE_MS) == 0


def test_a_scan_earns_as_often_as_its_rule_says(shop: Shop) -> None:
    """C7: an activity that is no purchase."""
    start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    anna = shop.shopper(tag=None)
    first = scan(shop, anna)
    assert [earned.amount_minor for earned in first.earned] == [5]
    assert scan(shop, anna, ProductScan(sku="1")).earned == ()
    assert len(scan(shop, anna, now_ms=START_MS + DAY_MS).earned) == 1


def test_without_the_purpose_nothing_is_noted_and_nothing_earned(shop: Shop) -> None:
    """What is scanned tells of a person as much as what is bought."""
    start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    carl = shop.shopper(Purpose.LOCATE, tag=None)
    assert not opened(shop, carl)
    assert scan(shop, carl) == ScanNoted(is_new=False)


def test_a_phone_gone_mad_is_bounded(shop: Shop) -> None:
    """Fifty products a day, and tomorrow again."""
    anna = shop.shopper(tag=None)
    noted = [scan(shop, anna, ProductScan(sku=str(n))).is_new for n in range(60)]
    assert noted == [n < PRODUCTS_A_DAY_MAX for n in range(60)]
    assert scan(shop, anna, now_ms=START_MS + DAY_MS).is_new


@pytest.mark.parametrize("days", [0, 2])
def test_a_campaign_can_mean_those_who_open_the_app(shop: Shop, days: int) -> None:
    """The fact reaches the decision, not only the count of an audience."""
    loyal = PastCount(events=Events(kind=FactKind.LOGIN, within_days=30), range=Range(at_least=2))
    shop.start(replace(campaign(), audience=loyal))
    anna = shop.shopper()
    for day in range(days):
        opened(shop, anna, now_ms=START_MS - day * DAY_MS)
    decision = shop.stand()
    assert decision is not None
    assert (decision.chosen is not None) is (days == 2)
