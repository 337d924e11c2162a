"""A store is without its line for a day: the chain learns of all of it, and offers nothing late."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from typing_extensions import override

from inaisle.chain import store_spools
from inaisle.chain.store_line import StoreLine
from inaisle.settings import Settings
from inaisle.simulation.simulate_day import DayOptions, play_day
from inaisle.site.site_loading import load_site_map, read_campaigns
from offers.handlers.campaigns.start_campaign import start_campaign
from offers.model.campaigns.campaign_json import parse_campaigns
from offers.model.ids import VisitId
from offers.model.offering.offer import OfferState
from offers.visit_feed.log_visit_feed import LogVisitFeed
from rtls.model.fix import FixBatch
from rtls.model.fix_frame import count_fixes, unpack_fixes
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import DwellReached, ZoneEvent
from rtls.model.visit_json import render_event
from rtls.publish.fix_spool import FixSpoolSettings
from rtls.publish.fix_thinner import SILENT_MS_MAX
from rtls.publish.kafka.topics import TopicPlan
from rtls.publish.kafka.visit_stream import KafkaVisitStream
from rtls.publish.redis_stream import instant_of
from tests.conftest import pick_free_port
from tests.kafka_broker import KafkaBroker
from tests.scenario.played_day import DAY, TODAY, shop_settings
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker]

HOUR_MS = 3_600_000
SPOOL_OF_FIXES = FixSpoolSettings(bytes_max=128 * 1024)


class NotingLine(StoreLine):
    """A store's line that remembers what it was told."""

    def __init__(self, settings: Settings) -> None:
        self.site_map = load_site_map(settings.site)
        super().__init__(settings, site=self.site_map.site)
        self.events: list[ZoneEvent] = []
        self.fixes: list[tuple[int, TagId]] = []

    @override
    def publish(self, events: Sequence[ZoneEvent]) -> None:
        self.events += events
        super().publish(events)

    @override
    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        fresh = fixes.rows["evidence_at_ms"] > fixes.at_ms - SILENT_MS_MAX
        self.fixes += [(fixes.at_ms, tags[row]) for row in fresh.nonzero()[0].tolist()]
        super().put(fixes, tags)


@dataclass
class OfflineDay:
    """What a store told nobody, and lies on its disk."""

    settings: Settings
    line: NotingLine
    offers_in_store: int
    tags: tuple[TagId, ...] = field(default=())

    @property
    def began_ms(self) -> UnixMs:
        return UnixMs(min(instant_of(event) for event in self.line.events))


def play_without_a_line(folder: Path, options: DayOptions) -> OfflineDay:
    """Play a day while nobody listens where the chain should be."""
    settings = at(shop_settings(folder), f"127.0.0.1:{pick_free_port()}", prefix="none.")
    lines: list[NotingLine] = []

    @contextmanager
    def open_line() -> Iterator[NotingLine]:
        lines.append(NotingLine(settings))
        with closing(lines[0]):
            yield lines[0]

    summary, record = play_day(settings, options, today=TODAY, open_line=open_line)
    tags = tuple(dict.fromkeys(one.script.tag for one in record.shoppers))
    return OfflineDay(settings, lines[0], summary.offers, tags)


def at(settings: Settings, brokers: str, *, prefix: str) -> Settings:
    """The settings of a store whose chain is there."""
    chain = settings.chain.model_copy(
        update={"brokers": brokers, "topic_prefix": prefix, "partitions": 3}
    )
    return settings.model_copy(update={"chain": chain})


