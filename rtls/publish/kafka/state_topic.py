"""Keep the states of shards in a topic, and find the newest of a shard when another worker has it.

Layer: edges. Takes: states from a worker at each checkpoint. Gives: the newest of a shard to who
takes it up. The topic is compacted and has as many partitions as the readings, so the states of a
partition lie together. A shard that runs has one among the last few, so it is looked for from the
end: to take a shard up costs one short read, however long the log is.
"""

from collections import defaultdict
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition  # type: ignore[import-untyped]

from rtls.model.errors import NotDurable
from rtls.publish.kafka.connection import KafkaAddress
from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import MESSAGE_BYTES_MAX
from rtls.shard_run import newest_of

FIRST_LOOK: Final = 16
FURTHER_EACH_TIME: Final = 4
ANSWER_TIMEOUT_S: Final = 10.0


class StateTopic:
    """The states of the shards of a chain, for one thread.

    Parameters
    ----------
    address
        Of the brokers.
    topic
        Compacted, with the partitions of the topic of readings.
    """

    def __init__(self, address: KafkaAddress, *, topic: str) -> None:
        self._topic = topic
        self._address = address
        # States are large: to join them saves nothing. And a broker that takes the first offset of
        # the last batch for the end of the log (tansu 0.6) is right where a batch is one message.
        self._producer = KafkaProducer(address, client_id="inaisle-states", is_one_by_one=True)
        self._consumer = Consumer({
            **address.client_config(),
            "group.id": "inaisle-states",  # the library wants one; nothing is committed
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": MESSAGE_BYTES_MAX,
            "fetch.wait.max.ms": 50,
        })  # fmt: skip
        self._found: dict[int, dict[bytes, list[bytes]]] = {}
        self._read_whole: set[int] = set()
        self._saved: set[bytes] = set()

    def save(self, key: bytes, content: bytes) -> None:
        """Hand over a state; `flush` says when it is durable."""
        self._saved.add(key)
        self._producer.send(self._topic, key=key, value=content)

    def flush(self, timeout_s: float) -> None:
        """Return when all states are durable; `NotDurable` if that takes longer."""
        self._producer.flush(timeout_s)

    def load(self, key: bytes, partition: int) -> bytes | None:
        """Return the newest state of a shard, or None where it never had one.

        What was read of its neighbours is kept for them. `InvalidSnapshot` says that a state cannot
        be read.

        Raises
        ------
        NotDurable
            If the brokers do not give the states.
        """
        found = self._found.setdefault(partition, defaultdict(list))
        is_ours = key in self._saved  # then what was read before it was saved is of the past
        if not is_ours and (key in found or partition in self._read_whole):
            return newest_of(found.pop(key, []))
        try:
            self._look_back(key, partition, found)
        except KafkaException as error:
            raise NotDurable(
                f"the states of {self._topic} cannot be read at {self._address.brokers}: {error}. "
                "Nothing was taken; start again when the brokers answer."
            ) from error
        return newest_of(found.pop(key, []))

    def forget(self, partition: int) -> None:
        """Read a partition anew when it is needed: others may have run its shards."""
        self._found.pop(partition, None)
        self._read_whole.discard(partition)

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()
        self._producer.close()

    def _look_back(self, key: bytes, partition: int, found: dict[bytes, list[bytes]]) -> None:
        found.clear()
        place = TopicPartition(self._topic, partition)
        low, high = self._consumer.get_watermark_offsets(place, timeout=ANSWER_TIMEOUT_S)
        stop, look = high, FIRST_LOOK
        while stop > low and key not in found:
            start = max(low, stop - look)
            self._read(partition, start, stop, found)
            stop, look = start, look * FURTHER_EACH_TIME
        if stop <= low:
            self._read_whole.add(partition)

    def _read(self, partition: int, start: int, stop: int, found: dict[bytes, list[bytes]]) -> None:
        """Read the messages from ``start`` up to ``stop``; some may have been compacted away.

        Raises
        ------
        NotDurable
            If nothing comes though something must.
        KafkaException
            If the brokers refuse.
        """
        self._consumer.assign([TopicPartition(self._topic, partition, start)])
        seen = start - 1
        while seen < stop - 1:
            message = self._consumer.poll(ANSWER_TIMEOUT_S)
            if message is None:
                raise NotDurable(
                    f"partition {partition} of {self._topic} ends at {stop}, but nothing came "
                    f"after {seen} within {ANSWER_TIMEOUT_S:g} s. Look at the brokers."
                )
            if message.error() is not None:
                raise KafkaException(message.error())
            seen = message.offset()
            if seen < stop and message.value() is not None:
                found[message.key()].append(message.value())
        self._consumer.unassign()
