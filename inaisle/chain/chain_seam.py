"""Join a service to its chain: what a store tells it, and what offers are told by it.

Layer: doors. Takes: a `Service` under way, its settings. Gives: started and watched parts to
inaisle.service.assembly. Their library is imported here and only where `chain.brokers` is set.
"""

from typing import TYPE_CHECKING

from inaisle.service.service import Service
from offers.visit_feed.visit_feed import VisitFeed
from rtls.api.metrics import CountersCollector
from rtls.model.units import SiteId
from rtls.ports import EventSink, LiveState
from rtls.publish.in_process import InProcessBus
from rtls.publish.kafka.connection import kafka_needed_for

if TYPE_CHECKING:
    from inaisle.chain.store_line import StoreLine
    from offers.visit_feed.log_visit_feed import LogVisitFeed


def tell_chain(service: Service, *, site: SiteId, bus: InProcessBus, live: LiveState) -> LiveState:
    """Have the chain hear of events after all who hear of them in this process, and of fixes.

    Returns the live state that locating is to fill: the one given, where there is no chain.
    """
    line = _open_line(service, site=site)
    if line is None:
        return live
    from inaisle.chain.store_line import Shown

    bus.subscribe("chain", line.publish)
    return Shown(live, line)


def tell_chain_only(
    service: Service, *, site: SiteId, sink: EventSink, live: LiveState
) -> tuple[EventSink, LiveState]:
    """Return where locating alone tells events and fixes.

    Where the chain decides about offers, nobody reads what Redis would hold of the events.
    """
    line = _open_line(service, site=site)
    if line is None:
        return sink, live
    from inaisle.chain.store_line import Shown, Told

    at_chain = service.settings.chain.decides == "chain"
    return line if at_chain else Told(sink, line), Shown(live, line)


def chain_feed(
    service: Service, *, site: SiteId, consumer: str, feed: VisitFeed
) -> "LogVisitFeed | None":
    """Return what reads the site's events from the chain's log; None where they come over Redis."""
    section = service.settings.chain
    if not section.brokers or section.decides != "chain":
        return None
    with kafka_needed_for("offers that a chain tells"):
        from rtls.publish.kafka.visit_stream import KafkaVisitStream
    from inaisle.chain.chain_settings import kafka_address, topic_plan
    from offers.visit_feed.log_visit_feed import LogVisitFeed

    stream = KafkaVisitStream(
        kafka_address(section),
        topic_plan(service.settings),
        site=site,
        reader=f"inaisle-offers-{consumer}",
        session_timeout_ms=section.session_timeout_ms,
    )
    service.count(inaisle_chain_visits=stream.counters)
    return LogVisitFeed(stream, feed=feed)


def _open_line(service: Service, *, site: SiteId) -> "StoreLine | None":
    if not service.settings.chain.brokers:
        return None
    with kafka_needed_for("a store that reports to a chain"):
        from inaisle.chain.store_line import StoreLine
        from inaisle.chain.store_spools import SpoolCollector
    line = StoreLine(service.settings, site=site, now_ms=service.around.clock.now_ms)
    service.run_with(line.start, line.close)
    line.watch(service.around.health)
    registry = service.around.registry
    registry.register(CountersCollector("inaisle_chain", lambda: line.counters))
    registry.register(SpoolCollector(line.gauges))
    return line
