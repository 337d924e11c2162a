"""Ingest against a real broker: restarts, poison, a dead thread, accounts and encryption."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rtls.ingest.mqtt_settings import MqttSettings, MqttTls
from rtls.ingest.mqtt_source import LineState, MqttSource
from rtls.ingest.reception import Reception
from rtls.model.errors import InvalidConnection
from rtls.model.units import UnixMs
from rtls.ports import RawMessage
from tests.conftest import Server, find_program, pick_free_port
from tests.scenario.mqtt_station import Station
from tests.scenario.spooling_gateway import SpoolingGateway
from tests.unit.ingest.made_messages import BOOT, TOPIC, heard, make_map, make_reception, up
from tests.waiting import wait_until

pytestmark = pytest.mark.broker
FLOWING_AGAIN_S = 5.0
SECRET = "open-sesame"  # noqa: S105 # of a broker that lives as long as its test
Connect = Callable[..., MqttSource]


def now_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)


@pytest.fixture
def connect(mosquitto: Server) -> Iterator[Connect]:
    """Make sources on the real broker; each is subscribed when it is given."""
    sources: list[MqttSource] = []

    def make(**more) -> MqttSource:
        settings = MqttSettings(host=mosquitto.host, port=mosquitto.port, **more)
        source = MqttSource(settings, clock=now_ms)
        sources.append(source)
        wait_until(lambda: source.health().state == LineState.RECEIVING)
        return source

    yield make
    for source in sources:
        source.close()


def take(source: MqttSource, count: int, *, within_s: float = 10.0) -> list[RawMessage]:
    """Poll until `count` messages have come."""
    found: list[RawMessage] = []
    deadline = time.monotonic() + within_s
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} messages came"
        found += source.poll(0.1)
    return found


def located(reception: Reception) -> list[float]:
    batches = reception.advance(UnixMs(now_ms() + 120_000))  # whatever the lateness
    return [float(row["value"]) for batch in batches for row in batch.readings]


def test_a_poison_message_does_not_stop_the_next(mosquitto: Server, connect: Connect) -> None:
    """Two bytes stopped the usual pattern for good; here the message behind them arrives."""
    source = connect()
    gateway = Station(mosquitto.port, client_id="g1")
    for payload in (b"\xff\x00", b"", b"[" * 60_000, up(heard(value=7.0), t=now_ms())):
        gateway.say(TOPIC, payload)
    reception = make_reception()
    reception.receive(take(source, 4))
    assert located(reception) == [7.0]
    assert reception.counters["messages_quarantined"] == 3
    assert source.health().state == LineState.RECEIVING
    gateway.close()


def test_unacknowledged_messages_come_again_after_a_reconnect(
    mosquitto: Server, connect: Connect
) -> None:
    """What was received but not yet durable when we died must come again; what was not, not."""
    source = connect()
    gateway = Station(mosquitto.port, client_id="g1")
    for number in range(4):
        gateway.say(TOPIC, b"%d" % number)
    messages = take(source, 4)
    source.acknowledge([messages[0].receipt, messages[2].receipt])
    source.close()
    gateway.say(TOPIC, b"4")  # while nobody is there
    gateway.close()
    again = connect()
    assert [message.payload for message in take(again, 3)] == [b"1", b"3", b"4"]


def test_receipts_of_an_earlier_connection_acknowledge_nothing(
    mosquitto: Server, connect: Connect
) -> None:
    """The broker's numbers begin anew: an old one would acknowledge somebody else's message."""
    source = connect()
    gateway = Station(mosquitto.port, client_id="g1")
    gateway.say(TOPIC, b"old")
    (old,) = take(source, 1)
    mosquitto.stop()
    mosquitto.start()
    (again,) = take(source, 1)
    assert again.payload == b"old"
    source.acknowledge([old.receipt])
    assert source.counters.acknowledged == 0
    source.acknowledge([again.receipt, again.receipt, 12_345])
    assert source.counters.acknowledged == 1
    gateway.close()


def test_more_than_the_receive_maximum_flows_once_it_is_acknowledged(
    mosquitto: Server, connect: Connect
) -> None:
    """Over the bound the broker waits: nothing is lost and no memory fills."""
    source = connect(receive_maximum=20)
    gateway = Station(mosquitto.port, client_id="g1")
    for number in range(50):
        gateway.say(TOPIC, b"%d" % number)
    messages = take(source, 20)
    assert source.poll(0.3) == []
    came = [int(message.payload) for message in messages]
    while len(came) < 50:
        source.acknowledge([message.receipt for message in messages])
        messages = take(source, 1)
        came += [int(message.payload) for message in messages]
    assert came == list(range(50))
    assert source.counters.over_bound == 0
    gateway.close()


def test_qos_0_over_the_bound_is_counted_and_not_kept(mosquitto: Server, connect: Connect) -> None:
    """A flood without flow control must not fill the memory; room for QoS 1 stays."""
    source = connect(receive_maximum=10, waiting_messages_max=30)
    gateway = Station(mosquitto.port, client_id="g1")
    for number in range(100):
        gateway.client.publish(TOPIC, b"%d" % number, qos=0)
    gateway.say(TOPIC, b"kept")
    wait_until(lambda: source.counters.received == 101)
    payloads = [message.payload for message in take(source, 21)]
    assert (len(payloads), payloads[-1]) == (21, b"kept")
    assert source.counters.over_bound == 80
    gateway.close()


class Round:
    """The locating loop in small: every message durable, then acknowledged; gateways that speak."""

    def __init__(self, source: MqttSource, port: int) -> None:
        self.source = source
        self.reception = make_reception(make_map([("a1", "g1"), ("a2", "g2")]), lateness_ms=60_000)
        self.gateways = [
            SpoolingGateway(port, gateway=name, boot=boot, clock=now_ms)
            for name, boot in (("g1", BOOT), ("g2", BOOT[::-1]))
        ]
        self.values: list[float] = []

    def turn(self) -> int:
        """Receive, save, acknowledge; return how many messages came."""
        messages = self.source.poll(0.02)
        self.reception.receive(messages)
        self.reception.snapshot()
        self.source.acknowledge([message.receipt for message in messages])
        for topic, payload in self.reception.acknowledgements():
            self.source.send(topic, payload)
        return len(messages)

    def flow(self, seconds: float) -> int:
        """Let the gateways hear new readings all the time; return how many messages came."""
        came = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for gateway in self.gateways:
                self.values.append((len(self.values) + 1) / 128)
                gateway.hear(self.values[-1])
            came += self.turn()
        return came

    def settle(self) -> None:
        """Go on until every spool is empty."""
        deadline = time.monotonic() + 20
        while any(gateway.spool for gateway in self.gateways):
            assert time.monotonic() < deadline, [len(one.spool) for one in self.gateways]
            self.turn()
        for gateway in self.gateways:
            gateway.close()


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_restart_loses_and_doubles_nothing(
    mosquitto: Server, connect: Connect, end: str
) -> None:
    """Flowing again within five seconds, every reading located once, every spool empty."""
    line = Round(connect(), mosquitto.port)
    assert line.flow(0.5) > 10
    getattr(mosquitto, end)()
    line.flow(0.5)
    mosquitto.start()
    started = time.monotonic()
    while line.flow(0.1) == 0:
        assert time.monotonic() - started < FLOWING_AGAIN_S
    line.flow(0.5)
    line.settle()
    assert line.source.counters.connections > 1  # the fault did bite
    assert sorted(located(line.reception)) == line.values


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_network_thread_is_noticed(mosquitto: Server, connect: Connect) -> None:
    """is_connected() goes on saying True; a door that believed it would be deaf for ever."""
    source = connect()

    def explode(*_: object) -> None:
        raise RuntimeError("on purpose")

    source._client.on_message = explode
    gateway = Station(mosquitto.port, client_id="g1")
    gateway.say(TOPIC, b"x")
    wait_until(lambda: source.health().state == LineState.DEAD)
    assert "thread" in source.health().reason
    assert source._client.is_connected()  # this is why it is never asked
    gateway.close()


def test_a_callback_that_fails_does_not_end_the_thread(mosquitto: Server, connect: Connect) -> None:
    """Whatever goes wrong with one packet, the next is taken."""
    source = connect()
    took = source._take
    source._take = lambda message: took(message) if message.payload != b"bad" else 1 / 0
    gateway = Station(mosquitto.port, client_id="g1")
    gateway.say(TOPIC, b"bad")
    gateway.say(TOPIC, b"good")
    assert [message.payload for message in take(source, 1)] == [b"good"]
    assert source.counters.faults == 1
    gateway.close()


def test_a_line_without_a_packet_is_dead_after_the_watchdogs_time(mosquitto: Server) -> None:
    """A half-open line looks healthy to everybody but a clock."""
    real = [0.0]
    settings = MqttSettings(host=mosquitto.host, port=mosquitto.port)
    source = MqttSource(settings, clock=now_ms, monotonic_s=lambda: real[0])
    wait_until(lambda: source.health().state == LineState.RECEIVING)
    real[0] = 29.9
    assert source.health().state == LineState.RECEIVING
    real[0] = 30.1
    assert source.health().state == LineState.DEAD
    source.close()


@pytest.mark.slow
def test_the_answer_to_a_ping_is_a_sign_of_life(connect: Connect) -> None:
    """A quiet shop is no dead line: pings alone keep the watchdog content."""
    source = connect(keepalive_s=1, watchdog_s=2.5)
    beat = source._beat_s
    wait_until(lambda: source._beat_s > beat + 1.5, timeout_s=6)
    assert source.health().state == LineState.RECEIVING


def test_a_broker_that_is_away_is_no_reason_to_die(free_port: int) -> None:
    """Attempts go on; the API of the same process keeps serving."""
    source = MqttSource(MqttSettings(host="127.0.0.1", port=free_port), clock=now_ms)
    health = source.health()
    assert health.state == LineState.CONNECTING
    assert str(free_port) in health.reason
    source.send("inaisle/v1/gw/g1/down", b"{}")
    assert source.poll(0.0) == []
    source.close()


def test_an_answer_reaches_the_gateway(mosquitto: Server, connect: Connect) -> None:
    """Without it no spool ever empties."""
    source = connect()
    gateway = Station(mosquitto.port, client_id="g1")
    gateway.hear("inaisle/v1/gw/g1/down")
    source.send("inaisle/v1/gw/g1/down", b'{"boot":"x","upto":1,"missing":[]}')
    gateway.until(lambda: bool(gateway.heard))
    assert gateway.heard == [("inaisle/v1/gw/g1/down", b'{"boot":"x","upto":1,"missing":[]}')]
    gateway.close()


def test_retained_messages_are_marked(mosquitto: Server, connect: Connect) -> None:
    """A retained reading is of an unknown time; a retained status is what it is for."""
    gateway = Station(mosquitto.port, client_id="g1")
    gateway.say("inaisle/v1/gw/g1/status", b'{"online":true}', retain=True)
    gateway.say(TOPIC, up(heard(), t=now_ms()), retain=True)
    source = connect()
    messages = take(source, 2)
    assert all(message.is_retained for message in messages)
    reception = make_reception()
    reception.receive(messages)
    assert located(reception) == []
    assert [one.is_online for one in reception.gateways.heard()] == [True]
    gateway.close()


def test_the_line_has_no_delay_of_its_own(connect: Connect) -> None:
    """TCP_NODELAY: without it a small packet may wait 40 ms for the other side's receipt."""
    source = connect()
    line = source._client.socket()
    assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def make_broker(folder: Path, config: str) -> Server:
    folder.mkdir()
    port = pick_free_port()
    text = config.format(port=port, folder=folder)
    (folder / "mosquitto.conf").write_text(f"user root\n{text}")
    server = Server([find_program("mosquitto"), "-c", f"{folder}/mosquitto.conf"], port, folder)
    server.start()
    return server


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A broker with accounts and a certificate of its own authority."""
    folder = tmp_path / "guarded"
    passwords, certificate, key = (tmp_path / n for n in ("passwords", "broker.crt", "broker.key"))
    subprocess.run(
        [find_program("mosquitto_passwd"), "-b", "-c", str(passwords), "ingest", SECRET],
        check=True,
    )
    subprocess.run(
        [find_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    server = make_broker(
        folder,
        "listener {port} 127.0.0.1\nallow_anonymous false\n"
        f"password_file {passwords}\ncertfile {certificate}\nkeyfile {key}\n"
        "use_username_as_clientid true\n",
    )
    yield server
    server.stop()


def test_password_and_encryption(guarded: Server, tmp_path: Path) -> None:
    """The line carries where people are."""
    tls = MqttTls(ca_file=tmp_path / "broker.crt")
    settings = MqttSettings(
        host="127.0.0.1", port=guarded.port, username="ingest", password=SECRET, tls=tls
    )
    assert SECRET not in repr(settings)
    source = MqttSource(settings, clock=now_ms)
    wait_until(lambda: source.health().state == LineState.RECEIVING)
    source.close()


def test_a_wrong_password_is_named(guarded: Server, tmp_path: Path) -> None:
    """The operator reads why nothing comes."""
    tls = MqttTls(ca_file=tmp_path / "broker.crt")
    settings = MqttSettings(
        host="127.0.0.1", port=guarded.port, username="ingest", password=SECRET[::-1], tls=tls
    )
    source = MqttSource(settings, clock=now_ms)
    wait_until(lambda: "refuses us" in source.health().reason)
    assert source.health().state == LineState.CONNECTING
    source.close()


# paho leaves the socket of a refused handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_of_another_authority_is_not_trusted(guarded: Server) -> None:
    """Else anybody on the shop's network could read along."""
    settings = MqttSettings(
        host="127.0.0.1", port=guarded.port, username="ingest", password=SECRET, tls=MqttTls()
    )
    source = MqttSource(settings, clock=now_ms)
    wait_until(lambda: source.counters.connections == 0 and source._network is not None)
    assert source.poll(0.5) == []
    assert source.health().state == LineState.CONNECTING
    source.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"port": 0},
        {"port": 70_000},
        {"username": ""},
        {"topics": ()},
        {"receive_maximum": 0},
        {"waiting_messages_max": 100},
        {"waiting_bytes_max": 1},
        {"keepalive_s": 0},
        {"keepalive_s": 30},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict) -> None:
    """By name, at the start."""
    with pytest.raises(InvalidConnection):
        MqttSettings(**({"host": "localhost", "port": 1883} | wrong))


def test_a_snapshot_and_a_restart_lose_nothing_on_a_real_line(
    mosquitto: Server, connect: Connect
) -> None:
    """Killed after receiving and before saving: the broker sends again, and all count once."""
    source = connect()
    gateway = Station(mosquitto.port, client_id="g1")
    for seq in range(3):
        gateway.say(TOPIC, up(heard(value=float(seq)), seq=seq, t=now_ms()))
    reception = make_reception()
    messages = take(source, 3)
    reception.receive(messages[:1])
    saved = reception.snapshot()
    source.acknowledge([messages[0].receipt])
    reception.receive(messages[1:])  # and now the process dies
    source.close()
    again = make_reception()
    again.restore(saved)
    again.receive(take(connect(), 2))
    ((_, answer),) = again.acknowledgements()
    assert json.loads(answer) == {"boot": BOOT, "upto": 2, "missing": []}
    assert again.counters["readings_waiting"] == 3
    gateway.close()
