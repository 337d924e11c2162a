"""Write messages to a chain's log, in order, within a bound, and say when they are durable.

Layer: edges. Takes: topics, keys and bytes from sinks, bridge and workers. Gives: the same to the
brokers; `flush` returns when all replicas have them. The library retries for ever and keeps the
order, so that a broker that is away costs time and nothing else: what was sent waits here, within
the bound, and goes out when it is back.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from confluent_kafka import KafkaError, Message, Producer  # type: ignore[import-untyped]

from rtls.model.errors import NotDurable
from rtls.publish.kafka.connection import ClientConfig, KafkaAddress
from rtls.publish.kafka.topics import MESSAGE_BYTES_MAX

WAITING_MESSAGES_MAX: Final = 100_000
WAITING_KIB_MAX: Final = 65_536
LINGER_MS: Final = 2
NO_HEADERS: Final[Mapping[str, bytes]] = MappingProxyType({})


class KafkaProducer:
    """A producer with delivery reports, for one thread; `trouble` may be asked from any.

    Parameters
    ----------
    address
        Where the brokers are.
    client_id
        As the brokers' logs show it.
    waiting_kib_max
        So much may wait for the brokers.
    is_one_by_one
        Joins no messages to batches.

    Attributes
    ----------
    counters
        Messages sent, durable, and refused for good.
    """

    def __init__(
        self,
        address: KafkaAddress,
        *,
        client_id: str,
        waiting_kib_max: int = WAITING_KIB_MAX,
        is_one_by_one: bool = False,
    ) -> None:
        self.counters = {"sent": 0, "durable": 0, "refused": 0}
        self._brokers = address.brokers
        self._refusal: str | None = None
        self._last_error: str | None = None
        config: ClientConfig = {
            **address.client_config(),
            "client.id": client_id,
            "acks": "all",
            "enable.idempotence": True,
            # As Java's clients and Quix Streams choose: a key has one partition, whoever writes.
            "partitioner": "murmur2",
            "message.timeout.ms": 0,  # never given up: a gap would be a loss
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "linger.ms": LINGER_MS,
            "queue.buffering.max.messages": WAITING_MESSAGES_MAX,
            "queue.buffering.max.kbytes": waiting_kib_max,
        }
        if is_one_by_one:
            config["batch.num.messages"] = 1
        log = logging.getLogger(__name__)
        self._producer = Producer({**config, "error_cb": self._note_error, "logger": log})

    def send(
        self,
        topic: str,
        *,
        key: str | bytes,
        value: bytes,
        headers: Mapping[str, bytes] = NO_HEADERS,
    ) -> None:
        """Hand over one message; `flush` says when it is durable.

        Raises
        ------
        NotDurable
            If there is no room, or a message was refused for good: then the order has a hole, and
            this producer takes nothing more.
        """
        if not self.offer(topic, key=key, value=value, headers=headers):
            raise NotDurable(
                f"{self.waiting} messages wait for the brokers at {self._brokers} and there is no "
                f"room for more ({self._last_error or 'they are slow'}). Send it again when flush "
                "has returned."
            )

    def offer(
        self,
        topic: str,
        *,
        key: str | bytes,
        value: bytes,
        headers: Mapping[str, bytes] = NO_HEADERS,
    ) -> bool:
        """Hand over one message if there is room; otherwise as `send`."""
        self._refuse_after_refusal()
        try:
            self._producer.produce(
                topic,
                key=key,
                value=value,
                headers=list(headers.items()),
                on_delivery=self._delivered,
            )
        except BufferError:
            self._producer.poll(0)
            return False
        self.counters["sent"] += 1
        self._producer.poll(0)
        return True

    def flush(self, timeout_s: float) -> None:
        """Return when all that was sent is durable.

        Raises
        ------
        NotDurable
            If it is not yet: nothing is lost, call again. Or if a message was refused for good.
        """
        waiting = self._producer.flush(timeout_s)
        self._refuse_after_refusal()
        if waiting:
            raise NotDurable(
                f"{waiting} messages were not taken by the brokers at {self._brokers} within "
                f"{timeout_s:g} s ({self._last_error or 'no error was told'}); they go on trying. "
                "Acknowledge nothing before flush returns."
            )
        self._last_error = None

    def is_durable(self) -> bool:
        """Return, without waiting, whether all that was sent is durable.

        `NotDurable` says that a message was refused for good.
        """
        self._producer.poll(0)
        self._refuse_after_refusal()
        return not len(self._producer)

    @property
    def waiting(self) -> int:
        """Return how many messages are not durable yet."""
        return len(self._producer)

    @property
    def refusal(self) -> str | None:
        """Return why a message was refused for good, or None; only a new producer goes on."""
        return self._refusal

    def trouble(self) -> str | None:
        """Return why messages do not reach the brokers, or None; for `Health.watch`."""
        if self._refusal is not None:
            return self._refusal
        if self._last_error is None or not self.waiting:
            return None  # an idle line may be cut; it is made anew with the next message
        return f"{self._last_error}; {self.waiting} messages wait"

    def close(self, timeout_s: float = 0.0) -> None:
        """Try once more to deliver, for so long, and forget the rest."""
        self._producer.flush(timeout_s)
        self._producer.purge()
        self._producer.flush(0)

    def _refuse_after_refusal(self) -> None:
        if self._refusal is not None:
            raise NotDurable(
                f"the brokers at {self._brokers} have refused a message for good: {self._refusal}. "
                "What was written before it is durable; begin anew from there."
            )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.counters["durable"] += 1
            return
        self.counters["refused"] += 1
        if self._refusal is None:
            self._refusal = error.str()

    def _note_error(self, error: KafkaError) -> None:
        self._last_error = error.str()
        if error.fatal() and self._refusal is None:
            self._refusal = error.str()
