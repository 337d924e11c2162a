"""Locating and offers as two processes: losing Redis costs freshness, never an offer or money."""

import json
from pathlib import Path

import pytest

from inaisle.simulation.app_client import ApiClient
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
# Other parts may be degraded: of a trolley without any noise a range repeats, as of a stale anchor.
DWELL_S = 6.0
BACK_WITHIN_MS = 20_000  # until both halves have connected and read on; some 3 s if undisturbed


def test_redis_killed_in_the_middle_of_a_visit_costs_no_offer_and_no_redemption(
    tmp_path: Path, mosquitto: Server, redis_server: Server
) -> None:
    """It is down when the dwell is reached, and comes back empty; later it is down at the till."""
    files = ShopFiles.write(tmp_path, dwell_s=DWELL_S)

    def half(role: str) -> ServeProcess:
        return ServeProcess(
            files, data=tmp_path / role, broker=mosquitto, role=role, redis=redis_server
        )

    with (
        half("offers") as offers,
        half("locate") as locate,
        App(offers.address) as app,
        ShopOnAir(files, folder=tmp_path, broker=mosquitto) as shop,
    ):
        shop.let_come()
        stood_from_ms = shop.wait_until_he_stands()
        wait_until(lambda: offers.heard_tags() == [TAG], "his place, on the operator's page")
        app.check_the_way()
        redis_server.kill()
        wait_until(lambda: "events to redis" in locate.degraded(), "a warning of locating")
        wait_until(lambda: "visits from redis" in offers.degraded(), "a warning of offers")
        assert (locate.readiness()[0], offers.readiness()[0]) == (200, 200)
        assert reason_of("visits from redis", offers)
        wait_until_ms(stood_from_ms + DWELL_S * 1000 + 1_000)
        assert app.offers == {}, "it was not down when the dwell was reached"
        redis_server.start()
        back_at_ms = now_ms()
        _, offer = app.wait_for_offer()
        assert instant_ms(offer["issued_at"]) <= back_at_ms + BACK_WITHIN_MS
        wait_until(lambda: offers.heard_tags() == [TAG], "his place again")
        wait_until(lambda: "events to redis" not in locate.degraded(), "locating well again")
        wait_until(lambda: "visits from redis" not in offers.degraded(), "offers well again")

        redis_server.kill()
        check_the_till(offers, app)
        shop.wait_until_spools_are_empty()
        assert locate.metric("inaisle_reception_readings_received_total") == shop.counts().readings
        app.assert_one_offer()
        for process in (locate, offers):
            status, took_s = process.stop()
            assert (status, took_s < 10.0) == (0, True), process.told()


def reason_of(part: str, process: ServeProcess) -> str:
    """Why a part does not work, as the operator may know."""
    with ApiClient(process.address, token=process.keys["staff"]) as staff:
        parts = staff.get("/v1/operator/health")["parts"]
    assert isinstance(parts, list)
    [reason] = [found["reason"] for found in parts if found["part"] == part]
    return str(reason or "")


def check_the_till(offers: ServeProcess, app: App) -> None:
    code = app.coupon_code()
    status, receipt = offers.redeem(code, key="without-redis-0001")
    assert status == 201, receipt
    assert offers.redeem(code, key="without-redis-0001") == (201, receipt)
    status, problem = offers.redeem(code, key="without-redis-0002")
    assert (status, json.loads(problem)["code"]) == (422, "refused")
