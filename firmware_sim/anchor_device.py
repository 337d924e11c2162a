"""Act as the gateway of a group of anchors: batch, spool, send, and send again.

Layer: flow. Takes: what its anchors heard, from firmware_sim.device_fleet. Gives: messages of the
reference protocol to a `Link`.

Every message is in the disk spool before it is published, and stays there until ``down`` says that
it is stored for good at the other end; a broker's receipt is not that. Two times are told apart:
that of the shop (``now_ms``, which may run faster than life) stamps readings; that of the line
(``line_ms``) paces what is sent again.
"""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from firmware_sim.disk_spool import DiskSpool, MessageKey
from firmware_sim.errors import check_between
from firmware_sim.link import LineMessage, Link
from firmware_sim.wire import (
    READINGS_A_MESSAGE_MAX,
    DownFields,
    ReadingFields,
    down_topic,
    parse_down,
    render_birth,
    render_up,
    render_will,
    status_topic,
    up_topic,
)
from firmware_sim.wire_packed import is_packed, packed_topic, render_packed
from rtls.model.units import AnchorId, GatewayId

RESEND_DOUBLINGS_MAX: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """How a gateway batches and resends."""

    readings_a_message: int = 40
    hold_ms: int = 250
    """a reading waits at most so long for others to share its message"""
    resend_after_ms: int = 2_000
    resend_ms_max: int = 60_000
    in_flight_max: int = 100
    """unreceipted publishes at a time: a spool empties no faster than the broker takes it"""
    is_packed: bool = False
    """write the packed form of the protocol instead of JSON"""

    def __post_init__(self) -> None:
        check_between("readings_a_message", self.readings_a_message, 1, READINGS_A_MESSAGE_MAX)
        check_between("hold_ms", self.hold_ms, 0, 10_000)
        check_between("resend_after_ms", self.resend_after_ms, 10, self.resend_ms_max)
        check_between("resend_ms_max", self.resend_ms_max, self.resend_after_ms, 3_600_000)
        check_between("in_flight_max", self.in_flight_max, 1, 10_000)


@dataclass(slots=True)
class Outstanding:
    """One message that is not acknowledged yet."""

    tries: int = 0
    due_ms: int = 0
    is_queued: bool = True


@dataclass(frozen=True, slots=True)
class HeldReading:
    """A reading that waits for its message; ``fields.dt`` is not known before that is sent."""

    heard_at_ms: int
    fields: ReadingFields


