"""A store that locates and a chain that offers, joined by the chain's log; and a store alone."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from rtls.model.fix_frame import unpack_fixes
from rtls.model.visit import DwellReached
from rtls.model.visit_json import parse_event
from tests.breakable_line import BreakableLine
from tests.conftest import Server
from tests.end_to_end.running_service import (
    TAG,
    App,
    ServeProcess,
    ShopFiles,
    ShopOnAir,
    instant_ms,
)
from tests.kafka_broker import KafkaBroker, make_server
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timed]
DWELL_S = 6.0
LATENESS_MS = 500  # an epoch waits for late readings
OFFERED_MS_MAX = 1_000
KEY = "demo/0"


def chain_settings(brokers: str, prefix: str) -> Mapping[str, str]:
    return {
        "INAISLE__CHAIN__BROKERS": brokers,
        "INAISLE__CHAIN__TOPIC_PREFIX": prefix,
        "INAISLE__CHAIN__PARTITIONS": "3",
    }


def dwells(broker: KafkaBroker, prefix: str) -> list[DwellReached]:
    """The dwell events in the log, when there is one."""
    read = broker.read(
        f"{prefix}events",
        lambda found: any(b'"dwell_reached"' in one.value for one in found),
        within_s=20.0,
    )
    assert {one.key for one in read} == {KEY}
    events = [parse_event(one.value) for one in read]
    return [event for event in events if isinstance(event, DwellReached)]


def check_fixes(broker: KafkaBroker, prefix: str) -> None:
    """Where he was is in the log, once a second."""
    read = broker.read(f"{prefix}fixes", lambda found: len(found) >= 5, within_s=20.0)
    instants = []
    for one in read:
        fixes, tags = unpack_fixes(one.value)
        assert (one.key, tags) == (KEY, (TAG,))
        instants.append(fixes.at_ms // 1000)
    assert len(instants) == len(set(instants)) >= 5


def test_what_a_store_tells_is_offered_by_the_chain_within_a_second_and_redeemed(
    tmp_path: Path,
    mosquitto: Server,
    redis_server: Server,
    kafka_broker: KafkaBroker,
    topic_prefix: str,
) -> None:
    """Entry, dwell, offer, coupon: the founding scene, with a log between radio and persons."""
    files = ShopFiles.write(tmp_path, dwell_s=DWELL_S)
    settings = chain_settings(kafka_broker.brokers, topic_prefix)

    def half(role: str) -> ServeProcess:
        return ServeProcess(
            files,
            data=tmp_path / role,
            broker=mosquitto,
            role=role,
            redis=redis_server,
            settings=settings,
        )

    with (
        half("offers") as offers,
        half("locate") as locate,
        App(offers.address) as app,
        ShopOnAir(files, folder=tmp_path, broker=mosquitto) as shop,
    ):
        wait_until(lambda: "visits from the chain" not in offers.degraded(), "the log's group")
        wait_until(lambda: "events to the chain" not in locate.degraded(), "the line to the log")
        shop.let_come()
        _, offer = app.wait_for_offer()
        [dwell] = dwells(kafka_broker, topic_prefix)
        waited_ms = instant_ms(offer["issued_at"]) - dwell.evidence_at_ms
        assert 0 <= waited_ms <= LATENESS_MS + OFFERED_MS_MAX, waited_ms
        status, receipt = offers.redeem(app.coupon_code(), key="chain-till-0001")
        assert status == 201, receipt
        assert json.loads(receipt)["discount"] == {"amount_minor": 200, "currency": "EUR"}
        app.assert_one_offer()
        check_fixes(kafka_broker, topic_prefix)
        # Nobody would read what Redis held of the events.
        assert locate.metric("inaisle_events_published_total") == 0
        assert offers.metric("inaisle_chain_visits_read_total") >= 2
        for process in (locate, offers):
            status, took_s = process.stop()
            assert (status, took_s < 10.0) == (0, True), process.told()


@pytest.mark.long
def test_a_store_without_its_chain_goes_on_offering_and_tells_all_of_it_afterwards(
    tmp_path: Path, mosquitto: Server
) -> None:
    """The line is down when the doors open; health says so, and no shopper notices."""
    files = ShopFiles.write(tmp_path, dwell_s=DWELL_S)
    with BreakableLine() as line:
        brokers = f"127.0.0.1:{line.port}"
        service = ServeProcess(
            files,
            data=tmp_path / "data",
            broker=mosquitto,
            settings=chain_settings(brokers, "chain."),
        )
        with (
            service,
            App(service.address) as app,
            ShopOnAir(files, folder=tmp_path, broker=mosquitto) as shop,
        ):
            wait_until(lambda: "events to the chain" in service.degraded(), "a warning")
            assert service.readiness()[0] == 200
            shop.let_come()
            app.wait_for_offer()
            assert service.metric("inaisle_chain_spool_waiting") > 2
            assert service.metric("inaisle_chain_sent_total") == 0
            server = make_server(tmp_path, reached_at=line.port)
            server.start()
            line.to_port = server.port
            try:
                wait_until(lambda: "events to the chain" not in service.degraded(), "the line")
                assert [one.tag for one in dwells(KafkaBroker(brokers), "chain.")] == [TAG]
                check_fixes(KafkaBroker(brokers), "chain.")
                app.assert_one_offer()
                status, took_s = service.stop()
                assert (status, took_s < 10.0) == (0, True), service.told()
            finally:
                server.stop()
