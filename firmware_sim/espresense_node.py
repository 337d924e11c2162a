"""Act as an ESPresense node: smooth what one radio hears, and report each tag by itself.

Layer: flow. Takes: what its anchor heard, from firmware_sim.device_fleet. Gives: ESPresense's
messages to a `Link`.

A node has neither clock nor spool: what it says while the line is down is lost. A tag that stands
still is repeated every 5 s only, and one beyond 16 m, as the node believes, is not reported at all.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from firmware_sim.advert_window import AdvertWindow
from firmware_sim.anchor_device import HeldReading
from firmware_sim.link import LineMessage, Link
from firmware_sim.radio_address import radio_address
from firmware_sim.wire_espresense import (
    OFFLINE,
    ONLINE,
    SmoothedTag,
    device_topic,
    distance_m,
    render_device,
    render_telemetry,
    settings_topic,
    status_topic,
    telemetry_topic,
)

DISTANCE_M_MAX: Final = 16.0
MOVED_M: Final = 0.5
REPEAT_MS: Final = 5_000
TELEMETRY_MS: Final = 15_000
TAGS_MAX: Final = 1_000


@dataclass(slots=True)
class HeardTag:
    """One tag as the node remembers it."""

    first_at_ms: int
    adverts: int = 0
    window: AdvertWindow = field(default_factory=AdvertWindow)
    said_at_ms: int | None = None
    said_m: float = 0.0


class EspresenseNode:
    """One node with one radio.

    Parameters
    ----------
    node
        Its name: client id and part of its topics.
    link
        Its line to the broker.

    Attributes
    ----------
    readings, messages, resent, unacknowledged
        Counts since the start; a node never sends again and is never acknowledged.
    """

    resent = 0
    unacknowledged = 0

    def __init__(self, node: str, *, link: Link) -> None:
        self._node = node
        self._link = link
        self._tags: OrderedDict[str, HeardTag] = OrderedDict()
        self._fresh: list[HeldReading] = []
        self._was_up = False
        self._began_ms: int | None = None
        self._telemetry_at_ms = 0
        self.readings = self.messages = 0
        will = LineMessage(status_topic(node), OFFLINE, is_retained=True)
        link.open(subscription=settings_topic(node), will=will)

    def hear(self, readings: Sequence[HeldReading]) -> None:
        """Take what the radio heard, in the order of time; it understands strengths only."""
        self._fresh += [one for one in readings if one.fields.k == "rssi"]

    def turn(self, now_ms: int, *, line_ms: int) -> None:
        """Report what is due."""
        self._link.turn(line_ms)
        if self._link.is_up and not self._was_up:
            self._link.publish(LineMessage(status_topic(self._node), ONLINE, is_retained=True))
        self._was_up = self._link.is_up
        fresh, self._fresh = self._fresh, []
        self.readings += len(fresh)
        for one in fresh:
            self._take(one.fields.id, one.heard_at_ms, one.fields.v)
        self._say_telemetry(now_ms)

    def close(self, now_ms: int, *, line_ms: int) -> None:
        """Report what is due, say goodbye and end the line."""
        self.turn(now_ms, line_ms=line_ms)
        self._link.publish(LineMessage(status_topic(self._node), OFFLINE, is_retained=True))
        self._link.close()

    def _take(self, tag: str, at_ms: int, rssi_dbm: float) -> None:
        heard = self._tags.setdefault(tag, HeardTag(at_ms))
        self._tags.move_to_end(tag)
        while len(self._tags) > TAGS_MAX:
            self._tags.popitem(last=False)
        heard.adverts += 1
        heard.window.add(at_ms, rssi_dbm)
        mean_dbm, variance_db2 = heard.window.mean_and_variance()
        distance = distance_m(mean_dbm)
        if distance > DISTANCE_M_MAX or not _is_due(heard, at_ms, distance):
            return
        heard.said_at_ms, heard.said_m = at_ms, distance
        smoothed = SmoothedTag(
            tag=tag,
            mac=radio_address(tag),
            rssi_dbm=mean_dbm,
            variance_db2=variance_db2,
            interval_ms=(at_ms - heard.first_at_ms) // max(1, heard.adverts - 1),
        )
        self._publish(device_topic(tag, self._node), render_device(smoothed))

    def _say_telemetry(self, now_ms: int) -> None:
        if self._began_ms is None:
            self._began_ms = now_ms
        if now_ms < self._telemetry_at_ms:
            return
        self._telemetry_at_ms = now_ms + TELEMETRY_MS
        payload = render_telemetry(
            uptime_s=(now_ms - self._began_ms) // 1_000,
            adverts=self.readings,
            seen=len(self._tags),
            reported=self.messages,
        )
        self._publish(telemetry_topic(self._node), payload)

    def _publish(self, topic: str, payload: bytes) -> None:
        self._link.publish(LineMessage(topic, payload))
        self.messages += 1


def _is_due(heard: HeardTag, at_ms: int, distance: float) -> bool:
    """Say whether the firmware would report now: for the first time, moved, or long ago."""
    return (
        heard.said_at_ms is None
        or abs(distance - heard.said_m) >= MOVED_M
        or at_ms - heard.said_at_ms >= REPEAT_MS
    )
