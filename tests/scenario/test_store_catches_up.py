"""A store whose line is back: what waits goes faster than it came, and what is now goes first."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inaisle.chain.store_line import StoreLine
from tests.kafka_broker import KafkaBroker
from tests.scenario.telling_store import settings_of
from tests.unit.publish.fix_samples import START_MS, fixes_at
from tests.unit.publish.zone_event_samples import SITE, dwell_event
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timed]

MINUTES = 30
EVENTS = 4_000
TAGS = [f"tag:{number}" for number in range(100)]
TIMES_REAL_MIN = 5.0
AT_CHAIN_S_MAX = 1.0
PUBLISH_S_MAX = 0.050


@pytest.fixture
def line(tmp_path: Path, kafka_broker: KafkaBroker, topic_prefix: str) -> Iterator[StoreLine]:
    """A store that has told nobody for half an hour of a full shop."""
    settings = settings_of(tmp_path, brokers=kafka_broker.brokers, prefix=topic_prefix)
    with closing(StoreLine(settings, site=SITE)) as line:
        line.publish([dwell_event(number, step_ms=450) for number in range(EVENTS)])
        for second in range(60 * MINUTES):
            line.put(*fixes_at(START_MS + 1000 * second, TAGS))
            if second % 60 == 0:
                line.write_fixes()
        line.write_fixes()
        yield line


def tell_one(line: StoreLine, number: int) -> tuple[float, float]:
    """Tell one event; return how long the caller waited, and until the chain had it."""
    began = time.perf_counter()
    line.publish([dwell_event(number, step_ms=450)])
    waited_s = time.perf_counter() - began
    wait_until(lambda: line.events_waiting == 0)
    return waited_s, time.perf_counter() - began


def test_a_backlog_goes_many_times_faster_than_it_came_and_keeps_no_live_event_waiting(
    line: StoreLine,
) -> None:
    """After a day without a line, the chain is up to date before the next day is over."""
    began = time.monotonic()
    line.start()
    wait_until(lambda: line.events_waiting == 0)
    told = [tell_one(line, EVENTS)]
    while line.gauges()["fixes"][0]:
        told.append(tell_one(line, EVENTS + len(told)))
    took_s = time.monotonic() - began
    assert MINUTES * 60 / took_s >= TIMES_REAL_MIN
    assert len(told) > 3, "nothing was told while fixes waited"
    waits_s, arrivals_s = (sorted(times) for times in zip(*told, strict=True))
    assert arrivals_s[len(arrivals_s) * 95 // 100] < AT_CHAIN_S_MAX
    assert waits_s[len(waits_s) * 95 // 100] < PUBLISH_S_MAX
