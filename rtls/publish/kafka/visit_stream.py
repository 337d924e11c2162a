"""Give the zone events of a site as they stand in the chain's log, to one reader of a group.

Layer: edges. Takes: the topic of events. Gives: events in the order of the log to offers, by the
door; the group's place moves on when the reader says that a batch is durable. What the reader
cannot use goes to the dead letters, durable before the place moves on.

A topic holds the events of all sites; a group reads those of one and passes over the others.
"""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import (  # type: ignore[import-untyped]
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from rtls.model.errors import NotDurable
from rtls.model.units import SiteId
from rtls.publish.kafka.connection import KafkaAddress
from rtls.publish.kafka.dead_letters import DeadLetters, DeadReason, ReadMessage
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics

BATCH_MAX: Final = 256
POLL_S: Final = 0.2
ANSWER_S: Final = 3.0  # so long a stop may take where no broker answers
DURABLE_WITHIN_S: Final = 5.0
FOREIGN_UNTIL_COMMIT: Final = 2_000
HEARTBEATS_A_SESSION: Final = 3


class KafkaVisitStream:
    """The topic of events as one reader of a site's group; used by one thread, but for `trouble`.

    Parameters
    ----------
    address, plan
        Where the log is, and how its topics are named.
    site
        Whose events; its readers are one group and share the partitions.
    reader
        Name of this one, as the brokers' logs show it.
    session_timeout_ms
        A reader that is silent for so long loses its partitions to another.

    Attributes
    ----------
    counters
        Events of the site, events of others that were passed over, and those put aside.
    """

    def __init__(
        self,
        address: KafkaAddress,
        plan: TopicPlan,
        *,
        site: SiteId,
        reader: str,
        session_timeout_ms: int = 6_000,
    ) -> None:
        self.counters = {"read": 0, "foreign": 0, "set_aside": 0, "taken_away": 0}
        self._address = address
        self._plan = plan
        self._topic = plan.name(Topic.EVENTS)
        self._prefix = f"{site}/".encode()
        self._config = {
            **address.client_config(),
            "client.id": reader,
            "group.id": f"{plan.prefix}offers.{site}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",  # what came before the first start is read too
            "session.timeout.ms": session_timeout_ms,
            "heartbeat.interval.ms": session_timeout_ms // HEARTBEATS_A_SESSION,
            "fetch.wait.max.ms": 100,
            "error_cb": self._note_error,
        }
        self._consumer: Consumer | None = None
        self._producer: KafkaProducer | None = None
        self._dead_letters: DeadLetters | None = None
        self._error: str | None = "not connected yet"
        self._batch: list[Message] = []
        self._early: list[Message] = []
        self._next: dict[tuple[str, int], int] = {}
        self._foreign = 0
        self._is_paused = False
        self._is_taken_away = False

    def read(self) -> Sequence[bytes]:
        """Return the next events of the site as they were written; after a moment perhaps none.

        `NotDurable` says that the log cannot be reached.
        """
        consumer = self._consumer or self._open()
        self._go_on(consumer)
        messages = self._take(consumer)
        self._is_taken_away = False  # what was taken away before is not in this batch
        if not messages and self._error is not None:
            self._look_again(consumer)
        for message in messages:
            self._next[message.topic(), message.partition()] = message.offset() + 1
        self._batch = [one for one in messages if (one.key() or b"").startswith(self._prefix)]
        self.counters["read"] += len(self._batch)
        self._pass_over(len(messages) - len(self._batch))
        return [message.value() or b"" for message in self._batch]

    def stay(self) -> bool:
        """Say that we live and work on what was read; False: another reader has it now."""
        consumer = self._consumer
        if consumer is None:
            return False
        if not self._is_paused:
            consumer.pause(consumer.assignment())
            self._is_paused = True
        early = consumer.poll(0)  # of a partition that has just become ours
        if early is not None and early.error() is None:
            self._early.append(early)
        return not self._is_taken_away

    def set_aside(self, number: int, detail: str, *, is_readable: bool) -> None:
        """Put one event of those read last to the dead letters; durable with the next `commit`."""
        assert self._dead_letters is not None
        message = self._batch[number]
        reason = DeadReason.UNDECIDABLE if is_readable else DeadReason.DAMAGED
        self._dead_letters.put(
            ReadMessage(
                topic=message.topic(),
                partition=message.partition(),
                offset=message.offset(),
                key=message.key() or b"",
                value=message.value() or b"",
            ),
            reason,
            detail,
        )
        self.counters["set_aside"] += 1

    def commit(self) -> None:
        """Say that what was read last is through, so that no reader is given it again.

        Raises
        ------
        NotDurable
            If the brokers do not take it now.
        """
        if self._consumer is None or self._producer is None or not self._next:
            return
        self._producer.flush(DURABLE_WITHIN_S)
        try:
            self._consumer.commit(offsets=self._places(), asynchronous=False)
        except KafkaException as error:
            raise NotDurable(
                f"the place in {self._topic} could not be kept at {self._address.brokers}: "
                f"{error}. What was decided about comes once more, which is harmless."
            ) from error
        self._next.clear()
        self._foreign = 0

    def trouble(self) -> str | None:
        """Return why no events arrive, or None; from any thread."""
        return self._error

    def close(self) -> None:
        """Leave the group; what was not committed is for the other readers. Safe to call twice."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close()

    def _open(self) -> Consumer:
        ensure_topics(
            self._address, self._plan, (Topic.EVENTS, Topic.DEAD_LETTERS), timeout_s=ANSWER_S
        )
        self._producer = KafkaProducer(self._address, client_id=str(self._config["client.id"]))
        self._dead_letters = DeadLetters(self._producer, topic=self._plan.name(Topic.DEAD_LETTERS))
        self._consumer = Consumer(self._config)
        self._consumer.subscribe(
            [self._topic], on_revoke=self._note_taken_away, on_lost=self._note_taken_away
        )
        self._error = None
        return self._consumer

    def _go_on(self, consumer: Consumer) -> None:
        if self._is_paused:
            consumer.resume(consumer.assignment())
            self._is_paused = False

    def _take(self, consumer: Consumer) -> list[Message]:
        """Wait for the first message; take with it what is there already."""
        found, self._early = self._early, []
        first = consumer.poll(0 if found else POLL_S)
        if first is not None:
            found += [first, *consumer.consume(BATCH_MAX, timeout=0)]
        for message in found:
            error = message.error()
            if error is not None:
                self._note_error(error)
        messages = [message for message in found if message.error() is None]
        if messages:
            self._error = None
        return messages

    def _look_again(self, consumer: Consumer) -> None:
        """Ask whether what was wrong is over: a quiet shop sends no message to tell it by.

        Raises
        ------
        NotDurable
            If nobody answers.
        """
        try:
            consumer.list_topics(self._topic, timeout=ANSWER_S)
        except KafkaException as error:
            raise NotDurable(
                f"the brokers at {self._address.brokers} do not answer ({error}); last: "
                f"{self._error}. Start them, or set chain.brokers."
            ) from error
        self._error = None

    def _pass_over(self, foreign: int) -> None:
        self.counters["foreign"] += foreign
        self._foreign += foreign
        if not self._batch and self._foreign >= FOREIGN_UNTIL_COMMIT and self._consumer:
            self._consumer.commit(offsets=self._places(), asynchronous=True)
            self._next.clear()
            self._foreign = 0

    def _places(self) -> list[TopicPartition]:
        return [
            TopicPartition(topic, partition, place)
            for (topic, partition), place in self._next.items()
        ]

    def _note_taken_away(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._is_taken_away = True
        self.counters["taken_away"] += len(partitions)
        self._next.clear()
        self._early.clear()

    def _note_error(self, error: KafkaError) -> None:
        self._error = error.str()
