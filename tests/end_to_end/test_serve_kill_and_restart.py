"""kill -9 of the service in the middle of a visit costs neither dwell nor a second offer."""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.end_to_end.running_service import (
    ZONE,
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
DWELL_S = 10.0
STOOD_S = 5.0  # at the kill
# A stay that went on began before this, one that was begun anew after it: before the kill the
# service acknowledges what is in a snapshot, twice a second. Both in the time of the readings, so
# that it does not matter how long the machine takes to start the service again.
FORGOTTEN_MS = 2_500
SHORT_DWELL_S = 3.0
RECOVERY_HOLD_MS = 2_500  # after the first message, for the spools; the default of the settings
SLACK_MS = 1_500  # connecting, ticks, transactions of a busy machine
# The gateways share the machine with the service here; on a busy one they need longer than the
# default to send what they have kept, and what comes too late for its turn may cost the offer.
PATIENT = {"INAISLE__RECEPTION__RECOVERY_HOLD_MS": "8000"}


def stays_at_the_dowels(service: ServeProcess) -> list[int]:
    """When he came, in the time of the readings, each time that the service says he did."""
    file = f"file:{service.data / 'offers.sqlite'}?mode=ro"
    with closing(sqlite3.connect(file, uri=True, timeout=10.0)) as database:
        said = "SELECT entered_at_ms FROM visits WHERE zone = ? ORDER BY entered_at_ms"
        return [entered_at_ms for (entered_at_ms,) in database.execute(said, (ZONE,))]


@contextmanager
def open_shop(
    folder: Path, broker: Server, *, dwell_s: float, settings: Mapping[str, str] = {}
) -> Iterator[tuple[ServeProcess, App, ShopOnAir]]:
    files = ShopFiles.write(folder, dwell_s=dwell_s)
    with (
        ServeProcess(files, data=folder / "data", broker=broker, settings=settings) as service,
        App(service.address) as app,
        ShopOnAir(files, folder=folder, broker=broker) as shop,
    ):
        shop.let_come()
        yield service, app, shop


def test_killed_in_the_middle_of_a_visit_the_dwell_goes_on_from_the_snapshot(
    tmp_path: Path, mosquitto: Server
) -> None:
    """The shopper neither stands his time again nor gets two offers for one stand."""
    with open_shop(tmp_path, mosquitto, dwell_s=DWELL_S, settings=PATIENT) as (service, app, shop):
        stood_from_ms = shop.wait_until_he_stands()
        wait_until_ms(stood_from_ms + STOOD_S * 1000)
        service.kill()
        assert app.offers == {}, "killed too late to see anything"
        service.start()
        _, offer = app.wait_for_offer()
        assert instant_ms(offer["issued_at"]) - stood_from_ms >= DWELL_S * 1000
        [entered_at_ms] = stays_at_the_dowels(service)
        assert entered_at_ms < stood_from_ms + FORGOTTEN_MS, "it began anew"
        shop.wait_until_spools_are_empty()
        assert service.metric("inaisle_reception_readings_too_late_total") == 0
        app.assert_one_offer()


def test_without_its_snapshot_the_dwell_begins_anew(tmp_path: Path, mosquitto: Server) -> None:
    """The control of the test above: the same kill, and the same measure says the contrary."""
    with open_shop(tmp_path, mosquitto, dwell_s=DWELL_S) as (service, _, shop):
        stood_from_ms = shop.wait_until_he_stands()
        wait_until_ms(stood_from_ms + STOOD_S * 1000)
        service.kill()
        shutil.rmtree(service.data / "snapshots")
        service.start()
        wait_until(lambda: len(stays_at_the_dowels(service)) == 2, "a second stay")
        entered_at_ms = stays_at_the_dowels(service)[-1]
        assert entered_at_ms >= stood_from_ms + FORGOTTEN_MS


def test_killed_right_after_the_offer_there_is_no_second_one(
    tmp_path: Path, mosquitto: Server
) -> None:
    """The engine may say again what it had said before its last snapshot: nobody pays twice."""
    with open_shop(tmp_path, mosquitto, dwell_s=SHORT_DWELL_S) as (service, app, shop):
        app.wait_for_offer()
        service.kill()
        service.start()
        ready_at_ms = now_ms()
        code = app.coupon_code()
        status, receipt = service.redeem(code, key="basket-after-kill-1")
        assert status == 201, receipt
        status, problem = service.redeem(code, key="basket-after-kill-2")
        assert (status, json.loads(problem)["code"]) == (422, "refused")
        # Long enough for a dwell that had begun anew, seen by an engine that has caught up.
        wait_until_ms(ready_at_ms + RECOVERY_HOLD_MS + SHORT_DWELL_S * 1000 + SLACK_MS)
        wait_until(lambda: service.metric("inaisle_event_lag_seconds") < 1.5, "live fixes")
        assert shop.stay().left_at_ms is None
        app.assert_one_offer()
        assert service.redeem(code, key="basket-after-kill-1") == (201, receipt)
