"""Which content interests most: ranked by what is certain, and nothing of few shoppers."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.handlers.insight.rank_contents import RankedContent, rank_contents
from offers.handlers.insight.read_kpis import window_of
from offers.handlers.offering.open_offer import open_offer
from offers.insight.content_interest import rank_interest
from offers.model.ids import CampaignId
from offers.model.insight.content import ContentCounts
from offers.model.insight.kpi import Withheld
from offers.model.people.consent import Purpose
from rtls.model.errors import InvalidReport
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign

DAY_MS = 86_400_000
FIRST = date(2023, 11, 15)
EVENING_MS = START_MS + 120 * MINUTE_MS


def counts(name: str, opened: int, shown: int) -> ContentCounts:
    return ContentCounts(campaign=CampaignId(name), opened=opened, shown=shown)


def test_much_seen_and_liked_comes_before_little_seen_and_liked_more() -> None:
    """Ten of twenty could be luck; 450 of 1,000 is known."""
    ranked = rank_interest(
        [counts("few", 10, 20), counts("many", 450, 1_000), counts("dull", 100, 1_000)]
    )
    assert [one.campaign for one in ranked] == ["many", "few", "dull"]
    assert [one.share for one in ranked] == [0.45, 0.5, 0.1]


COUNTS = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(COUNTS, max_size=12))
def test_a_share_has_ten_shoppers_on_either_side(given_counts: list[tuple[int, int]]) -> None:
    """Who knows that all of eleven opened it knows of each of them that he did."""
    asked = [counts(f"c{number:02}", *pair) for number, pair in enumerate(given_counts)]
    ranked = rank_interest(asked)
    by_name = {one.campaign: one for one in asked}
    assert {one.campaign for one in ranked} == set(by_name)
    for one in ranked:
        behind = by_name[one.campaign]
        if one.share is None:
            assert min(behind.opened, behind.shown - behind.opened) < 10
        else:
            assert one.interval is not None
            assert 0.0 <= one.interval.low < behind.opened / behind.shown < one.interval.high <= 1.0
    lows = [one.interval.low for one in ranked if one.interval is not None]
    assert lows == sorted(lows, reverse=True)
    assert all(one.interval is None for one in ranked[len(lows) :])


def test_more_openers_than_shoppers_is_a_fault_of_ours() -> None:
    """A count that cannot be is found where it is made, not in a merchandiser's figure."""
    with pytest.raises(InvalidReport, match="opened by 3 of 2"):
        counts("c", 3, 2)


@dataclass
class Advice:
    """24 shoppers stand at the shelf, a day apart or at once; some open what they get."""

    shop: Shop

    def stand(self, number: int, *, is_opened: bool, purposes: tuple[Purpose, ...] = ()) -> None:
        at_ms = EVENING_MS + number * 10 * MINUTE_MS
        wishes = {"tag": f"tag:{number}", "now_ms": at_ms - 6 * MINUTE_MS}
        shopper = self.shop.shopper(*purposes, **wishes)
        assert self.shop.stand(f"tag:{number}", at_ms=at_ms) is not None
        card = self.shop.offer_of(shopper)
        assert card is not None
        self.shop.deliver(card.offer.offer, now_ms=at_ms)
        if is_opened:
            open_offer(shopper, card.offer.offer, work=self.shop.work, now_ms=UnixMs(at_ms))

    def ranked(self, *, days: int = 7) -> tuple[RankedContent, ...]:
        work = self.shop.work
        window = window_of(SITE, FIRST, FIRST + timedelta(days=days), work=work)
        return rank_contents(window, work=work, now_ms=UnixMs(START_MS + 60 * DAY_MS))


def test_the_ranking_counts_each_shopper_who_may_be_counted_once(shop: Shop) -> None:
    """Without the consent `analytics` nobody is in it, on either database."""
    shop.start(campaign())
    advice = Advice(shop)
    for number in range(24):
        advice.stand(number, is_opened=number < 12)
    without = (Purpose.LOCATE, Purpose.PERSONALISE)
    for number in range(24, 30):
        advice.stand(number, is_opened=True, purposes=without)
    [content] = advice.ranked()
    assert content.interest.shown.shoppers == 25  # 24, to the nearest five
    assert content.interest.share == 0.5
    assert content.interest.withheld is None
    assert (content.name, content.is_information) == (campaign().name, False)


def test_what_few_have_opened_is_withheld_with_the_reason(shop: Shop) -> None:
    """Nine of twenty-four: the row is there, so that nobody takes it for a campaign that is off."""
    shop.start(campaign())
    advice = Advice(shop)
    for number in range(24):
        advice.stand(number, is_opened=number < 9)
    [content] = advice.ranked()
    assert content.interest.share is None
    assert content.interest.withheld is Withheld.FEW_SHOPPERS


def test_a_window_with_a_day_that_is_not_over_is_refused(shop: Shop) -> None:
    """Half a day beside whole ones looks like a change."""
    with pytest.raises(InvalidReport, match="expected days that are over"):
        Advice(shop).ranked(days=90)
