"""Bring messages from another part of this process to the locating loop.

Layer: edge. Takes: messages from any thread (the API hands on what phones heard).
Gives: `RawMessage`s as `rtls.ports.Source`, alone or beside the broker's. The queue is bounded:
what finds no room is refused at once, and the sender learns it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from rtls.model.units import UnixMs
from rtls.ports import RawMessage, Source

WAITING_MAX: Final = 20_000
POLL_MAX: Final = 1_000


class QueueSource:
    """Messages that wait for the loop's next tick.

    Parameters
    ----------
    clock
        Says when a message arrived.
    waiting_max
        So many may wait.

    Examples
    --------
    >>> source = QueueSource(clock=lambda: UnixMs(7), waiting_max=1)
    >>> source.put("$phone/app:1", b"{}"), source.put("$phone/app:1", b"{}")
    (True, False)
    >>> [message.received_at_ms for message in source.poll(0.0)]
    [7]
    """

    def __init__(self, *, clock: Callable[[], UnixMs], waiting_max: int = WAITING_MAX) -> None:
        self._clock = clock
        self._waiting_max = waiting_max
        self._waiting: deque[RawMessage] = deque()
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._is_closed = False
        self._receipt = 0
        self.counters = {"taken": 0, "refused": 0}

    def put(self, topic: str, payload: bytes) -> bool:
        """Take a message from any thread; False if there is no room or nobody polls any more."""
        with self._lock:
            if self._is_closed or len(self._waiting) >= self._waiting_max:
                self.counters["refused"] += 1
                return False
            self.counters["taken"] += 1
            self._receipt += 1
            message = RawMessage(
                topic=topic,
                payload=payload,
                received_at_ms=self._clock(),
                receipt=self._receipt,
            )
            self._waiting.append(message)
        self._arrived.set()
        return True

    def poll(self, timeout_s: float) -> Sequence[RawMessage]:
        """Return what has arrived, waiting at most ``timeout_s`` for the first message."""
        if not self._waiting and timeout_s > 0.0:
            self._arrived.wait(timeout_s)
        self._arrived.clear()
        with self._lock:
            count = min(len(self._waiting), POLL_MAX)
            return [self._waiting.popleft() for _ in range(count)]

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Do nothing: a phone scans again in a second, it does not resend."""

    def send(self, topic: str, payload: bytes) -> None:
        """Do nothing: nobody waits for an answer of the loop."""

    def close(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()


class JoinedSource:
    """The broker's messages and those of this process, as one source.

    Acknowledgements and answers go to the broker alone.
    """

    def __init__(self, broker: Source, queue: QueueSource) -> None:
        self._broker = broker
        self._queue = queue

    def poll(self, timeout_s: float) -> Sequence[RawMessage]:
        """Return what has arrived at either; waits for the broker's only."""
        from_queue = [_without_receipt(message) for message in self._queue.poll(0.0)]
        from_broker = self._broker.poll(0.0 if from_queue else timeout_s)
        return [*from_broker, *from_queue]

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Tell the broker what is durable."""
        self._broker.acknowledge([receipt for receipt in receipts if receipt])

    def send(self, topic: str, payload: bytes) -> None:
        """Answer a gateway."""
        self._broker.send(topic, payload)

    def close(self) -> None:
        """Close both."""
        self._queue.close()
        self._broker.close()


def _without_receipt(message: RawMessage) -> RawMessage:
    """Keep the queue's receipts from the broker, to which the same number means another message."""
    return RawMessage(
        topic=message.topic, payload=message.payload, received_at_ms=message.received_at_ms
    )
