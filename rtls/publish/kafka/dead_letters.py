"""Put aside, with its reason, what cannot be used, so that it stops nothing and is not lost.

Layer: edges. Takes: messages that a worker or reader refuses. Gives: the same, with a reason, to
the topic of dead letters, where people look.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rtls.publish.kafka.producing import KafkaProducer
from rtls.publish.kafka.topics import MESSAGE_BYTES_MAX

DETAIL_CHARACTERS_MAX: Final = 1_000
KEY_BYTES_MAX: Final = 1_000
VALUE_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 8_192
"""what is longer is cut, so that its key and headers find room"""


class DeadReason(StrEnum):
    """Why a message was refused."""

    DAMAGED = "damaged"
    """its bytes are no message of ours"""
    VERSION = "version"
    """of a schema version that this release does not read"""
    TOO_LARGE = "too-large"
    """larger than is allowed"""
    UNKNOWN_SITE = "unknown-site"
    """of a site that the library does not hold"""
    FOREIGN_KEY = "foreign-key"
    """its key names another site or shard than its content, or a shard that the site has not"""
    FOREIGN_MAP = "foreign-map"
    """its numbers are those of another list of anchors than that of the map in force"""
    OUT_OF_ORDER = "out-of-order"
    """it claims to come before or after what it cannot"""
    UNDECIDABLE = "undecidable"
    """it can be read, and yet no decision could be made about it, however often it was tried"""
    NO_STATE = "no-state"
    """the state of its shard is damaged, and nobody begins one anew by himself"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage:
    """One message as it was read from the log."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    anchors: str = ""
    """what its header `anchors` says (rtls.model.anchor_order); empty where it has none"""


class DeadLetters:
    """The topic of dead letters.

    Parameters
    ----------
    producer
        May be shared with other sinks of the same thread.
    topic
        Name of the topic of dead letters.

    Attributes
    ----------
    counters
        Messages put aside, by reason.
    """

    def __init__(self, producer: KafkaProducer, *, topic: str) -> None:
        self.counters = {reason.value: 0 for reason in DeadReason}
        self._producer = producer
        self._topic = topic

    def put(self, message: ReadMessage, reason: DeadReason, detail: str) -> None:
        """Put a message aside; durable when the producer's `flush` returns.

        Parameters
        ----------
        message
            As it came; its key and value stay as they are, unless they are too long.
        reason, detail
            Why, in a word and in a sentence.
        """
        headers = {
            "reason": reason.value,
            "detail": detail[:DETAIL_CHARACTERS_MAX],
            "topic": message.topic,
            "partition": str(message.partition),
            "offset": str(message.offset),
        }
        if len(message.value) > VALUE_BYTES_MAX:
            headers["cut_from_bytes"] = str(len(message.value))
        self._producer.send(
            self._topic,
            key=message.key[:KEY_BYTES_MAX],
            value=message.value[:VALUE_BYTES_MAX],
            headers={name: value.encode() for name, value in headers.items()},
        )
        self.counters[reason.value] += 1
