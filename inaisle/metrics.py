"""Count and time what the locating loop does, for Prometheus.

Layer: doors. Takes: stage times and counters of the running parts. Gives: series to /metrics. No
label carries a tag, a shopper or anything an outsider chooses, so the number of series is bounded.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

STAGES = ("receive", "order", "locate", "publish", "live", "snapshot")
SECONDS_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
Counts = Callable[[], Mapping[str, int]]


class LocatingMetrics:
    """The series of one locating loop."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._seconds = Histogram(
            "inaisle_stage_seconds",
            "Time a stage of the locating loop took in one tick.",
            ["stage"],
            registry=registry,
            buckets=SECONDS_BUCKETS,
        )
        self._stages = {stage: self._seconds.labels(stage) for stage in STAGES}
        self.messages = Counter(
            "inaisle_messages", "Messages taken from the source.", registry=registry
        )
        self.readings = Counter("inaisle_readings", "Readings located.", registry=registry)
        self.fixes = Counter("inaisle_fixes", "Fixes emitted.", registry=registry)
        self.events = Counter("inaisle_zone_events", "Zone events published.", registry=registry)
        self.overruns = Counter(
            "inaisle_tick_overruns", "Ticks that took longer than a tick.", registry=registry
        )
        self.tags = Gauge("inaisle_tags", "Tags that the engine follows.", registry=registry)
        self.lag = Gauge(
            "inaisle_event_lag_seconds",
            "Now less the latest batch.",
            registry=registry,
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of one tick."""
        before = time.perf_counter()
        try:
            yield
        finally:
            self._stages[name].observe(time.perf_counter() - before)


class CountsCollector(Collector):
    """Shows the plain counters of a part under one metric with the counter's name as label.

    Parameters
    ----------
    name
        Of the metric, without ``_total``.
    counts
        Asked at each scrape; the part bounds how many names it has.
    """

    def __init__(self, name: str, help_text: str, counts: Counts) -> None:
        self._name, self._help_text, self._counts = name, help_text, counts

    @override
    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counters as they are now."""
        family = CounterMetricFamily(self._name, self._help_text, labels=["what"])
        for what, count in sorted(self._counts().items()):
            family.add_metric([what], count)
        yield family
