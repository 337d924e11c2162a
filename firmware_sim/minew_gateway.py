"""Act as a Minew G1 gateway: collect adverts and publish them together once a second.

Layer: flow. Takes: what its anchor heard, from firmware_sim.device_fleet. Gives: Minew's batches to
a `Link`. It has a clock, which may be wrong, and no spool: what it says while the line is down is
lost.
"""

from collections.abc import Sequence
from typing import Final

from firmware_sim.anchor_device import HeldReading
from firmware_sim.link import LineMessage, Link
from firmware_sim.radio_address import radio_address
from firmware_sim.wire_minew import HeardAdvert, action_topic, batch_topic, render_batch

UPLOAD_MS: Final = 1_000
ADVERTS_A_BATCH_MAX: Final = 1_000


class MinewGateway:
    """One gateway with one radio.

    Parameters
    ----------
    gateway
        Its name: client id and part of its topics.
    link
        Its line to the broker.
    skew_ms
        How far its clock is ahead of the truth.

    Attributes
    ----------
    readings, messages, resent, unacknowledged
        Counts since the start; a gateway never sends again and is never acknowledged.
    """

    resent = 0
    unacknowledged = 0

    def __init__(self, gateway: str, *, link: Link, skew_ms: int = 0) -> None:
        self._gateway = gateway
        self._link = link
        self._skew_ms = skew_ms
        self._held: list[HeardAdvert] = []
        self._upload_at_ms = 0
        self.readings = self.messages = 0
        link.open(subscription=action_topic(gateway), will=None)

    def hear(self, readings: Sequence[HeldReading]) -> None:
        """Take what the radio heard, in the order of time; it understands strengths only."""
        fresh = [
            HeardAdvert(
                at_ms=one.heard_at_ms + self._skew_ms,
                mac=radio_address(one.fields.id),
                rssi_dbm=one.fields.v,
            )
            for one in readings
            if one.fields.k == "rssi"
        ]
        self.readings += len(fresh)
        # Its memory is small: of a long second, or of a broken line, the youngest adverts remain.
        self._held = (self._held + fresh)[-ADVERTS_A_BATCH_MAX:]

    def turn(self, now_ms: int, *, line_ms: int) -> None:
        """Publish a batch when it is time."""
        self._link.turn(line_ms)
        if now_ms >= self._upload_at_ms and self._link.is_up:
            self._upload(now_ms)

    def close(self, now_ms: int, *, line_ms: int) -> None:
        """Publish what is held and end the line."""
        self._link.turn(line_ms)
        self._upload(now_ms)
        self._link.close()

    def _upload(self, now_ms: int) -> None:
        self._upload_at_ms = now_ms + UPLOAD_MS
        held, self._held = self._held, []
        payload = render_batch(
            held, mac=radio_address(self._gateway), sent_at_ms=now_ms + self._skew_ms
        )
        self._link.publish(LineMessage(batch_topic(self._gateway), payload))
        self.messages += 1
