"""InProcessBus: events reach the offers side in this process, or the input is kept."""

from collections.abc import Sequence

import pytest

from rtls.model.errors import NotDurable
from rtls.model.visit import ZoneEvent
from rtls.publish.backoff import Backoff
from rtls.publish.in_process import InProcessBus
from tests.unit.publish.zone_event_samples import dwell_event


class FlakySubscriber:
    def __init__(self, *, failures: int, error: Exception) -> None:
        self.failures = failures
        self.error = error
        self.taken: list[ZoneEvent] = []
        self.calls = 0

    def accept(self, events: Sequence[ZoneEvent]) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        self.taken.extend(events)


def test_a_locked_database_for_a_moment_costs_no_event() -> None:
    """Two refusals, then the commit: the visit must not be lost to a busy disk."""
    waits: list[float] = []
    bus = InProcessBus(wait=waits.append)
    offers = FlakySubscriber(failures=2, error=OSError("database is locked"))
    bus.subscribe("offers", offers.accept)
    bus.publish([dwell_event(1)])
    assert offers.taken == [dwell_event(1)]
    assert waits == [0.01, 0.02]
    assert bus.counters == {"published": 1, "retried": 2, "refused": 0}


def test_a_subscriber_that_never_commits_keeps_the_input_unacknowledged() -> None:
    """The loop acknowledges only after publish returned; so it must not return."""
    bus = InProcessBus(backoff=Backoff(attempts=3), wait=lambda _s: None)
    offers = FlakySubscriber(failures=99, error=OSError("disk full"))
    bus.subscribe("offers", offers.accept)
    with pytest.raises(NotDurable, match="'offers' refused 1 events 3 times"):
        bus.publish([dwell_event(1)])
    assert offers.calls == 3
    assert bus.counters["refused"] == 1


def test_only_the_failing_subscriber_is_asked_again() -> None:
    """A second copy is harmless but not free."""
    bus = InProcessBus(wait=lambda _s: None)
    calm = FlakySubscriber(failures=0, error=OSError())
    flaky = FlakySubscriber(failures=1, error=OSError())
    bus.subscribe("insight", calm.accept)
    bus.subscribe("offers", flaky.accept)
    bus.publish([dwell_event(1)])
    assert (calm.calls, flaky.calls) == (1, 2)


def test_an_error_not_worth_another_attempt_surfaces_at_once() -> None:
    """A programming error does not go away by waiting."""
    bus = InProcessBus(retry_on=(OSError,), wait=lambda _s: None)
    offers = FlakySubscriber(failures=1, error=KeyError("tag"))
    bus.subscribe("offers", offers.accept)
    with pytest.raises(KeyError):
        bus.publish([dwell_event(1)])
    assert offers.calls == 1


def test_nothing_to_say_wakes_nobody() -> None:
    """Most ticks have no event; a commit for each would be thirty fsyncs a second for nothing."""
    bus = InProcessBus()
    offers = FlakySubscriber(failures=0, error=OSError())
    bus.subscribe("offers", offers.accept)
    bus.publish([])
    assert offers.calls == 0


def test_two_subscribers_of_one_name_are_refused() -> None:
    """The name is what the log says when events are refused."""
    bus = InProcessBus()
    bus.subscribe("offers", lambda _events: None)
    with pytest.raises(ValueError, match="exists already"):
        bus.subscribe("offers", lambda _events: None)


@pytest.mark.parametrize(
    ("attempts", "first", "most"), [(0, 0.01, 0.2), (3, 0.5, 0.2), (3, 0.1, 61.0)]
)
def test_a_backoff_without_a_bound_is_refused(attempts: int, first: float, most: float) -> None:
    """A retry for ever would be an outage nobody sees."""
    with pytest.raises(ValueError, match="expected"):
        Backoff(attempts=attempts, first_wait_s=first, wait_s_max=most)
