"""What every EventSink promises: order, at least once, ids that tell copies apart, durability."""

from collections.abc import Callable, Sequence

import pytest

from rtls.model.visit import ZoneEvent
from rtls.ports import EventSink
from rtls.publish.in_process import InProcessBus
from tests.unit.publish.zone_event_samples import dwell_event


class SinkUnderTest:
    """A sink, what its consumer has got so far, and the sink reopened after a sudden end."""

    def __init__(
        self,
        sink: EventSink,
        received: Callable[[int], list[ZoneEvent]],
    ) -> None:
        self.sink = sink
        self.received = received
        """given the number to wait for, returns all that came"""

    def publish(self, *events: ZoneEvent) -> None:
        self.sink.publish(events)


def in_process() -> SinkUnderTest:
    taken: list[ZoneEvent] = []

    def accept(events: Sequence[ZoneEvent]) -> None:
        taken.extend(events)

    bus = InProcessBus()
    bus.subscribe("offers", accept)
    return SinkUnderTest(bus, lambda _count: list(taken))


@pytest.fixture(params=["in process"])
def under_test() -> SinkUnderTest:
    return in_process()


def test_events_arrive_in_the_order_of_publishing(under_test: SinkUnderTest) -> None:
    """Entered after left would keep a visit open for ever."""
    for number in range(0, 30, 3):
        under_test.publish(*(dwell_event(n) for n in range(number, number + 3)))
    assert under_test.received(30) == [dwell_event(n) for n in range(30)]


def test_an_event_arrives_whole(under_test: SinkUnderTest) -> None:
    """Every field decides something: an offer, a report, a refusal."""
    event = dwell_event(7, tag="tag:with-ünicode")
    under_test.publish(event)
    assert under_test.received(1) == [event]


def test_a_second_copy_has_the_same_id(under_test: SinkUnderTest) -> None:
    """After a crash the engine publishes again; consumers tell by the id."""
    under_test.publish(dwell_event(1))
    under_test.publish(dwell_event(1), dwell_event(2))
    received = under_test.received(3)
    assert {event.event_id for event in received} == {
        dwell_event(1).event_id,
        dwell_event(2).event_id,
    }


def test_publishing_nothing_is_allowed(under_test: SinkUnderTest) -> None:
    """Most ticks have no event."""
    under_test.publish()
    assert under_test.received(0) == []
