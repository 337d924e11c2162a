"""A broker that goes away for a moment costs a delay: no reading, no dwell, no second offer."""

from pathlib import Path

import pytest

from tests.conftest import Server
from tests.end_to_end.running_service import (
    TAG,
    App,
    ServeProcess,
    ShopFiles,
    ShopOnAir,
    instant_ms,
    now_ms,
    wait_until_ms,
)
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timed]
DWELL_S = 5.0
AWAY_MS = 2_000
FLOWING_AGAIN_S = 20.0  # scenario/test_ingest_mqtt.py, which runs alone, holds it to five
LATENESS_MS = 500
SLACK_MS = 10_000


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_after_a_restart_of_the_broker_all_flows_again(
    tmp_path: Path, mosquitto: Server, how: str
) -> None:
    """Killed, it forgets sessions and queued messages too: only the gateways' spools hold them."""
    files = ShopFiles.write(tmp_path, dwell_s=DWELL_S)
    with (
        ServeProcess(files, data=tmp_path / "data", broker=mosquitto) as service,
        App(service.address) as app,
        ShopOnAir(files, folder=tmp_path, broker=mosquitto) as shop,
    ):
        shop.let_come()
        stood_from_ms = shop.wait_until_he_stands()
        wait_until(lambda: service.heard_tags() == [TAG], "the shopper's place")
        mosquitto.kill() if how == "kill" else mosquitto.stop()
        wait_until_ms(now_ms() + AWAY_MS)
        assert service.heard_tags() == []
        assert "broker" in service.degraded()
        mosquitto.start()
        back_at_ms = now_ms()
        wait_until(
            lambda: service.heard_tags() == [TAG],
            "fixes again",
            timeout_s=FLOWING_AGAIN_S,
        )
        _, offer = app.wait_for_offer()
        issued_at_ms = instant_ms(offer["issued_at"])
        in_time_ms = max(
            stood_from_ms + DWELL_S * 1000 + LATENESS_MS, back_at_ms + FLOWING_AGAIN_S * 1000
        )
        assert stood_from_ms + DWELL_S * 1000 <= issued_at_ms <= in_time_ms + SLACK_MS
        shop.wait_until_spools_are_empty()
        found = service.metrics()
        assert found["inaisle_reception_readings_received_total"] == shop.counts().readings
        assert found["inaisle_reception_readings_too_late_total"] == 0
        assert found["inaisle_reception_messages_given_up_total"] == 0
        app.assert_one_offer()
