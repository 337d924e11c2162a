"""Show health, anchors and gateways to Prometheus.

Layer: edges. Takes: `Health` and the counters of the anchors, read at each scrape. Gives: series to
the registry of the door. Labels are names from the site map and from our own code, never a tag: the
number of series is bounded, and no series follows a person.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from rtls.api.health import Health
from rtls.ports import AnchorHeard, GatewayHeard

MS_A_SECOND = 1000.0


class HealthCollector(Collector):
    """``inaisle_part_ok``: 1 while a part works, 0 while it is degraded."""

    def __init__(self, health: Health) -> None:
        self._health = health

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the parts as they are now."""
        family = GaugeMetricFamily(
            "inaisle_part_ok", "1 while the part works, 0 while it is degraded.", labels=["part"]
        )
        for part in self._health.report().parts:
            family.add_metric([part.part], float(part.is_ok))
        yield family


class AnchorCollector(Collector):
    """Readings of each anchor, when it was last heard, and what is wrong with it.

    Parameters
    ----------
    anchors
        Asked at each scrape, in the thread of the scrape.
    """

    def __init__(self, anchors: Callable[[], Sequence[AnchorHeard]]) -> None:
        self._anchors = anchors

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the anchors as they are now."""
        readings = CounterMetricFamily(
            "inaisle_anchor_readings", "Readings that an anchor has given.", labels=["anchor"]
        )
        heard = GaugeMetricFamily(
            "inaisle_anchor_last_heard_timestamp_seconds",
            "When an anchor was last heard, by its own clock.",
            labels=["anchor"],
        )
        alarms = GaugeMetricFamily(
            "inaisle_anchor_alarm",
            "1 while an anchor is silent, biased, stale, or its clock off; left out otherwise.",
            labels=["anchor", "kind"],
        )
        for anchor in self._anchors():
            for alarm in anchor.alarms:
                alarms.add_metric([anchor.anchor, alarm.kind.value], 1.0)
            readings.add_metric([anchor.anchor], anchor.readings)
            if anchor.last_heard_at_ms is not None:
                heard.add_metric([anchor.anchor], anchor.last_heard_at_ms / MS_A_SECOND)
        yield readings
        yield heard
        yield alarms


class GatewayCollector(Collector):
    """Messages of each gateway, and when it was last heard.

    Parameters
    ----------
    gateways
        Asked at each scrape, in the thread of the scrape.
    """

    def __init__(self, gateways: Callable[[], Sequence[GatewayHeard]]) -> None:
        self._gateways = gateways

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the gateways as they are now."""
        messages = CounterMetricFamily(
            "inaisle_gateway_messages", "Messages that a gateway has sent.", labels=["gateway"]
        )
        heard = GaugeMetricFamily(
            "inaisle_gateway_last_heard_timestamp_seconds",
            "When a gateway was last heard, by our clock.",
            labels=["gateway"],
        )
        for gateway in self._gateways():
            messages.add_metric([gateway.gateway], gateway.messages)
            if gateway.last_heard_at_ms is not None:
                heard.add_metric([gateway.gateway], gateway.last_heard_at_ms / MS_A_SECOND)
        yield messages
        yield heard


class CountersCollector(Collector):
    """The plain counters of a part, each as a series of its own name.

    Parameters
    ----------
    prefix
        Of all names, e.g. ``inaisle_events``; ``sent`` becomes ``inaisle_events_sent_total``.
    read
        Returns the counters; a part names them once and for all.
    """

    def __init__(self, prefix: str, read: Callable[[], Mapping[str, int]]) -> None:
        self._prefix = prefix
        self._read = read

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the counters as they are now."""
        for name, count in sorted(self._read().items()):
            text = f"{self._prefix.removeprefix('inaisle_')}: {name.replace('_', ' ')}."
            yield CounterMetricFamily(f"{self._prefix}_{name}", text, value=count)
