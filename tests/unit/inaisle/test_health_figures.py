"""The health page in numbers: what it says, what it forgets, and what it says where it cannot."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest

from inaisle.service.health_figures import health_figures
from inaisle.service.locating_side import LocatingSide
from inaisle.service.metrics import LocatingMetrics, OfferTimes
from inaisle.service.recent_times import KEPT_MAX, KEPT_S, RecentCount, RecentTimes
from offers.visit_feed.visit_feed import VisitFeed
from rtls.api.figures_routes import figures_router
from rtls.api.metrics import GatewayCollector
from rtls.ingest.gateway_tally import GatewayTally
from rtls.model.units import GatewayId, TagId, UnixMs
from rtls.ports import GatewayHeard
from rtls.storage.live_state import InMemoryLiveState
from tests.contract.live_fix_samples import NOW_MS, fixes_at, tag_names
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.offers.shop import DWELL_S, campaign
from tests.unit.rtls_api.small_site import AwayReader


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_quantiles_are_of_the_last_minutes_alone() -> None:
    """What was slow an hour ago is not slow now."""
    clock = Clock()
    times = RecentTimes(monotonic_s=clock)
    assert times.quantiles() is None
    for took_ms in range(1, 101):
        times.note(float(took_ms))
    assert times.quantiles() == {"p50": 50.5, "p95": 95.0, "p99": 99.0, "count": 100}
    clock.now_s += KEPT_S + 1.0
    assert times.quantiles() is None
    for _ in range(2 * KEPT_MAX):
        times.note(7.0)
    assert times.quantiles() == {"p50": 7.0, "p95": 7.0, "p99": 7.0, "count": KEPT_MAX}


def test_a_rate_is_that_of_the_last_ten_seconds() -> None:
    """A feed that has just stopped shows it within ten seconds."""
    clock = Clock()
    count = RecentCount(monotonic_s=clock)
    for _ in range(20):
        count.note(50)
        clock.now_s += 1.0
    assert count.a_second() == 50.0
    clock.now_s += 11.0
    assert count.a_second() == 0.0


def heard(gateway: str, messages: int, at_ms: int | None, *, is_online: bool | None = None):
    last_ms = None if at_ms is None else UnixMs(at_ms)
    return GatewayHeard(
        gateway=GatewayId(gateway),
        messages=messages,
        last_heard_at_ms=last_ms,
        is_online=is_online,
    )


def test_a_gateway_is_known_by_what_it_sends_and_by_what_it_says() -> None:
    """One that is online and sends nothing is the one to look at."""
    tally = GatewayTally()
    for at_ms in (5, 9):
        tally.note(GatewayId("g2"), UnixMs(at_ms))
    tally.note_status(GatewayId("g1"), is_online=True)
    assert tally.heard() == (heard("g1", 0, None, is_online=True), heard("g2", 2, 9))
    registry = CollectorRegistry()
    registry.register(GatewayCollector(tally.heard))
    shown = generate_latest(registry).decode()
    assert 'inaisle_gateway_messages_total{gateway="g2"} 2.0' in shown
    assert 'inaisle_gateway_last_heard_timestamp_seconds{gateway="g2"} 0.009' in shown


def test_strangers_who_invent_names_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bound is far above what a site has."""
    monkeypatch.setattr("rtls.ingest.gateway_tally.GATEWAYS_MAX", 2)
    tally = GatewayTally()
    for number in range(5):
        tally.note(GatewayId(f"g{number}"), UnixMs(1))
        tally.note_status(GatewayId(f"s{number}"), is_online=False)
    assert [one.gateway for one in tally.heard()] == ["g0", "g1", "s0", "s1"]


def test_the_figures_are_those_of_the_parts() -> None:
    """Each tile of the page, read from a part that a test can count by hand."""
    metrics = LocatingMetrics(CollectorRegistry())
    metrics.count(120, 20, ())
    metrics.located(heard_at_ms=NOW_MS - 400.0, until_ms=NOW_MS - 250, now_ms=NOW_MS)
    counters = {"messages_received": 9, "messages_duplicate": 2, "quarantined_truncated": 1}
    locating = SimpleNamespace(
        metrics=metrics,
        reception_counters=lambda: counters,
        gateways=lambda: (heard("g1", 3, NOW_MS, is_online=True),),
    )
    live = InMemoryLiveState()
    live.put(fixes_at(NOW_MS - 500, 1.0, 2.0), tag_names(1, 2))
    offers = OfferTimes(CollectorRegistry())
    offers.note(80.0)
    app = FastAPI()
    app.include_router(
        figures_router(
            lambda: health_figures(
                cast("LocatingSide", locating),
                live=live,
                fix_to_offer=offers.lately,
                now_ms=UnixMs(NOW_MS),
            ),
            authorise=lambda: None,
        )
    )
    told = TestClient(app).get("/v1/operator/health/figures").json()
    assert told["at"] == "2025-10-09T08:53:20.000Z"
    assert told["readings_per_s"] == 12.0
    assert told["rejected"] == {"truncated": 1, "messages_duplicate": 2}
    assert told["lag_ms"] == {"p50": 250.0, "p95": 250.0, "p99": 250.0, "count": 1}
    assert told["stages"]["anchor_to_fix"]["p99"] == 400.0
    assert told["stages"]["fix_to_offer"]["p50"] == 80.0
    assert told["gateways"] == [
        {
            "gateway": "g1",
            "last_heard_at": "2025-10-09T08:53:20.000Z",
            "messages": 3,
            "is_online": True,
        }
    ]
    assert told["shoppers_located"] == 2
    assert told["metrics"]["lag_ms"] == "inaisle_event_lag_seconds"


def test_a_process_that_does_not_locate_says_so_by_null() -> None:
    """Nought would be a lie: there may be thousands of readings a second, elsewhere."""
    told = health_figures(
        None, live=AwayReader(), fix_to_offer=RecentTimes(), now_ms=UnixMs(NOW_MS)
    )
    assert (told["readings_per_s"], told["lag_ms"], told["shoppers_located"]) == (None, None, None)
    assert told["stages"] == {"anchor_to_fix": None, "fix_to_offer": None}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(campaign())
        yield running


def test_a_stay_that_led_to_an_offer_is_timed_and_no_other(api: RunningApi) -> None:
    """From the evidence to the offer on the disk: what the shopper waits for at the shelf."""
    took_ms: list[float] = []
    feed = VisitFeed(
        writer=api.writer,
        now_ms=lambda: UnixMs(api.now_ms + 70),
        secrets=api.secrets,
        offered=took_ms.append,
    )
    api.feed = feed
    phone = Phone(api)
    phone.pair("tag:1")
    api.advance(int(DWELL_S * 1000))
    api.stand(TagId("tag:nobody"))
    assert took_ms == []
    reached = api.stand(TagId("tag:1"))
    assert took_ms == [api.now_ms + 70 - reached.evidence_at_ms]
