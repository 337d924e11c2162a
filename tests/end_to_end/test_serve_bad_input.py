"""What a broken or hostile gateway sends is put aside; what comes behind it is located."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import REPOSITORY, Server
from tests.end_to_end.running_service import (
    TAG,
    App,
    ServeProcess,
    ShopFiles,
    ShopOnAir,
    now_ms,
)
from tests.waiting import wait_until

TOPIC = "inaisle/v1/gw/gw-01/up"
OTHER_BOOT = "00000000deadbeef"  # of no start of the simulated gateway
PUBLISH_S_MAX = 30.0
COUNTERS = "inaisle_reception_"


def message(seq: int, **changes: object) -> bytes:
    """A good message but for the changes."""
    whole = {"v": 1, "boot": OTHER_BOOT, "seq": seq, "low": seq, "t": now_ms()} | changes
    return json.dumps(whole).encode()


def reading(value: float = 4.0, *, anchor: str = "u01", tag: str = TAG) -> dict[str, object]:
    return {"a": anchor, "id": tag, "k": "range", "v": value, "sd": 0.1}


def reasons_and_payloads() -> list[tuple[str, bytes]]:
    """Why each is put aside, and what is sent."""
    good = message(1, obs=[reading()])
    return [
        ("malformed", b"\xff\x00"),
        ("not_utf8", good.replace(b"tag:", b"\xe2\x28\xa1:")),
        ("malformed", good[: len(good) // 2]),
        ("malformed", message(2, obs=[reading(float("nan"))])),
        ("malformed", message(3, obs=[reading(float("inf"))])),
        ("wrong_shape", message(4, obs=[reading(1e12)])),
        ("too_deep", b'{"pad":' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
        ("too_large", message(5, obs=[reading()], pad="x" * 70_000)),
    ]


@contextmanager
def raw_client(broker: Server) -> Iterator[paho.Client]:
    client = paho.Client(CallbackAPIVersion.VERSION2, "stranger", protocol=paho.MQTTv5)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(client: paho.Client, payload: bytes) -> None:
    client.publish(TOPIC, payload, qos=1).wait_for_publish(PUBLISH_S_MAX)


@pytest.fixture
def generous_broker(mosquitto: Server) -> Server:
    """A broker whose operator has forgotten to limit the size of messages."""
    file = mosquitto.folder / "mosquitto.conf"
    file.write_text(file.read_text().replace("max_packet_size 65536", "max_packet_size 1000000"))
    mosquitto.stop()
    mosquitto.start()
    return mosquitto


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timed
def test_bad_messages_are_counted_and_those_behind_them_are_located(
    tmp_path: Path, generous_broker: Server
) -> None:
    """One exception out of the decoder would end locating for the whole shop."""
    files = ShopFiles.write(tmp_path, dwell_s=60.0)
    with (
        ServeProcess(files, data=tmp_path / "data", broker=generous_broker) as service,
        App(service.address),
        ShopOnAir(files, folder=tmp_path, broker=generous_broker) as shop,
        raw_client(generous_broker) as stranger,
    ):
        sent = reasons_and_payloads()
        for _, payload in sent:
            publish(stranger, payload)
        strangers = [reading(anchor=f"a{number}") for number in range(500)]
        publish(stranger, message(6, obs=strangers))
        unpaired = [reading(tag=f"tag:{number}") for number in range(400)]
        publish(stranger, message(7, obs=unpaired))
        wait_until(
            lambda: service.metric(f"{COUNTERS}readings_received_total") >= 900, "the last of them"
        )
        check_counters(service, [reason for reason, _ in sent])

        shop.let_come()
        shop.wait_until_he_stands()
        wait_until(lambda: service.heard_tags() == [TAG], "the shopper's place")
        shop.wait_until_spools_are_empty()
        received = service.metric(f"{COUNTERS}readings_received_total")
        assert received == shop.counts().readings + 900, "a reading behind them was lost"
        assert service.stop()[0] == 0


def check_counters(service: ServeProcess, reasons: list[str]) -> None:
    found = service.metrics()
    for reason in set(reasons):
        counted = found[f"{COUNTERS}quarantined_{reason}_total"]
        assert counted == reasons.count(reason), f"{reason}\n{found}"
    assert found[f"{COUNTERS}messages_quarantined_total"] == len(reasons)
    assert found[f"{COUNTERS}readings_unknown_anchor_total"] == 500
    assert found[f"{COUNTERS}readings_not_admitted_total"] == 400
    assert found[f"{COUNTERS}tags_known_total"] == 0, "a stranger took a place in memory"


@pytest.mark.slow
def test_a_site_map_that_cannot_work_is_refused_in_one_line(tmp_path: Path) -> None:
    """Whoever drew the plan must know which feature to mend, and how; nothing starts before."""
    files = ShopFiles.write(tmp_path, dwell_s=6.0)
    site = json.loads(files.site_map.read_text(encoding="utf-8"))
    [zone] = [feature for feature in site["features"] if feature["id"] == "dowels"]
    (a, b, c, d, *_) = zone["geometry"]["coordinates"][0]
    zone["geometry"]["coordinates"] = [[a, c, b, d, a]]  # a bow tie
    files.site_map.write_text(json.dumps(site), encoding="utf-8")
    data = tmp_path / "data"
    command = [sys.executable, "-m", "inaisle", "serve", "--data", str(data), "--port", "0"]
    refused = subprocess.run(
        command,
        env={"PATH": "/usr/bin", "INAISLE__SITE__MAP": str(files.site_map)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert refused.returncode == 3, refused.stderr
    [line] = refused.stderr.splitlines()
    assert str(files.site_map) in line
    assert "dowels" in line
    assert "Draw" in line, line
    assert not (data / "offers.sqlite").exists()
