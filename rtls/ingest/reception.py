"""Turn raw messages into ordered reading batches: decode, admit, order.

Layer: flow. Takes: `RawMessage`s from a source, and now. Gives: `ReadingBatch`es to rtls.engine,
acknowledgements to the gateways, counters to metrics. Nothing that a message contains makes it
raise: what cannot be read goes into quarantine, with a reason, and the next message is processed.

The caller keeps the order of layout.md: events durable, then `snapshot` saved, then
`acknowledgements` sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final, assert_never

import numpy as np

from rtls.ingest.admission import Admission
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.bounded_counts import BoundedCounts
from rtls.ingest.clock_skew import ClockSkew
from rtls.ingest.epoch import Epochs
from rtls.ingest.formats.decoded import (
    Decoded,
    GatewayStatus,
    ReadingColumns,
    Rejection,
    RejectionReason,
)
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.ingest.gateway_ledger import GatewayLedger
from rtls.ingest.gateway_tally import GatewayTally
from rtls.ingest.late_readings import LateReadings
from rtls.ingest.measurement_order import MeasurementOrder
from rtls.ingest.pending_readings import UNKNOWN, GatheredReadings, PendingReadings
from rtls.ingest.quarantine import Quarantine, Quarantined
from rtls.ingest.reception_counters import ReceptionCounters
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.ingest.reception_snapshot import ReceptionState, parse_state, remap_anchors, render_state
from rtls.ingest.tag_slots import Integers, TagSlots
from rtls.ingest.watermark import Watermark
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingBatch, ReadingFlag
from rtls.model.site_map import SiteMap
from rtls.model.units import GatewayId, UnixMs
from rtls.ports import RawMessage

__all__ = ["AdmittedTags", "Reception", "ReceptionSettings"]

GATHERED_MAX: Final = 16_384
ROOM_KEPT: Final = 32_768
"""readings that must fit before more messages are asked for: 800 messages of 40"""


class Reception:
    """All state between the wire and the engine, for one shard of one site."""

    def __init__(
        self,
        site_map: SiteMap,
        *,
        admitted: AdmittedTags,
        settings: ReceptionSettings | None = None,
        formats: FormatSettings | None = None,
        shard: int = 0,
    ) -> None:
        self._settings = settings or ReceptionSettings()
        formats = formats or FormatSettings()
        formats.check_anchors(site_map.anchor_index)
        self._registry = Registry(formats)
        self._site = site_map.site
        self._shard = shard
        self._admitted = admitted
        self._withdrawals = admitted.withdrawals
        self._admission = Admission(site_map, aliases=formats.aliases)
        self._orders = MeasurementOrder()
        self._skew = ClockSkew()
        self._ledger = GatewayLedger()
        self._slots = TagSlots(self._settings.tags_max)
        self._pending = PendingReadings(self._settings.readings_max)
        self._late = LateReadings()
        self._watermark = Watermark(self._settings)
        self._epochs = Epochs(site=site_map.site, shard=shard, settings=self._settings)
        self._quarantine = Quarantine()
        self._gathered = GatheredReadings()
        self._counters = ReceptionCounters()
        self._has_made_room = False
        self._is_broker_heard = False
        self.gateways = GatewayTally()
        self.unknown_anchors = BoundedCounts()
        self.unknown_gateways = BoundedCounts()

    def receive(self, messages: Sequence[RawMessage]) -> None:
        """Take messages as they came. Never raises, whatever they contain."""
        self._drop_withdrawn()
        self._has_made_room = False
        for raw in messages:
            self._counters.messages_received += 1
            self._note_arrival(raw)
            self._receive_one(raw)
            if len(self._gathered) >= GATHERED_MAX:
                self._store()
        self._store()

    def advance(self, now_ms: UnixMs) -> list[ReadingBatch]:
        """Close every epoch that ends by the watermark; return their batches in order."""
        self._drop_withdrawn()
        watermark_ms = self._watermark.at(now_ms, may_hold=self.has_room)
        return self._epochs.close(self._pending, self._slots, watermark_ms=watermark_ms)

    def take_late(self) -> ReadingArray:
        """Return the readings that came too late for their epoch, once; `tag` is the slot."""
        return self._late.take(self._slots)

    def acknowledgements(self) -> list[tuple[str, bytes]]:
        """Return (topic, payload) of the `down` messages for all that was received so far.

        Send them only after the snapshot is saved: a gateway forgets what is acknowledged.
        """
        return self._ledger.acknowledgements()

    def release(self, slots: Sequence[int]) -> None:
        """Free the slots of tags that the engine has forgotten."""
        if len(slots):
            self._slots.release(slots, waiting=self._pending.rows["tag"])

    @property
    def has_room(self) -> bool:
        """Say whether more messages may be asked for; if not, let the source keep them."""
        return self._pending.room >= min(ROOM_KEPT, self._settings.readings_max // 2)

    @property
    def is_held(self) -> bool:
        """Say whether the watermark stands still because nothing is heard."""
        return self._watermark.is_held

    @property
    def counters(self) -> Mapping[str, int]:
        """Return all counters by name; the set of names is fixed."""
        by_reason = self._quarantine.count_by_reason().items()
        return {
            **asdict(self._counters),
            **{f"quarantined_{reason.value}": count for reason, count in by_reason},
            "readings_late": self._epochs.late,
            "readings_late_of_no_slot": self._late.of_no_slot,
            "readings_repeated": self._epochs.repeated,
            "readings_said_again": self._orders.said_again,
            "readings_waiting": len(self._pending),
            "batches": self._epochs.sequence,
            "messages_given_up": self._ledger.given_up,
            "tags_known": len(self._slots.number_of),
        }

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return the last messages put aside, oldest first."""
        return self._quarantine.entries

    @property
    def clock_corrections_ms(self) -> Mapping[str, int]:
        """Return the gateways whose clock is off, and what is added to their times."""
        return self._skew.corrections_ms()

    @property
    def clock_alarms_ms(self) -> Mapping[str, int | None]:
        """Return the gateways whose clock somebody must set; None: it is no clock at all."""
        return self._skew.alarms_ms()

    def snapshot(self) -> bytes:
        """Return all state that a later message may depend on."""
        state = ReceptionState(
            site=self._site,
            shard=self._shard,
            epoch_ms=self._settings.epoch_ms,
            anchors=list(self._admission.index),
            closed_ms=self._epochs.closed_ms,
            heard_ms=self._epochs.heard_ms,
            sequence=self._epochs.sequence,
            tags=self._slots.state(),
            pending=self._pending.rows.tobytes(),
            recent=[(end_ms, marks.tobytes()) for end_ms, marks in self._epochs.recent],
            ledger=self._ledger.state(),
            clocks=self._skew.state(),
            orders=self._orders.state(),
        )
        return render_state(state)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot of the same site, also if its anchors have changed since.

        Fill `AdmittedTags` before: readings that wait are dropped where the tag is not in it.
        `InvalidSnapshot` says that it is of another version, site or epoch length, or damaged.
        """
        state = parse_state(
            snapshot,
            site=self._site,
            shard=self._shard,
            epoch_ms=self._settings.epoch_ms,
            tags_max=self._settings.tags_max,
            readings_max=self._settings.readings_max,
        )
        pending = np.frombuffer(state.pending, READING_DTYPE)
        self._pending.restore(remap_anchors(pending, state.anchors, self._admission.index))
        self._slots.restore(state.tags)
        self._ledger.restore(state.ledger)
        self._skew.restore(state.clocks)
        self._orders.restore(state.orders)
        self._epochs.restore(
            closed_ms=state.closed_ms,
            heard_ms=state.heard_ms,
            sequence=state.sequence,
            recent=[(end_ms, np.frombuffer(marks, np.uint64)) for end_ms, marks in state.recent],
        )
        if state.closed_ms is not None:
            self._watermark.restore(UnixMs(state.closed_ms))
        self._withdrawals = -1  # whom we may locate can have changed in the meantime

    def _note_arrival(self, raw: RawMessage) -> None:
        """Tell the watermark that the line is up.

        Once gateways are heard, the phones, which come another way, say nothing of their line.
        """
        is_from_broker = not raw.topic.startswith("$")
        self._is_broker_heard |= is_from_broker
        if is_from_broker or not self._is_broker_heard:
            self._watermark.arrived(raw.received_at_ms)

    def _receive_one(self, raw: RawMessage) -> None:
        outcome = self._registry.decode(raw.topic, raw.payload, raw.received_at_ms)
        match outcome:
            case Decoded():
                self._take_readings(outcome, raw)
            case Rejection():
                self._put_aside(outcome, raw)
            case GatewayStatus():
                self._counters.status_messages += 1
                self.gateways.note_status(outcome.gateway, is_online=outcome.is_online)
            case _:
                assert_never(outcome)

    def _put_aside(self, rejection: Rejection, raw: RawMessage) -> None:
        self._counters.messages_quarantined += 1
        self._quarantine.put(
            rejection, topic=raw.topic, payload=raw.payload, received_at_ms=raw.received_at_ms
        )
        gateway, key = rejection.gateway, rejection.key
        if gateway is not None and key is not None and self._admission.anchors_of(gateway):
            # Sent again it would be as bad: let the gateway forget it.
            self._ledger.note(gateway, key, raw.received_at_ms)

    def _take_readings(self, decoded: Decoded, raw: RawMessage) -> None:
        anchors = self._admission.anchors_of(decoded.gateway)
        if anchors is None:
            self._counters.messages_unknown_gateway += 1
            self.unknown_gateways.add(decoded.gateway)
            return
        if raw.is_retained and decoded.columns:
            # Said once, at an unknown time, and repeated to every newcomer.
            self._put_aside(Rejection(reason=RejectionReason.RETAINED), raw)
            return
        if decoded.key is not None and not self._ledger.note(
            decoded.gateway, decoded.key, raw.received_at_ms
        ):
            self._counters.messages_duplicate += 1
            return
        if decoded.sent_at_ms is None and raw.is_resent:
            # The broker kept it while we were away: nobody knows any more when it was said.
            self._counters.messages_undated += 1
            return
        sent_at_ms, flags = self._date(decoded, raw.received_at_ms)
        self._counters.messages_accepted += 1
        self.gateways.note(decoded.gateway, raw.received_at_ms)
        self._counters.readings_left_out += decoded.left_out
        for columns in decoded.columns:
            self._gather(
                self._orders.fresh(columns, decoded.gateway, raw.received_at_ms),
                anchors,
                gateway=decoded.gateway,
                sent_at_ms=sent_at_ms,
                received_at_ms=raw.received_at_ms,
                flags=flags,
            )

    def _date(self, decoded: Decoded, received_at_ms: UnixMs) -> tuple[int, int]:
        """Return when a message was sent, and its flags."""
        if decoded.sent_at_ms is None:
            return received_at_ms, decoded.flags | ReadingFlag.ARRIVAL_TIME
        dated = self._skew.date(
            decoded.gateway,
            decoded.sent_at_ms,
            received_at_ms,
            has_spool=decoded.key is not None,
        )
        self._counters.messages_dated_by_arrival += dated.flags != 0
        return dated.sent_at_ms, decoded.flags | dated.flags

    def _gather(
        self,
        columns: ReadingColumns,
        anchors: Mapping[str, int],
        *,
        gateway: GatewayId,
        sent_at_ms: int,
        received_at_ms: int,
        flags: int,
    ) -> None:
        names = columns.anchors
        if not names:
            return
        self._counters.readings_received += len(names)
        if names.count(names[0]) == len(names):  # one anchor a message is the rule
            heard_by = [anchors.get(names[0], UNKNOWN)] * len(names)
        else:
            heard_by = [anchors.get(name, UNKNOWN) for name in names]
        if UNKNOWN in heard_by:
            self._count_unknown(columns.anchors, heard_by, gateway)
        numbers = self._slots.number_of
        tags = [numbers.get(name, UNKNOWN) for name in columns.tags]
        if UNKNOWN in tags:
            self._intern(columns.tags, tags, heard_by)
        refs = columns.ref_anchors
        index = self._admission.index
        self._gathered.add(
            columns,
            tags=tags,
            anchors=heard_by,
            ref_anchors=None if refs is None else [index.get(name, UNKNOWN) for name in refs],
            sent_at_ms=sent_at_ms,
            received_at_ms=received_at_ms,
            flags=flags,
        )

    def _count_unknown(self, names: Sequence[str], heard_by: list[int], gateway: GatewayId) -> None:
        for name, index in zip(names, heard_by, strict=True):
            if index != UNKNOWN:
                continue
            if name in self._admission.index:
                self._counters.readings_foreign_anchor += 1
            else:
                self._counters.readings_unknown_anchor += 1
                self.unknown_anchors.add(name or gateway)

    def _intern(self, names: Sequence[str], tags: list[int], heard_by: list[int]) -> None:
        """Give numbers, in place, to the admitted among the tags not yet known."""
        for position, name in enumerate(names):
            if tags[position] != UNKNOWN or heard_by[position] == UNKNOWN:
                continue
            if name not in self._admitted:
                self._counters.readings_not_admitted += 1
                continue
            number = self._slots.intern(name)
            if number is None and not self._has_made_room:
                # At most once a call: it looks at every tag there is.
                self._has_made_room = True
                self._slots.forget_unplaced(waiting=self._waiting(tags))
                number = self._slots.intern(name)
            if number is None:
                self._counters.readings_no_tag_slot += 1
            else:
                tags[position] = number

    def _store(self) -> None:
        """Put what was gathered into the pending rows."""
        gathered, self._gathered = self._gathered, GatheredReadings()
        if len(gathered) == 0:
            return
        if len(gathered) > self._pending.room:
            self._counters.readings_no_room += len(gathered)
            return
        too_late = self._pending.put(
            gathered,
            spool_after_ms=self._settings.spool_after_ms,
            horizon_ms=self._epochs.horizon_ms,
        )
        lost = self._late.put(too_late, oldest_ms=self._epochs.revisable_ms)
        self._counters.readings_too_late += lost
        self._counters.readings_for_revision += len(too_late) - lost

    def _waiting(self, more: list[int]) -> Integers:
        """Return the numbers of the tags that have readings waiting, or are in ``more``."""
        gathered = np.array(self._gathered.tags + more, np.int32)
        return np.concatenate((self._pending.rows["tag"], gathered))

    def _drop_withdrawn(self) -> None:
        """Forget, before anything is made of them, the readings of tags not admitted any more."""
        if self._withdrawals == self._admitted.withdrawals:
            return
        self._withdrawals = self._admitted.withdrawals
        gone = self._slots.withdraw(self._admitted)
        is_kept = ~np.isin(self._pending.rows["tag"], gone)
        self._counters.readings_not_admitted += int(np.count_nonzero(~is_kept))
        self._pending.keep(is_kept)
        self._late.forget(gone)
