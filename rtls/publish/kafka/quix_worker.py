"""Run the shards of a worker on Quix Streams: it assigns partitions and commits offsets.

Layer: edges. Takes: a `ShardHost`, and where the log is. Gives: a process's share of the readings'
partitions, until it is stopped; which partitions these are, and how far behind it is.

At a checkpoint Quix Streams flushes its sinks first and commits the offsets last, and it ends where
one step fails. So the host is a sink: when it is flushed it makes the events durable, and then the
states. An offset is never committed before the state that it belongs to, and a state is written
once a checkpoint, not once a message. Its own stores are not used; docs/decisions/0040 says why.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException  # type: ignore[import-untyped]
from quixstreams import Application, message_context
from quixstreams.kafka import ConnectionConfig
from quixstreams.models import HeadersTuples
from quixstreams.sinks import BaseSink
from typing_extensions import override

from rtls.model.anchor_order import ANCHORS_HEADER
from rtls.model.errors import NotDurable
from rtls.publish.kafka.connection import KafkaAddress
from rtls.publish.kafka.dead_letters import ReadMessage
from rtls.publish.kafka.shard_host import ShardHost

POLL_S: Final = 0.1
STATISTICS_EVERY_MS: Final = 1_000
HEARTBEATS_A_SESSION: Final = 6
POLL_INTERVAL_MS: Final = 120_000
"""a worker that takes so long over one message or checkpoint loses its partitions"""
MESSAGES_A_CHECKPOINT_MAX: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker runs.

    Parameters
    ----------
    topic
        Of the readings.
    group
        The workers that share it.
    checkpoint_s
        So often states are kept and offsets committed.
    session_timeout_ms
        A worker silent for so long loses its partitions to others.
    instance
        A name that survives a restart: whoever comes back under it within the session's timeout
        finds its partitions unmoved. None leaves the group at each end.
    """

    topic: str
    group: str
    checkpoint_s: float = 1.0
    session_timeout_ms: int = 6_000
    instance: str | None = None


@dataclass(slots=True)
class Assigned:
    """Which partitions are ours, and how far behind they are; replaced as a whole."""

    lag: dict[int, int] = field(default_factory=dict)
    """messages that wait, by partition; -1 where nobody knows yet"""


class QuixWorker:
    """One worker process; `run` in the main thread, which takes SIGTERM and SIGINT.

    Parameters
    ----------
    host
        Of the shards.
    address
        Of the brokers.
    settings
        Of this worker.

    Attributes
    ----------
    assigned
        As the library told a second ago; may be read from any thread.
    settings
        As given.
    """

    def __init__(self, host: ShardHost, address: KafkaAddress, settings: WorkerSettings) -> None:
        self._host = host
        self.assigned = Assigned()
        self.settings = settings
        self._topic = settings.topic
        try:
            self._application = _application(address, settings, self._note_statistics)
            topic = self._application.topic(
                settings.topic, value_deserializer="bytes", key_deserializer="bytes"
            )
        except KafkaException as error:
            raise NotDurable(
                f"the brokers at {address.brokers} do not answer: {error}. Start them, or look at "
                "chain.brokers."
            ) from error
        frame = self._application.dataframe(topic)
        frame = frame.apply(self._take, metadata=True)
        frame.sink(_Checkpoints(host))

    def run(self) -> None:
        """Work until stopped; what ends it otherwise is raised."""
        self._application.run()

    def stop(self) -> None:
        """Take no more messages, keep the states, leave the group; from any thread."""
        self._application.stop()

    def _take(
        self, value: bytes | None, key: bytes | None, _at_ms: int, headers: HeadersTuples | None
    ) -> None:
        context = message_context()
        said = dict(headers or ()).get(ANCHORS_HEADER, b"")
        self._host.take(
            ReadMessage(
                topic=context.topic,
                partition=context.partition,
                offset=context.offset,
                key=key or b"",
                value=value or b"",
                anchors=said if isinstance(said, str) else said.decode("ascii", "replace"),
            )
        )

    def _note_statistics(self, content: str) -> None:
        """Note which partitions are ours; the library calls this in the thread that polls."""
        topics = json.loads(content).get("topics", {})
        partitions = topics.get(self._topic, {}).get("partitions", {}).values()
        self.assigned = Assigned({
            found["partition"]: found["consumer_lag"]
            for found in partitions
            if found["partition"] >= 0 and found["fetch_state"] == "active"
        })  # fmt: skip
        self._host.keep_partitions(self.assigned.lag)


class _Checkpoints(BaseSink):
    """Lets the host keep its states, as the first step of each checkpoint."""

    def __init__(self, host: ShardHost) -> None:
        super().__init__()
        self._host = host

    @override
    def setup(self) -> None:
        """Connect to nothing."""

    @override
    def add(
        self,
        value: object,
        key: object,
        timestamp: int,
        headers: HeadersTuples,
        topic: str,
        partition: int,
        offset: int,
    ) -> None:
        """Take nothing: the host has sent its output."""

    @override
    def flush(self) -> None:
        """Make the output durable, then put the states into the store."""
        self._host.checkpoint()


def _application(
    address: KafkaAddress, settings: WorkerSettings, note_statistics: Callable[[str], None]
) -> Application:
    config = address.client_config()
    connection = ConnectionConfig.from_librdkafka_dict(config, ignore_extras=True)
    backoff = {name: config[name] for name in config if name.startswith("reconnect.")}
    consumer: dict[str, object] = {
        **backoff,
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.session_timeout_ms // HEARTBEATS_A_SESSION,
        "max.poll.interval.ms": POLL_INTERVAL_MS,
        "statistics.interval.ms": STATISTICS_EVERY_MS,
        "stats_cb": note_statistics,
    }
    if settings.instance is not None:
        consumer["group.instance.id"] = settings.instance
    return Application(
        broker_address=connection,
        consumer_group=settings.group,
        auto_offset_reset="earliest",
        commit_interval=settings.checkpoint_s,
        commit_every=MESSAGES_A_CHECKPOINT_MAX,
        consumer_extra_config=consumer,
        use_changelog_topics=False,
        state_dir=Path(tempfile.gettempdir()) / "inaisle-worker",  # made, and never written to
        consumer_poll_timeout=POLL_S,
        loglevel=None,
        auto_create_topics=False,
        processing_guarantee="at-least-once",
    )
