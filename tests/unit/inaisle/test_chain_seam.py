"""chain_seam: who is told of events and fixes, with a chain and without one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from inaisle.calibration.calibration_in_force import calibration_on
from inaisle.chain.chain_seam import chain_feed, tell_chain, tell_chain_only
from inaisle.clock import SystemClock
from inaisle.service.service import Service
from inaisle.settings import load_settings
from inaisle.site.map_in_force import maps_to_run_on
from offers.visit_feed.visit_feed import VisitFeed
from rtls.model.errors import InvalidConnection
from rtls.model.units import SiteId
from rtls.model.visit import ZoneEvent
from rtls.ports import EventSink
from rtls.publish.in_process import InProcessBus
from rtls.storage.live_state import InMemoryLiveState
from tests.unit.publish.fix_samples import START_MS, fixes_at
from tests.unit.publish.zone_event_samples import dwell_event

SITE = SiteId("demo")
NOBODY = "127.0.0.1:1"


class Redis(EventSink):
    """What would go over Redis."""

    def __init__(self) -> None:
        self.events: list[ZoneEvent] = []

    @override
    def publish(self, events: Sequence[ZoneEvent]) -> None:
        self.events += events


@contextmanager
def service_with(folder: Path, **chain: str) -> Iterator[Service]:
    flags = {("site", "data"): folder, **{("chain", key): text for key, text in chain.items()}}
    settings = load_settings(environment={}, flags=flags).settings
    in_force = next(maps_to_run_on(settings.site))
    service = Service(settings, SystemClock(), in_force, calibration_on(in_force, settings.site))
    with service.stack:
        yield service


def spooled(service: Service) -> float:
    found = service.around.registry.get_sample_value("inaisle_chain_events_spooled_total")
    assert found is not None
    return found


def test_without_a_chain_nothing_changes(tmp_path: Path) -> None:
    """One shop is the usual case: no folder, no thread, no library."""
    with service_with(tmp_path) as service:
        redis, live = Redis(), InMemoryLiveState()
        assert tell_chain(service, site=SITE, bus=InProcessBus(), live=live) is live
        assert tell_chain_only(service, site=SITE, sink=redis, live=live) == (redis, live)
    assert not (tmp_path / "chain").exists()


def test_in_one_process_the_chain_hears_after_the_offers(tmp_path: Path) -> None:
    """What the spool holds, offers have decided about: a full spool costs no shopper his offer."""
    order: list[str] = []
    with service_with(tmp_path, brokers=NOBODY) as service:
        bus, live = InProcessBus(), InMemoryLiveState()
        bus.subscribe("offers", lambda _events: order.append(f"spooled {spooled(service):.0f}"))
        shown = tell_chain(service, site=SITE, bus=bus, live=live)
        bus.publish([dwell_event(1)])
        assert (order, spooled(service)) == (["spooled 0"], 1)
        shown.put(*fixes_at(START_MS, ["a"]))
        latest = live.latest(max_age_ms=1_000, now_ms=START_MS)
        assert latest.tags == ("a",)
        assert service.around.registry.get_sample_value("inaisle_chain_fixes_total") == 1


@pytest.mark.parametrize(("decides", "over_redis"), [("chain", 0), ("store", 1)])
def test_events_go_over_redis_only_where_the_store_decides(
    tmp_path: Path, decides: str, over_redis: int
) -> None:
    """Nobody would read them there; and who decides must be one, or two budgets are spent."""
    redis = Redis()
    with service_with(tmp_path, brokers=NOBODY, decides=decides) as service:
        sink, _ = tell_chain_only(service, site=SITE, sink=redis, live=InMemoryLiveState())
        sink.publish([dwell_event(1)])
        assert (len(redis.events), spooled(service)) == (over_redis, 1)


@pytest.mark.parametrize(
    ("chain", "reads"),
    [({}, False), ({"brokers": NOBODY}, True), ({"brokers": NOBODY, "decides": "store"}, False)],
)
def test_offers_read_the_log_where_the_chain_decides(
    tmp_path: Path, chain: dict[str, str], *, reads: bool
) -> None:
    """Otherwise they read what the store's own process puts into Redis."""
    feed = VisitFeed(writer=None, now_ms=lambda: START_MS, secrets=None)  # type: ignore[arg-type]
    with service_with(tmp_path, **chain) as service:
        found = chain_feed(service, site=SITE, consumer="one", feed=feed)
    assert (found is not None) is reads


def test_a_broker_that_cannot_be_one_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """A store that believes it reports, and does not, is found out a month later."""
    with (
        service_with(tmp_path, brokers="kafka") as service,
        pytest.raises(InvalidConnection, match="expected host:port"),
    ):
        tell_chain(service, site=SITE, bus=InProcessBus(), live=InMemoryLiveState())
    assert not (tmp_path / "chain").exists()
