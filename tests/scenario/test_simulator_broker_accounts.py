"""config/mosquitto.conf and .acl on a real mosquitto: who may say and hear what.

A client is told "granted" and "success" for things that never happen (MQTT 3.1.1, SUBSCRIBE to #),
so every test looks at what ingest heard, not at what the gateway was told.
"""

import base64
import hashlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Server, find_program, pick_free_port
from tests.scenario.mqtt_station import Station

pytestmark = pytest.mark.broker

GATEWAYS = ("gw-01", "gw-02", "gw-03")
INGEST = "inaisle-ingest"
CONFIG = REPOSITORY / "config"


def password_line(user: str) -> str:
    """One line of mosquitto's password file: PBKDF2-HMAC-SHA512, as mosquitto_passwd writes it."""
    salt = user.encode().ljust(12, b".")[:12]
    digest = hashlib.pbkdf2_hmac("sha512", f"secret-{user}".encode(), salt, 101)
    parts = (base64.b64encode(salt).decode(), base64.b64encode(digest).decode())
    return f"{user}:$7$101${parts[0]}${parts[1]}\n"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The shipped files as they are; only port, paths and the user to run as are ours."""
    folder = tmp_path_factory.mktemp("broker")
    port = pick_free_port()
    passwords, acl = folder / "passwd", folder / "acl"
    passwords.write_text("".join(password_line(user) for user in (*GATEWAYS, INGEST)))
    acl.write_text((CONFIG / "mosquitto.acl").read_text())
    for path in (passwords, acl):
        path.chmod(0o600)
    text = (CONFIG / "mosquitto.conf").read_text()
    for shipped, ours in (
        ("listener 1883 127.0.0.1", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/inaisle.passwd", str(passwords)),
        ("/etc/mosquitto/mosquitto.acl", str(acl)),
        ("/var/lib/mosquitto/", f"{folder}/"),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    path = folder / "mosquitto.conf"
    path.write_text(f"{text}\nuser root\n")
    server = Server([find_program("mosquitto"), "-c", str(path)], port, Path(folder))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def ingest(broker: Server) -> Iterator[Station]:
    station = Station(broker.port, client_id=INGEST, user=INGEST)
    for leaf in ("up", "status"):
        station.hear(f"inaisle/v1/gw/+/{leaf}")
    yield station
    station.close()


def test_a_gateway_publishes_into_its_own_topics_and_into_no_other(
    broker: Server, ingest: Station
) -> None:
    """One stolen gateway must not speak for the others, nor one tenant for another."""
    for gateway in GATEWAYS:
        station = Station(broker.port, client_id=gateway, user=gateway)
        for other, leaf in product(GATEWAYS, ("up", "status", "down")):
            station.say(f"inaisle/v1/gw/{other}/{leaf}", gateway.encode())
        station.say(f"inaisle/v1/gw/{gateway}/up/x", b"odd")
        station.say(f"inaisle/v1/gw/{gateway}/up", b"last")
        station.close()
    wanted = [
        (f"inaisle/v1/gw/{gateway}/{leaf}", gateway.encode())
        for gateway in GATEWAYS
        for leaf in ("up", "status")
    ]
    wanted += [(f"inaisle/v1/gw/{gateway}/up", b"last") for gateway in GATEWAYS]
    ingest.until(lambda: len(ingest.heard) >= len(wanted))
    assert sorted(ingest.heard) == sorted(wanted)


def test_a_gateway_hears_its_own_acknowledgements_and_nobody_elses(
    broker: Server, ingest: Station
) -> None:
    """Whoever hears another's topics learns who is in the shop and where."""
    spy = Station(broker.port, client_id="gw-01", user="gw-01")
    spy.hear("#")
    spy.hear("inaisle/v1/gw/+/down")
    spy.hear("inaisle/v1/gw/+/up")
    other = Station(broker.port, client_id="gw-02", user="gw-02")
    other.say("inaisle/v1/gw/gw-02/up", b"readings")
    ingest.say("inaisle/v1/gw/gw-02/down", b"for two")
    ingest.say("inaisle/v1/gw/gw-01/down", b"for one")
    spy.until(lambda: bool(spy.heard))
    assert set(spy.heard) == {("inaisle/v1/gw/gw-01/down", b"for one")}
    spy.close()
    other.close()


@pytest.mark.parametrize("user", [None, "gw-99"])
def test_nobody_without_an_account_gets_in(broker: Server, user: str | None) -> None:
    """The broker stands in the network of a shop."""
    station = Station(broker.port, client_id="stranger", user=user)
    assert station.accepted is False


def test_a_wrong_password_does_not_get_in(broker: Server) -> None:
    """A gateway's id is printed on its case; it is no secret."""
    station = Station(broker.port, client_id="gw-01", user="gw-01")
    assert station.accepted is True
    station.close()
    wrong = Station(broker.port, client_id="gw-01", user="gw-01 ")
    assert wrong.accepted is False


def test_a_gateway_that_calls_itself_ingest_does_not_throw_ingest_off(
    broker: Server, ingest: Station
) -> None:
    """Measured: without use_username_as_clientid one gateway could stop the whole shop."""
    thief = Station(broker.port, client_id=INGEST, user="gw-01")
    assert thief.accepted is True
    thief.say("inaisle/v1/gw/gw-01/up", b"still here?")
    ingest.until(lambda: bool(ingest.heard))
    assert not ingest.is_lost
    thief.close()


def test_a_message_over_64_kb_ends_the_line_of_its_sender(broker: Server) -> None:
    """The bound of the protocol is held before a byte of it reaches ingest."""
    station = Station(broker.port, client_id="gw-03", user="gw-03")
    station.say("inaisle/v1/gw/gw-03/up", b"x" * 60_000)
    assert not station.is_lost
    station.client.publish("inaisle/v1/gw/gw-03/up", b"x" * 70_000, qos=1)
    station.until(lambda: station.is_lost)
