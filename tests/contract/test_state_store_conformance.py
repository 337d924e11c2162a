"""What every StateStore promises to the locating loop and to the bridge.

There is none on Redis: a Redis may forget, and a state must not.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rtls.ports import StateStore
from rtls.publish.kafka.state_store import KafkaStateStore
from rtls.publish.kafka.topics import Topic, TopicPlan, ensure_topics
from rtls.storage.snapshot_file import SnapshotFile
from tests.kafka_broker import KafkaBroker

OpenStore = Callable[[], StateStore]


@pytest.fixture(params=["file", pytest.param("kafka", marks=pytest.mark.broker)])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens the same store anew, as a restarted process does."""
    if request.param == "kafka":
        opened: OpenStore = request.getfixturevalue("on_kafka")
        return opened

    def report(line: str) -> None:
        pytest.fail(f"a sound {request.param} store reported: {line}")

    return lambda: SnapshotFile(tmp_path / "state", report=report)


@pytest.fixture
def on_kafka(kafka_broker: KafkaBroker, topic_prefix: str) -> Iterator[OpenStore]:
    plan = TopicPlan(prefix=topic_prefix, partitions=2)
    ensure_topics(kafka_broker.address, plan, (Topic.STATES,))
    opened: list[KafkaStateStore] = []

    def open_one() -> StateStore:
        opened.append(KafkaStateStore(kafka_broker.address, topic=plan.name(Topic.STATES)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


def test_a_restarted_process_finds_the_last_value(open_store: OpenStore) -> None:
    """A dwell of four minutes must not begin at zero because somebody deployed."""
    open_store().save("demo.0", b"first")
    open_store().save("demo.0", b"second")
    assert open_store().load("demo.0") == b"second"


def test_a_key_never_saved_has_no_value(open_store: OpenStore) -> None:
    """The first start of a site is not an error."""
    assert open_store().load("demo.0") is None


def test_keys_do_not_touch_each_other(open_store: OpenStore) -> None:
    """Shards are saved at different times and restored apart."""
    store = open_store()
    store.save("demo.0", b"zero")
    store.save("demo.1", b"one")
    assert (store.load("demo.0"), store.load("demo.1")) == (b"zero", b"one")


@pytest.mark.parametrize("snapshot", [b"", b"\x00" * 3, bytes(range(256)) * 4096])
def test_any_bytes_come_back_as_they_were(open_store: OpenStore, snapshot: bytes) -> None:
    """The engine's arrays are bytes without a terminator; 1 MiB is a busy site."""
    open_store().save("demo.0", snapshot)
    assert open_store().load("demo.0") == snapshot
