"""The served program as a process: ready, stopped, killed in the middle, split in two."""

import json
import time
from pathlib import Path

import pytest

from inaisle.app_client import ApiClient, RefusedByApi
from tests.conftest import Server, pick_free_port
from tests.end_to_end.served_shop import DWELL_S, App, Crowd, Service, wait_until, write_config

pytestmark = [pytest.mark.slow, pytest.mark.broker]
OFFER_S = 20.0


def service_of(folder: Path, mosquitto: Server, **options) -> Service:
    return Service(
        write_config(folder),
        data=folder / "data",
        port=pick_free_port(),
        broker_port=mosquitto.port,
        **options,
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
        with App(service.address), Crowd(tmp_path / "test.toml", mosquitto.port) as crowd:
            crowd.let_stand(30)
            with ApiClient(service.address, token=keys["staff"]) as staff:
                wait_until(
                    lambda: bool(staff.get("/v1/operator/fixes").get("locations")), 30, "a fix"
                )
        for token, status in ((keys["till"], "403"), (None, "401")):
            caller = ApiClient(service.address, token=token)
            with caller, pytest.raises(RefusedByApi, match=status):
                caller.get("/v1/operator/fixes")


def test_killed_in_the_middle_of_a_visit_the_dwell_goes_on_and_one_offer_is_made(
    tmp_path: Path, mosquitto: Server
) -> None:
    """Kill -9 after half of the dwell: what was missed comes from the gateways' spools."""
    with service_of(tmp_path, mosquitto) as service:
        crowd = Crowd(tmp_path / "test.toml", mosquitto.port)
        with App(service.address) as app, crowd:
            crowd.let_stand(40)
            stood_from_ms = crowd.wait_until_standing()
            time.sleep(DWELL_S / 2)
            service.kill()
            service.start()
            wait_until(lambda: bool(app.offers), OFFER_S, f"an offer\n{service.told()}")
            assert crowd.stay().left_at_ms is None
            assert app.instants_ms[0] - stood_from_ms >= DWELL_S * 1000
            time.sleep(3.0)
            assert len([o for o in app.all_offers() if o["coupon"] is not None]) == 1


def test_a_crash_of_a_part_ends_the_process_with_status_1(
    tmp_path: Path, mosquitto: Server
) -> None:
    """Half alive is worse than dead: a supervisor starts it anew, nobody sees it otherwise."""
    with service_of(tmp_path, mosquitto) as service:
        snapshots = service.data / "snapshots"
        snapshots.rename(snapshots.with_name("gone"))
        snapshots.write_text("a file where the folder was")
        crowd = Crowd(tmp_path / "test.toml", mosquitto.port)
        with App(service.address), crowd:
            assert service._child is not None
            assert service._child.wait(30) == 1
        assert "could not be saved" in service.told()


def test_two_processes_over_redis_make_the_same_offer(
    tmp_path: Path, mosquitto: Server, redis_server: Server
) -> None:
    """Locating and offers apart, joined by a stream, a set of tags and nothing else."""
    config = write_config(tmp_path, redis_port=redis_server.port)

    def half(role: str) -> Service:
        return Service(
            config,
            data=tmp_path / role,
            port=pick_free_port(),
            broker_port=mosquitto.port,
            role=role,
        )

    with half("offers") as offers, half("locate") as locate:
        crowd = Crowd(config, mosquitto.port)
        with App(offers.address) as app, crowd:
            crowd.let_stand(40)
            stood_from_ms = crowd.wait_until_standing()
            wait_until(lambda: bool(app.offers), OFFER_S, f"an offer\n{locate.told()}")
            assert app.instants_ms[0] - stood_from_ms >= DWELL_S * 1000
            keys = json.loads((offers.data / "keys.json").read_text())
            with ApiClient(offers.address, token=keys["staff"]) as staff:
                assert staff.get("/v1/operator/fixes")["locations"]
        assert locate.stop()[0] == 0
        assert offers.stop()[0] == 0
