"""Health: which parts work, which do not, why, and since when."""

import pytest

from rtls.api.health import PARTS_MAX, Health
from rtls.model.units import UnixMs


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1000

    def __call__(self) -> UnixMs:
        return UnixMs(self.now_ms)


def test_a_service_is_not_ready_before_every_expected_part_has_reported() -> None:
    """A load balancer that sends traffic to a starting process makes errors for shoppers."""
    health = Health(now_ms=Clock(), parts=("ingest", "engine"))
    health.ok("ingest")
    report = health.report()
    assert not report.is_ready
    assert [(part.part, part.reason) for part in report.degraded] == [("engine", "starting")]
    health.ok("engine")
    assert health.report().is_ready


def test_since_is_when_it_changed_not_when_it_was_last_said() -> None:
    """An operator asks how long the broker has been away, not when we last noticed."""
    clock = Clock()
    health = Health(now_ms=clock, parts=("ingest",))
    health.ok("ingest")
    clock.now_ms = 2000
    health.degraded("ingest", "broker away")
    clock.now_ms = 3000
    health.degraded("ingest", "broker away, second attempt")
    (part,) = health.report().parts
    assert (part.since_ms, part.reason) == (2000, "broker away, second attempt")
    clock.now_ms = 4000
    health.ok("ingest")
    (part,) = health.report().parts
    assert (part.since_ms, part.is_ok) == (4000, True)


def test_a_lost_live_view_is_named_but_does_not_take_the_service_down() -> None:
    """Losing Redis costs freshness only: an offer can still be redeemed here."""
    health = Health(now_ms=Clock())
    health.expect("live view", is_essential=False)
    health.degraded("live view", "Redis away")
    report = health.report()
    assert report.is_ready
    assert [part.part for part in report.degraded] == ["live view"]


def test_a_watched_part_is_asked_at_each_report() -> None:
    """Threads that died cannot report; somebody must look."""
    reasons: list[str | None] = [None, "thread ended"]
    health = Health(now_ms=Clock())
    health.watch("flusher", lambda: reasons.pop(0))
    assert health.report().is_ready
    assert health.report().degraded[0].reason == "thread ended"


def test_names_from_outside_cannot_grow_the_report() -> None:
    """A part a gateway id would be a leak."""
    health = Health(now_ms=Clock())
    for number in range(PARTS_MAX):
        health.ok(f"part {number}")
    with pytest.raises(ValueError, match="few, fixed names"):
        health.ok("one more")


def test_a_reason_is_never_empty_and_never_a_novel() -> None:
    """An empty reason would read as healthy; an exception's text may be a megabyte."""
    health = Health(now_ms=Clock())
    health.degraded("a", "")
    health.degraded("b", "x" * 10_000)
    first, second = health.report().parts
    assert first.reason == "no reason given"
    assert len(second.reason or "") == 300
