"""The bridge of thin stores: gateways in, frames out, whatever is killed or away meanwhile."""

import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from inaisle.errors import ExitStatus
from rtls.ingest.formats.phone_scan import TOPIC_OF_TAG
from rtls.model.reading import ReadingBatch
from rtls.model.reading_frame import unpack_batch
from rtls.model.units import SiteId, TagId
from rtls.publish.kafka.topics import Topic, TopicPlan
from rtls.publish.redis_keys import connect_redis
from rtls.publish.scans_redis import ScanPublisher
from tests.conftest import Server
from tests.kafka_broker import KafkaBroker, Read, make_server
from tests.scenario.bridged_store import (
    SITE,
    TAG,
    BridgeProcess,
    Gateways,
    Taken,
    admit,
    frames_of,
    now_ms,
    write_library,
)
from tests.scenario.mqtt_station import Station
from tests.unit.ingest.made_messages import heard, up
from tests.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]
GATEWAYS = ("g1", "g2", "g3")
DYING = (sys.executable, "-m", "tests.scenario.hasty_bridge")
PLAIN = (sys.executable, "-m", "inaisle")


@pytest.fixture
def bridge(
    tmp_path: Path,
    kafka_broker: KafkaBroker,
    mosquitto: Server,
    redis_server: Server,
    topic_prefix: str,
) -> Iterator[BridgeProcess]:
    process = BridgeProcess(
        library=write_library(tmp_path / "sites", GATEWAYS),
        data=tmp_path / "data",
        kafka=kafka_broker.brokers,
        mqtt=mosquitto,
        redis=redis_server,
        topic_prefix=topic_prefix,
    )
    admit(redis_server, [TAG])
    yield process
    process.end()


def run_and_kill(bridge: BridgeProcess, gateways: Gateways, waits_s: Sequence[float]) -> None:
    """Kill the bridge after each wait, and let it bring the rest to the log in the end."""
    for wait_s in waits_s:
        time.sleep(wait_s)
        bridge.kill()
        bridge.start()
        bridge.wait_until_ready()
    time.sleep(0.5)
    gateways.hush()
    gateways.wait_until_spools_are_empty()


def run_and_let_die(bridge: BridgeProcess, gateways: Gateways) -> None:
    """Let it die in the middle of a save, twice, and bring the rest to the log in the end."""
    for _ in range(2):
        bridge.wait_until_dead()
        bridge.start()
    bridge.wait_until_dead()
    bridge.command = PLAIN
    bridge.start()
    bridge.wait_until_ready()
    run_and_kill(bridge, gateways, ())


def taken_by_a_worker(
    kafka: KafkaBroker, bridge: BridgeProcess, gateways: Gateways, *, within_s: float = 20.0
) -> Taken:
    count = len(gateways.said)
    return Taken.of(frames_of(kafka, bridge.topic_prefix, until=count, within_s=within_s))


def lost(taken: Taken, gateways: Gateways) -> list[float]:
    return sorted(set(gateways.said) - set(taken.values))


def assert_each_once(taken: Taken, gateways: Gateways) -> None:
    missing = lost(taken, gateways)
    assert missing == [], f"{len(missing)} of {len(gateways.said)} readings lost"
    assert len(taken.values) == len(set(taken.values)), "a reading counted twice"
    assert taken.differing == 0, "one sequence number with two contents"
    ends = [batch.epoch_end_ms for batch in taken.batches]
    assert ends == sorted(set(ends)), "the time of a shard never goes back"
    assert {batch.site for batch in taken.batches} == {SITE}


def test_killed_while_it_saves_no_reading_is_lost_or_counted_twice(
    bridge: BridgeProcess, kafka_broker: KafkaBroker, mosquitto: Server
) -> None:
    """A worker skips the sequence numbers it has had: a number must never mean two frames."""
    bridge.command = (*DYING, "patient")
    bridge.start()
    bridge.wait_until_ready()
    with Gateways(mosquitto, GATEWAYS) as gateways:
        run_and_let_die(bridge, gateways)
        taken = taken_by_a_worker(kafka_broker, bridge, gateways)
    assert_each_once(taken, gateways)


def test_told_before_it_is_saved_is_found_out(
    bridge: BridgeProcess, kafka_broker: KafkaBroker, mosquitto: Server
) -> None:
    """The control of the test above: the same kills, a planted bug, and the measure sees it."""
    bridge.command = (*DYING, "hasty")
    bridge.start()
    bridge.wait_until_ready()
    with Gateways(mosquitto, GATEWAYS) as gateways:
        run_and_let_die(bridge, gateways)
        taken = taken_by_a_worker(kafka_broker, bridge, gateways, within_s=3.0)
    assert taken.differing > 0 or lost(taken, gateways) != []


@pytest.mark.long
def test_killed_fifty_times_at_random_no_reading_is_lost_or_counted_twice(
    bridge: BridgeProcess, kafka_broker: KafkaBroker, mosquitto: Server
) -> None:
    """Every instant is as good as another for a machine to lose its power."""
    draw = random.Random(7)
    bridge.start()
    bridge.wait_until_ready()
    with Gateways(mosquitto, GATEWAYS) as gateways:
        run_and_kill(bridge, gateways, [draw.uniform(0.0, 1.5) for _ in range(50)])
        late = bridge.metric("inaisle_reception_readings_too_late_total")
        taken = taken_by_a_worker(kafka_broker, bridge, gateways)
    figures = f"{len(gateways.said)} readings, {taken.copies} frames twice, {late:g} late, 50 kills"
    print(figures)  # noqa: T201 # seen with -s
    assert_each_once(taken, gateways)


