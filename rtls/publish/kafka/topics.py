"""Name the topics of a chain, and make those that are missing.

Layer: edges. Takes: a prefix and sizes from the door's settings. Gives: names and keys to all who
write and read, and topics that hold what they need. A topic that is there is left as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rtls.model.errors import InvalidConnection, NotDurable
from rtls.model.units import SiteId
from rtls.publish.kafka.connection import KafkaAddress

MESSAGE_BYTES_MAX: Final = 8 * 2**20
"""of one message with its headers; topics and producers say the same"""
PARTITIONS_MAX: Final = 4_096
ANSWER_TIMEOUT_S: Final = 10.0


class Topic(StrEnum):
    """What goes over the log, each kind on its own topic."""

    READINGS = "readings"
    """reading frames, from the bridge to the workers"""
    EVENTS = "events"
    """zone events, from workers and stores to offers and archive"""
    FIXES = "fixes"
    """thinned fixes, from workers and stores to archive and live view"""
    DEAD_LETTERS = "dead-letters"
    """what was refused, with its reason, for people"""
    SHARDS = "shards"
    """the state of each shard, from its worker to the next one; compacted"""
    STATES = "states"
    """the newest state of each bridge without a disk; compacted"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """How the topics of one chain are named and laid out.

    Parameters
    ----------
    prefix
        Before each name.
    partitions
        Of each topic that is made; later it cannot change, or keys would change their partition.
    replication
        Copies of each partition; 3 on a cluster, 1 where there is one broker.
    retention_ms
        So long a message stays, read or not.

    Raises
    ------
    InvalidConnection
        If a value cannot work.
    """

    prefix: str = "inaisle."
    partitions: int = 64
    replication: int = 1
    retention_ms: int = 3 * 86_400_000

    def __post_init__(self) -> None:
        if not 1 <= self.partitions <= PARTITIONS_MAX or self.replication < 1:
            raise InvalidConnection(
                f"partitions is {self.partitions} and replication {self.replication}; expected 1 "
                f"to {PARTITIONS_MAX}, and 1 or more."
            )
        if self.retention_ms < 1:
            raise InvalidConnection(f"retention_ms is {self.retention_ms}; expected 1 or more.")

    def name(self, topic: Topic) -> str:
        """Return the name of a topic as the brokers know it."""
        return f"{self.prefix}{topic.value}"


def partition_key(site: SiteId, shard: int) -> str:
    """Return the key of all that belongs to one shard of one site.

    Examples
    --------
    >>> partition_key(SiteId("shop-7"), 3)
    'shop-7/3'
    """
    return f"{site}/{shard}"


def ensure_topics(
    address: KafkaAddress,
    plan: TopicPlan,
    topics: Iterable[Topic] = tuple(Topic),
    *,
    timeout_s: float = ANSWER_TIMEOUT_S,
) -> dict[Topic, int]:
    """Make the topics that are missing; return the partitions of each.

    Raises
    ------
    NotDurable
        If no broker answers, or one refuses.
    """
    from confluent_kafka import KafkaException  # type: ignore[import-untyped]
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[import-untyped]

    wanted = {topic: plan.name(topic) for topic in topics}
    try:
        admin = AdminClient(address.client_config())
        known = admin.list_topics(timeout=timeout_s).topics
        missing = [
            NewTopic(
                name,
                num_partitions=plan.partitions,
                replication_factor=plan.replication,
                config=_config_of(topic, plan),
            )
            for topic, name in wanted.items()
            if name not in known
        ]
        if missing:
            for made in admin.create_topics(missing, request_timeout=timeout_s).values():
                _wait_until_made(made)
            known = admin.list_topics(timeout=timeout_s).topics
    except KafkaException as error:
        raise NotDurable(
            f"topics {', '.join(wanted.values())} cannot be made at {address.brokers}: {error}. "
            "Start the brokers, or let this account create topics."
        ) from error
    return {topic: len(known[name].partitions) for topic, name in wanted.items()}


def _config_of(topic: Topic, plan: TopicPlan) -> dict[str, str]:
    config = {
        "retention.ms": str(plan.retention_ms),
        "max.message.bytes": str(MESSAGE_BYTES_MAX),
        "cleanup.policy": "delete",
    }
    if topic in {Topic.STATES, Topic.SHARDS}:
        # Cleaned often: whoever starts reads what is left, a bridge all of it.
        config |= {
            "cleanup.policy": "compact",
            "segment.ms": "60000",
            "min.cleanable.dirty.ratio": "0.1",
        }
    return config


def _wait_until_made(made: object) -> None:
    from concurrent.futures import Future

    from confluent_kafka import KafkaError, KafkaException

    assert isinstance(made, Future)
    try:
        made.result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # somebody was faster
            raise
