"""`inaisle gateway` on a real mosquitto: a gateway in, with its own topics only, and out again."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inaisle.cli import app
from tests.conftest import REPOSITORY, Server, find_program, pick_free_port
from tests.scenario.bridged_store import SITE, write_library
from tests.scenario.mqtt_station import Station
from tests.waiting import wait_until

pytestmark = pytest.mark.broker
CONFIG = REPOSITORY / "config" / "mosquitto.conf"
INGEST = "inaisle-ingest"


class Files:
    """The folder of one broker, as `inaisle gateway` keeps it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "mosquitto"
        self.sites = write_library(folder / "sites", ("gw-01", "gw-02"))

    def call(self, *arguments: str) -> str:
        answer = CliRunner().invoke(
            app, ["gateway", *arguments, "--out", str(self.folder)], catch_exceptions=False
        )
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    def add(self, name: str, *flags: str) -> dict[str, object]:
        where = ("--site", SITE, "--sites", str(self.sites))
        return json.loads(self.call("add", name, *where, "--json", *flags))

    def passwords(self) -> str:
        return (self.folder / "inaisle.passwd").read_text()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def broker(files: Files, tmp_path: Path) -> Iterator[Server]:
    """The shipped mosquitto.conf on the files that the command has written."""
    port = pick_free_port()
    text = CONFIG.read_text()
    for shipped, ours in (
        ("listener 1883 127.0.0.1", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/", f"{files.folder}/"),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"{text}\nuser root\n")
    server = Server([find_program("mosquitto"), "-c", str(conf)], port, tmp_path)
    yield server
    server.stop()


def sign_in(broker: Server, user: str, password: str) -> Station:
    return Station(broker.port, client_id=user, user=user, password=password)


def test_a_new_gateway_says_its_own_and_nothing_else_until_it_is_removed(
    files: Files, broker: Server
) -> None:
    """One command lets it in, one puts it out; a stolen one must not speak for the others."""
    ingest_password = str(json.loads(files.call("account", INGEST, "--json"))["password"])
    passwords = {name: str(files.add(name)["password"]) for name in ("gw-01", "gw-02")}
    broker.start()
    ingest = sign_in(broker, INGEST, ingest_password)
    assert ingest.accepted is True
    for leaf in ("up", "status"):
        ingest.hear(f"inaisle/v1/gw/+/{leaf}")
    gateway = sign_in(broker, "gw-01", passwords["gw-01"])
    gateway.hear("#")
    for other in ("gw-02", "gw-01"):
        for leaf in ("up", "status", "down"):
            gateway.say(f"inaisle/v1/gw/{other}/{leaf}", other.encode())
    gateway.say("inaisle/v1/gw/gw-01/up", b"last")
    ingest.until(lambda: ("inaisle/v1/gw/gw-01/up", b"last") in ingest.heard)
    assert sorted(ingest.heard) == [
        ("inaisle/v1/gw/gw-01/status", b"gw-01"),
        ("inaisle/v1/gw/gw-01/up", b"gw-01"),
        ("inaisle/v1/gw/gw-01/up", b"last"),
    ]
    assert sign_in(broker, "gw-01", passwords["gw-02"]).accepted is False

    files.call("remove", "gw-01")
    broker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: sign_in(broker, "gw-01", passwords["gw-01"]).accepted is False, "a refusal")
    assert sign_in(broker, "gw-02", passwords["gw-02"]).accepted is True
    gateway.until(lambda: gateway.is_lost)  # who is in when it is removed is put out
    for station in (ingest, gateway):
        station.close()


def test_the_password_is_shown_once_and_stands_nowhere(files: Files) -> None:
    """Who reads the files, or the list, cannot sign in with what stands there."""
    added = files.add("gw-01")
    password = str(added["password"])
    assert len(password) >= 22, "128 bits and more"
    assert password != files.add("gw-02")["password"]
    listed = files.call("list")
    stored = "".join(path.read_text() for path in files.folder.iterdir())
    assert "gw-01" in listed
    assert password not in listed
    assert password not in stored
    assert files.passwords().startswith("gw-01:$7$1000$")
    modes = {path.stat().st_mode & 0o077 for path in files.folder.glob("[im]*")}
    assert modes == {0}, "nobody else reads the digests"


def test_what_others_wrote_into_the_files_stays(files: Files) -> None:
    """An operator has his own accounts and rules there, and rights that his broker needs."""
    files.folder.mkdir()
    passwd, acl = files.folder / "inaisle.passwd", files.folder / "mosquitto.acl"
    passwd.write_text("dashboard:$7$101$AAAA$BBBB\n")
    passwd.chmod(0o640)
    acl.write_text("user dashboard\ntopic read $SYS/#\npattern read inaisle/v1/gw/%u/down\n")
    added = files.add("gw-01")
    assert added["rules_added"] == [
        f"pattern write inaisle/v1/gw/%u/{leaf}" for leaf in ("up", "up.bin", "status")
    ]
    assert acl.read_text().startswith("user dashboard\ntopic read $SYS/#\n")
    assert files.add("gw-02")["rules_added"] == []
    files.call("remove", "gw-01")
    lines = files.passwords().splitlines()
    assert [line.split(":")[0] for line in lines] == ["dashboard", "gw-02"]
    assert passwd.stat().st_mode & 0o777 == 0o640
    assert passwd.stat().st_uid == os.getuid()


@pytest.mark.parametrize("name", ["g", "-gw", "GW-01", "gw_01", "gw/01", "g" * 64, INGEST, "gw:1"])
def test_a_name_that_could_not_stand_in_a_topic_is_refused(files: Files, name: str) -> None:
    """With a slash or a colon it could become somebody else's topic, or somebody else's line."""
    answer = CliRunner().invoke(
        app,
        ["gateway", "add", "--site", SITE, "--sites", str(files.sites),
         "--out", str(files.folder), "--", name],
    )  # fmt: skip
    assert answer.exit_code != 0
    assert "expected 3 to 63 of a-z" in str(answer.exception)
    assert not (files.folder / "inaisle.passwd").exists()


def test_a_gateway_has_one_account_and_one_site(files: Files) -> None:
    """A second one would take over the first one's line; its readings would be of two shops."""
    files.add("gw-01")
    before = files.passwords()
    where = ["--sites", str(files.sites), "--out", str(files.folder)]
    again = CliRunner().invoke(app, ["gateway", "add", "gw-01", "--site", SITE, *where])
    assert "has an account already, at thin-1" in str(again.exception)
    strange = CliRunner().invoke(app, ["gateway", "add", "gw-09", "--site", "moon", *where])
    assert "site is 'moon', which is not in" in str(strange.exception)
    assert files.passwords() == before


def test_a_gateway_that_the_map_does_not_name_is_told_how_to_get_there(files: Files) -> None:
    """It would publish for weeks, be counted, and move nobody."""
    where = ("--site", SITE, "--sites", str(files.sites))
    assert "no anchor of" not in files.call("add", "gw-01", *where)
    said = files.call("add", "gw-77", *where)
    assert '"gateway": "gw-77"' in said
    assert "mosquitto" in said
    rows = json.loads(files.call("list", "--json"))
    assert [(row["gateway"], row["site"], row["has_account"]) for row in rows] == [
        ("gw-01", SITE, True),
        ("gw-77", SITE, True),
    ]
