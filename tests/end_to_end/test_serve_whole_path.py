"""One process, all of it real: from ranges over a broker to a coupon redeemed at the till."""

import json
from pathlib import Path

import pytest

from rtls.publish.visit_journal import VisitJournal
from tests.conftest import Server
from tests.end_to_end.running_service import (
    App,
    ServeProcess,
    ShopFiles,
    ShopOnAir,
    instant_ms,
)
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timed]
DWELL_S = 6.0
LATENESS_MS = 500  # an epoch waits for late readings
SLACK_MS = 10_000  # a tick, two transactions, a socket: here a tenth of a second


def test_who_stands_long_enough_gets_one_offer_and_redeems_it_once(
    tmp_path: Path, mosquitto: Server
) -> None:
    """The reason why the product exists, as an operator starts it; then it ends in good order."""
    files = ShopFiles.write(tmp_path, dwell_s=DWELL_S)
    with (
        ServeProcess(files, data=tmp_path / "data", broker=mosquitto) as service,
        App(service.address) as app,
        ShopOnAir(files, folder=tmp_path, broker=mosquitto) as shop,
    ):
        shop.let_come()
        stood_from_ms = shop.wait_until_he_stands()
        at_ms, offer = app.wait_for_offer()
        assert instant_ms(offer["issued_at"]) - stood_from_ms >= DWELL_S * 1000
        assert at_ms - stood_from_ms <= DWELL_S * 1000 + LATENESS_MS + SLACK_MS
        assert shop.stay().left_at_ms is None
        app.check_the_way()
        redeem_at_the_till(service, app)
        check_metrics(service, shop)
        app.assert_one_offer()
        status, took_s = service.stop()
        assert status == 0, service.told()
        assert took_s < 10.0
    check_records(tmp_path / "data" / "visits")


def redeem_at_the_till(service: ServeProcess, app: App) -> None:
    code = app.coupon_code()
    status, receipt = service.redeem(code, key="till-1-basket-0001")
    assert status == 201, receipt
    assert json.loads(receipt)["discount"] == {"amount_minor": 200, "currency": "EUR"}
    assert service.redeem(code, key="till-1-basket-0001") == (201, receipt), "the lost answer"
    status, problem = service.redeem(code, key="till-1-basket-0002")
    assert (status, json.loads(problem)["code"]) == (422, "refused"), problem


def check_records(folder: Path) -> None:
    """He stands at the shelf yet, but has come from the entrance: reports can read it."""
    journal = VisitJournal(folder, new_id=lambda: "a-new-one", report=pytest.fail)
    records = [record for _, record in journal.read(after=0, limit=1000)]
    journal.close()
    assert records, "nothing was recorded of a shopper who walked through the shop"
    assert len({record.event_id for record in records}) == len(records)


def check_metrics(service: ServeProcess, shop: ShopOnAir) -> None:
    shop.wait_until_spools_are_empty()
    wait_until(
        lambda: (
            service.metric("inaisle_reception_readings_received_total") == shop.counts().readings
        ),
        "every reading that was heard",
    )
    found = service.metrics()
    assert found["inaisle_fixes_total"] > 10 * DWELL_S / 2
    assert found["inaisle_visits_total"] >= 1
    assert found["inaisle_reception_messages_quarantined_total"] == 0
    assert found["inaisle_part_ok"] == len(
        [
            "anchors",
            "locating",
            "broker",
            "database",
            "messages",
            "relay",
            "visit-records",
            "history",
            "products",
            "ways",
            "reviews",
            "site map",
            "calibration",
        ]
    )
