"""minew_gateway: a second of adverts in one batch."""

import json

from firmware_sim.anchor_device import HeldReading
from firmware_sim.link import MemoryLink
from firmware_sim.minew_gateway import ADVERTS_A_BATCH_MAX, MinewGateway
from firmware_sim.wire import ReadingFields

NOW = 1_770_596_033_000  # 2026-02-09 00:13:53 UTC


def advert(at_ms: int, rssi: float, tag: str = "58:b1:29:44:94:d3") -> HeldReading:
    return HeldReading(at_ms, ReadingFields("b01", tag, "rssi", rssi))


def test_a_second_of_adverts_is_one_batch() -> None:
    """The gateway itself comes first; the times are its own, in UTC."""
    link = MemoryLink()
    gateway = MinewGateway("b01", link=link)
    gateway.turn(NOW, line_ms=0)
    gateway.hear([advert(NOW + 8, -65.4), advert(NOW + 508, -66.0)])
    gateway.turn(NOW + 500, line_ms=500)
    gateway.turn(NOW + 1_000, line_ms=1_000)
    empty, full = link.take_sent()
    assert [one["type"] for one in json.loads(empty.payload)] == ["Gateway"]
    assert full.topic == "/gw/b01/status"
    itself, *heard = json.loads(full.payload)
    assert itself["timestamp"] == "2026-02-09T00:13:54.000Z"
    assert [(one["mac"], one["timestamp"], one["rssi"]) for one in heard] == [
        ("58B1294494D3", "2026-02-09T00:13:53.008Z", -65),
        ("58B1294494D3", "2026-02-09T00:13:53.508Z", -66),
    ]


def test_a_clock_that_is_ahead_stamps_everything_ahead() -> None:
    """Ingest has to find that out from the arrival."""
    link = MemoryLink()
    gateway = MinewGateway("b01", link=link, skew_ms=3_000)
    gateway.hear([advert(NOW, -65.0)])
    gateway.turn(NOW, line_ms=0)
    itself, heard = json.loads(link.take_sent()[0].payload)
    assert itself["timestamp"] == heard["timestamp"] == "2026-02-09T00:13:56.000Z"


def test_a_gateway_without_line_keeps_only_the_youngest_adverts() -> None:
    """It has no disk."""
    link = MemoryLink()
    gateway = MinewGateway("b01", link=link)
    link.is_up = False
    gateway.hear([advert(NOW + number, -65.0) for number in range(ADVERTS_A_BATCH_MAX + 5)])
    gateway.turn(NOW, line_ms=0)
    link.is_up = True
    gateway.close(NOW + 2_000, line_ms=0)
    elements = json.loads(link.take_sent()[0].payload)
    assert len(elements) == 1 + ADVERTS_A_BATCH_MAX
    assert elements[1]["timestamp"] == "2026-02-09T00:13:53.005Z"
