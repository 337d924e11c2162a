"""Keep the state of a process in the chain's log, for machines without a disk of their own.

Layer: edges. Takes: snapshot bytes from a bridge. Gives: the last one, after a restart on whichever
machine. The topic is compacted: of each key the brokers keep the newest value, so that reading it
from its beginning stays cheap.
"""

import time
import zlib
from typing import Final

from confluent_kafka import (  # type: ignore[import-untyped]
    OFFSET_BEGINNING,
    Consumer,
    KafkaException,
    TopicPartition,
)

from rtls.model.errors import InvalidSnapshot, NotDurable
from rtls.publish.kafka.connection import KafkaAddress
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import ANSWER_TIMEOUT_S, MESSAGE_BYTES_MAX

VALUE_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 8_192
DURABLE_WITHIN_S: Final = 60.0
FAST: Final = 1  # zlib: half the bytes at 100 MB/s
MESSAGES_A_CALL: Final = 500


class KafkaStateStore:
    """One versioned value a key on a compacted topic (port `StateStore`); one thread saves.

    Parameters
    ----------
    address
        Where the brokers are.
    topic
        Name of the topic of states; it must be there.
    durable_within_s
        How long `save` waits for the brokers, and `load` for each answer.
    """

    def __init__(
        self, address: KafkaAddress, *, topic: str, durable_within_s: float = DURABLE_WITHIN_S
    ) -> None:
        self._address = address
        self._topic = topic
        self._durable_within_s = durable_within_s
        self._producer = KafkaProducer(address, client_id="inaisle-state")

    def save(self, key: str, snapshot: bytes) -> None:
        """Replace the value; durable on return.

        `NotDurable` says that the brokers did not take it in time.

        Raises
        ------
        InvalidSnapshot
            If it is larger than a message can be.
        """
        value = zlib.compress(snapshot, FAST)
        if len(value) > VALUE_BYTES_MAX:
            raise InvalidSnapshot(
                f"snapshot {key} has {len(value)} bytes; expected at most {VALUE_BYTES_MAX} on a "
                "topic. Keep the states of such a site on a disk: chain.bridge_state."
            )
        self._producer.send(self._topic, key=key, value=value)
        self._producer.flush(self._durable_within_s)

    def load(self, key: str) -> bytes | None:
        """Return the last value saved, or None if there never was one.

        Raises
        ------
        NotDurable
            If the brokers cannot be read.
        InvalidSnapshot
            If the value is none that `save` wrote.
        """
        try:
            value = self._last_of(key.encode())
        except KafkaException as error:
            raise NotDurable(
                f"state {key} cannot be read at {self._address.brokers}: {error}. Start the "
                "brokers first; without its state the process would begin anew."
            ) from error
        if value is None:
            return None
        try:
            return zlib.decompress(value)
        except zlib.error as error:
            raise InvalidSnapshot(
                f"state {key} on {self._topic} is damaged ({error}). Nobody else may write there."
            ) from error

    def close(self) -> None:
        """Give the connection back."""
        self._producer.close()

    def _last_of(self, key: bytes) -> bytes | None:
        """Read all that there is now, and return the last value of a key."""
        consumer = Consumer({
            **self._address.client_config(),
            "group.id": "inaisle-state",  # asked for by the library; nothing is ever committed
            "enable.auto.commit": False,
        })  # fmt: skip
        try:
            ends = self._ends(consumer)
            consumer.assign([TopicPartition(self._topic, one, OFFSET_BEGINNING) for one in ends])
            return self._read_until(consumer, ends, key)
        finally:
            consumer.close()

    def _ends(self, consumer: Consumer) -> dict[int, int]:
        """Return the partitions that hold anything, and the offset behind the last message."""
        known = consumer.list_topics(self._topic, timeout=ANSWER_TIMEOUT_S)
        ends = {}
        for partition in known.topics[self._topic].partitions:
            first, end = consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=ANSWER_TIMEOUT_S
            )
            if end > first:
                ends[partition] = end
        return ends

    def _read_until(self, consumer: Consumer, ends: dict[int, int], key: bytes) -> bytes | None:
        """Read up to the given ends.

        Raises
        ------
        NotDurable
            If nothing more comes before that.
        KafkaException
            If the brokers refuse.
        """
        last: bytes | None = None
        heard_at = time.monotonic()
        while ends:
            messages = consumer.consume(MESSAGES_A_CALL, timeout=0.1)
            for message in messages:
                if message.error() is not None:
                    raise KafkaException(message.error())
                if message.key() == key:
                    last = message.value()
                if message.offset() + 1 >= ends.get(message.partition(), 0):
                    ends.pop(message.partition(), None)
            heard_at = time.monotonic() if messages else heard_at
            if time.monotonic() - heard_at > self._durable_within_s:
                raise NotDurable(
                    f"{len(ends)} partitions of {self._topic} gave nothing more for "
                    f"{self._durable_within_s:g} s before their end. Look after the brokers."
                )
        return last
