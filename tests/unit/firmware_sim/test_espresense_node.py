"""espresense_node: one radio that smooths and reports tag by tag."""

import json

from firmware_sim.anchor_device import HeldReading
from firmware_sim.espresense_node import TAGS_MAX, EspresenseNode
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.wire import ReadingFields

NOW = 1_795_255_200_000


def advert(at_ms: int, rssi: float, tag: str = "app:1") -> HeldReading:
    return HeldReading(at_ms, ReadingFields("b01", tag, "rssi", rssi))


def reports(link: MemoryLink) -> list[tuple[str, float]]:
    """(topic, rssi) of the reports since the last look."""
    sent = link.take_sent()
    return [
        (one.topic, json.loads(one.payload)["rssi"]) for one in sent if "/devices/" in one.topic
    ]


def test_a_node_is_born_and_leaves_a_will() -> None:
    """A node without power must not look like an empty shop."""
    link = MemoryLink()
    node = EspresenseNode("b01", link=link)
    assert link.will == LineMessage("espresense/rooms/b01/status", b"offline", is_retained=True)
    node.turn(NOW, line_ms=0)
    birth, telemetry = link.take_sent()
    assert birth == LineMessage("espresense/rooms/b01/status", b"online", is_retained=True)
    assert telemetry.topic == "espresense/rooms/b01/telemetry"
    node.close(NOW + 100, line_ms=100)
    assert link.take_sent()[-1].payload == b"offline"


def test_a_tag_that_stands_still_is_repeated_every_five_seconds() -> None:
    """That is why silence of a node says little."""
    link = MemoryLink()
    node = EspresenseNode("b01", link=link)
    said_at_ms = []
    for step in range(24):  # twelve seconds, two adverts a second
        at_ms = NOW + 500 * step
        node.hear([advert(at_ms, -70.0)])
        node.turn(at_ms, line_ms=500 * step)
        said_at_ms += [at_ms - NOW] * len(reports(link))
    assert said_at_ms == [0, 5_000, 10_000]


def test_a_single_loud_advert_does_not_pull_the_mean() -> None:
    """Reflections make outliers; the fences keep them out."""
    link = MemoryLink()
    node = EspresenseNode("b01", link=link)
    strengths = [-70.0, -71.0, -69.0, -70.0, -71.0, -69.0, -70.0, -40.0]
    node.hear([advert(NOW + 700 * step, rssi) for step, rssi in enumerate(strengths)])
    node.turn(NOW + 6_000, line_ms=0)
    assert reports(link) == [
        ("espresense/devices/app:1/b01", -70.0),
    ]


def test_a_tag_beyond_sixteen_metres_is_not_reported() -> None:
    """-98 dBm is 16.7 m to a node that takes 2.7 for the exponent."""
    link = MemoryLink()
    node = EspresenseNode("b01", link=link)
    node.hear([advert(NOW, -98.0, "app:far"), advert(NOW, -97.0, "app:near")])
    node.turn(NOW, line_ms=0)
    assert [topic for topic, _ in reports(link)] == ["espresense/devices/app:near/b01"]


def test_a_range_says_nothing_to_a_node() -> None:
    """Its radio has no ultra-wide band."""
    link = MemoryLink()
    node = EspresenseNode("b01", link=link)
    node.hear([HeldReading(NOW, ReadingFields("b01", "tag:1", "range", 4.0))])
    node.turn(NOW, line_ms=0)
    assert reports(link) == []
    assert node.readings == 0


def test_what_a_node_remembers_has_a_bound() -> None:
    """Phones change their addresses every quarter of an hour."""
    node = EspresenseNode("b01", link=MemoryLink())
    node.hear([advert(NOW, -70.0, f"app:{number}") for number in range(TAGS_MAX + 10)])
    node.turn(NOW, line_ms=0)
    assert len(node._tags) == TAGS_MAX
