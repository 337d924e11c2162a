"""inaisle record beside a running service: over a real broker, into a folder that calibrates."""

import csv
import json
import threading
from pathlib import Path

import pytest

from inaisle.cli import app, run_guarded
from inaisle.clock import SystemClock
from inaisle.errors import ExitStatus
from tests.conftest import Server
from tests.scenario.mqtt_station import Station

pytestmark = pytest.mark.broker


def test_a_point_is_recorded_from_the_live_broker(
    mosquitto: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a manager does: stand, type one line, walk on. The demo's map, one UWB tag."""
    folder = tmp_path / "survey"
    arguments = [
        "record", str(folder), "--seconds", "2", "--tag", "tag:staff", "--at", "12.0,10.0",
        "--broker", f"127.0.0.1:{mosquitto.port}", "--json",
    ]  # fmt: skip
    status: list[int] = []
    command = threading.Thread(
        target=lambda: status.append(
            run_guarded(lambda: app(arguments, prog_name="inaisle", standalone_mode=False))
        )
    )
    gateway = Station(mosquitto.port, client_id="gw-01")
    command.start()
    seq, clock = 0, SystemClock()
    while command.is_alive():
        payload = {
            "v": 1, "boot": "6f2c9a10b7e4d853", "seq": seq, "t": clock.now_ms(),
            "obs": [{"a": "u01", "id": "tag:staff", "k": "range", "v": 8.9, "dt": 0},
                    {"a": "u01", "id": "tag:shopper", "k": "range", "v": 3.0, "dt": 0}],
        }  # fmt: skip
        gateway.say("inaisle/v1/gw/gw-01/up", json.dumps(payload).encode())
        seq += 1
        gateway.turn(0.05)
    command.join()
    gateway.close()
    assert status == [ExitStatus.DONE]
    told = json.loads(capsys.readouterr().out)
    assert set(told["readings"]) == {"tag:staff"}
    with (folder / "readings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == told["readings"]["tag:staff"] >= 5
    assert {row["tag"] for row in rows} == {"tag:staff"}
    with (folder / "points.csv").open() as file:
        (point,) = csv.DictReader(file)
    assert (point["x"], point["y"], point["session"]) == ("12.0", "10.0", "s1")
    assert (folder / "site.geojson").is_file()
