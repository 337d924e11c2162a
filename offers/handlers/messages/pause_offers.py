"""Leave a shopper alone at the shelves until the day is over, because he said so.

Layer: flow. Takes: a shopper and the calendar of the site. Gives: until when. Decisions about
places are taken meanwhile and say `paused`; a birthday, a welcome or a basket is no place.
"""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from offers.model.ids import ShopperId
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def pause_offers(
    shopper: ShopperId, *, is_paused: bool, time_zone: str, work: UnitOfWork, now_ms: UnixMs
) -> UnixMs | None:
    """Pause until the next midnight of the site, or go on at once; return until when."""
    until_ms = end_of_day(now_ms, time_zone=time_zone) if is_paused else None
    before = work.contacts.wishes_of(shopper)
    work.contacts.set_wishes(shopper, replace(before, paused_until_ms=until_ms))
    return until_ms


def end_of_day(now_ms: UnixMs, *, time_zone: str) -> UnixMs:
    """Return the midnight that ends the calendar day, be it of 23, 24 or 25 hours.

    Examples
    --------
    >>> end_of_day(UnixMs(1_700_000_000_000), time_zone="Europe/Berlin") - 1_700_000_000_000
    2800000
    """
    zone = ZoneInfo(time_zone)
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)).astimezone(zone)
    midnight = datetime.combine(local.date() + timedelta(days=1), time.min, tzinfo=zone)
    return UnixMs(round(midnight.timestamp() * 1000))
