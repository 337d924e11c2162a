"""Read the times that other vendors' gateways write, and tell a clock from a clock never set.

Layer: rules. Takes: ISO 8601 text and seconds or milliseconds of the Unix epoch. Gives: unix
milliseconds to the decoders, and the send time and ages of a batch. A gateway without NTP counts
from 1970 or 2000; its times tell the order inside one batch and nothing else.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from rtls.ingest.formats.decoded import NO_AGE
from rtls.model.units import UnixMs

SET_SINCE_MS: Final = 1_420_070_400_000
"""2015-01-01: older than every firmware here, younger than every epoch a clock starts from"""
SECONDS_BELOW: Final = 100_000_000_000.0
"""as seconds this is the year 5138, as milliseconds 1973: what is smaller counts seconds"""
MS_BELOW: Final = 253_402_300_800_000.0
"""the year 10,000: what is larger fits no calendar, and in the end no 64 bits"""
STRAY_MS: Final = 60_000
"""a reading cannot be so much younger than the rest of its batch"""
SECOND_CHARACTERS: Final = 19  # of 2026-02-09T00:13:53
SECONDS_REMEMBERED_MAX: Final = 1_024


def ms_of_iso(text: str) -> int | None:
    """Return the milliseconds of an ISO 8601 time; without a zone it counts as UTC.

    Gateways write whole seconds or milliseconds, by firmware.

    Examples
    --------
    >>> ms_of_iso("2026-02-09T00:13:53.668Z"), ms_of_iso("2017-09-06T09:37:45Z")
    (1770596033668, 1504690665000)
    >>> ms_of_iso("2026-02-09T01:13:53.668+01:00"), ms_of_iso("yesterday") is None
    (1770596033668, True)
    """
    second_ms, rest = _ms_of_second(text[:SECOND_CHARACTERS]), text[SECOND_CHARACTERS:]
    if second_ms is not None:
        if rest == "Z":
            return second_ms
        # By far the most frequent form; a batch shares its seconds, so that most are remembered.
        if (
            len(rest) == len(".668Z")
            and rest[0] == "."
            and rest[4] == "Z"
            and rest[1:4].isdecimal()
        ):
            return second_ms + int(rest[1:4])
    return _ms_of_any(text)


def ms_of_epoch(number: float) -> int | None:
    """Return the milliseconds of a count of seconds or milliseconds since 1970.

    Examples
    --------
    >>> ms_of_epoch(1574921085), ms_of_epoch(1714383830316), ms_of_epoch(1e30) is None
    (1574921085000, 1714383830316, True)
    """
    if not abs(number) < MS_BELOW:  # written so that NaN fails too
        return None
    return round(number * 1_000.0 if abs(number) < SECONDS_BELOW else number)


def usable_ms(stamp_ms: int | None) -> UnixMs | None:
    """Return a time, or None where the clock that wrote it was never set."""
    return None if stamp_ms is None or stamp_ms < SET_SINCE_MS else UnixMs(stamp_ms)


def sent_and_ages(
    stamps_ms: Sequence[int | None], *, sender_ms: int | None = None
) -> tuple[UnixMs | None, list[int]]:
    """Return when a batch was sent, and the age of each reading against it.

    Parameters
    ----------
    stamps_ms
        The sender's times in any order; None where there is none.
    sender_ms
        When it sent, where it says so.

    Returns
    -------
    tuple
        The youngest of all times, or None if the clock was never set; and for each reading 0 or
        less, or `NO_AGE` where its own time says nothing: none, from before the clock was set, or
        from long after the message was sent. One such would else date the whole message. Where the
        clock was never set the ages still hold, since it ran all the same.

    Examples
    --------
    >>> sent_and_ages([1_770_596_033_668, 1_770_596_033_667, None, 5_000])
    (1770596033668, [0, -1, 1, 1])
    >>> sent_and_ages([5_000, 7_000]), sent_and_ages([5_000], sender_ms=5_100)
    ((None, [-2000, 0]), (None, [-100]))
    >>> sent_and_ages([1_770_596_033_668, 4_070_908_800_000], sender_ms=1_770_596_033_700)
    (1770596033700, [-32, 1])
    """
    given = sorted([stamp for stamp in (*stamps_ms, sender_ms) if stamp is not None])
    if not given:
        return None, [NO_AGE] * len(stamps_ms)
    typical = given[len(given) // 2] if sender_ms is None else sender_ms
    latest = typical + STRAY_MS
    youngest = given[bisect_right(given, latest) - 1]
    sent_at_ms = usable_ms(youngest)
    oldest = -math.inf if sent_at_ms is None else SET_SINCE_MS
    return sent_at_ms, [
        NO_AGE if stamp is None or not oldest <= stamp <= latest else stamp - youngest
        for stamp in stamps_ms
    ]


@lru_cache(maxsize=SECONDS_REMEMBERED_MAX)
def _ms_of_second(text: str) -> int | None:
    return _ms_of_any(text) if len(text) == SECOND_CHARACTERS else None


def _ms_of_any(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1_000.0)
    except (ValueError, OverflowError):
        return None
