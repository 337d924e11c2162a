"""Segments from scratch: every instant at which anything could change, replayed from the first.

No query, no mark of what is due, no sweep: lists of what was bought, and the words of the rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1_000


@dataclass(frozen=True)
class Bought:
    at_ms: int
    amount_minor: int
    """below zero: brought back"""


def segment_at(
    bought: Sequence[Bought], levels: Sequence[tuple[int, int]], *, now_ms: int
) -> str | None:
    """Return the name of the segment; ``levels`` are (from when, high value), oldest first."""
    moments = {now_ms} | {at_ms for at_ms, _ in levels}
    for event in bought:
        moments |= {event.at_ms + days * DAY_MS for days in (0, 60, 90, 365)}
    segment: str | None = None
    for moment in sorted(moments):
        known = [event for event in bought if event.at_ms <= moment]
        if moment <= now_ms and known:
            level = [minor for at_ms, minor in levels if at_ms <= moment][-1]
            segment = _step(known, segment, level, moment)
    return segment


def _step(known: Sequence[Bought], before: str | None, level: int, moment: int) -> str | None:
    year = [event for event in known if event.at_ms > moment - 365 * DAY_MS]
    purchases = [event.at_ms for event in year if event.amount_minor >= 0]
    if not purchases:
        return None
    if moment - max(purchases) >= 90 * DAY_MS:
        return "at_risk"
    is_beginner = len(purchases) <= 2 and moment - min(purchases) < 60 * DAY_MS
    if before in {None, "new"} and is_beginner:
        return "new"
    spend = sum(event.amount_minor for event in year)
    enough = level * 80 // 100 if before == "high_value" else level
    return "high_value" if spend >= enough else "occasional"
