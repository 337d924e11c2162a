"""Send a steady load to a broker and remember what was sent when.

Layer: flow. Takes: a stream of messages, lines, clocks from the door. Gives: `LoadReport` to the
end-to-end benchmark: sequence numbers to count losses by, instants to count latency from.

No spool: the load measures the other end, and a message that is lost shall be seen to be lost.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from firmware_sim.errors import InvalidScenario
from firmware_sim.link import LineMessage, Link
from firmware_sim.load_stream import LoadMessage, LoadStream
from firmware_sim.wire import down_topic, parse_down, render_birth, render_will, status_topic
from firmware_sim.wire import up_topic as topic_of
from rtls.model.units import GatewayId

TURN_S: Final = 0.002
CONNECT_S_MAX: Final = 10.0
SENT_DTYPE: Final = np.dtype(
    [
        ("gateway", np.int32),  # index in `LoadReport.gateways`
        ("readings", np.int32),
        ("seq", np.int64),
        ("as_of_ms", np.int64),  # the message's own time
        ("sent_at_ns", np.int64),  # of the door's clock, just before it was handed to the line
    ]
)


@dataclass(slots=True, kw_only=True)
class LoadReport:
    """What was sent, and what the other end says it has stored."""

    boot: str
    gateways: tuple[GatewayId, ...]
    sent: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    heard_of: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """stander → (heard at, sent at ns) of each reading of him"""
    stored: dict[GatewayId, tuple[int, frozenset[int]]] = field(default_factory=dict)
    """gateway → (up to, missing) of the last acknowledgement"""
    late_ms_max: int = 0
    """how far sending fell behind its own timetable: above a tick the load itself is at its end"""

    def table(self) -> np.ndarray:
        """Return `SENT_DTYPE` rows, in the order of sending."""
        return np.array(self.sent, SENT_DTYPE)

    @property
    def readings(self) -> int:
        """Return how many readings were sent."""
        return sum(row[1] for row in self.sent)

    def unstored(self) -> int:
        """Return how many messages sent are not acknowledged as stored."""
        sent: dict[GatewayId, int] = dict.fromkeys(self.gateways, 0)
        for gateway, *_ in self.sent:
            sent[self.gateways[gateway]] += 1
        missing = 0
        for name, count in sent.items():
            upto, holes = self.stored.get(name, (-1, frozenset()))
            missing += count - (upto + 1) + len(holes)
        return missing

    def sent_at_ns(self, stander: int, *, from_ms: int) -> int | None:
        """Return when the first message with a reading of a stander from ``from_ms`` on was sent.

        Parameters
        ----------
        stander
            His place in `LoadStream.standers`.
        from_ms
            Heard at this instant or later.
        """
        later = [sent for heard, sent in self.heard_of.get(stander, ()) if heard >= from_ms]
        return min(later, default=None)


class LoadGenerator:
    """Sends a `LoadStream` in time with a clock.

    Parameters
    ----------
    link_of
        Makes the line of each gateway.
    clock
        Milliseconds of event time.
    clock_ns
        What `LoadReport` states instants in; the same clock as the receiver's.
    sleep
        Waits for so many seconds.
    """

    def __init__(
        self,
        stream: LoadStream,
        *,
        link_of: Callable[[GatewayId], Link],
        clock: Callable[[], int],
        clock_ns: Callable[[], int],
        sleep: Callable[[float], None],
    ) -> None:
        self._stream = stream
        self._clock, self._clock_ns, self._sleep = clock, clock_ns, sleep
        self._links = {gateway: link_of(gateway) for gateway in stream.gateways}
        self._topics = {gateway: topic_of(gateway) for gateway in stream.gateways}
        self._index = {gateway: index for index, gateway in enumerate(stream.gateways)}
        self.report = LoadReport(boot=stream.boot, gateways=stream.gateways)

    def connect(self) -> None:
        """Bring all lines up.

        Raises
        ------
        InvalidScenario
            If the broker does not accept them within 10 s.
        """
        for gateway, link in self._links.items():
            will = LineMessage(status_topic(gateway), render_will(boot=self._stream.boot), True)
            link.open(subscription=down_topic(gateway), will=will)
        begin_ns = self._clock_ns()
        while not all(link.is_up for link in self._links.values()):
            if self._clock_ns() - begin_ns > CONNECT_S_MAX * 1e9:
                raise InvalidScenario("the broker did not accept all gateways within 10 s.")
            self.turn()
            self._sleep(TURN_S)
        for gateway, link in self._links.items():
            birth = render_birth(boot=self._stream.boot, at_ms=self._clock(), anchors=[])
            link.publish(LineMessage(status_topic(gateway), birth, True))

    def run(self, *, until_ms: int, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Send until the event time ``until_ms`` or until stopped."""
        stream = self._stream
        while stream.now_ms < until_ms and not is_stopped():
            behind_ms = self._clock() - stream.now_ms - stream.plan.tick_ms
            if behind_ms < 0:
                self.turn()
                self._sleep(min(TURN_S, -behind_ms / 1_000.0))
                continue
            self.report.late_ms_max = max(self.report.late_ms_max, behind_ms)
            for message in stream.tick():
                self._send(message)
            self.turn()

    def turn(self) -> None:
        """Read receipts and acknowledgements."""
        line_ms = self._clock_ns() // 1_000_000
        for gateway, link in self._links.items():
            for heard in link.turn(line_ms):
                down = parse_down(heard.payload)
                if down is not None and down.boot == self._stream.boot:
                    self.report.stored[gateway] = (down.upto, frozenset(down.missing))

    def close(self) -> None:
        """End all lines."""
        for link in self._links.values():
            link.close()

    def _send(self, message: LoadMessage) -> None:
        sent_at_ns = self._clock_ns()
        line = LineMessage(self._topics[message.gateway], message.payload)
        self._links[message.gateway].publish(line)
        index = self._index[message.gateway]
        self.report.sent.append(
            (index, message.readings, message.seq, message.sent_as_of_ms, sent_at_ns)
        )
        for stander, heard_at_ms in message.standers:
            self.report.heard_of[stander].append((heard_at_ms, sent_at_ns))
