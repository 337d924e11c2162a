"""Go round once a day to those whose day it is, and soon after to those whose trip has ended.

Layer: flow. Takes: the time and a site. Gives: how many occasions were decided about. The sweep
calls it every few seconds; each call does a bounded amount, and none is done twice, since whom a
decision names is left out. Dates are those of the site's calendar. The round begins at nine: an
offer at midnight would wait in the app until then anyway.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from offers.decision.schedule import wall_time
from offers.handlers.offering.on_occasion import on_occasion
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.trigger import BirthdayTrigger, PointsExpiringTrigger, TriggerKind
from offers.model.ids import ShopperId
from offers.model.offering.occasion import (
    AnniversaryReached,
    BirthdayNear,
    Occasion,
    PointsExpire,
    TripOccasion,
    moment_of,
)
from offers.model.visits.site_rules import SiteRules
from offers.model.visits.trip import TRIP_GAP_MS
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

A_CALL_MAX: Final = 50
BEGINS_AT_MINUTE: Final = 9 * 60
YEARS_MAX: Final = 10
TRIP_ENDED_MS_MAX: Final = 3_600_000  # an hour later the goodbye comes from nowhere
NOBODY: Final = ShopperId("0" * 32)


def daily_round(site: SiteId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource) -> int:
    """Decide about the occasions that are due; return how many there were."""
    zone = SiteRules(time_zone=work.sites.budgets(site).time_zone).zone
    due = 0
    for shopper, occasion in _due(site, zone, work=work, now_ms=now_ms):
        on_occasion(occasion, shopper=shopper, site=site, work=work, now_ms=now_ms, secrets=secrets)
        due += 1
        if due >= A_CALL_MAX:
            break
    return due


def birthday_texts(day: date) -> tuple[str, ...]:
    """Return the birthdays that are kept on a day, as in "12-24".

    Examples
    --------
    >>> birthday_texts(date(2027, 2, 28)), birthday_texts(date(2028, 2, 28))
    (('02-28', '02-29'), ('02-28',))
    """
    tomorrow = day + timedelta(days=1)
    kept = f"{day.month:02d}-{day.day:02d}"
    is_the_28th_without_a_29th = f"{kept}/{tomorrow.month:02d}-{tomorrow.day:02d}" == "02-28/03-01"
    return (kept, "02-29") if is_the_28th_without_a_29th else (kept,)


def _due(
    site: SiteId, zone: ZoneInfo, *, work: UnitOfWork, now_ms: UnixMs
) -> Iterator[tuple[ShopperId, Occasion]]:
    yield from _trips(site, work=work, now_ms=now_ms)
    shown = wall_time(now_ms, zone)
    if shown.minute < BEGINS_AT_MINUTE:
        return
    yield from _birthdays(site, shown.day, work=work)
    yield from _anniversaries(site, shown.day, zone, work=work)
    yield from _expiring(site, shown.day, zone, work=work)


def _trips(
    site: SiteId, *, work: UnitOfWork, now_ms: UnixMs
) -> Iterator[tuple[ShopperId, Occasion]]:
    if not _waiting(site, TriggerKind.TRIP_END, work=work):
        return
    ended_ms = UnixMs(now_ms - TRIP_GAP_MS)
    found = work.occasions.ended_trips(
        site, from_ms=UnixMs(ended_ms - TRIP_ENDED_MS_MAX), until_ms=ended_ms, limit=A_CALL_MAX
    )
    for shopper, trip in found:
        yield shopper, TripOccasion(kind=TriggerKind.TRIP_END, trip=trip)


def _birthdays(
    site: SiteId, today: date, *, work: UnitOfWork
) -> Iterator[tuple[ShopperId, Occasion]]:
    triggers = (r.trigger for r in _waiting(site, TriggerKind.BIRTHDAY, work=work))
    ahead = {trigger.days_before for trigger in triggers if isinstance(trigger, BirthdayTrigger)}
    for days_ahead in sorted(ahead):
        day = today + timedelta(days=days_ahead)
        occasion = BirthdayNear(days_ahead=days_ahead, year=day.year)
        for shopper in work.occasions.birthdays(
            site, birthday_texts(day), occasion=_name(occasion, site), limit=A_CALL_MAX
        ):
            yield shopper, occasion


def _anniversaries(
    site: SiteId, today: date, zone: ZoneInfo, *, work: UnitOfWork
) -> Iterator[tuple[ShopperId, Occasion]]:
    if not _waiting(site, TriggerKind.ANNIVERSARY, work=work):
        return
    for years in range(1, YEARS_MAX + 1):
        occasion = AnniversaryReached(years=years)
        for day in anniversary_days(today, years):
            for shopper in work.occasions.first_purchases(
                site,
                from_ms=instant_of(day, zone),
                until_ms=instant_of(day + timedelta(days=1), zone),
                occasion=_name(occasion, site),
                limit=A_CALL_MAX,
            ):
                yield shopper, occasion


def anniversary_days(today: date, years: int) -> Iterator[date]:
    """Yield the days so many years ago that are kept today; 29 February on the 28th."""
    for text in birthday_texts(today):
        month, day = map(int, text.split("-"))
        try:
            yield date(today.year - years, month, day)
        except ValueError:
            continue  # no 29 February in that year: nobody bought on it


def _expiring(
    site: SiteId, today: date, zone: ZoneInfo, *, work: UnitOfWork
) -> Iterator[tuple[ShopperId, Occasion]]:
    triggers = (r.trigger for r in _waiting(site, TriggerKind.POINTS_EXPIRING, work=work))
    ahead = {t.within_days for t in triggers if isinstance(t, PointsExpiringTrigger)}
    for days_ahead in sorted(ahead):
        day = today + timedelta(days=days_ahead)
        for shopper, lot in work.occasions.expiring_lots(
            site,
            from_ms=instant_of(day, zone),
            until_ms=instant_of(day + timedelta(days=1), zone),
            days_ahead=days_ahead,
            limit=A_CALL_MAX,
        ):
            yield shopper, PointsExpire(lot=lot, days_ahead=days_ahead)


def _waiting(site: SiteId, kind: TriggerKind, *, work: UnitOfWork) -> tuple[CampaignRevision, ...]:
    return work.campaigns.waiting_for(site, kind, zone=None)


def _name(occasion: Occasion, site: SiteId) -> str:
    return moment_of(occasion, shopper=NOBODY, site=site, now_ms=UnixMs(0)).key


def instant_of(day: date, zone: ZoneInfo, *, minute: int = 0) -> UnixMs:
    """Return when the clocks of the zone show so many minutes of the day."""
    shown = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    return UnixMs(round(shown.astimezone(UTC).timestamp() * 1_000))