@pytest.fixture
def small_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that it is full after minutes, not after days."""
    monkeypatch.setattr(store_spools, "fix_spool_settings", lambda _section: SPOOL_OF_FIXES)


@pytest.fixture
def day(tmp_path: Path, small_spool: None) -> OfflineDay:
    """A busy hour of a shop."""
    del small_spool
    options = DayOptions(
        day=DAY, shoppers=5, opens=dt.time(10), closes=dt.time(11), phone_share=0.0
    )
    (tmp_path / "offline").mkdir()
    return play_without_a_line(tmp_path / "offline", options)


def forward(day: OfflineDay, broker: KafkaBroker, prefix: str) -> StoreLine:
    """The line comes back: `inaisle serve` opens the same folder and forwards it."""
    settings = at(day.settings, broker.brokers, prefix=prefix)
    with closing(StoreLine(settings, site=day.line.site_map.site)) as line:
        line.start()
        wait_until(lambda: all(waiting == 0 for waiting, _ in line.gauges().values()))
        assert line.trouble() is None
    return line


def arrived_events(day: OfflineDay, broker: KafkaBroker, prefix: str) -> list[bytes]:
    read = broker.read(f"{prefix}events", lambda found: len(found) >= len(day.line.events))
    assert {one.key for one in read} == {"demo/0"}
    return [one.value for one in read]


def arrived_fixes(broker: KafkaBroker, prefix: str, count: int) -> list[tuple[int, TagId]]:
    found: list[tuple[int, TagId]] = []
    for one in broker.read(
        f"{prefix}fixes", lambda read: sum(count_fixes(one.value) for one in read) >= count
    ):
        fixes, tags = unpack_fixes(one.value)
        found += [(fixes.at_ms, tag) for tag in tags]
    return found


def chain_of(day: OfflineDay, api: RunningApi) -> list[Phone]:
    """The same campaigns at the chain, and each tag paired as if its shopper were there."""
    found = read_campaigns(day.settings.site)
    assert found is not None
    api.now_ms = UnixMs(day.began_ms - HOUR_MS)
    for revision in parse_campaigns(found[0], source="demo"):
        api.writer.run(
            partial(_start, revision=revision, site_map=day.line.site_map, now_ms=api.now_ms)
        )
    phones = [Phone(api) for _ in day.tags]
    for phone, tag in zip(phones, day.tags, strict=True):
        phone.pair(tag)
    return phones


def _start(work, *, revision, site_map, now_ms) -> None:
    start_campaign(revision, site_map=site_map, work=work, now_ms=now_ms)


def offers_of(api: RunningApi, phones: Sequence[Phone]) -> int:
    return sum(
        len(
            api.reader.run(
                partial(
                    lambda work, shopper: work.offers.cards_of(
                        shopper, after=0, limit=100, states=tuple(OfferState)
                    ),
                    shopper=phone.shopper,
                )
            )
        )
        for phone in phones
    )


def decide_at_chain(day: OfflineDay, api: RunningApi, broker: KafkaBroker, prefix: str) -> None:
    """Offers of the chain read the whole day, hours after it."""
    plan = TopicPlan(prefix=prefix, partitions=3)
    stream = KafkaVisitStream(broker.address, plan, site=day.line.site_map.site, reader="one")
    reader = LogVisitFeed(stream, feed=api.feed)
    reader.start()
    wait_until(lambda: reader.counters["decided"] >= len(day.line.events), timeout_s=120.0)
    reader.close()
    assert reader.counters["set_aside"] == reader.counters["waited"] == 0


def check_day(day: OfflineDay, api: RunningApi, broker: KafkaBroker, prefix: str) -> None:
    """Every event in order, fixes up to the bound, the history complete, and no offer."""
    forward(day, broker, prefix)
    assert arrived_events(day, broker, prefix) == [render_event(one) for one in day.line.events]
    kept = len(day.line.fixes) - day.line.counters["fixes_dropped_room"]
    assert 0 < kept < len(day.line.fixes)
    assert arrived_fixes(broker, prefix, kept) == day.line.fixes[-kept:]

    phones = chain_of(day, api)
    api.now_ms = UnixMs(day.began_ms + 6 * HOUR_MS)  # of the eight that a pairing lasts
    decide_at_chain(day, api, broker, prefix)
    assert offers_of(api, phones) == 0
    stays = {VisitId(one.visit_id) for one in day.line.events if isinstance(one, DwellReached)}
    known = api.reader.run(lambda work: {visit for visit in stays if work.visits.find(visit)})
    assert known == stays


def check_that_they_are_due(day: OfflineDay, api: RunningApi) -> None:
    """Or nobody would have been paired, or nothing to be had, and no offer would prove nothing."""
    phones = chain_of(day, api)
    for event in day.line.events:
        api.now_ms = instant_of(event)
        api.feed.accept([event])
    assert offers_of(api, phones) > 0


def test_every_event_arrives_afterwards_in_order_and_none_makes_an_offer(
    day: OfflineDay, tmp_path: Path, kafka_broker: KafkaBroker, topic_prefix: str
) -> None:
    """What shoppers did is history the chain lives by; an offer for it would come hours late.

    The same events, told to a chain in their time, do make offers.
    """
    assert day.offers_in_store > 0, "the store alone goes on offering"
    (tmp_path / "in-time").mkdir()
    with running_api(tmp_path, site_map=day.line.site_map) as api:
        check_day(day, api, kafka_broker, topic_prefix)
    with running_api(tmp_path / "in-time", site_map=day.line.site_map) as api:
        check_that_they_are_due(day, api)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_whole_day_of_forty_shoppers_arrives_afterwards(
    tmp_path: Path, small_spool: None, kafka_broker: KafkaBroker, topic_prefix: str
) -> None:
    """From nine to eight, and at night the line is back."""
    del small_spool
    day = play_without_a_line(
        tmp_path, DayOptions(day=DAY, shoppers=40, opens=dt.time(9), closes=dt.time(20))
    )
    forward(day, kafka_broker, topic_prefix)
    events = arrived_events(day, kafka_broker, topic_prefix)
    assert events == [render_event(one) for one in day.line.events]
    kept = len(day.line.fixes) - day.line.counters["fixes_dropped_room"]
    assert arrived_fixes(kafka_broker, topic_prefix, kept) == day.line.fixes[-kept:]
