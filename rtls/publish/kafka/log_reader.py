"""Read topics of a chain's log as one of a group, and say only then that it is done.

Layer: edges. Takes: an address, topics, the name of the group. Gives: `ReadMessage`s, in order
within a partition, from where the group has committed; what is read and not committed comes again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from confluent_kafka import (  # type: ignore[import-untyped]
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from rtls.model.errors import NotDurable
from rtls.publish.kafka.connection import KafkaAddress
from rtls.publish.kafka.dead_letters import ReadMessage

Place = tuple[str, int]
"""a topic and its partition"""
FETCH_KIB_MAX: Final = 65_536
POLL_INTERVAL_MS_MAX: Final = 600_000


class LogReader:
    """One member of a group of readers. For one thread.

    Parameters
    ----------
    group
        All processes of one kind share it, and the partitions among them.
    on_lost
        Told, within `poll`, which partitions others read from now on.
    """

    def __init__(
        self,
        address: KafkaAddress,
        *,
        group: str,
        topics: Sequence[str],
        client_id: str,
        session_timeout_ms: int,
        on_lost: Callable[[Sequence[Place]], None],
    ) -> None:
        self._on_lost = on_lost
        self._brokers = address.brokers
        self._held: set[Place] = set()
        self._last_error: str | None = None
        self._consumer = Consumer(
            {
                **address.client_config(),
                "group.id": group,
                "client.id": client_id,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": session_timeout_ms,
                "max.poll.interval.ms": POLL_INTERVAL_MS_MAX,
                "queued.max.messages.kbytes": FETCH_KIB_MAX,
                "enable.partition.eof": True,
                "error_cb": self._note_error,
                "logger": logging.getLogger(__name__),
            }
        )
        self._at_end: set[Place] = set()
        self._next: dict[Place, int] = {}
        self._waiting: Mapping[Place, int] = {}
        self._consumer.subscribe(
            list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    @property
    def held(self) -> frozenset[Place]:
        """The partitions that are ours just now."""
        return frozenset(self._held)

    @property
    def is_at_end(self) -> bool:
        """Whether there was nothing more in any of our partitions when we looked last."""
        return bool(self._held) and self._held <= self._at_end

    @property
    def waiting(self) -> int:
        """How many messages of our partitions were not read yet when we looked last."""
        return sum(self._waiting.values())

    def poll(self, messages_max: int, timeout_s: float) -> list[ReadMessage]:
        """Return what came, waiting at most ``timeout_s`` for the first message.

        Raises
        ------
        NotDurable
            If the log cannot be read, for good.
        """
        try:
            found = self._consumer.consume(messages_max, timeout=timeout_s)
        except KafkaException as error:
            raise NotDurable(
                f"the log at {self._brokers} cannot be read: {error}. Look at the brokers."
            ) from error
        messages = [one for message in found if (one := self._read(message)) is not None]
        self._waiting = {place: self._behind(place, read) for place, read in self._next.items()}
        return messages

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Say that what lies before these offsets is done; returns when the brokers know.

        Raises
        ------
        NotDurable
            If they do not: what was done comes again.
        """
        ours = [
            TopicPartition(topic, partition, offset)
            for (topic, partition), offset in offsets.items()
            if (topic, partition) in self._held
        ]
        if not ours:  # of an empty list the client would say that it holds no offset
            return
        try:
            self._consumer.commit(offsets=ours, asynchronous=False)
        except KafkaException as error:
            raise NotDurable(
                f"offsets cannot be committed at {self._brokers}: {error}. What was done comes "
                "again, and counts once."
            ) from error

    def trouble(self) -> str | None:
        """Return why nothing is read, or None; for `Health.watch`."""
        if self._held:
            return None
        return self._last_error or "no partition is ours: the group is full, or not joined yet"

    def close(self) -> None:
        """Leave the group, so that others read on at once."""
        self._consumer.close()

    def _read(self, message: Message) -> ReadMessage | None:
        place = (str(message.topic()), int(message.partition()))
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library names it so
                self._at_end.add(place)
            else:
                self._last_error = error.str()
            return None
        self._at_end.discard(place)
        self._next[place] = int(message.offset()) + 1
        return ReadMessage(
            topic=place[0],
            partition=place[1],
            offset=int(message.offset()),
            key=message.key() or b"",
            value=message.value() or b"",
        )

    def _behind(self, place: Place, next_offset: int) -> int:
        # What the last fetch said: nobody is asked for it.
        _, end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        return max(0, int(end) - next_offset)

    def _assigned(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._held |= {(one.topic, one.partition) for one in partitions}
        self._last_error = None

    def _revoked(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        lost = [(one.topic, one.partition) for one in partitions]
        self._held -= set(lost)
        self._at_end -= set(lost)
        for place in lost:
            self._next.pop(place, None)
        self._on_lost(lost)

    def _note_error(self, error: KafkaError) -> None:
        self._last_error = error.str()