def is_stopped(server: Server) -> bool:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return "State:\tT" in status


def test_while_the_log_is_away_the_gateways_keep_what_they_have(
    bridge: BridgeProcess, tmp_path: Path, mosquitto: Server
) -> None:
    """Acknowledged and nowhere safe it would be lost; time that went on would make it too late."""
    (tmp_path / "kafka").mkdir()
    server = make_server(tmp_path / "kafka")
    server.start()
    kafka = KafkaBroker(f"{server.host}:{server.port}", server)
    kafka.wait_until_it_answers()
    bridge.kafka = kafka.brokers
    bridge.environment["INAISLE__RECEPTION__HOLD_MS_MAX"] = "0"  # nothing else holds time
    bridge.start()
    bridge.wait_until_ready()
    try:
        with Gateways(mosquitto, GATEWAYS) as gateways:
            wait_until(lambda: bridge.metric("inaisle_log_durable_total") > 5, "frames")
            server.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: is_stopped(server), "a broker that stands still")
            said_before = len(gateways.said)
            wait_until(lambda: bridge.metric("inaisle_bridge_ticks_held_total") > 0, "a hold")
            assert bridge.status("/readyz") == 503
            time.sleep(3.0)
            said_since = len(gateways.said) - said_before
            kept = gateways.spooled
            server.process.send_signal(signal.SIGCONT)
            gateways.hush()
            gateways.wait_until_spools_are_empty()
            assert kept >= said_since > 100, "readings were acknowledged that no log has"
            assert bridge.metric("inaisle_reception_readings_too_late_total") == 0
            assert_each_once(taken_by_a_worker(kafka, bridge, gateways), gateways)
        assert bridge.stop() == 0
        bridge.environment["INAISLE__CHAIN__SHARDS"] = "2"
        bridge.start()
        assert bridge.process.wait(30.0) == ExitStatus.REFUSED, "tags would change their shard"
        assert "shards of the bridge's state is 1; expected 2" in bridge.log()
    finally:
        server.process.send_signal(signal.SIGCONT)
        server.stop()


def say_once(mqtt: Server, gateways: Sequence[str], *, seq: int) -> None:
    """Each gateway hears a shopper of each site, and a stranger."""
    observations = [heard("tag:1", 1.0), heard("tag:2", 2.0), heard("tag:stranger", 3.0)]
    for gateway in gateways:
        station = Station(mqtt.port, client_id=gateway)
        station.say(f"inaisle/v1/gw/{gateway}/up", up(*observations, seq=seq, t=now_ms()))
        station.close()


def scan_once(redis: Server, body: bytes) -> None:
    """The shopper's phone tells the API what it hears, which hands it on."""
    client = connect_redis(f"redis://127.0.0.1:{redis.port}/0")
    publisher = ScanPublisher(client, site=SITE, monotonic_s=time.monotonic)
    publisher.start()
    assert publisher.put(TOPIC_OF_TAG.format(TAG), body)
    publisher.close()
    client.close()


def test_each_reading_goes_to_its_own_site_and_nobody_strange_into_a_frame(
    bridge: BridgeProcess, kafka_broker: KafkaBroker, mosquitto: Server, redis_server: Server
) -> None:
    """Several thin stores share a broker; who did not consent is forgotten before the log.

    The bridge has no disk here: its state is on a topic, and a new machine goes on from there.
    """
    other = SiteId("thin-2")
    write_library(bridge.library, ("h1",), site=other)
    admit(redis_server, [TagId("tag:2")], site=other)
    bridge.environment |= {"INAISLE__CHAIN__SHARDS": "2", "INAISLE__CHAIN__BRIDGE_STATE": "log"}
    topic = TopicPlan(prefix=bridge.topic_prefix).name(Topic.READINGS)

    def batches_with(readings: int) -> list[tuple[str, ReadingBatch]]:
        def has_all(found: list[Read]) -> bool:
            return sum(len(unpack_batch(one.value).readings) for one in found) >= readings

        frames = kafka_broker.read(topic, has_all)
        assert b"stranger" not in b"".join(one.value for one in frames)
        assert all(len(one.headers["anchors"]) == 16 for one in frames)
        return [(one.key, unpack_batch(one.value)) for one in frames]

    bridge.start()
    bridge.wait_until_ready()
    say_once(mosquitto, ("g1", "h1", "nobody"), seq=0)
    first = batches_with(2)
    assert all(key == f"{batch.site}/{batch.shard}" for key, batch in first)
    assert {batch.shard for _, batch in first} == {0, 1}, "every shard gets every epoch"
    heard_first = [batch for _, batch in first if len(batch.readings)]
    told = {(b.site, b.introduced[0][1], float(b.readings["value"][0])) for b in heard_first}
    assert told == {(SITE, "tag:1", 1.0), (other, "tag:2", 2.0)}

    bridge.kill()
    shutil.rmtree(bridge.data / "bridge", ignore_errors=True)
    bridge.start()
    bridge.wait_until_ready()
    say_once(mosquitto, ("g1", "h1"), seq=1)
    scan_once(redis_server, b'{"obs":[{"a":"a-g2","k":"range","v":1.5}]}')
    taken = Taken.of(kafka_broker.read(topic, lambda found: len(Taken.of(found).values) >= 5))
    assert sorted(taken.values) == [1.0, 1.0, 1.5, 2.0, 2.0]
    assert sum(len(batch.introduced) for batch in taken.batches) == 2, "slots as before the kill"
    assert taken.differing == 0
