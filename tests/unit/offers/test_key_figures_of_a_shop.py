"""Key figures from the tables of a shop whose every receipt is known, on both databases."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from offers.handlers.insight.note_till_day import note_till_day
from offers.handlers.insight.read_kpis import read_kpis, weeks_of, window_of
from offers.handlers.offering.open_offer import open_offer
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.settle_basket import Settled
from offers.insight.kpi_report import KpiReport, kpi_report
from offers.model.ids import PurchaseId, ShopperId
from offers.model.insight.funnel import Step
from offers.model.insight.kpi import Kpi, KpiName, Withheld
from offers.model.insight.till_day import TillDay
from offers.model.loyalty.segment import Membership, Segment
from offers.model.people.consent import Purpose
from offers.model.till.held_basket import BasketRequest
from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, asked, campaign
from tests.unit.offers.till import Till

DAY_MS = 86_400_000
HOUR_MS = 60 * MINUTE_MS
EVENING_MS = START_MS + 2 * HOUR_MS  # 01:13 in Berlin, on the day FIRST
FIRST = date(2023, 11, 15)  # START_MS is the evening before
SECOND = FIRST + timedelta(days=14)
MEMBERS = 12


@dataclass
class Trade:
    """Two fortnights of a small shop.

    Twelve members buy for 10 euro in the first; in the second nine of them come again, three on two
    days; one brings everything back. The tills took 300 euro in the second fortnight, with 42
    receipts. Thirteen stand at the shelf in
    the second and get a coupon of 2 euro: twelve open it, eleven redeem it with 10 euro, one of
    whom brings the goods back.
    """

    shop: Shop
    members: list[ShopperId]
    bought: list[PurchaseId] = field(default_factory=list)

    @classmethod
    def of(cls, shop: Shop) -> "Trade":
        shop.start(campaign())
        members = [shop.shopper(tag=None) for _ in range(MEMBERS)]
        return cls(shop, members)

    def till(self, day: int, hour: int = 12) -> Till:
        return Till(self.shop, now_ms=EVENING_MS + day * DAY_MS + hour * HOUR_MS)

    def buy(self, shopper: ShopperId, *, day: int, paid_minor: int = 1_000) -> PurchaseId:
        till = self.till(day)
        request = replace(asked(prices_minor=(paid_minor,)), card=till.scan(shopper))
        return self.pay(till, request)

    def pay(self, till: Till, request: BasketRequest) -> PurchaseId:
        held = till.ask(request)
        assert isinstance(held, Held), held
        settled = till.commit(held.held.held)
        assert isinstance(settled, Settled), settled
        self.bought.append(settled.purchase.purchase)
        return settled.purchase.purchase

    def play(self) -> None:
        for shopper in self.members:
            self.buy(shopper, day=1)
        for shopper in self.members[:9]:
            self.buy(shopper, day=15)
        for shopper in self.members[:3]:
            self.buy(shopper, day=16)
        gone = self.buy(self.members[9], day=16)
        self.till(17).take_back(gone, {0: 1})
        self.total(15, 15, 12_000)
        self.total(16, 3, 3_000)
        self.total(19, 24, 15_000)
        for number in range(13):
            self.stand(number)

    def total(self, day: int, receipts: int, sales_minor: int) -> None:
        total = TillDay(
            site=SITE,
            day=FIRST + timedelta(days=day),
            currency="EUR",
            receipts=receipts,
            sales_minor=sales_minor,
        )
        note_till_day(total, work=self.shop.work, now_ms=UnixMs(START_MS + 50 * DAY_MS))

    def stand(self, number: int) -> None:
        at_ms = EVENING_MS + 19 * DAY_MS + number * HOUR_MS
        shopper = self.shop.shopper(tag=f"tag:{number}", now_ms=at_ms - 6 * MINUTE_MS)
        assert self.shop.stand(f"tag:{number}", at_ms=at_ms) is not None
        card = self.shop.offer_of(shopper)
        assert card is not None
        assert card.coupon is not None
        work, till = self.shop.work, Till(self.shop, now_ms=at_ms + MINUTE_MS)
        self.shop.deliver(card.offer.offer, now_ms=at_ms)
        if number == 12:
            return
        open_offer(shopper, card.offer.offer, work=work, now_ms=UnixMs(at_ms))
        if number == 11:
            return
        shown = reveal_coupon(
            shopper,
            card.coupon.coupon,
            work=work,
            now_ms=UnixMs(at_ms),
            secrets=self.shop.secrets,
        )
        purchase = self.pay(till, replace(asked(shown.code), card=till.scan(shopper)))
        if number == 0:
            till.take_back(purchase, {0: 1})

    def report(self, from_day: date = SECOND, until_day: date | None = None) -> KpiReport:
        work = self.shop.work
        window = window_of(SITE, from_day, until_day or from_day + timedelta(days=14), work=work)
        return kpi_report(read_kpis(window, work=work, now_ms=UnixMs(START_MS + 60 * DAY_MS)))


@pytest.fixture
def trade(shop: Shop) -> Trade:
    trade = Trade.of(shop)
    trade.play()
    return trade


def values(report: KpiReport) -> dict[KpiName, float | None]:
    return {kpi.name: kpi.value for kpi in report.kpis}


def test_the_figures_are_those_of_the_known_receipts(trade: Trade) -> None:
    """42 receipts of 300 euro, 22 of them with the cards of 19 members: each figure by hand."""
    report = trade.report()
    assert values(report) == {
        KpiName.RETENTION: 0.75,  # 9 of 12
        KpiName.REPEAT_RATE: 0.158,  # 3 of 19
        KpiName.PURCHASE_FREQUENCY: 1.16,  # 22 of 19
        KpiName.MEAN_BASKET: 909.0,  # 20,000 of 22
        KpiName.LIFETIME_VALUE: None,
        KpiName.REDEMPTION_RATE: 0.769,  # 10 of 13
        KpiName.MEMBERS_SHARE: 0.667,  # 20,000 of 30,000
        KpiName.OTHERS_MEAN_BASKET: 500.0,  # 10,000 of 20
        KpiName.BASKET_DIFFERENCE: 409.0,
        KpiName.COST_PER_INCREMENTAL_EURO: None,
    }
    assert report.currency == "EUR"
    counts = {one.step: one.count for one in report.funnel.steps if one.count is not None}
    assert counts == {Step.OFFERED: 15, Step.SEEN: 10, Step.REDEEMED: 10, Step.PURCHASED: 10}
    assert [funnel.zone for funnel in report.zones] == ["dowels"]


def test_what_happens_after_a_window_changes_nothing_in_it(trade: Trade) -> None:
    """A quarter that was reported must not look otherwise a month later."""
    before = trade.report()
    late = trade.till(40)
    for purchase in trade.bought[12:20]:
        late.take_back(purchase, {0: 1})
    assert trade.report() == before


def test_who_withdraws_analytics_is_followed_through_no_window_any_more(trade: Trade) -> None:
    """His receipts stay in the sums of the shop, as somebody's."""
    for shopper in trade.members[:2]:
        trade.shop.say(shopper, Purpose.ANALYTICS, is_granted=False, now_ms=START_MS + 50 * DAY_MS)
    found = values(trade.report())
    assert found[KpiName.RETENTION] == 0.7  # 7 of 10
    assert found[KpiName.REPEAT_RATE] == 0.059  # 1 of 17
    assert found[KpiName.MEAN_BASKET] == 909.0
    assert found[KpiName.MEMBERS_SHARE] == 0.667


