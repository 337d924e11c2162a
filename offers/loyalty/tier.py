"""Say on which tier a shopper stands: up at once, down when the time is over and a grace with it.

Layer: rules. Takes: a `TierLadder`, the shopper's credits, the time. Gives: a `TierStanding` to the
handler review_tiers and to the API. The standing follows from the credits alone: there is no state
that a lost event could spoil, and a return counts as if the goods had never been bought.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from offers.model.conditions.fact import DAY_MS
from offers.model.loyalty.tier import Credit, Tier, TierLadder, TierStanding, TierWindow
from rtls.model.units import UnixMs


def standing(ladder: TierLadder, bought: Sequence[Credit], *, now_ms: UnixMs) -> TierStanding:
    """Return the highest tier that is held now, when it ends, and what comes next.

    Parameters
    ----------
    ladder
        The tiers.
    bought
        What was paid since `credits_matter_since` and not returned. None above ``now_ms``.
    now_ms
        When.
    """
    held: Tier | None = None
    ends_at_ms: UnixMs | None = None
    for tier in ladder.tiers:
        until_ms = _held_until(ladder, tier, bought, now_ms=now_ms)
        if until_ms is not None and until_ms > now_ms:
            held, ends_at_ms = tier, until_ms
    counted_minor = sum(c.amount_minor for c in bought if c.at_ms > _opens(ladder, now_ms))
    above = [
        tier for tier in ladder.tiers if held is None or tier.threshold_minor > held.threshold_minor
    ]
    coming = above[0] if above else None
    missing_minor = 0 if coming is None else max(0, coming.threshold_minor - counted_minor)
    return TierStanding(
        tier=held,
        ends_at_ms=ends_at_ms,
        next_tier=coming,
        counted_minor=counted_minor,
        missing_minor=missing_minor,
    )


def credits_matter_since(ladder: TierLadder, *, now_ms: UnixMs) -> UnixMs:
    """Return from when on a credit can still hold a tier; older ones need not be read or kept."""
    grace_ms = ladder.grace_days * DAY_MS
    match ladder.window:
        case TierWindow.ROLLING:
            return UnixMs(now_ms - ladder.window_days * DAY_MS - grace_ms)
        case TierWindow.CALENDAR_YEAR:
            year = _year(ladder, UnixMs(now_ms - grace_ms))
            return _begin(ladder, year - 1)
        case _:
            assert_never(ladder.window)


def _held_until(
    ladder: TierLadder, tier: Tier, bought: Sequence[Credit], *, now_ms: UnixMs
) -> UnixMs | None:
    match ladder.window:
        case TierWindow.ROLLING:
            last_ms = _last_reached(bought, tier.threshold_minor, ladder.window_days * DAY_MS)
        case TierWindow.CALENDAR_YEAR:
            last_ms = _end_of_next_year(ladder, tier, bought, now_ms=now_ms)
        case _:
            assert_never(ladder.window)
    return None if last_ms is None else UnixMs(last_ms + ladder.grace_days * DAY_MS)


def _last_reached(bought: Iterable[Credit], threshold_minor: int, window_ms: int) -> UnixMs | None:
    """Return until when the window that follows a moment holds enough, if nothing more is bought.

    Each credit enters the window when it is bought and leaves it one window later. Of one moment
    what leaves goes before what enters: a credit counts for less than the whole window after it.
    """
    steps = [(c.at_ms, 1, c.amount_minor) for c in bought]
    steps += [(UnixMs(c.at_ms + window_ms), 0, -c.amount_minor) for c in bought]
    inside_minor, last_ms = 0, None
    for at_ms, _, change_minor in sorted(steps):
        was_enough = inside_minor >= threshold_minor
        inside_minor += change_minor
        if was_enough and inside_minor < threshold_minor:
            last_ms = at_ms
    return last_ms


def _end_of_next_year(
    ladder: TierLadder, tier: Tier, bought: Sequence[Credit], *, now_ms: UnixMs
) -> UnixMs | None:
    newest = _year(ladder, now_ms)
    for year in (newest, newest - 1, newest - 2):
        begin_ms, end_ms = _begin(ladder, year), _begin(ladder, year + 1)
        spent_minor = sum(c.amount_minor for c in bought if begin_ms <= c.at_ms < end_ms)
        if spent_minor >= tier.threshold_minor:
            return _begin(ladder, year + 2)
    return None


def _opens(ladder: TierLadder, now_ms: UnixMs) -> int:
    """Return the moment after which a purchase counts now."""
    if ladder.window is TierWindow.ROLLING:
        return now_ms - ladder.window_days * DAY_MS
    return _begin(ladder, _year(ladder, now_ms)) - 1


def _year(ladder: TierLadder, at_ms: UnixMs) -> int:
    whole = datetime.fromtimestamp(at_ms // 1_000, tz=UTC)
    return whole.astimezone(ZoneInfo(ladder.time_zone)).year


def _begin(ladder: TierLadder, year: int) -> UnixMs:
    midnight = datetime(year, 1, 1, tzinfo=ZoneInfo(ladder.time_zone))
    return UnixMs(round(midnight.timestamp()) * 1_000)
