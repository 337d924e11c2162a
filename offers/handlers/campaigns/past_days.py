"""Find the birthdays, anniversaries and expiring points that the daily round would have met.

Layer: flow. Takes: a trigger and a `Past`. Gives: occasions to past_moments, at the hour at which
the round begins, or later that day where it could not have been known before.
"""

from datetime import date, timedelta
from typing import Final

from offers.handlers.campaigns.past_span import MOMENTS_MAX, Found, Past
from offers.handlers.offering.daily_round import (
    BEGINS_AT_MINUTE,
    YEARS_MAX,
    anniversary_days,
    birthday_texts,
    instant_of,
)
from offers.model.campaigns.trigger import BirthdayTrigger, PointsExpiringTrigger
from offers.model.offering.occasion import AnniversaryReached, BirthdayNear, PointsExpire
from rtls.model.units import UnixMs

UNDECIDED: Final = ""  # no decision has this occasion, so nobody is left out


def birthdays(trigger: BirthdayTrigger, past: Past) -> Found:
    """Yield whose birthday was so many days ahead."""
    for today in past.days():
        day = today + timedelta(days=trigger.days_before)
        near = BirthdayNear(days_ahead=trigger.days_before, year=day.year)
        begin_ms, end_ms = _round(today, past)
        for said in past.work.history.birthdays(
            birthday_texts(day), until_ms=end_ms, limit=MOMENTS_MAX
        ):
            yield said.shopper, near, max(begin_ms, said.at_ms)


def anniversaries(past: Past) -> Found:
    """Yield whose first purchase was full years ago."""
    for today in past.days():
        begin_ms, _ = _round(today, past)
        for years in range(1, YEARS_MAX + 1):
            for day in anniversary_days(today, years):
                for shopper in past.work.occasions.first_purchases(
                    past.site,
                    from_ms=instant_of(day, past.zone),
                    until_ms=instant_of(day + timedelta(days=1), past.zone),
                    occasion=UNDECIDED,
                    limit=MOMENTS_MAX,
                ):
                    yield shopper, AnniversaryReached(years=years), begin_ms


def expiring_points(trigger: PointsExpiringTrigger, past: Past) -> Found:
    """Yield whose points were about to expire, as far as they had not been spent by then."""
    for today in past.days():
        day = today + timedelta(days=trigger.within_days)
        begin_ms, end_ms = _round(today, past)
        for lot in past.work.history.expiring_lots(
            from_ms=instant_of(day, past.zone),
            until_ms=instant_of(day + timedelta(days=1), past.zone),
            seen_at_ms=begin_ms,
            limit=MOMENTS_MAX,
        ):
            if lot.at_ms < end_ms:
                yield (
                    lot.shopper,
                    PointsExpire(lot=lot.name, days_ahead=trigger.within_days),
                    (lot.at_ms),
                )


def _round(today: date, past: Past) -> tuple[UnixMs, UnixMs]:
    """Return when the round of a day began and ended."""
    begin_ms = instant_of(today, past.zone, minute=BEGINS_AT_MINUTE)
    return begin_ms, instant_of(today + timedelta(days=1), past.zone)