def test_members_are_told_by_the_segment_they_are_in_at_the_end(trade: Trade) -> None:
    """Ten of the twelve are in a segment; a former or a later membership counts for nothing."""
    for shopper in trade.members[:10]:
        for segment, entered, left in (
            (Segment.NEW, START_MS, START_MS + 20 * DAY_MS),
            (Segment.OCCASIONAL, START_MS + 20 * DAY_MS, None),
        ):
            trade.shop.work.memberships.enter(
                Membership(
                    shopper=shopper,
                    site=SITE,
                    segment=segment,
                    entered_at_ms=UnixMs(entered),
                    left_at_ms=None,
                )
            )
            if left is not None:
                open_one = trade.shop.work.memberships.current(shopper, SITE)
                assert open_one is not None
                trade.shop.work.memberships.leave(open_one, at_ms=UnixMs(left))
    for shopper in trade.members[10:]:
        late = Membership(
            shopper=shopper,
            site=SITE,
            segment=Segment.HIGH_VALUE,
            entered_at_ms=UnixMs(START_MS + 50 * DAY_MS),
        )
        trade.shop.work.memberships.enter(late)
    report = trade.report()
    kpis: dict[Segment | None, dict[KpiName, Kpi]] = {
        group.segment: {kpi.name: kpi for kpi in group.kpis} for group in report.groups
    }
    assert kpis[Segment.OCCASIONAL][KpiName.RETENTION].value is None  # hides the two without one
    assert kpis[Segment.OCCASIONAL][KpiName.RETENTION].withheld is Withheld.COMPLEMENT
    assert kpis[Segment.NEW][KpiName.RETENTION].withheld is Withheld.NOTHING_HAPPENED
    assert kpis[Segment.HIGH_VALUE][KpiName.RETENTION].withheld is Withheld.NOTHING_HAPPENED
    assert kpis[Segment.OCCASIONAL][KpiName.PURCHASE_FREQUENCY].withheld is Withheld.FEW_SHOPPERS


