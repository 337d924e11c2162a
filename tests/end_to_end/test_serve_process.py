"""The served program as a process: ready, stopped, guarded, ended where a part breaks."""

import json
from pathlib import Path

import pytest

from inaisle.simulation.app_client import ApiClient, RefusedByApi
from tests.conftest import Server, pick_free_port
from tests.end_to_end.served_shop import Crowd, Service, pair_a_trolley, write_config
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timed]


def service_of(folder: Path, mosquitto: Server) -> Service:
    return Service(
        write_config(folder),
        data=folder / "data",
        port=pick_free_port(),
        broker_port=mosquitto.port,
    )


def test_a_stop_is_graceful_and_a_restart_goes_on(tmp_path: Path, mosquitto: Server) -> None:
    """A supervisor sends SIGTERM: status 0 within 10 s, keys and state are kept."""
    with service_of(tmp_path, mosquitto) as service:
        keys = json.loads((service.data / "keys.json").read_text())
        assert (service.data / "keys.json").stat().st_mode & 0o077 == 0
        status, took_s = service.stop()
        assert (status, took_s < 10.0) == (0, True)
        service.start()
        assert json.loads((service.data / "keys.json").read_text()) == keys
        assert '"resumed": true' in service.told()
        with ApiClient(service.address, token=keys["staff"]) as staff:
            parts = staff.get("/v1/operator/health")
        assert parts["is_ready"] is True
        for secret in keys.values():
            assert secret not in service.told()


def test_live_fixes_are_for_operators_only(tmp_path: Path, mosquitto: Server) -> None:
    """Where a tag is now is nobody else's business."""
    with service_of(tmp_path, mosquitto) as service:
        keys = json.loads((service.data / "keys.json").read_text())
        pair_a_trolley(service.address)
        with Crowd(tmp_path / "test.toml", mosquitto.port) as crowd:
            crowd.let_stand(30)
            with ApiClient(service.address, token=keys["staff"]) as staff:
                wait_until(lambda: bool(staff.get("/v1/operator/fixes").get("locations")), "a fix")
        for token, status in ((keys["till"], "403"), (None, "401")):
            caller = ApiClient(service.address, token=token)
            with caller, pytest.raises(RefusedByApi, match=status):
                caller.get("/v1/operator/fixes")


def test_a_crash_of_a_part_ends_the_process_with_status_1(
    tmp_path: Path, mosquitto: Server
) -> None:
    """Half alive is worse than dead: a supervisor starts it anew, nobody sees it otherwise."""
    with service_of(tmp_path, mosquitto) as service:
        snapshots = service.data / "snapshots"
        snapshots.rename(snapshots.with_name("gone"))
        snapshots.write_text("a file where the folder was")
        pair_a_trolley(service.address)
        with Crowd(tmp_path / "test.toml", mosquitto.port):
            assert service._child is not None
            assert service._child.wait(30) == 1
        assert "could not be saved" in service.told()
