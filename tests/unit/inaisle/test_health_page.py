"""The pages by which a supervisor sees a bridge or worker."""

from collections.abc import Iterator

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from inaisle.chain.health_page import HealthPage
from rtls.api.health import Health


@pytest.fixture
def health() -> Health:
    return Health(now_ms=lambda: 5)


@pytest.fixture
def address(health: Health) -> Iterator[str]:
    page = HealthPage(health, CollectorRegistry(), host="127.0.0.1", port=0)
    port = page.start()
    yield f"http://127.0.0.1:{port}"
    page.stop()


def test_a_process_that_cannot_work_is_alive_but_not_ready(health: Health, address: str) -> None:
    """A restart would not bring the brokers back: so no supervisor should try one."""
    health.watch("partitions", lambda: "none is assigned yet")
    assert httpx2.get(f"{address}/livez").status_code == 200
    answer = httpx2.get(f"{address}/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "degraded": ["partitions"]}
    assert 'inaisle_part_ok{part="partitions"} 0.0' in httpx2.get(f"{address}/metrics").text


def test_a_process_that_works_is_ready(health: Health, address: str) -> None:
    """And says nothing more than that."""
    health.watch("partitions", lambda: None)
    answer = httpx2.get(f"{address}/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "degraded": []})
