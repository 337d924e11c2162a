"""/livez, /readyz and /metrics: what machines ask."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from rtls.api.health import Health
from rtls.api.health_routes import health_router, metrics_router
from rtls.api.metrics import AnchorCollector, CountersCollector, HealthCollector
from rtls.model.anchor_alarm import AlarmKind, AnchorAlarm
from rtls.model.units import AnchorId, UnixMs
from rtls.ports import AnchorHeard


@pytest.fixture
def health() -> Health:
    return Health(now_ms=lambda: UnixMs(5000))


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def client(health: Health, registry: CollectorRegistry) -> TestClient:
    app = FastAPI()
    app.include_router(health_router(health))
    app.include_router(metrics_router(registry))
    return TestClient(app)


def test_ready_when_every_part_works(health: Health, client: TestClient) -> None:
    """The load balancer may send shoppers here."""
    health.ok("ingest")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "degraded": []})


def test_not_ready_names_the_part_but_not_the_reason(health: Health, client: TestClient) -> None:
    """Anybody may ask; the reason may name a host or a file and is for the operator."""
    health.ok("engine")
    health.degraded("ingest", "broker mqtt.internal:8883 refused")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "degraded": ["ingest"]}
    assert "mqtt.internal" not in answer.text


def test_a_lost_live_view_is_named_and_the_service_stays_ready(
    health: Health, client: TestClient
) -> None:
    """Redeeming a coupon needs no Redis."""
    health.watch("live view", lambda: "Redis away", is_essential=False)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "degraded": ["live view"]}


def test_a_degraded_process_still_lives(health: Health, client: TestClient) -> None:
    """Restarting it would not bring the broker back, but would lose what it holds."""
    health.degraded("ingest", "broker away")
    assert client.get("/livez").status_code == 200


def test_metrics_are_in_the_text_format_with_base_units(
    health: Health, registry: CollectorRegistry, client: TestClient
) -> None:
    """Names after the Prometheus convention, so that any dashboard can be built on them."""
    health.ok("engine")
    health.degraded("ingest", "broker away")
    heard = AnchorHeard(anchor=AnchorId("u1"), readings=7, last_heard_at_ms=UnixMs(1500))
    alarm = AnchorAlarm(anchor=AnchorId("u2"), kind=AlarmKind.SILENT, since_ms=1, figure=11.0)
    silent = AnchorHeard(anchor=AnchorId("u2"), readings=0, last_heard_at_ms=None, alarms=(alarm,))
    registry.register(HealthCollector(health))
    registry.register(AnchorCollector(lambda: [heard, silent]))
    registry.register(CountersCollector("inaisle_events", lambda: {"data_lost": 3}))
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert lines == [
        'inaisle_part_ok{part="engine"} 1.0',
        'inaisle_part_ok{part="ingest"} 0.0',
        'inaisle_anchor_readings_total{anchor="u1"} 7.0',
        'inaisle_anchor_readings_total{anchor="u2"} 0.0',
        'inaisle_anchor_last_heard_timestamp_seconds{anchor="u1"} 1.5',
        'inaisle_anchor_alarm{anchor="u2",kind="silent"} 1.0',
        "inaisle_events_data_lost_total 3.0",
    ]
