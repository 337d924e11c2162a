"""load and load_stream: a known load, and a true account of it."""

import json
from collections import Counter, defaultdict

import numpy as np
import pytest

from firmware_sim.errors import InvalidScenario
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.load import LoadGenerator
from firmware_sim.load_stream import LoadMessage, LoadPlan, LoadStream
from firmware_sim.scenario import STARTS_AT_MS
from rtls.ingest.formats.decoded import Decoded
from rtls.ingest.formats.reference import decode_up
from rtls.model.site_map import SiteMap
from rtls.model.units import GatewayId, UnixMs, ZoneId

DOWELS = ZoneId("dowels")


def stream_of(shop: SiteMap, **plan: object) -> LoadStream:
    given = LoadPlan(**{"tags": 200, "readings_per_s": 1_600, **plan})  # type: ignore[arg-type]
    return LoadStream(shop, plan=given, seed=1, starts_at_ms=STARTS_AT_MS)


def ticks(stream: LoadStream, seconds: float) -> list[LoadMessage]:
    count = round(seconds * 1_000 / stream.plan.tick_ms)
    return [message for _ in range(count) for message in stream.tick()]


def test_the_rate_is_what_the_plan_says(shop: SiteMap) -> None:
    """200 tags, 8 anchors a round, once a second: 1,600 readings a second."""
    stream = stream_of(shop)
    readings = sum(message.readings for message in ticks(stream, 10.0))
    waiting = sum(len(held) for held in stream._held)
    assert readings + waiting == 16_000


def test_messages_are_full_unless_their_first_reading_has_waited_long(shop: SiteMap) -> None:
    """40 readings a message is what the end-to-end promise is measured at."""
    messages = ticks(stream_of(shop, readings_per_s=16_000, tags=2_000), 2.0)
    assert np.mean([message.readings == 40 for message in messages]) > 0.95
    quiet = ticks(stream_of(shop, tags=5, readings_per_s=40), 2.0)
    for message in quiet:
        ages = [-reading["dt"] for reading in json.loads(message.payload)["obs"]]
        assert max(ages) <= 250 + 50


def test_ingest_understands_every_message(shop: SiteMap) -> None:
    """A load of rejected messages would measure the quickest way of doing nothing."""
    owner = {anchor.anchor: anchor.gateway for anchor in shop.anchors}
    for message in ticks(stream_of(shop), 2.0):
        topic = f"inaisle/v1/gw/{message.gateway}/up"
        decoded = decode_up(topic, message.payload, UnixMs(message.sent_as_of_ms))
        assert isinstance(decoded, Decoded), decoded
        assert decoded.key.seq == message.seq
        anchors = {anchor for column in decoded.columns for anchor in column.anchors}
        assert {owner[anchor] for anchor in anchors} == {message.gateway}


def test_a_stander_is_silent_until_he_stands_and_then_stays_where_he_is(shop: SiteMap) -> None:
    """The instant from which a dwell can count must be known to the benchmark."""
    begin = UnixMs(STARTS_AT_MS + 2_000)
    stream = stream_of(
        shop, stands=[(DOWELS, 3)], stand_from_ms=begin, stand_stagger_ms=500, tags=10,
        readings_per_s=80,
    )  # fmt: skip
    heard = defaultdict(list)
    for message in ticks(stream, 6.0):
        for stander, at_ms in message.standers:
            heard[stander].append(at_ms)
    assert [stander.from_ms for stander in stream.standers] == [begin, begin + 500, begin + 1_000]
    for number, stander in enumerate(stream.standers):
        assert stander.zone == DOWELS
        assert min(heard[number]) >= stander.from_ms
        assert min(heard[number]) < stander.from_ms + 1_000
        last = max(heard[number])  # some of the last round may still wait for their message
        counts = Counter(at_ms for at_ms in heard[number] if at_ms < last)
        assert set(counts.values()) == {8}


def test_walking_tags_walk(shop: SiteMap) -> None:
    """1 m/s along the way: between two rounds a second apart nobody moves more than that."""
    stream = stream_of(shop)
    tags = np.arange(200)
    first = stream._places(tags, np.full(200, STARTS_AT_MS))
    second = stream._places(tags, np.full(200, STARTS_AT_MS + 1_000))
    moved = np.hypot(*(second - first).T)
    assert np.quantile(moved, 0.9) <= 1.0 + 0.1
    assert np.median(moved) > 0.8


def run_load(shop: SiteMap, *, seconds: float) -> tuple[LoadGenerator, dict[GatewayId, MemoryLink]]:
    stream = stream_of(shop, stands=[(DOWELS, 1)], stand_from_ms=STARTS_AT_MS)
    links: dict[GatewayId, MemoryLink] = {}

    def link_of(gateway: GatewayId) -> MemoryLink:
        links[gateway] = MemoryLink()
        return links[gateway]

    now = [0.0]

    def sleep(duration: float) -> None:
        now[0] += duration

    generator = LoadGenerator(
        stream,
        link_of=link_of,
        clock=lambda: STARTS_AT_MS + int(now[0] * 1_000),
        clock_ns=lambda: int(now[0] * 1e9),
        sleep=sleep,
    )
    generator.connect()
    generator.run(until_ms=STARTS_AT_MS + int(seconds * 1_000))
    return generator, links


def test_the_report_counts_what_is_not_acknowledged_as_lost(shop: SiteMap) -> None:
    """Zero lost must be shown by numbers, so the count must be able to be above zero."""
    generator, links = run_load(shop, seconds=3.0)
    table = generator.report.table()
    assert generator.report.unstored() == len(table) > 0
    for index, gateway in enumerate(generator.report.gateways):
        last = int(table["seq"][table["gateway"] == index].max())
        down = {"boot": generator.report.boot, "upto": last, "missing": [1]}
        topic = f"inaisle/v1/gw/{gateway}/down"
        links[gateway].deliver(LineMessage(topic, json.dumps(down).encode()))
    generator.turn()
    assert generator.report.unstored() == 8
    assert generator.report.readings == table["readings"].sum()


def test_the_report_says_when_a_reading_was_sent(shop: SiteMap) -> None:
    """Latency counts from the first message that could have decided."""
    generator, _ = run_load(shop, seconds=3.0)
    from_ms = STARTS_AT_MS + 1_500
    sent_ns = generator.report.sent_at_ns(0, from_ms=from_ms)
    assert sent_ns is not None
    assert 1_500 <= sent_ns / 1e6 <= 1_500 + 1_000 + 300
    assert generator.report.sent_at_ns(0, from_ms=STARTS_AT_MS + 10_000) is None


def test_a_load_that_cannot_be_is_refused(shop: SiteMap) -> None:
    """Two tags cannot make 16,000 readings a second."""
    with pytest.raises(InvalidScenario, match="rounds of a tag per second is 1000"):
        LoadPlan(tags=2)
    with pytest.raises(InvalidScenario, match="'dowells'; the site has no such zone"):
        stream_of(shop, stands=[(ZoneId("dowells"), 1)])
    with pytest.raises(InvalidScenario, match=r"24 UWB anchors; expected anchors_a_round \(30\)"):
        stream_of(shop, anchors_a_round=30, readings_per_s=6_000)