def test_a_total_is_corrected_by_a_further_one(trade: Trade) -> None:
    """The books of a day are closed twice: the newest counts."""
    trade.total(16, 23, 13_000)
    assert values(trade.report())[KpiName.MEMBERS_SHARE] == 0.5  # 20,000 of 40,000


def test_another_site_tells_nothing_of_it(trade: Trade) -> None:
    """The key's own site, and no receipt of another."""
    work = trade.shop.work
    window = window_of(SiteId("elsewhere"), SECOND, SECOND + timedelta(days=14), work=work)
    found = read_kpis(window, work=work, now_ms=UnixMs(START_MS + 60 * DAY_MS))
    assert not len(found.receipts.shopper)
    assert not len(found.offers.shopper)


def test_the_weeks_are_told_like_windows(trade: Trade) -> None:
    """Twelve members bought in the first week, nobody in the second, nine in the third."""
    work = trade.shop.work
    window = window_of(SITE, date(2023, 12, 4), date(2023, 12, 11), work=work)
    found = read_kpis(window, work=work, now_ms=UnixMs(START_MS + 60 * DAY_MS), weeks=119)
    series = {one.name: one.last(4).values for one in weeks_of(found)}
    assert series[KpiName.MEAN_BASKET] == (1000.0, None, None, 800.0)
    assert series[KpiName.REDEMPTION_RATE] == (None, None, None, 0.769)


def test_a_day_that_goes_on_is_in_no_window(trade: Trade) -> None:
    """Two looks at it would be two figures of one window."""
    work = trade.shop.work
    window = window_of(SITE, SECOND, SECOND + timedelta(days=14), work=work)
    with pytest.raises(InvalidReport, match="expected days that are over"):
        read_kpis(window, work=work, now_ms=UnixMs(window.until_ms - 1))


def test_more_receipts_than_fit_are_refused_by_name(trade: Trade) -> None:
    """A report that takes all memory would stop the shop."""
    with pytest.raises(InvalidReport, match="more than 5 receipts"):
        trade.shop.work.key_figures.receipts(
            SITE,
            from_ms=START_MS,
            until_ms=UnixMs(START_MS + 30 * DAY_MS),
            currency="EUR",
            time_zone="Europe/Berlin",
            limit=5,
        )
