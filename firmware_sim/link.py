"""The line between a gateway and the broker, as a port.

Layer: ports. Takes: nothing. Gives: the shape of a line to firmware_sim.anchor_device, and a line
in memory for tests and for scenarios without a broker.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

MEMORY_MESSAGES_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class LineMessage:
    """One message that travels over a line."""

    topic: str
    payload: bytes
    is_retained: bool = False


class Link(Protocol):
    """A line that comes and goes. Nothing here waits, and nothing raises for a broken line."""

    @property
    def is_up(self) -> bool:
        """Return whether the broker has accepted us and the line has not broken since."""
        ...

    @property
    def in_flight(self) -> int:
        """Return how many publishes the broker has not receipted on this connection."""
        ...

    def open(self, *, subscription: str, will: LineMessage | None) -> None:
        """Say what to hear and what the broker shall say for us; then try to connect."""
        ...

    def publish(self, message: LineMessage) -> None:
        """Hand a message over; it may be lost with the line."""
        ...

    def turn(self, line_ms: int) -> list[LineMessage]:
        """Read and write what is due, connect again if it is time; return what was heard."""
        ...

    def close(self) -> None:
        """End the line in good order: the will is not published."""
        ...


class MemoryLink:
    """A line that ends in a list.

    Attributes
    ----------
    sent
        All messages published while the line was up.
    is_up
        May be switched to act a broken line.
    """

    def __init__(self) -> None:
        self.is_up = False
        self.sent: deque[LineMessage] = deque(maxlen=MEMORY_MESSAGES_MAX)
        self.will: LineMessage | None = None
        self.subscription = ""
        self._heard: deque[LineMessage] = deque(maxlen=MEMORY_MESSAGES_MAX)

    @property
    def in_flight(self) -> int:
        """Return 0: what is sent is receipted at once."""
        return 0

    def open(self, *, subscription: str, will: LineMessage | None) -> None:
        """Remember both and be up."""
        self.subscription, self.will = subscription, will
        self.is_up = True

    def publish(self, message: LineMessage) -> None:
        """Append to `sent`, or lose the message where the line is down."""
        if self.is_up:
            self.sent.append(message)

    def deliver(self, message: LineMessage) -> None:
        """Let the gateway hear a message at its next turn."""
        self._heard.append(message)

    def take_sent(self) -> list[LineMessage]:
        """Return and forget what was sent so far."""
        taken = list(self.sent)
        self.sent.clear()
        return taken

    def turn(self, line_ms: int) -> list[LineMessage]:
        """Return what was delivered since the last turn."""
        del line_ms
        heard = list(self._heard) if self.is_up else []
        if self.is_up:
            self._heard.clear()
        return heard

    def close(self) -> None:
        """Be down."""
        self.is_up = False
