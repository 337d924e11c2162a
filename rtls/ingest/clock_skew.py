"""Find out how far a gateway's clock is off, from when its messages arrive.

Layer: rules. Takes: send and arrival times of messages. Gives: the correction of heard times to
rtls.ingest.reception.

Arrival less sending is delay plus the error of the clock, and delay is never negative. So a
negative difference proves that the clock is ahead, at once. A positive one may be either: a clock
that is behind, or a message that waited in a spool. They are told apart by steadiness: a wrong
clock shifts the quickest message of every second by the same amount, an emptying spool by less and
less.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from rtls.model.units import GatewayId, UnixMs

SKEW_MS_MAX: Final = 600_000
"""beyond ten minutes a clock is broken, not skewed"""
CORRECT_ABOVE_MS: Final = 200
STEADY_WITHIN_MS: Final = 250
STEPS: Final = 5
"""a correction of more than so many times `CORRECT_ABOVE_MS` cannot be jitter"""
SECONDS_TO_TRUST: Final = 8
SECONDS_KEPT: Final = 16
GATEWAYS_MAX: Final = 10_000
QUANTILE: Final = 0.1


class GatewayClock(msgspec.Struct):
    """What is known of one gateway's clock."""

    second: int = -1
    """the second of arrival that is being filled"""
    minima_ms: list[int] = msgspec.field(default_factory=list)
    """least difference of each of the last seconds with a message, the current one at the end"""
    correction_ms: int = 0
    """to be added to the gateway's times"""

    def observe(self, difference_ms: int, received_at_ms: int) -> int:
        """Take one message's arrival less sending; return the correction that now holds."""
        was_set_forward = difference_ms < self.correction_ms - CORRECT_ABOVE_MS
        # Quick delivery by a clock that is right, where the correction says seconds: it was set
        # right, or one message lied.
        is_right_now = abs(difference_ms) <= CORRECT_ABOVE_MS < abs(self.correction_ms) // STEPS
        if was_set_forward or is_right_now:
            self.minima_ms.clear()  # what was seen before says nothing any more
            self.second = -1
        second = received_at_ms // 1_000
        if second != self.second:
            self.second = second
            self.minima_ms.append(difference_ms)
            del self.minima_ms[:-SECONDS_KEPT]
        elif difference_ms < self.minima_ms[-1]:
            self.minima_ms[-1] = difference_ms
        else:
            return self.correction_ms  # not the quickest of its second: nothing new
        self.correction_ms = self._estimate()
        return self.correction_ms

    def _estimate(self) -> int:
        low = sorted(self.minima_ms)[int(QUANTILE * len(self.minima_ms))]
        if low < -CORRECT_ABOVE_MS:
            return low
        lately = self.minima_ms[-SECONDS_TO_TRUST:]
        is_steady = max(lately) - min(lately) <= STEADY_WITHIN_MS
        if low > CORRECT_ABOVE_MS and len(lately) == SECONDS_TO_TRUST and is_steady:
            return low
        return 0


class ClockSkew:
    """The clocks of all gateways heard lately."""

    def __init__(self) -> None:
        self._clocks: OrderedDict[str, GatewayClock] = OrderedDict()

    def observe(self, gateway: GatewayId, sent_at_ms: UnixMs, received_at_ms: UnixMs) -> int:
        """Return what to add to this gateway's times, in ms."""
        clock = self._clocks.get(gateway)
        if clock is None:
            clock = self._clocks[gateway] = GatewayClock()
            if len(self._clocks) > GATEWAYS_MAX:
                self._clocks.popitem(last=False)
        return clock.observe(received_at_ms - sent_at_ms, received_at_ms)

    def corrections_ms(self) -> dict[str, int]:
        """Return the gateways whose clock is corrected, for the operator."""
        return {name: c.correction_ms for name, c in self._clocks.items() if c.correction_ms}

    def state(self) -> dict[str, GatewayClock]:
        """Return what a snapshot holds."""
        return dict(self._clocks)

    def restore(self, state: dict[str, GatewayClock]) -> None:
        """Go on from a snapshot."""
        self._clocks = OrderedDict(state)


def is_sane(sent_at_ms: UnixMs, received_at_ms: UnixMs) -> bool:
    """Say whether a gateway's time can be used at all: not 1970, not 2100."""
    return abs(received_at_ms - sent_at_ms) <= SKEW_MS_MAX
