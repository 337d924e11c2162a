"""What a further euro has cost, in a shop that holds some shoppers out; the truth is planted."""

from dataclasses import replace
from datetime import date

import numpy as np

from offers.handlers.insight.read_kpis import read_kpis, window_of
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till.settle_basket import Settled
from offers.insight.kpi_report import kpi_report
from offers.model.experiments.experiment import Holdout
from offers.model.ids import ShopperId
from offers.model.insight.kpi import KpiName
from offers.model.loyalty.site_settings import SiteSettings
from rtls.model.units import UnixMs
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    Shop,
    asked,
    campaign,
    memory_engine,
    scratch_work,
)
from tests.unit.offers.test_site_settings import PROGRAMME
from tests.unit.offers.till import Till

DAY_MS = 86_400_000
SHOPPERS = 260


def pay(shop: Shop, shopper: ShopperId, *codes: str, cents: int, at_ms: int) -> None:
    till = Till(shop, now_ms=at_ms)
    held = till.ask(replace(asked(*codes, prices_minor=(cents,)), card=till.scan(shopper)))
    assert isinstance(till.commit(held.held.held), Settled)


def code_of(shop: Shop, shopper: ShopperId, at_ms: int) -> str:
    card = shop.offer_of(shopper)
    assert card is not None
    assert card.coupon is not None
    shop.deliver(card.offer.offer, now_ms=at_ms)
    shown = reveal_coupon(
        shopper, card.coupon.coupon, work=shop.work, now_ms=UnixMs(at_ms), secrets=shop.secrets
    )
    return shown.code


def test_a_coupon_of_two_euro_that_brings_four_costs_half_a_euro_each() -> None:
    """Half of the shoppers are held out. Who has a coupon buys for six euro more, less two."""
    drawn = np.random.default_rng(3)
    with memory_engine() as engine, scratch_work(engine) as work:
        shop = Shop(work)
        settings = SiteSettings(holdout=Holdout(salt="0b5d7e3c", per_mille=500))
        start_programme(replace(PROGRAMME, settings=settings), work=work, now_ms=START_MS)
        shop.start(campaign())
        for number in range(SHOPPERS):
            shopper = shop.shopper(tag=f"tag:{number}")
            habit = int(drawn.gamma(4.0, 500.0)) + 1
            pay(shop, shopper, cents=habit, at_ms=START_MS - 20 * DAY_MS)
            at_ms = START_MS + (10 + number) * MINUTE_MS
            decision = shop.stand(f"tag:{number}", at_ms=at_ms)
            cents = max(habit + int(drawn.normal(0.0, 100.0)), 1)
            if decision is not None and decision.chosen is not None:
                code = code_of(shop, shopper, at_ms)
                pay(shop, shopper, code, cents=cents + 600, at_ms=at_ms + MINUTE_MS)
            else:
                pay(shop, shopper, cents=cents, at_ms=at_ms + MINUTE_MS)
        window = window_of(SITE, date(2023, 11, 13), date(2023, 11, 27), work=work)
        found = read_kpis(window, work=work, now_ms=UnixMs(START_MS + 60 * DAY_MS))
    kpis = {kpi.name: kpi for kpi in kpi_report(found).kpis}
    cost = kpis[KpiName.COST_PER_INCREMENTAL_EURO]
    assert cost.value is not None
    assert cost.interval is not None
    assert 0.45 < cost.value < 0.55
    assert cost.interval.low < 0.5 < cost.interval.high
    assert kpis[KpiName.REDEMPTION_RATE].value == 1.0
