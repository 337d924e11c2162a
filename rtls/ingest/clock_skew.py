"""Find out how far a gateway's clock is off, from when its messages arrive, and date them.

Layer: rules. Takes: send and arrival times of messages. Gives: corrected times to
rtls.ingest.reception, and the gateways whose clock needs somebody to the operator.

Arrival less sending is delay plus the error of the clock, and delay is never negative. So a
negative difference proves that the clock is ahead, at once. A positive one may be either: a clock
that is behind, or a message that waited in a spool. They are told apart by steadiness: a wrong
clock shifts the quickest message of every second by the same amount, an emptying spool by less and
less. A clock whose error is not known yet and that cannot be right is passed over: its messages
are dated by their arrival.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from rtls.model.reading import ReadingFlag
from rtls.model.units import GatewayId, UnixMs

USABLE_MS_MAX: Final = 300_000
"""what is older than five minutes waited in a spool, or was dated by a clock that is wrong"""
CLOCKS_SET_SINCE_MS: Final = 1_577_836_800_000
"""2020: an earlier time was never set, whatever else may be true"""
ALARM_ABOVE_MS: Final = 2_000
CORRECT_ABOVE_MS: Final = 200
STEADY_WITHIN_MS: Final = 250
STEPS: Final = 5
"""a correction of more than so many times `CORRECT_ABOVE_MS` cannot be jitter"""
SECONDS_TO_TRUST: Final = 8
SECONDS_KEPT: Final = 16
GATEWAYS_MAX: Final = 10_000
QUANTILE: Final = 0.1
SECOND_MS: Final = 1_000
COARSE_AFTER: Final = 4
"""so many whole seconds in a row come by chance once in 10^12 times"""


class Dated(msgspec.Struct, frozen=True, gc=False):
    """When a message was sent, on our clock, and what is to be known of that time."""

    sent_at_ms: int
    flags: int = 0
    """`ReadingFlag.ARRIVAL_TIME` where the gateway's own time could not be used"""


class GatewayClock(msgspec.Struct):
    """What is known of one gateway's clock."""

    second: int = -1
    """the second of arrival that is being filled"""
    minima_ms: list[int] = msgspec.field(default_factory=list)
    """least difference of each of the last seconds with a message, the current one at the end"""
    correction_ms: int = 0
    """to be added to the gateway's times"""
    whole_seconds: int = 0
    """messages in a row whose time was a whole second"""
    is_unusable: bool = False
    """the last message was dated by its arrival"""

    def observe(self, difference_ms: int, received_at_ms: int) -> int:
        """Take one message's arrival less sending; return the correction that now holds."""
        was_set_forward = difference_ms < self.correction_ms - CORRECT_ABOVE_MS
        # Quick delivery by a clock that is right, where the correction says seconds: it was set
        # right, or one message lied.
        is_right_now = abs(difference_ms) <= CORRECT_ABOVE_MS < abs(self.correction_ms) // STEPS
        if was_set_forward or is_right_now:
            self.minima_ms.clear()  # what was seen before says nothing any more
            self.second = -1
        second = received_at_ms // SECOND_MS
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

    def date(self, sent_at_ms: int, received_at_ms: int, *, has_spool: bool) -> Dated:
        """Return when the message was sent; see `ClockSkew.date`."""
        is_whole = sent_at_ms % SECOND_MS == 0
        self.whole_seconds = min(self.whole_seconds + 1, COARSE_AFTER) if is_whole else 0
        dated_ms = sent_at_ms + self.observe(received_at_ms - sent_at_ms, received_at_ms)
        waited_ms = received_at_ms - dated_ms
        self.is_unusable = waited_ms > USABLE_MS_MAX and (
            not has_spool or dated_ms < CLOCKS_SET_SINCE_MS
        )
        if self.is_unusable:
            return Dated(received_at_ms, ReadingFlag.ARRIVAL_TIME)
        if self.whole_seconds >= COARSE_AFTER:
            dated_ms += SECOND_MS  # it was sent by then; when it came tells the rest
        return Dated(min(dated_ms, received_at_ms))

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

    def date(
        self, gateway: GatewayId, sent_at_ms: UnixMs, received_at_ms: UnixMs, *, has_spool: bool
    ) -> Dated:
        """Return when a message was sent, on our clock.

        Parameters
        ----------
        gateway, sent_at_ms, received_at_ms
            Whose message, its own time, and its arrival.
        has_spool
            Whether the gateway may have kept the message back. Where it cannot have, what is more
            than five minutes old was dated by a wrong clock, and its arrival is the better time.
        """
        return self._clock_of(gateway).date(sent_at_ms, received_at_ms, has_spool=has_spool)

    def observe(self, gateway: GatewayId, sent_at_ms: UnixMs, received_at_ms: UnixMs) -> int:
        """Return what to add to this gateway's times, in ms."""
        return self._clock_of(gateway).observe(received_at_ms - sent_at_ms, received_at_ms)

    def corrections_ms(self) -> dict[str, int]:
        """Return the gateways whose clock is corrected, for the operator."""
        return {name: c.correction_ms for name, c in self._clocks.items() if c.correction_ms}

    def alarms_ms(self) -> dict[str, int | None]:
        """Return the gateways whose clock somebody must set, and how far it is off.

        None stands for a clock that is no clock. Below two seconds the correction is enough.
        """
        return {
            name: None if clock.is_unusable else clock.correction_ms
            for name, clock in self._clocks.items()
            if clock.is_unusable or abs(clock.correction_ms) > ALARM_ABOVE_MS
        }

    def _clock_of(self, gateway: GatewayId) -> GatewayClock:
        clock = self._clocks.get(gateway)
        if clock is None:
            clock = self._clocks[gateway] = GatewayClock()
            if len(self._clocks) > GATEWAYS_MAX:
                self._clocks.popitem(last=False)
        return clock

    def state(self) -> dict[str, GatewayClock]:
        """Return what a snapshot holds."""
        return dict(self._clocks)

    def restore(self, state: dict[str, GatewayClock]) -> None:
        """Go on from a snapshot."""
        self._clocks = OrderedDict(state)
