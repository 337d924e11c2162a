"""Bring what a store has spooled to the chain, in order, at least once, whatever the line does.

Layer: edges. Takes: records of journals on disk. Gives: messages to a `ChainLine`, whose brokers
say when they are durable; only then the position is written, so that a crash at any instant costs
copies, which consumers know by their ids, and no gap.

One thread, one turn after the other: some of each lane, events first. So a day of fixes that waits
is never in front of an event of now; and between two turns the thread leaves the interpreter to
the locating loop.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from rtls.model.errors import InaisleError, NotDurable
from rtls.model.units import Second
from rtls.publish.journal_segment import JournalRecord
from rtls.publish.repeated_step import RepeatedStep
from rtls.publish.sent_position import SentPosition

TURN_INTERVAL_S: Final = Second(0.1)
FLUSH_S: Final = 2.0  # so long a stop may take
NO_HEADERS: Final[Mapping[str, bytes]] = {}


class ChainLine(Protocol):
    """Where messages go; keeps their order, and what was handed over until it is durable."""

    @property
    def refusal(self) -> str | None:
        """Return why a message was refused for good, or None; only a new line goes on then."""
        ...

    def send(
        self, topic: str, *, key: str, value: bytes, headers: Mapping[str, bytes] = NO_HEADERS
    ) -> None:
        """Hand over one message; `NotDurable` says that there is no room just now."""
        ...

    def flush(self, timeout_s: float) -> None:
        """Return when all is durable; `NotDurable` says that it is not yet, or never will be."""
        ...

    def close(self, timeout_s: float = 0.0) -> None:
        """Forget what is not durable."""
        ...


class Spooled(Protocol):
    """A journal whose records are to be brought to the chain."""

    @property
    def first_sequence(self) -> int:
        """Return the sequence of the oldest record still held."""
        ...

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the newest record; 0 before the first."""
        ...

    def read(self, *, after: int, limit: int) -> list[JournalRecord]:
        """Return up to ``limit`` records that follow sequence ``after``, in order."""
        ...

    def trim(self, *, sent: int) -> None:
        """Forget what was sent."""
        ...


@dataclass(slots=True, kw_only=True)
class Lane:
    """One journal on its way to one topic.

    Parameters
    ----------
    at_once
        So many records a turn: the bound of what is handed over and not yet durable.
    headers
        Of the message that a record becomes.
    """

    topic: str
    spool: Spooled
    position: SentPosition
    at_once: int
    headers: Callable[[bytes], Mapping[str, bytes]] = field(default=lambda _content: NO_HEADERS)
    sent: int = field(init=False)
    """up to here the brokers have it"""
    handed: int = field(init=False)
    """up to here the line has it"""
    under_way: int = field(init=False, default=0)
    """how many records are between the two; a ring may have dropped some"""

    def __post_init__(self) -> None:
        known = self.position.load()
        first, last = self.spool.first_sequence, self.spool.last_sequence
        # A position beyond the last record is of a journal that has lost its tail: what follows
        # bears sequences that were given out before.
        is_known = known is not None and first - 1 <= known <= last
        self.sent = self.handed = known if is_known and known is not None else first - 1

    @property
    def waiting(self) -> int:
        """Return how many records are not durable at the brokers yet."""
        return self.spool.last_sequence - max(self.sent, self.spool.first_sequence - 1)


class Forwarder:
    """The thread that brings the lanes of one store to the chain.

    Parameters
    ----------
    lanes
        In the order in which they have precedence.
    key
        Of all messages: one key, one partition, one order.
    open_line
        Connects; called again after a refusal.

    Attributes
    ----------
    counters
        Messages that the brokers have, of all lanes, and lines that had to be opened anew.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        key: str,
        open_line: Callable[[], ChainLine],
        interval_s: Second = TURN_INTERVAL_S,
    ) -> None:
        self.counters = {"sent": 0, "lines_opened": 0}
        self._lanes = tuple(lanes)
        self._key = key
        self._open_line = open_line
        self._line: ChainLine | None = None
        self._unsaved: str | None = None
        self._worker = RepeatedStep(
            "chain-forwarder",
            self.turn,
            interval_s=interval_s,
            retry_on=(InaisleError, OSError),
        )

    def start(self) -> None:
        """Begin to forward."""
        self._worker.start()

    def close(self) -> None:
        """Forward what the line takes now; the rest stays on disk for the next start."""
        self._worker.stop()
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def trouble(self) -> str | None:
        """Return why records do not reach the chain, or None."""
        return self._worker.trouble() or self._unsaved

    def turn(self) -> None:
        """Hand over some of each lane, and wait until the brokers have it.

        Raises
        ------
        NotDurable
            If they do not have it yet. What was handed over is not sent again then, for the line
            still holds it, in order: the next turn waits on.
        """
        line = self._line
        if line is None:
            line = self._line = self._open_line()
            self.counters["lines_opened"] += 1
        try:
            self._confirm(line)
            for lane in self._lanes:
                self._hand_over(lane, line)
            self._confirm(line)
        except NotDurable:
            if line.refusal is not None:
                self._begin_anew(line)
            raise

    def _hand_over(self, lane: Lane, line: ChainLine) -> None:
        for record in lane.spool.read(after=lane.handed, limit=lane.at_once):
            line.send(
                lane.topic,
                key=self._key,
                value=record.payload,
                headers=lane.headers(record.payload),
            )
            lane.handed = record.sequence
            lane.under_way += 1

    def _confirm(self, line: ChainLine) -> None:
        lanes = [lane for lane in self._lanes if lane.under_way]
        if not lanes:
            return
        line.flush(FLUSH_S)
        for lane in lanes:
            self.counters["sent"] += lane.under_way
            lane.sent, lane.under_way = lane.handed, 0
            self._save(lane)
            lane.spool.trim(sent=lane.sent)

    def _save(self, lane: Lane) -> None:
        """Write the position; a disk that refuses costs copies after a restart, no more.

        Going on is what gives a full disk its room back.
        """
        try:
            lane.position.save(lane.sent)
        except NotDurable as error:
            self._unsaved = str(error)
        else:
            self._unsaved = None

    def _begin_anew(self, line: ChainLine) -> None:
        line.close()
        self._line = None
        for lane in self._lanes:
            lane.handed, lane.under_way = lane.sent, 0
