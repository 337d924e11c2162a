"""What a retailer sets in the programme: offers a trip, and where segments part."""

import json
from dataclasses import replace

import pytest

from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.profile.refresh_segment import refresh_segments
from offers.handlers.till.hold_basket import Held
from offers.model.campaigns.campaign import FrequencyCap
from offers.model.campaigns.trigger import EnterTrigger
from offers.model.errors import InvalidProgramme
from offers.model.ids import ShopperId
from offers.model.loyalty.earning_rule import EarningTerms
from offers.model.loyalty.ledger import POINTS
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.loyalty.segment import Segment
from offers.model.loyalty.segment_settings import SegmentSettings
from offers.model.loyalty.site_settings import SiteSettings
from offers.model.offering.refusal import Refusal
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import (
    MINUTE_MS,
    SHELF,
    SITE,
    START_MS,
    Shop,
    asked,
    campaign,
    dwell_event,
    transition,
)
from tests.unit.offers.till import Till

DAY_MS = 86_400_000
PROGRAMME = Programme(site=SITE, time_zone="Europe/Berlin", terms=(EarningTerms(unit=POINTS),))


def start(shop: Shop, settings: SiteSettings, *, now_ms: int = START_MS) -> None:
    start_programme(replace(PROGRAMME, settings=settings), work=shop.work, now_ms=UnixMs(now_ms))


def document(**settings: object) -> str:
    return json.dumps(json.loads(render_programme(PROGRAMME)) | {"settings": settings})


def test_settings_are_read_again_as_they_were_written() -> None:
    """And a document from before they existed means what held then."""
    settings = SiteSettings(
        offers_a_trip_max=2,
        segments=SegmentSettings(at_risk_days=30, high_value_minor=900),
        quiet_from="20:00",
        quiet_until="09:30",
    )
    changed = replace(PROGRAMME, settings=settings)
    assert parse_programme(render_programme(changed), source="it") == changed
    older = json.loads(render_programme(PROGRAMME))
    del older["settings"]
    assert parse_programme(json.dumps(older), source="it") == PROGRAMME
    assert (PROGRAMME.settings.offers_a_trip_max, PROGRAMME.settings.segments.at_risk_days) == (
        5,
        90,
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"offers_a_trip": 3}, r"settings has unknown members \['offers_a_trip'\]"),
        ({"offers_a_trip_max": 0}, "settings.offers_a_trip_max is 0; expected 1 to 100"),
        ({"offers_a_trip_max": "5"}, "offers_a_trip_max is '5'; expected a whole number"),
        ({"offers_a_trip_max": True}, "offers_a_trip_max is True"),
        ({"segments": []}, "settings.segments is list; expected an object"),
        ({"segments": {"levels_every_ms": 1}}, "settings.segments has unknown members"),
        ({"segments": {"at_risk_days": 365}}, "segments.at_risk_days is 365; expected .* 1 to 364"),
        ({"segments": {"keep_percent": 0.5}}, "segments.keep_percent is 0.5"),
        ({"segments": {"currency": "EURO"}}, "segments.currency is 'EURO'"),
        ({"segments": {"buyers_min": None}}, "segments.buyers_min is None"),
        ({"quiet_hours": {"from": "21:00"}}, "from '21:00' until None; expected both"),
        ({"quiet_hours": {"from": "9pm", "until": "08:00"}}, "begin is '9pm'"),
        ({"quiet_hours": {"from": 21, "until": 8}}, "settings.quiet_hours"),
        ({"quiet_hours": {"begin": "21:00"}}, "settings.quiet_hours has unknown members"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    settings: dict[str, object], message: str
) -> None:
    """Told at the desk, and nothing is in force that cannot work."""
    with pytest.raises(InvalidProgramme, match=message):
        parse_programme(document(**settings), source="it")


def test_a_trip_gets_as_many_offers_as_the_programme_says(shop: Shop) -> None:
    """Each revision counts from the moment it is in force."""
    often = FrequencyCap(offers_max=20, window_s=1)
    shop.start(replace(campaign(cap=often), trigger=EnterTrigger(zone=SHELF)))
    start(shop, SiteSettings(offers_a_trip_max=1))
    shop.shopper()

    def enter(minute: int):
        event = dwell_event(TagId("tag:1"), at_ms=START_MS + minute * MINUTE_MS, dwell_s=60.0)
        return shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))

    assert enter(10).chosen is not None
    assert [entry.refusal for entry in enter(12).passed_over] == [Refusal.TRIP_CAP]
    start(shop, SiteSettings(offers_a_trip_max=2), now_ms=START_MS + 13 * MINUTE_MS)
    assert enter(14).chosen is not None


def sweep(shop: Shop, *, now_ms: int) -> None:
    given = {"work": shop.work, "secrets": shop.secrets}
    while refresh_segments(now_ms=UnixMs(now_ms), limit=10, **given):
        pass


def segment_of(shop: Shop, shopper: ShopperId) -> Segment | None:
    current = shop.work.memberships.current(shopper, SITE)
    return None if current is None else current.segment


def buy(shop: Shop, shopper: ShopperId, *, now_ms: int, cents: int) -> None:
    till = Till(shop, now_ms=now_ms)
    held = till.ask(replace(asked(prices_minor=(cents,)), card=till.scan(shopper)))
    assert isinstance(held, Held)
    till.commit(held.held.held)


def test_segments_part_where_the_programme_says_from_that_moment_on(shop: Shop) -> None:
    """Everybody is looked at again at once, not only who buys next."""
    anna = shop.shopper(tag=None)
    buy(shop, anna, now_ms=START_MS, cents=1_000)
    later_ms = START_MS + 40 * DAY_MS
    sweep(shop, now_ms=later_ms)
    assert segment_of(shop, anna) is Segment.NEW
    settings = SiteSettings(segments=SegmentSettings(at_risk_days=30))
    start(shop, settings, now_ms=later_ms)
    sweep(shop, now_ms=later_ms + 1)
    assert segment_of(shop, anna) is Segment.AT_RISK
    start(shop, SiteSettings(), now_ms=later_ms + 2)
    sweep(shop, now_ms=later_ms + 3)
    assert segment_of(shop, anna) is Segment.OCCASIONAL, "nobody becomes new again"


def test_a_level_that_is_set_anew_counts_at_once(shop: Shop) -> None:
    """In a small shop the retailer says himself who is of high value."""
    anna = shop.shopper(tag=None)
    for minute in (0, 2, 4):
        buy(shop, anna, now_ms=START_MS + minute * MINUTE_MS, cents=1_000)
    sweep(shop, now_ms=START_MS + 5 * MINUTE_MS)
    assert segment_of(shop, anna) is Segment.OCCASIONAL
    settings = SiteSettings(segments=SegmentSettings(high_value_minor=2_500))
    start(shop, settings, now_ms=START_MS + 6 * MINUTE_MS)
    sweep(shop, now_ms=START_MS + 7 * MINUTE_MS)
    assert segment_of(shop, anna) is Segment.HIGH_VALUE
