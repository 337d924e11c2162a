"""Count and time what the locating loop does, for Prometheus.

Layer: doors. Takes: stage times and counters of the running parts. Gives: series to /metrics. No
label carries a tag, a shopper or anything an outsider chooses, so the number of series is bounded.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from inaisle.service.recent_times import RecentCount, RecentTimes
from rtls.engine import compiled_signatures
from rtls.model.visit import Transition, TransitionKind, ZoneEvent

STAGES = ("receive", "order", "locate", "revise", "record", "publish", "live", "snapshot")
SECONDS_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LATENCY_BUCKETS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
TICKS_KEPT = 1_000


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
        self._readings = Counter("inaisle_readings", "Readings located.", registry=registry)
        self._fixes = Counter("inaisle_fixes", "Fixes emitted.", registry=registry)
        self._events = Counter("inaisle_zone_events", "Zone events published.", registry=registry)
        self.overruns = Counter(
            "inaisle_tick_overruns", "Ticks that took longer than a tick.", registry=registry
        )
        signatures = Gauge(
            "inaisle_kernel_signatures",
            "Kernels compiled or loaded; does not grow once locating is ready.",
            registry=registry,
        )
        signatures.set_function(compiled_signatures)
        self._visits = Counter("inaisle_visits", "Zones entered.", registry=registry)
        self.visits = self.readings_seen = self.fixes_seen = 0
        self._ticks_s: deque[float] = deque(maxlen=TICKS_KEPT)
        self.lag = Gauge(
            "inaisle_event_lag_seconds",
            "Now less the latest batch.",
            registry=registry,
        )
        self._anchor_to_fix_s = Histogram(
            "inaisle_anchor_to_fix_seconds",
            "From the instant at which anchors heard a batch of readings to its fixes.",
            registry=registry,
            buckets=LATENCY_BUCKETS,
        )
        self.lags, self.anchor_to_fix = RecentTimes(), RecentTimes()
        self.readings_lately = RecentCount()

    def located(self, *, heard_at_ms: float, until_ms: int, now_ms: int) -> None:
        """Note how late a batch was: its readings, as the mean of them, and its end."""
        self.lag.set((now_ms - until_ms) / 1000.0)
        self.lags.note(now_ms - until_ms)
        self.anchor_to_fix.note(now_ms - heard_at_ms)
        self._anchor_to_fix_s.observe(max(now_ms - heard_at_ms, 0.0) / 1000.0)

    def count(self, readings: int, fixes: int, events: Sequence[ZoneEvent]) -> None:
        """Count what one batch gave."""
        entered = sum(
            isinstance(event, Transition)
            and event.kind is TransitionKind.ENTERED
            and event.revision == 0
            for event in events
        )
        self._readings.inc(readings)
        self._fixes.inc(fixes)
        self._events.inc(len(events))
        self._visits.inc(entered)
        self.readings_seen += readings
        self.readings_lately.note(readings)
        self.fixes_seen += fixes
        self.visits += entered

    def tick_took(self, seconds: float) -> None:
        """Note how long one tick took."""
        self._ticks_s.append(seconds)

    def tick_p99_ms(self) -> float | None:
        """Return the p99 of the last ticks, None before the first."""
        ticks = sorted(self._ticks_s)
        return round(1000.0 * ticks[int(0.99 * (len(ticks) - 1))], 3) if ticks else None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of one tick."""
        before = time.perf_counter()
        try:
            yield
        finally:
            self._stages[name].observe(time.perf_counter() - before)


class OfferTimes:
    """How long after the evidence of a stay its offer was durable.

    Parameters
    ----------
    registry
        Where the series is shown.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lately = RecentTimes()
        self._seconds = Histogram(
            "inaisle_fix_to_offer_seconds",
            "From the evidence that a stay was long enough to its offer, written down.",
            registry=registry,
            buckets=LATENCY_BUCKETS,
        )

    def note(self, took_ms: float) -> None:
        """Take one offer."""
        self.lately.note(took_ms)
        self._seconds.observe(max(took_ms, 0.0) / 1000.0)
