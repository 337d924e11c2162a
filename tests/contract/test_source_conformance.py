"""Source: what every implementation promises to the locating loop and to the bridge.

A source gives what gateways said, byte for byte. There is none on Redis or Kafka: Redis brings what
phones heard (tests/scenario/test_redis_scans.py) into the queue that is tested here, and the log of
a chain holds frames, which are decoded, ordered and free of who did not consent. Who reads those is
held to laws of his own: tests/scenario/test_chain_workers.py.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from rtls.ingest.formats.decoded import Decoded
from rtls.ingest.formats.registry import decode
from rtls.ingest.mqtt_settings import MqttSettings
from rtls.ingest.mqtt_source import LineState, MqttSource
from rtls.ingest.queue_source import JoinedSource, QueueSource
from rtls.ingest.recorded_source import RecordedSource
from rtls.model.units import UnixMs
from rtls.ports import RawMessage, Source
from tests.conftest import Server
from tests.scenario.mqtt_station import Station
from tests.unit.ingest.made_messages import TOPIC, heard, up
from tests.waiting import wait_until

MESSAGES = 5


@dataclass
class Case:
    """One implementation, and how to make messages come."""

    source: Source
    feed: Callable[[], None]


def now_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)


@pytest.fixture
def recorded(tmp_path: Path) -> Case:
    (tmp_path / "anchors.csv").write_text("anchor,x,y,z\na1,1,1,2\n")
    lines = "".join(f"walk,{second},tag:1,a1,range,4.5\n" for second in range(MESSAGES))
    head = "session,t_s,tag,anchor,kind,value\n"
    (tmp_path / "readings.csv").write_text(head + lines)
    return Case(RecordedSource(tmp_path), lambda: None)


@pytest.fixture
def mqtt(mosquitto: Server) -> Iterator[Case]:
    settings = MqttSettings(host=mosquitto.host, port=mosquitto.port)
    source = MqttSource(settings, clock=now_ms)
    wait_until(lambda: source.health().state == LineState.RECEIVING)
    gateway = Station(mosquitto.port, client_id="g1")

    def feed() -> None:
        for seq in range(MESSAGES):
            gateway.say(TOPIC, up(heard(), seq=seq, t=now_ms()))

    yield Case(source, feed)
    gateway.close()
    source.close()


@pytest.fixture
def queue() -> Case:
    source = QueueSource(clock=now_ms)

    def feed() -> None:
        for seq in range(MESSAGES):
            source.put(TOPIC, up(heard(), seq=seq, t=now_ms()))

    return Case(source, feed)


@pytest.fixture
def joined(recorded: Case) -> Case:
    """The messages of one source through the other's door."""
    return Case(JoinedSource(recorded.source, QueueSource(clock=now_ms)), recorded.feed)


@pytest.fixture(
    params=["recorded", "queue", "joined", pytest.param("mqtt", marks=pytest.mark.broker)]
)
def case(request: pytest.FixtureRequest) -> Case:
    return request.getfixturevalue(request.param)


def take(source: Source, count: int) -> list[RawMessage]:
    found: list[RawMessage] = []
    deadline = time.monotonic() + 10
    while len(found) < count and time.monotonic() < deadline:
        found += source.poll(0.1)
    return found


def test_every_message_comes_once_and_in_order(case: Case) -> None:
    """The loop trusts the source with nothing more, and nothing less."""
    case.feed()
    messages = take(case.source, MESSAGES)
    decoded = [decode(one.topic, one.payload, one.received_at_ms) for one in messages]
    assert all(isinstance(one, Decoded) for one in decoded)
    assert [one.key.seq for one in decoded if isinstance(one, Decoded)] == list(range(MESSAGES))


def test_receipts_grow_and_arrival_never_goes_back(case: Case) -> None:
    """An acknowledgement must mean one message."""
    case.feed()
    messages = take(case.source, MESSAGES)
    receipts = [message.receipt for message in messages]
    arrivals = [message.received_at_ms for message in messages]
    assert receipts == sorted(set(receipts))
    assert arrivals == sorted(arrivals)


def test_polling_an_empty_source_ends_in_time(case: Case) -> None:
    """Timers of the engine fire from the same loop."""
    case.feed()
    take(case.source, MESSAGES)
    started = time.monotonic()
    assert list(case.source.poll(0.2)) == []
    assert time.monotonic() - started < 10.0
    assert list(case.source.poll(0.0)) == []


@pytest.mark.parametrize("receipts", [(), (1, 1), (10**9, -1)])
def test_acknowledging_twice_or_the_unknown_is_harmless(
    case: Case, receipts: Sequence[int]
) -> None:
    """After a reconnect the loop still holds receipts of before."""
    case.feed()
    messages = take(case.source, MESSAGES)
    case.source.acknowledge([message.receipt for message in messages])
    case.source.acknowledge(receipts)


def test_sending_never_raises(case: Case) -> None:
    """An answer that is lost is given again; one that raised would stop the loop."""
    case.source.send("inaisle/v1/gw/g1/down", b"{}")
    case.source.close()
    case.source.send("inaisle/v1/gw/g1/down", b"{}")


def test_a_closed_source_gives_nothing_more(case: Case) -> None:
    """Stopping must come to an end."""
    case.source.close()
    case.source.close()
    case.feed()
    assert list(case.source.poll(0.0)) == []
