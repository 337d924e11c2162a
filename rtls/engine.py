"""Locate, place and dwell: one batch of readings in, fixes and zone events out.

Layer: flow. Takes: `ReadingBatch`es of one shard of one site, in order. Gives: `EngineOutput` to
the door, which publishes the events, saves the snapshot and only then acknowledges the input.

Pure: no clock, no random number, no I/O. The same batches give the same bytes, wherever they are
cut by a snapshot, a restart or a repetition.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.engine_contract import (
    NO_SLOTS,
    EngineCounters,
    EngineOutput,
    EngineSettings,
    Slots,
)
from rtls.engine_handover import take_up
from rtls.engine_snapshot import (
    TAGS_AT_START,
    TAGS_MAX,
    EngineRows,
    EngineState,
    pack_state,
)
from rtls.geofence.crossing import crossed_zones
from rtls.geofence.dwell import DwellStep, step_rules, step_stays
from rtls.geofence.grid_containment import NodeZones
from rtls.geofence.zone_events import ZoneNews
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.anchor_alarm import AnchorAlarm
from rtls.model.errors import InvalidReading
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingBatch, ReadingFlag
from rtls.model.site_map import SiteMap
from rtls.model.track import TAG_ID_BYTES_MAX
from rtls.model.units import SiteId, TagId, UnixMs
from rtls.model.visit import ZoneEvent
from rtls.positioning.calibration import Calibration
from rtls.positioning.grid_choice import by_tag
from rtls.positioning.known_readings import NEVER, known_readings
from rtls.positioning.locator import Locator, Nodes
from rtls.positioning.warm_up import compiled_signatures

__all__ = ["Engine", "EngineCounters", "EngineOutput", "EngineSettings", "compiled_signatures"]

SECOND_MS: Final = 1000
Fixes = npt.NDArray[np.void]
Rows = npt.NDArray[np.void]
NO_READINGS: Final = np.empty(0, READING_DTYPE)
NO_FIXES: Final = np.empty(0, FIX_DTYPE)


class Engine:
    """The state of one shard of one site, and the steps over it.

    Parameters
    ----------
    site_map
        Should have passed `check_site_map`.
    calibration
        What is known of links beyond the map.
    settings
        Of the steps.
    shard
        Which part of the site's tags this engine follows.

    Raises
    ------
    InvalidCalibration
        If the calibration names an anchor that the map does not have.
    """

    def __init__(
        self,
        site_map: SiteMap,
        *,
        calibration: Calibration | None = None,
        settings: EngineSettings | None = None,
        shard: int = 0,
    ) -> None:
        self._site_map = site_map
        self._shard = shard
        self._settings = settings or EngineSettings()
        self._locator = Locator(site_map, calibration=calibration, settings=self._settings.tracking)
        self._zones = ZoneIndex.build(site_map)
        self._places = NodeZones.build(self._zones, self._locator.nodes, self._settings.containment)
        self._rules = step_rules(site_map, self._settings.dwell)
        self._state = self._empty_state()
        self._judges_anchors = True
        self._alarms: list[AnchorAlarm] = []
        self.counters = EngineCounters()

    @property
    def site(self) -> SiteId:
        """Whose tags are followed."""
        return self._site_map.site

    @property
    def shard(self) -> int:
        """Which part of the site's tags."""
        return self._shard

    @property
    def sequence(self) -> int:
        """Sequence of the last batch processed, -1 before the first."""
        return self._state.sequence

    @property
    def input_offset(self) -> int:
        """The offset that the restored snapshot was given."""
        return self._state.input_offset

    @property
    def nodes(self) -> Nodes:
        """Where beliefs are stated over; `rows_of` gives the beliefs."""
        return self._locator.nodes

    def tag_ids(self) -> dict[int, TagId]:
        """Return the tags followed now by slot."""
        slots = np.flatnonzero(self._state.heard_ms != NEVER)
        return {int(slot): self._state.tag_of(int(slot)) for slot in slots}

    def snapshot(self, *, input_offset: int = 0) -> bytes:
        """Return all that the engine remembers, as bytes; it goes on unchanged.

        Parameters
        ----------
        input_offset
            Where the input goes on, given back by `Engine.input_offset` after `restore`.
        """
        self._state.input_offset = input_offset
        return pack_state(self._state, site_map=self._site_map, shard=self._shard)

    def restore(self, snapshot: bytes, *, before: SiteMap | None = None) -> tuple[ZoneEvent, ...]:
        """Go on from a snapshot of this shard of this site.

        One that is damaged, or of another version, site, shard, map or layout is refused with
        `InvalidSnapshot`, and nothing changes. One of another map of this site goes on if that is
        given as ``before``: returned are the visits that end since their zones are gone.
        """
        state, nodes = self._empty_state(), self._locator.nodes
        maps = (before or self._site_map, self._site_map)
        ended = take_up(snapshot, state, maps=maps, shard=self._shard, nodes=nodes)
        self._state = state
        for slot, tag in self.tag_ids().items():  # the calibration may be a newer one
            self._locator.follow(state.locator, slot, tag)
        return ended

    def rows_of(self, slots: Slots) -> EngineRows:
        """Return a copy of all that is remembered of the tags in ``slots``, in that order."""
        return self._state.rows_of(slots)

    def put_rows(self, slots: Slots, rows: EngineRows) -> None:
        """Replace what is remembered of ``slots`` by rows that `rows_of` gave."""
        self._state.make_room(int(slots.max(initial=0)))
        self._state.put_rows(slots, rows)

    @property
    def anchor_alarms(self) -> tuple[AnchorAlarm, ...]:
        """The alarms that stand, in the order of the anchors."""
        return self._locator.alarms(self._state.locator)

    @property
    def anchor_weights(self) -> npt.NDArray[np.float64]:
        """(n_anchors,) how far each anchor is trusted, 0 to 1; a copy."""
        return self._state.locator.weights.copy()

    @anchor_weights.setter
    def anchor_weights(self, weights: npt.NDArray[np.float64]) -> None:
        self._state.locator.weights = weights

    def twin_at(self, epoch_end_ms: UnixMs) -> "Engine":
        """Return an engine of the same site and settings that follows no tag yet.

        It goes on after the epoch that ended at ``epoch_end_ms``, and changes nothing here. It
        does not judge anchors: `anchor_weights` are set by whoever runs it.
        """
        twin = self.for_shard(self._shard)
        twin._judges_anchors = False  # noqa: SLF001  our own
        twin._state.epoch_end_ms = epoch_end_ms  # noqa: SLF001
        return twin

    def for_shard(self, shard: int) -> "Engine":
        """Return an engine of the same site that follows no tag yet; both are for one thread."""
        sibling = copy(self)
        sibling._shard, sibling._state = shard, self._empty_state()  # noqa: SLF001  our own
        sibling.counters = EngineCounters()
        return sibling

    def process(self, batch: ReadingBatch) -> EngineOutput:
        """Take one batch; a batch seen before is passed over.

        Parameters
        ----------
        batch
            The next epoch of this shard. Whole seconds that no batch came for are made up for, so
            that leaving out empty batches changes no event. One of another site or shard, or one
            that gives an occupied slot to a second tag, is refused with `InvalidReading`.
        """
        self._refuse_strangers(batch)
        state = self._state
        if batch.sequence <= state.sequence:
            self.counters.batches_seen_before += 1
            return self._output(batch.epoch_end_ms)
        state.sequence = batch.sequence
        if batch.epoch_end_ms <= state.epoch_end_ms:
            self.counters.batches_too_old += 1
            self.counters.readings_too_old += batch.readings.size
            self._introduce(batch)
            return self._output(batch.epoch_end_ms)
        return self._advance(batch)

    def warm_up(self) -> None:
        """Compile every kernel, or load it from the cache, with the dtypes of real batches."""
        self._locator.warm_up()
        nobody = self._empty_state()
        known_readings(NO_READINGS, nobody.heard_ms, n_anchors=0, oldest_ms=None, end_ms=UnixMs(0))
        self._places.warm_up(nobody.locator.beliefs.of(NO_SLOTS))
        self._crossed(nobody, NO_FIXES.copy(), UnixMs(0))
        self._step(nobody, NO_FIXES.copy(), is_late=None, at_ms=UnixMs(0))
        coordinates = np.empty(0, np.float64)
        self._zones.zones_at(coordinates, coordinates, np.empty(0, np.int32))

    def _empty_state(self) -> EngineState:
        return EngineState(locator=self._locator.empty_state(TAGS_AT_START))

    def _refuse_strangers(self, batch: ReadingBatch) -> None:
        if (batch.site, batch.shard) != (self._site_map.site, self._shard):
            raise InvalidReading(
                f"batch is of site {batch.site!r}, shard {batch.shard}; expected "
                f"{self._site_map.site!r}, {self._shard}. Route batches by site and shard."
            )

    def _advance(self, batch: ReadingBatch) -> EngineOutput:
        news = ZoneNews(self._site_map, self._state.tag_of)
        self._alarms = []
        released: list[Slots] = []
        for at_ms in self._seconds_until(batch.epoch_end_ms):
            news.add(self._pass_instant(NO_READINGS, at_ms)[1])
            released.append(self._forget_silent(at_ms))
        self._introduce(batch)
        end_ms = batch.epoch_end_ms
        fixes, rows = self._pass_instant(self._known_readings(batch), end_ms)
        news.add(rows)
        output = self._output(end_ms, fixes)
        if end_ms % SECOND_MS == 0:
            released.append(self._forget_silent(end_ms))
        self._state.epoch_end_ms = end_ms
        return replace(
            output,
            events=tuple(news.events),
            passes=tuple(news.passes),
            alarms=tuple(self._alarms),
            released=np.concatenate((NO_SLOTS, *released)),
        )

    def _seconds_until(self, end_ms: UnixMs) -> Iterator[UnixMs]:
        """Yield the whole seconds since the last batch and before this one, while tags are left."""
        last_ms = self._state.epoch_end_ms
        if last_ms == NEVER:
            return
        for at_ms in range((last_ms // SECOND_MS + 1) * SECOND_MS, end_ms, SECOND_MS):
            if not (self._state.heard_ms != NEVER).any():
                return
            yield UnixMs(at_ms)

    def _introduce(self, batch: ReadingBatch) -> None:
        for slot, tag in batch.introduced:
            if not 0 <= slot < TAGS_MAX:
                self.counters.tags_refused += 1
                continue
            self._state.make_room(slot)
            if self._state.heard_ms[slot] == NEVER:
                self._follow(slot, tag, batch.epoch_end_ms)
            elif (held_by := self._state.tag_of(slot)) != tag:
                raise InvalidReading(
                    f"slot {slot} is given to tag {tag!r} but belongs to {held_by!r}; "
                    "expected a free slot. Give a slot away only after the engine released it."
                )

    def _follow(self, slot: int, tag: TagId, at_ms: UnixMs) -> None:
        if not (tag.isascii() and 0 < len(tag) <= TAG_ID_BYTES_MAX) or "\0" in tag:
            raise InvalidReading(
                f"tag id is {tag!r}; expected 1 to {TAG_ID_BYTES_MAX} ASCII characters. Admission "
                "must reject such a tag."
            )
        state = self._state
        state.clear(np.array([slot], np.int32))
        self._locator.follow(state.locator, slot, tag)
        state.heard_ms[slot] = at_ms

    def _known_readings(self, batch: ReadingBatch) -> ReadingArray:
        """Return the readings that the state can take, count the others, note who was heard."""
        state, counters = self._state, self.counters
        has_past = state.epoch_end_ms != NEVER
        oldest_ms = min(state.epoch_end_ms, batch.epoch_end_ms) - self._settings.late_ms_max
        known, left_out = known_readings(
            batch.readings,
            state.heard_ms,
            n_anchors=self._locator.n_anchors,
            oldest_ms=oldest_ms if has_past else None,
            end_ms=batch.epoch_end_ms,
        )
        counters.readings_of_no_tag += left_out.no_tag
        counters.readings_of_no_anchor += left_out.no_anchor
        counters.readings_too_old += left_out.too_old
        counters.readings_too_young += left_out.too_young
        return known

    def _pass_instant(self, readings: ReadingArray, at_ms: UnixMs) -> tuple[Fixes, Rows]:
        """Step the tags heard and, at a whole second, the silent ones."""
        fixes = self._locator.update(self._state.locator, readings, epoch_end_ms=at_ms)
        passed = self._crossed(self._state, fixes, at_ms)
        rows = self._step(self._state, fixes, is_late=_spooled(readings, fixes), at_ms=at_ms)
        rows = np.concatenate((passed, rows)) if passed.size else rows
        if at_ms % SECOND_MS == 0:
            coasted, blank = self._coast(fixes["tag"], at_ms)
            silent = np.concatenate((coasted, blank))
            if silent.size:
                more = self._step(self._state, silent, is_late=None, at_ms=at_ms)
                rows = np.concatenate((rows, more))
            fixes = by_tag(fixes, coasted)
            self._alarms += self._locator.review(
                self._state.locator, fixes, at_ms=at_ms, judges_anchors=self._judges_anchors
            )
        return fixes, rows

    def _crossed(self, state: EngineState, fixes: Fixes, at_ms: UnixMs) -> Rows:
        return crossed_zones(
            state.trails,
            fixes,
            at_ms=at_ms,
            index=self._zones,
            stays=state.stays,
            rules=self._rules,
            settings=self._settings.containment,
        )

    def _step(
        self,
        state: EngineState,
        fixes: Fixes,
        *,
        is_late: npt.NDArray[np.uint8] | None,
        at_ms: UnixMs,
    ) -> Rows:
        """Step the stays of the tags of ``fixes``; without ``is_late`` these are silent tags."""
        beliefs = state.locator.beliefs.of(fixes["tag"]) if fixes["method"].any() else None
        places = self._places.probabilities(fixes, beliefs)
        self.counters.zones_left_out += places.left_out
        step = DwellStep(
            fixes=fixes,
            places=places,
            interval_ms=state.tracks["interval_ms"],
            is_late=np.zeros(fixes.size, np.uint8) if is_late is None else is_late,
            at_ms=at_ms,
            is_heard=is_late is not None,
        )
        return step_stays(state.stays, step, rules=self._rules, counters=self.counters.dwell)

    def _coast(self, heard: npt.NDArray[np.int32], at_ms: UnixMs) -> tuple[Fixes, Fixes]:
        """Return the predicted fixes of silent tags, and blank ones of tags without a place.

        A blank fix is in no zone: it only lets the timers of a tag run that is not located now.
        """
        state = self._state
        placed, others = state.silent_slots(heard, at_ms, coast_s=self._settings.coast_s)
        if not (placed.size or others.size):
            return NO_FIXES, NO_FIXES
        coasted = self._locator.coast(state.locator, placed, at_ms=at_ms)
        blank = np.zeros(others.size, FIX_DTYPE)
        blank["tag"] = others
        blank["x_m"] = np.nan
        blank["kinds"] = state.tracks["kinds"][others]
        blank["evidence_at_ms"] = state.tracks["heard_at_ms"][others]
        return coasted, blank

    def _forget_silent(self, at_ms: UnixMs) -> Slots:
        return self._state.forget_silent(at_ms, ttl_s=self._settings.track_ttl_s)

    def _output(self, at_ms: UnixMs, fixes: Fixes = NO_FIXES) -> EngineOutput:
        names = self._state.tracks["tag_id"][fixes["tag"]]
        return EngineOutput(fixes=FixBatch(at_ms=at_ms, rows=fixes), tag_names=names)


def _spooled(readings: ReadingArray, fixes: Fixes) -> npt.NDArray[np.uint8]:
    """Return (n,) 1 where a fix stands on a reading that a gateway had held back."""
    from_spool = (readings["flags"] & ReadingFlag.FROM_SPOOL) != 0
    if not from_spool.any():
        return np.zeros(fixes.size, np.uint8)
    return np.isin(fixes["tag"], readings["tag"][from_spool]).astype(np.uint8)
