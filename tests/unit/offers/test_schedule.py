"""Schedules by the clocks on the wall: hours, days, both nights of summer time, 29 February."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offers.decision.contradiction import check_makes_sense
from offers.decision.schedule import can_ever_be, is_scheduled, wall_time
from offers.model.campaigns.benefit import EarlyAccess, Event
from offers.model.campaigns.campaign import Budget, FrequencyCap, Validity
from offers.model.campaigns.schedule import DateSpan, HourSpan, Schedule, YearlySpan
from offers.model.campaigns.schedule_json import parse_schedule, render_schedule
from offers.model.campaigns.stacking import StackingClass
from offers.model.conditions.condition_terms import Weekday
from offers.model.errors import InvalidCampaign
from offers.model.json_members import object_of
from offers.model.visits.site_rules import SiteRules
from rtls.model.units import UnixMs
from tests.unit.offers.shop import START_MS, campaign

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
MINUTE_MS = 60_000
HALF_PAST_TWO = Schedule(hours=(HourSpan(from_minute=120, until_minute=180),))


def at(text: str) -> UnixMs:
    """An instant of UTC."""
    return UnixMs(round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000))


def minutes_open(schedule: Schedule, first: UnixMs, hours: int, zone: ZoneInfo = BERLIN) -> int:
    return sum(
        is_scheduled(schedule, wall_time(UnixMs(first + minute * MINUTE_MS), zone))
        for minute in range(hours * 60)
    )


def test_the_hour_that_spring_leaves_out_does_not_happen() -> None:
    """29 March 2026, Berlin: after 01:59 comes 03:00. From two to three there is no minute."""
    assert minutes_open(HALF_PAST_TWO, at("2026-03-28T23:00"), 23) == 0


def test_the_hour_that_autumn_doubles_happens_twice() -> None:
    """25 October 2026, Berlin: from two to three are a hundred and twenty minutes."""
    assert minutes_open(HALF_PAST_TWO, at("2026-10-24T22:00"), 25) == 120


def test_on_any_other_day_an_hour_is_an_hour() -> None:
    """And a day has as many minutes of it as are written down."""
    assert minutes_open(HALF_PAST_TWO, at("2026-06-01T22:00"), 24) == 60


def test_one_instant_is_two_times_of_day_in_two_time_zones() -> None:
    """16:30 UTC in January is 17:30 in Berlin and 11:30 in New York."""
    late_morning = Schedule(hours=(HourSpan(from_minute=11 * 60, until_minute=12 * 60),))
    now_ms = at("2026-01-15T16:30")
    assert is_scheduled(late_morning, wall_time(now_ms, NEW_YORK))
    assert not is_scheduled(late_morning, wall_time(now_ms, BERLIN))


def test_what_goes_past_midnight_belongs_to_the_day_on_which_it_began() -> None:
    """Friday night from ten to two: Saturday at one is meant, Friday at one is not."""
    night = Schedule(
        weekdays=frozenset({Weekday.FRIDAY}),
        hours=(HourSpan(from_minute=22 * 60, until_minute=2 * 60),),
    )
    shown = {
        text: is_scheduled(night, wall_time(at(text), ZoneInfo("UTC")))
        for text in ("2026-11-20T01:00", "2026-11-20T23:00", "2026-11-21T01:00", "2026-11-21T02:00")
    }
    assert list(shown.values()) == [False, True, True, False]


def test_midnight_ends_a_day_to_the_millisecond() -> None:
    """Until and including 24 December: at midnight of the shop it is over."""
    advent = Schedule(dates=(DateSpan(first=date(2026, 12, 1), last=date(2026, 12, 24)),))
    midnight_ms = at("2026-12-24T23:00")  # 25 December, 00:00 in Berlin
    assert is_scheduled(advent, wall_time(UnixMs(midnight_ms - 1), BERLIN))
    assert not is_scheduled(advent, wall_time(midnight_ms, BERLIN))


@pytest.mark.parametrize(
    ("day", "is_meant"),
    [
        ("2028-02-29T12:00", True),
        ("2028-02-28T12:00", False),
        ("2027-02-28T12:00", True),
        ("2027-03-01T12:00", False),
        ("2100-02-28T12:00", True),
    ],
)
def test_29_february_is_the_28th_where_there_is_none(day: str, is_meant) -> None:
    """2100 is no leap year, although four divides it."""
    leap = Schedule(yearly=(YearlySpan(first=(2, 29), last=(2, 29)),))
    assert is_scheduled(leap, wall_time(at(day), BERLIN)) == is_meant


def test_a_span_of_the_year_may_go_past_new_year() -> None:
    """Twelve nights: from Christmas until Epiphany."""
    nights = Schedule(yearly=(YearlySpan(first=(12, 25), last=(1, 6)),))
    days = ("2026-12-24T12:00", "2026-12-31T12:00", "2027-01-06T12:00", "2027-01-07T12:00")
    assert [is_scheduled(nights, wall_time(at(day), BERLIN)) for day in days] == [
        False,
        True,
        True,
        False,
    ]


SPANS = st.tuples(st.integers(0, 1_439), st.integers(1, 1_440)).filter(lambda s: s[0] != s[1])
SCHEDULES = st.builds(
    Schedule,
    weekdays=st.frozensets(st.sampled_from(Weekday), max_size=3),
    hours=st.lists(
        SPANS.map(lambda s: HourSpan(from_minute=s[0], until_minute=s[1])), max_size=2
    ).map(tuple),
    dates=st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 3)).map(
            lambda s: DateSpan(
                first=date(2026, 3, 20) + timedelta(days=s[0]),
                last=date(2026, 3, 20) + timedelta(days=s[0] + s[1]),
            )
        ),
        max_size=2,
    ).map(tuple),
    yearly=st.just(()),
)


@given(SCHEDULES)
def test_a_schedule_is_read_again_as_it_was_written(schedule: Schedule) -> None:
    """It is part of the revision that an offer is honoured under."""
    assert parse_schedule(object_of(render_schedule(schedule), "schedule")) == schedule


# Half past two until half past three, in the night in which two o'clock is three o'clock.
@example(
    Schedule(
        hours=(HourSpan(from_minute=150, until_minute=210),),
        dates=(DateSpan(first=date(2026, 3, 29), last=date(2026, 3, 29)),),
    ),
    2 * 1_440,
    1_440,
    BERLIN,
)
@given(SCHEDULES, st.integers(0, 5_000), st.integers(1, 3_000), st.sampled_from([BERLIN, NEW_YORK]))
def test_can_ever_be_agrees_with_looking_at_every_minute(
    schedule: Schedule, start: int, length: int, zone: ZoneInfo
) -> None:
    """The slow, plain answer; around the night in which Berlin's clocks go forward."""
    first_ms = UnixMs(at("2026-03-27T00:00") + start * MINUTE_MS)
    validity = Validity(from_ms=first_ms, until_ms=UnixMs(first_ms + length * MINUTE_MS))
    slow = any(
        is_scheduled(schedule, wall_time(UnixMs(first_ms + minute * MINUTE_MS), zone))
        for minute in range(length)
    )
    assert can_ever_be(schedule, validity, zone) == slow


