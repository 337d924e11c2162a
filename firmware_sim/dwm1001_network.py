"""Act as a DWM1001 network: tags that compute their own position, and the gateway that tells it.

Layer: flow. Takes: the ranges that its anchors measured, from firmware_sim.device_fleet.
Gives: positions of ten superframes a second to a `Link`. It has no clock and no spool: what it says
while the line is down is lost.

The positioning is PANS' in kind, not in quality: least squares over the ranges of one superframe,
at the height at which tags hang. A tag with fewer than three ranges, or that finds no place which
fits them, is lost.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from firmware_sim.anchor_device import HeldReading
from firmware_sim.link import LineMessage, Link
from firmware_sim.wire_dwm1001 import (
    location_topic,
    node_of,
    render_location,
    render_status,
    status_topic,
)

FRAME_MS: Final = 100
RANGES_MIN: Final = 3
TAG_HEIGHT_M: Final = 1.2
STEPS: Final = 8
RESIDUAL_M_MAX: Final = 1.0
SILENT_MS_MAX: Final = 2_000
Point = tuple[float, float, float]


class Dwm1001Network:
    """All UWB anchors of a site as one network.

    Parameters
    ----------
    anchors
        Where each anchor is, in the frame of the floor; the network's frame is the same.
    link
        The gateway's line to the broker.

    Attributes
    ----------
    readings, messages, resent, unacknowledged
        Counts since the start; a gateway never sends again and is never acknowledged.
    """

    resent = 0
    unacknowledged = 0

    def __init__(self, anchors: Mapping[str, Point], *, link: Link) -> None:
        self._anchors = dict(anchors)
        self._link = link
        self._ranges: dict[str, dict[str, float]] = {}
        self._places: dict[str, Point] = {}
        self._heard_at_ms: dict[str, int] = {}
        self._frame = -1
        self.readings = self.messages = 0
        link.open(subscription="dwm/node/+/downlink/data", will=None)

    def hear(self, readings: Sequence[HeldReading]) -> None:
        """Take what the anchors measured, in the order of time."""
        for one in readings:
            if one.fields.k == "range":
                self._ranges.setdefault(one.fields.id, {})[one.fields.a] = one.fields.v
                self._heard_at_ms[one.fields.id] = one.heard_at_ms
                self.readings += 1

    def turn(self, now_ms: int, *, line_ms: int) -> None:
        """End the superframe when it is time: every tag that was heard tells its position."""
        self._link.turn(line_ms)
        frame = now_ms // FRAME_MS
        if frame > self._frame:
            self._frame = frame
            self._publish(now_ms)

    def close(self, now_ms: int, *, line_ms: int) -> None:
        """Tell what is known and end the line."""
        self._link.turn(line_ms)
        self._publish(now_ms)
        self._link.close()

    def _publish(self, now_ms: int) -> None:
        ranges, self._ranges = self._ranges, {}
        for tag, of_tag in ranges.items():
            place, quality = self._place(tag, of_tag)
            self._say(
                location_topic(node_of(tag)),
                render_location(place, quality=quality, frame=self._frame),
            )
        for tag in [t for t, at in self._heard_at_ms.items() if now_ms - at > SILENT_MS_MAX]:
            del self._heard_at_ms[tag]
            self._places.pop(tag, None)
            self._say(status_topic(node_of(tag)), render_status(is_present=False))

    def _say(self, topic: str, payload: bytes) -> None:
        if self._link.is_up:
            self._link.publish(LineMessage(topic, payload))
            self.messages += 1

    def _place(self, tag: str, ranges: Mapping[str, float]) -> tuple[Point | None, int]:
        """Return the position of a tag and its quality, or that it is lost."""
        if len(ranges) < RANGES_MIN:
            return None, 0
        known = [(self._anchors[anchor], measured) for anchor, measured in ranges.items()]
        start = self._places.get(tag) or _middle([anchor for anchor, _ in known])
        place, residual_m = fit(known, start=start)
        if residual_m > RESIDUAL_M_MAX:
            return None, 0
        self._places[tag] = place
        return place, max(1, round(100.0 * (1.0 - residual_m / RESIDUAL_M_MAX)))


def fit(known: Sequence[tuple[Point, float]], *, start: Point) -> tuple[Point, float]:
    """Return the point at `TAG_HEIGHT_M` that fits ranges best, and the rms of what is left.

    Gauss-Newton on two unknowns.

    Examples
    --------
    >>> anchors = [(0.0, 0.0, 1.2), (4.0, 0.0, 1.2), (0.0, 3.0, 1.2)]
    >>> place, rms = fit([(a, math.dist(a, (1.0, 2.0, 1.2))) for a in anchors],
    ...                  start=(2.0, 1.0, 1.2))
    >>> [round(one, 6) for one in place], round(rms, 6)
    ([1.0, 2.0, 1.2], 0.0)
    """
    x, y = start[0], start[1]
    for _ in range(STEPS):
        xx = xy = yy = gx = gy = 0.0
        for anchor, measured in known:
            distance = max(math.dist((x, y, TAG_HEIGHT_M), anchor), 0.01)
            ux, uy = (x - anchor[0]) / distance, (y - anchor[1]) / distance
            left = measured - distance
            xx, xy, yy = xx + ux * ux, xy + ux * uy, yy + uy * uy
            gx, gy = gx + ux * left, gy + uy * left
        determinant = xx * yy - xy * xy
        if determinant < 1e-6:  # noqa: PLR2004 # the anchors stand in a line with the tag
            break
        x += (yy * gx - xy * gy) / determinant
        y += (xx * gy - xy * gx) / determinant
    place = (x, y, TAG_HEIGHT_M)
    squares = [(measured - math.dist(place, anchor)) ** 2 for anchor, measured in known]
    return place, math.sqrt(sum(squares) / len(squares))


def _middle(points: Sequence[Point]) -> Point:
    return (
        sum(p[0] for p in points) / len(points),
        sum(p[1] for p in points) / len(points),
        TAG_HEIGHT_M,
    )
