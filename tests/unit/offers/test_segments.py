"""Segments: who is new, who spends much, who stays away, and what entering one sets off."""

from dataclasses import replace

import pytest

from offers.handlers.profile.note_purchase import note_purchase
from offers.handlers.profile.refresh_segment import refresh_segments
from offers.loyalty.segment import levels_after, next_look_ms, segment_of
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.trigger import Movement, SegmentTrigger
from offers.model.conditions.fact import DAY_MS
from offers.model.ids import PurchaseId, ShopperId
from offers.model.loyalty.segment import (
    PurchaseHistory,
    Segment,
    SegmentLevels,
)
from offers.model.loyalty.segment_settings import DEFAULT_SEGMENTS
from offers.model.people.consent import Purpose
from offers.model.till.purchase import Purchase, PurchaseLine
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, TILL, Shop, basket, campaign

LEVELS = SegmentLevels(number=1, site=SITE, at_ms=START_MS, high_value_minor=50_000)


def history(*days_ago: float, euro: int = 0, now_ms: int = START_MS) -> PurchaseHistory:
    """Purchases so many days ago, the latest last; ``euro`` in all."""
    instants = [UnixMs(round(now_ms - days * DAY_MS)) for days in days_ago]
    return PurchaseHistory(
        purchases=len(instants),
        first_at_ms=instants[0] if instants else None,
        last_at_ms=instants[-1] if instants else None,
        oldest_at_ms=instants[0] if instants else None,
        spend_minor=euro * 100,
    )


def sorted_into(known: PurchaseHistory, before: Segment | None = None) -> Segment | None:
    return segment_of(known, before=before, levels=LEVELS, as_of_ms=START_MS)


@pytest.mark.parametrize(
    ("known", "before", "expected"),
    [
        (history(), None, None),
        (history(0), None, Segment.NEW),
        (history(30, 0, euro=900), Segment.NEW, Segment.NEW),
        (history(30, 20, 0), Segment.NEW, Segment.OCCASIONAL),
        (history(60, 0), Segment.NEW, Segment.OCCASIONAL),
        (history(300, 89, euro=499), Segment.OCCASIONAL, Segment.OCCASIONAL),
        (history(300, 89, euro=500), Segment.OCCASIONAL, Segment.HIGH_VALUE),
        (history(300, 89, euro=400), Segment.HIGH_VALUE, Segment.HIGH_VALUE),
        (history(300, 89, euro=399), Segment.HIGH_VALUE, Segment.OCCASIONAL),
        (history(300, 90, euro=999), Segment.HIGH_VALUE, Segment.AT_RISK),
        # Back after half a year: not new, although it is the only purchase within the year.
        (history(0), Segment.AT_RISK, Segment.OCCASIONAL),
        (history(0), Segment.OCCASIONAL, Segment.OCCASIONAL),
    ],
)
def test_a_shopper_is_sorted_by_what_he_buys(
    known: PurchaseHistory, before: Segment | None, expected: Segment | None
) -> None:
    """Each line can be checked by hand against the rules in SegmentSettings."""
    assert sorted_into(known, before) is expected


def test_the_next_look_is_at_the_next_border() -> None:
    """Whoever bought 80 days ago and 10 days ago is at risk in 80 days, if nothing happens."""
    known = history(80, 10)
    assert next_look_ms(known, as_of_ms=START_MS) == START_MS + 80 * DAY_MS
    assert next_look_ms(history(), as_of_ms=START_MS) is None
    assert next_look_ms(history(0), as_of_ms=START_MS) == START_MS + 60 * DAY_MS


def test_a_level_moves_with_the_buyers_but_not_for_little() -> None:
    """Without that, every shopper of the site would be looked at every day."""
    assert levels_after(LEVELS, 52_000, now_ms=START_MS) is None
    moved = levels_after(LEVELS, 52_500, now_ms=START_MS)
    assert moved is not None
    assert (moved.number, moved.high_value_minor) == (2, 52_500)
    # Too few buyers: the settings' own level.
    assert levels_after(LEVELS, None, now_ms=START_MS) is None
    far = SegmentLevels(number=2, site=SITE, at_ms=START_MS, high_value_minor=60_000)
    assert levels_after(far, None, now_ms=START_MS) == SegmentLevels(
        number=3,
        site=SITE,
        at_ms=START_MS,
        high_value_minor=DEFAULT_SEGMENTS.high_value_minor,
    )


def buys(shop: Shop, shopper: ShopperId, number: int, *, at_ms: int) -> None:
    lines = tuple(PurchaseLine(item=item, discounts_minor=()) for item in basket(1_000).lines)
    purchase = Purchase(
        purchase=PurchaseId(f"{number:032x}"),
        site=SITE,
        till=TILL,
        shopper=shopper,
        at_ms=UnixMs(at_ms),
        currency="EUR",
        lines=lines,
    )
    note_purchase(purchase, work=shop.work)


def sweep(shop: Shop, *, now_ms: int, limit: int = 100) -> int:
    return refresh_segments(
        work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets, limit=limit
    )


def win_back() -> CampaignRevision:
    trigger = SegmentTrigger(segment=Segment.AT_RISK, movement=Movement.ENTERED)
    return replace(campaign("win-back"), trigger=trigger)


def test_staying_away_wakes_the_campaign_that_wins_back(shop: Shop) -> None:
    """Nobody does anything on the ninetieth day: time alone must be enough."""
    shop.start(win_back())
    shopper = shop.shopper(tag=None)
    buys(shop, shopper, 1, at_ms=START_MS)
    assert sweep(shop, now_ms=START_MS + 1) == 1
    assert shop.work.memberships.sizes(SITE) == {Segment.NEW: 1}
    assert sweep(shop, now_ms=START_MS + 59 * DAY_MS) == 0
    later = START_MS + 91 * DAY_MS
    assert sweep(shop, now_ms=later) == 1
    card = shop.offer_of(shopper)
    assert card is not None
    assert card.offer.campaign == "win-back"
    stays = shop.work.memberships.history_of(shopper)
    assert [(stay.segment.value, (stay.entered_at_ms - START_MS) // DAY_MS) for stay in stays] == [
        ("new", 0),
        ("occasional", 60),
        ("at_risk", 90),
    ]
    assert sweep(shop, now_ms=later + 1) == 0


def test_a_sweep_looks_at_no_more_than_it_is_told(shop: Shop) -> None:
    """Ten thousand shoppers who grow old on one night must not stop the tills."""
    for number in range(3):
        buys(shop, shop.shopper(tag=None), number, at_ms=START_MS + number)
    assert sweep(shop, now_ms=START_MS + 10, limit=2) == 2
    assert sweep(shop, now_ms=START_MS + 10, limit=2) == 1


def test_without_personalise_nobody_is_sorted(shop: Shop) -> None:
    """A segment is a profile, too."""
    shopper = shop.shopper(Purpose.LOCATE, tag=None)
    buys(shop, shopper, 1, at_ms=START_MS)
    assert sweep(shop, now_ms=START_MS + 1) == 0
    assert shop.work.memberships.sizes(SITE) == {}
