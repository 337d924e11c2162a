"""kill -9 of the service in the middle of a visit costs neither dwell nor a second offer."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.end_to_end.running_service import (
    App,
    ServeProcess,
    ShopFiles,
    ShopOnAir,
    instant_ms,
    now_ms,
    wait_until,
    wait_until_ms,
)

pytestmark = [pytest.mark.slow, pytest.mark.broker]
DWELL_S = 12.0
STOOD_S = 6.0  # at the kill: enough of the dwell that one begun anew ends much later
SHORT_DWELL_S = 3.0
# Before the kill the service acknowledges what is in a snapshot, twice a second; so a dwell that
# begins anew begins at most this long before the kill, with a margin for a slow disk.
FORGOTTEN_MS = 1_500
RECOVERY_HOLD_MS = 2_500  # after the first message, for the spools; the default of the settings
LATENESS_MS = 500
SLACK_MS = 1_500  # connecting, ticks, transactions of a busy machine


@contextmanager
def open_shop(
    folder: Path, broker: Server, *, dwell_s: float
) -> Iterator[tuple[ServeProcess, App, ShopOnAir]]:
    files = ShopFiles.write(folder, dwell_s=dwell_s)
    with (
        ServeProcess(files, data=folder / "data", broker=broker) as service,
        App(service.address) as app,
        ShopOnAir(files, folder=folder, broker=broker) as shop,
    ):
        shop.let_come()
        yield service, app, shop


def test_killed_in_the_middle_of_a_visit_the_dwell_goes_on_from_the_snapshot(
    tmp_path: Path, mosquitto: Server
) -> None:
    """The shopper neither stands his time again nor gets two offers for one stand."""
    with open_shop(tmp_path, mosquitto, dwell_s=DWELL_S) as (service, app, shop):
        stood_from_ms = shop.wait_until_he_stands()
        wait_until_ms(stood_from_ms + STOOD_S * 1000)
        service.kill()
        killed_at_ms = now_ms()
        assert app.offers == {}, "killed too late to see anything"
        service.start()
        ready_at_ms = now_ms()
        _, offer = app.wait_for_offer()
        issued_at_ms = instant_ms(offer["issued_at"])
        assert issued_at_ms - stood_from_ms >= DWELL_S * 1000
        in_time_ms = max(
            stood_from_ms + DWELL_S * 1000 + LATENESS_MS, ready_at_ms + RECOVERY_HOLD_MS
        )
        assert issued_at_ms <= in_time_ms + SLACK_MS
        assert issued_at_ms < killed_at_ms + DWELL_S * 1000 - FORGOTTEN_MS, "it began anew"
        shop.wait_until_spools_are_empty()
        assert service.metric("inaisle_reception_readings_too_late_total") == 0
        app.assert_one_offer()


def test_without_its_snapshot_the_dwell_begins_anew(tmp_path: Path, mosquitto: Server) -> None:
    """The control of the test above: the same kill, and its bound on the time is not met."""
    with open_shop(tmp_path, mosquitto, dwell_s=DWELL_S) as (service, app, shop):
        stood_from_ms = shop.wait_until_he_stands()
        wait_until_ms(stood_from_ms + STOOD_S * 1000)
        service.kill()
        killed_at_ms = now_ms()
        shutil.rmtree(service.data / "snapshots")
        service.start()
        _, offer = app.wait_for_offer(timeout_s=40.0)
        issued_at_ms = instant_ms(offer["issued_at"])
        assert issued_at_ms >= killed_at_ms + DWELL_S * 1000 - FORGOTTEN_MS


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