@pytest.mark.parametrize(
    ("given_schedule", "message"),
    [
        ({"weekdays": ["Freitag"]}, "weekdays has 'Freitag'; expected"),
        ({"hours": [{"from": "9:00", "until": "10:00"}]}, "hours has '9:00'; expected a time"),
        ({"hours": [{"from": "09:00", "until": "25:00"}]}, "expected times from 00:00 to 24:00"),
        ({"hours": [{"from": "09:00", "until": "09:00"}]}, "begins and ends at the same time"),
        ({"dates": [{"first": "2026-02-30", "last": "2026-03-01"}]}, "dates has '2026-02-30'"),
        ({"dates": [{"first": "2026-03-02", "last": "2026-03-01"}]}, "expected the first day"),
        ({"yearly": [{"first": "02-30", "last": "03-01"}]}, "yearly has 02-30"),
        ({"yearly": [{"first": "Feb 1", "last": "03-01"}]}, "yearly has 'Feb 1'"),
        ({"monthly": []}, "schedule has unknown members .'monthly'."),
        (
            {"dates": [{"first": "2026-03-01", "last": "2026-03-01"}] * 51},
            "schedule has 51 spans",
        ),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_by_name(given_schedule, message: str) -> None:
    """Each member says what it should look like."""
    with pytest.raises(InvalidCampaign, match=message):
        parse_schedule(given_schedule)


SUNDAY_ONLY = Schedule(weekdays=frozenset({Weekday.SUNDAY}))
ONE_DAY = Validity(from_ms=START_MS, until_ms=UnixMs(START_MS + 86_400_000))  # a Wednesday
LATER_MS = UnixMs(START_MS + 10**9)


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        (
            replace(campaign(), validity=Validity(from_ms=UnixMs(0), until_ms=START_MS)),
            "validity.until has passed, so it can never make an offer",
        ),
        (
            replace(campaign(), validity=Validity(from_ms=START_MS, until_ms=UnixMs(10**14))),
            "lasts more than 20 years, which is no end",
        ),
        (
            replace(campaign(), schedule=SUNDAY_ONLY, validity=ONE_DAY),
            "schedule allows no instant within validity",
        ),
        (
            campaign(
                benefit=Event(name="Course", starts_at_ms=LATER_MS),
                budget=Budget(redemptions_max=9),
            ),
            "validity.until is after benefit.starts_at",
        ),
        (
            campaign(benefit=EarlyAccess(item="Drill", public_from_ms=LATER_MS)),
            "validity.until is after benefit.public_from",
        ),
        (
            replace(campaign(cap=FrequencyCap(offers_max=2)), stacking=StackingClass.COMBINABLE),
            "several coupons of this campaign at once",
        ),
        (
            replace(campaign(), stacking=StackingClass.COMBINABLE, coupon_valid_s=86_401),
            "several coupons of this campaign at once",
        ),
    ],
)
def test_a_campaign_that_contradicts_itself_is_refused_with_the_remedy(revision, message) -> None:
    """Found out by an error, and not by silence in the shop or by a till that gives too much."""
    with pytest.raises(InvalidCampaign, match=message):
        check_makes_sense(revision, zone=BERLIN, now_ms=START_MS)


def test_a_campaign_that_makes_sense_is_let_through() -> None:
    """One coupon at a time may be combinable."""
    single = replace(campaign(), stacking=StackingClass.COMBINABLE)
    check_makes_sense(single, zone=BERLIN, now_ms=START_MS)


def test_a_time_zone_that_nobody_knows_is_refused_at_the_start() -> None:
    """Not at the first schedule that needs it."""
    for name in ("Europe/Atlantis", "", "../etc/passwd"):
        with pytest.raises(InvalidCampaign, match="IANA time zone database"):
            SiteRules(time_zone=name)
