"""Sort shoppers by recency, frequency and spend, and say when time alone may change it.

Layer: rules. Takes: a `PurchaseHistory`, `SegmentLevels`, the segment so far. Gives: the segment
now, and the next instant to look, to refresh_segment. Borders have width (hysteresis): who spends
just under the level does not go in and out with each purchase.
"""

from offers.model.conditions.fact import DAY_MS
from offers.model.loyalty.segment import PurchaseHistory, Segment, SegmentLevels
from offers.model.loyalty.segment_settings import (
    DEFAULT_SEGMENTS,
    YEAR_DAYS,
    SegmentSettings,
)
from rtls.model.units import UnixMs


def segment_of(
    history: PurchaseHistory,
    *,
    before: Segment | None,
    levels: SegmentLevels,
    as_of_ms: UnixMs,
    settings: SegmentSettings = DEFAULT_SEGMENTS,
) -> Segment | None:
    """Return the segment as of an instant; None for who has bought nothing for a year.

    Parameters
    ----------
    history
        The year before the instant.
    before
        The segment just before it.
    levels
        Where segments part at that instant.
    as_of_ms, settings
        The instant, and the rules.
    """
    if history.first_at_ms is None or history.last_at_ms is None:
        return None
    if as_of_ms - history.last_at_ms >= settings.at_risk_days * DAY_MS:
        return Segment.AT_RISK
    is_beginner = history.purchases <= settings.new_purchases_max
    is_recent = as_of_ms - history.first_at_ms < settings.new_days * DAY_MS
    # Nobody becomes new again because his old purchases are more than a year ago.
    if before in {None, Segment.NEW} and is_beginner and is_recent:
        return Segment.NEW
    percent = settings.keep_percent if before is Segment.HIGH_VALUE else 100
    is_high = history.spend_minor * 100 >= levels.high_value_minor * percent
    return Segment.HIGH_VALUE if is_high else Segment.OCCASIONAL


def next_look_ms(
    history: PurchaseHistory, *, as_of_ms: UnixMs, settings: SegmentSettings = DEFAULT_SEGMENTS
) -> UnixMs | None:
    """Return the first instant after ``as_of_ms`` at which the segment may be another.

    Between it and ``as_of_ms`` nothing that `segment_of` looks at changes. None where nothing will.
    """
    boundaries = [
        (history.last_at_ms, settings.at_risk_days),
        (history.first_at_ms, settings.new_days),
        (history.oldest_at_ms, YEAR_DAYS),
        (history.next_at_ms, 0),
    ]
    instants = [at_ms + days * DAY_MS for at_ms, days in boundaries if at_ms is not None]
    return min((UnixMs(at_ms) for at_ms in instants if at_ms > as_of_ms), default=None)


def levels_after(
    levels: SegmentLevels,
    spend_at_share: int | None,
    *,
    now_ms: UnixMs,
    settings: SegmentSettings = DEFAULT_SEGMENTS,
) -> SegmentLevels | None:
    """Return new levels where the site's buyers have moved far enough from the ones that hold.

    Parameters
    ----------
    levels
        What holds.
    spend_at_share
        What `settings.high_value_percent` of the buyers do not exceed; None where there are too
        few of them.
    now_ms, settings
        The time and the rules.
    """
    wanted = settings.high_value_minor if spend_at_share is None else max(spend_at_share, 1)
    moved = abs(wanted - levels.high_value_minor)
    if moved * 100 < levels.high_value_minor * settings.levels_percent_min:
        return None
    return SegmentLevels(
        number=levels.number + 1, site=levels.site, at_ms=now_ms, high_value_minor=wanted
    )