class GatewayDevice:
    """One gateway.

    Parameters
    ----------
    gateway
        Its id: user name, client id and part of its topics.
    anchors
        The anchors it reports for.
    link
        Its line to the broker.
    spool
        Its disk; messages of an earlier start in it are sent too.
    seed
        Decides boot id and jitter.
    skew_ms
        How far its clock is ahead of the truth.

    Attributes
    ----------
    boot
        16 hex digits, new at every start.
    messages, readings, resent
        Counts since the start.
    """

    def __init__(
        self,
        gateway: GatewayId,
        *,
        anchors: Sequence[AnchorId],
        link: Link,
        spool: DiskSpool,
        seed: int,
        settings: DeviceSettings | None = None,
        skew_ms: int = 0,
    ) -> None:
        self.gateway = gateway
        self.skew_ms = skew_ms
        self.spool = spool
        self._anchors = [str(anchor) for anchor in anchors]
        self._settings = settings or DeviceSettings()
        self._link = link
        self._random = random.Random(seed)
        self.boot = self._new_boot_id()
        self.messages = self.readings = self.resent = 0
        self._held: deque[HeldReading] = deque()
        self._waiting = {key: Outstanding() for key in spool.waiting()}
        self._queue = deque(self._waiting)
        self._timers: list[tuple[int, str, int]] = []  # (due_ms, boot, seq)
        self._was_up = False
        self._low = 0
        will = LineMessage(status_topic(gateway), render_will(boot=self.boot), is_retained=True)
        link.open(subscription=down_topic(gateway), will=will)

    @property
    def unacknowledged(self) -> int:
        """Return how many messages are not known to be stored at the other end."""
        return len(self._waiting)

    def hear(self, readings: Sequence[HeldReading]) -> None:
        """Take what the anchors heard, in the order of time."""
        self._held.extend(readings)
        self.readings += len(readings)

    def turn(self, now_ms: int, *, line_ms: int) -> None:
        """Do what is due: listen, batch, send, send again.

        Parameters
        ----------
        now_ms
            Time of the shop.
        line_ms
            Time of the line, from any origin.
        """
        for message in self._link.turn(line_ms):
            self._receive(message)
        self._greet(now_ms)
        self._spool_messages(now_ms)
        self._queue_what_is_due(line_ms)
        self._send(line_ms)

    def close(self, now_ms: int, *, line_ms: int) -> None:
        """Send what is held, say goodbye and leave the rest in the spool."""
        self._spool_messages(now_ms, is_last=True)
        self._send(line_ms)
        goodbye = render_will(boot=self.boot)
        self._link.publish(LineMessage(status_topic(self.gateway), goodbye, is_retained=True))
        self._link.close()
        self.spool.close()

    def _receive(self, message: LineMessage) -> None:
        down = parse_down(message.payload)
        if down is None or message.topic != down_topic(self.gateway):
            return
        holes = set(down.missing)
        for key in [k for k in self._stored_prefix(down) if k.seq not in holes]:
            del self._waiting[key]
        self.spool.acknowledge(down.boot, upto=down.upto, missing=down.missing)
        for seq in down.missing:
            self._queue_again(MessageKey(down.boot, seq))

    def _stored_prefix(self, down: DownFields) -> list[MessageKey]:
        # Messages wait in the order of their numbers, so that the search ends early. An older
        # boot's come before all of this one's.
        found = []
        for key in self._waiting:
            if key.boot == down.boot:
                if key.seq > down.upto:
                    break
                found.append(key)
        return found

    def _greet(self, now_ms: int) -> None:
        """After every connection: be born, and offer everything that is not acknowledged."""
        if self._link.is_up and not self._was_up:
            birth = render_birth(boot=self.boot, at_ms=now_ms + self.skew_ms, anchors=self._anchors)
            self._link.publish(LineMessage(status_topic(self.gateway), birth, is_retained=True))
            self._queue = deque(self._waiting)
            for outstanding in self._waiting.values():
                outstanding.is_queued = True
        self._was_up = self._link.is_up

    def _new_boot_id(self) -> str:
        """Draw until no earlier start of this gateway had the id; the disk remembers them."""
        while True:
            boot = f"{self._random.getrandbits(64):016x}"
            if self.spool.claim_boot(boot):
                return boot

    def _spool_messages(self, now_ms: int, *, is_last: bool = False) -> None:
        fresh: list[tuple[MessageKey, bytes]] = []
        size = self._settings.readings_a_message
        self._find_low()
        hold_ms = -1 if is_last else self._settings.hold_ms
        while self._held and (
            len(self._held) >= size or now_ms - self._held[0].heard_at_ms >= hold_ms
        ):
            taken = [self._held.popleft() for _ in range(min(size, len(self._held)))]
            fresh.append(self._render(taken, now_ms))
        if not fresh:
            return
        for key in self.spool.put(fresh):
            self._waiting.pop(key, None)
        for key, _ in fresh:
            self._waiting[key] = Outstanding()
            self._queue.append(key)

    def _render(self, taken: list[HeldReading], now_ms: int) -> tuple[MessageKey, bytes]:
        fields = []
        for held in taken:
            held.fields.dt = held.heard_at_ms - now_ms
            fields.append(held.fields)
        key = MessageKey(self.boot, self.messages)
        self.messages += 1
        render = render_packed if self._settings.is_packed else render_up
        payload = render(
            boot=self.boot,
            seq=key.seq,
            low=self._low,
            sent_at_ms=now_ms + self.skew_ms,
            readings=fields,
        )
        return key, payload

    def _find_low(self) -> None:
        """Move on to the oldest message of this boot that waits, or to the next one to come."""
        while self._low < self.messages and MessageKey(self.boot, self._low) not in self._waiting:
            self._low += 1

    def _queue_what_is_due(self, line_ms: int) -> None:
        while self._timers and self._timers[0][0] <= line_ms:
            due_ms, boot, seq = heapq.heappop(self._timers)
            key = MessageKey(boot, seq)
            outstanding = self._waiting.get(key)
            if outstanding is not None and outstanding.due_ms == due_ms:
                self._queue_again(key)

    def _queue_again(self, key: MessageKey) -> None:
        outstanding = self._waiting.get(key)
        if outstanding is not None and not outstanding.is_queued:
            outstanding.is_queued = True
            self._queue.append(key)

    def _send(self, line_ms: int) -> None:
        topic, packed = up_topic(self.gateway), packed_topic(self.gateway)
        room = self._settings.in_flight_max - self._link.in_flight
        while self._queue and room > 0 and self._link.is_up:
            key = self._queue.popleft()
            outstanding = self._waiting.get(key)
            payload = None if outstanding is None else self.spool.take(key)
            if outstanding is None or payload is None:
                continue
            self._link.publish(LineMessage(packed if is_packed(payload) else topic, payload))
            self.resent += outstanding.tries > 0
            self._set_timer(key, outstanding, line_ms)
            room -= 1

    def _set_timer(self, key: MessageKey, outstanding: Outstanding, line_ms: int) -> None:
        doublings = min(outstanding.tries, RESEND_DOUBLINGS_MAX)
        pause = min(self._settings.resend_after_ms << doublings, self._settings.resend_ms_max)
        # Up to a quarter more, or all gateways of a shop would come back in the same instant.
        outstanding.due_ms = line_ms + pause + self._random.randrange(pause // 4 + 1)
        outstanding.tries += 1
        outstanding.is_queued = False
        heapq.heappush(self._timers, (outstanding.due_ms, key.boot, key.seq))
