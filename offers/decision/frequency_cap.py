"""Keep the number of offers to one shopper below a cap in every rolling window.

Layer: rules. Takes: a `FrequencyCap` and when offers were made. Gives: yes or no to decide.

The same law is held a second time by the database: the cap is a set of slots, a slot is taken by an
offer and is free again a whole window later. Two uses of one slot are at least a window apart, so
no window holds more offers than there are slots.
"""

from collections.abc import Iterable

from offers.model.campaigns.campaign import FrequencyCap
from rtls.model.units import UnixMs


def is_within_cap(cap: FrequencyCap, taken_at_ms: Iterable[UnixMs], *, now_ms: UnixMs) -> bool:
    """Say whether one more offer at ``now_ms`` keeps the cap.

    A window is half open: an offer exactly one window ago no longer counts. An offer in the future
    (the clock was set back) counts, since letting it through could break the cap.

    Examples
    --------
    >>> once_a_minute = FrequencyCap(offers_max=1, window_s=60)
    >>> is_within_cap(once_a_minute, [UnixMs(0)], now_ms=UnixMs(59_999))
    False
    >>> is_within_cap(once_a_minute, [UnixMs(0)], now_ms=UnixMs(60_000))
    True
    """
    window_ms = cap.window_s * 1_000
    return sum(now_ms - at_ms < window_ms for at_ms in taken_at_ms) < cap.offers_max
