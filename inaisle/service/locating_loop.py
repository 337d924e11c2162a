"""Run locating: from raw messages to durable zone events, tick by tick, in one thread.

Layer: doors. Takes: a source, reception, engine, reviser, recorder, sink, live state, store, all
wired by inaisle.service.assembly. Gives: events to the sink, fixes to live state, acknowledgements
to the gateways, always in the order events durable → snapshot saved → input acknowledged, so that
kill -9 at any instant costs neither a reading nor a second event.
"""

import gc
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from inaisle.clock import Clock
from inaisle.early_warm_up import await_warm_up
from inaisle.errors import PartBroke
from inaisle.reports.history_side import History, NoHistory
from inaisle.service.anchor_tally import AnchorTally
from inaisle.service.metrics import LocatingMetrics
from inaisle.service.snapshot_saver import (
    LoopState,
    Promise,
    SnapshotSaver,
    pack_map,
    pack_snapshot,
    unpack_map,
    unpack_snapshot,
)
from inaisle.service.visit_recorder import VisitRecorder
from rtls.engine import Engine
from rtls.ingest.reception import Reception
from rtls.model.reading import ReadingBatch
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.model.visit import ZoneEvent
from rtls.ports import EventSink, LiveState, Source, StateStore
from rtls.revision import Reviser

log = structlog.get_logger("inaisle.locating")
SNAPSHOT_IDLE_S: Final = 10.0  # without news; a restart then replays ten seconds of silence
FULL_POLL: Final = 500  # so many messages at once: more are waiting behind them


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """How the loop runs."""

    key: str
    """of the snapshot: site and shard"""
    tick_s: float = 0.05
    epoch_ms: int = 100
    lateness_ms: int = 0
    """an epoch is due so long after its end"""
    snapshot_every_s: float = 0.8
    """of real time: gateways and lines do not run faster because a demo's clock does"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the loop drives."""

    source: Source
    reception: Reception
    engine: Engine
    reviser: Reviser
    visits: VisitRecorder
    sink: EventSink
    live: LiveState
    store: StateStore
    site_map: SiteMap
    """of the engine"""
    history: History = field(default_factory=NoHistory)


class LocatingLoop:
    """One thread that owns reception and engine; nobody else touches them while it runs.

    Attributes
    ----------
    ready
        Set when kernels are warm and the state is restored.
    caught_up_ms
        Up to this instant nothing that has arrived waits to be processed.
    failure
        What ended the loop, if an error did: the process must end then, with status 1.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        clock: Clock,
        settings: LoopSettings,
        metrics: LocatingMetrics,
        tally: AnchorTally,
    ) -> None:
        self._parts = parts
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        self._tally = tally
        self._saver = SnapshotSaver(parts.store, key=settings.key)
        self._map = pack_map(parts.site_map)
        self._receipts: list[int] = []
        self._has_news = False
        self._saved_at = self._beat_at = time.monotonic()
        self._stop = threading.Event()
        self.caught_up_ms = clock.now_ms()
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="locating", daemon=True)

    def start(self) -> None:
        """Start the thread; `ready` is set when kernels are warm and the state is restored."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Take no more messages, make what was received durable, and end.

        Raises
        ------
        PartBroke
            If the loop does not end in time or had ended by an error.
        """
        self._stop.set()
        if not self.ready.is_set() and self.failure is None:
            return  # nothing was taken yet, and a compiler does not listen
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise PartBroke(f"the locating loop did not end within {timeout_s} s.")
        if self.failure is not None:
            raise PartBroke(f"the locating loop ended: {self.failure!r}.")

    @property
    def seconds_since_tick(self) -> float:
        """How long the last tick is past: the watchdog's question."""
        return time.monotonic() - self._beat_at

    def _run(self) -> None:
        try:
            self.prepare()
            self.ready.set()
            self._beat_at = time.monotonic()
            while not self._stop.is_set():
                started = time.monotonic()
                self.tick()
                self._metrics.tick_took(time.monotonic() - started)
                self._wait_for_next_tick(started)
            self.finish()
        except BaseException as error:
            self.failure = error
            log.critical("the locating loop broke", exc_info=error)
        finally:
            gc.unfreeze()  # or the end of the process finds what libraries hold, and complains

    def prepare(self) -> None:
        """Compile or load the kernels, then take up the state of the last run."""
        started = time.monotonic()
        parts = self._parts
        await_warm_up()  # or two threads would compile the same
        parts.engine.warm_up()
        parts.visits.warm_up()
        content = parts.store.load(self._settings.key)
        if content is not None:
            self._restore(unpack_snapshot(content))
        # What lives now lives until the end: collections need not look at it again.
        gc.collect()
        gc.freeze()
        took_s = round(time.monotonic() - started, 3)
        log.info("locating is ready", seconds=took_s, resumed=content is not None)

    def _restore(self, state: LoopState) -> None:
        """Take up the state of the last run, also of one on another map of the site."""
        parts = self._parts
        before = None if state.site_map == self._map else unpack_map(state.site_map)
        ended = parts.engine.restore(state.engine, before=before)
        parts.reviser.restore(state.reviser)
        parts.visits.restore(state.visits)
        parts.reception.restore(state.reception)
        if ended:
            told = parts.reviser.as_told(ended)
            log.info("visits ended with their zones, which the map has no longer", visits=len(told))
            # Before the first snapshot of the new map: a kill in between tells them once more,
            # under the same ids.
            parts.sink.publish(told)
            parts.history.take_records(parts.visits.correct(told))

    def tick(self) -> None:
        """Take what has arrived, emit what can be known, snapshot when it is time."""
        parts, metrics = self._parts, self._metrics
        # Without room the source, and behind it the broker and the gateways, keep what they have.
        messages = parts.source.poll(0.0) if parts.reception.has_room else ()
        now_ms = self._clock.now_ms()
        if messages:
            with metrics.stage("receive"):
                parts.reception.receive(messages)
            self._receipts.extend(message.receipt for message in messages)
            metrics.messages.inc(len(messages))
            self._has_news = True
        with metrics.stage("order"):
            batches = parts.reception.advance(now_ms)
        events = [event for batch in batches for event in self._process(batch)]
        parts.reviser.take(parts.reception.take_late())
        with metrics.stage("revise"):
            revised = parts.reviser.revise()
        parts.history.take_records(parts.visits.correct(revised))
        events.extend(revised)
        if events:
            # Once a tick, not once a batch: each publish waits for a disk.
            with metrics.stage("publish"):
                parts.sink.publish(events)
            self._has_news = True
        if batches:
            self._tell_alarms(now_ms)
            self._tell_lag(batches, now_ms)
        if len(messages) < FULL_POLL:
            self.caught_up_ms = now_ms
        self._beat_at = time.monotonic()
        self._snapshot_when_due()

    def finish(self) -> None:
        """Make durable what was received, answer the gateways and leave."""
        self._keep(self._saver.wait())
        self._begin_snapshot()
        self._keep(self._saver.wait())
        self._saver.close()
        self._parts.visits.close()
        self._parts.source.close()

    def _process(self, batch: ReadingBatch) -> tuple[ZoneEvent, ...]:
        parts, metrics = self._parts, self._metrics
        with metrics.stage("locate"):
            output = parts.engine.process(batch)
        if len(output.fixes.rows):
            with metrics.stage("live"):
                parts.live.put(output.fixes, output.tags)
        if len(output.released):
            parts.reception.release(output.released.tolist())
        self._tally.note(batch.readings)
        events = parts.reviser.note(batch, output.events)
        with metrics.stage("record"):
            parts.history.take(output, parts.visits.take(output, events))
        metrics.count(len(batch.readings), len(output.fixes.rows), events)
        return events

    def _tell_lag(self, batches: Sequence[ReadingBatch], now_ms: UnixMs) -> None:
        newest = batches[-1]
        if len(newest.readings):
            # Again after the work: what the fixes took belongs to how late they are.
            heard_at_ms = float(newest.readings["heard_at_ms"].mean())
            done_ms = max(self._clock.now_ms(), now_ms)
            self._metrics.located(
                heard_at_ms=heard_at_ms, until_ms=newest.epoch_end_ms, now_ms=done_ms
            )
        else:
            self._metrics.lag.set((now_ms - newest.epoch_end_ms) / 1000.0)

    def _tell_alarms(self, now_ms: UnixMs) -> None:
        parts = self._parts
        for alarm in self._tally.note_alarms(
            parts.engine.anchor_alarms, clocks_ms=parts.reception.clock_alarms_ms, now_ms=now_ms
        ):
            log.warning(
                "an anchor is fine again" if alarm.is_over else "an anchor needs somebody",
                anchor=alarm.anchor,
                kind=alarm.kind.value,
                figure=round(alarm.figure, 3),
                since_ms=alarm.since_ms,
            )

    def _snapshot_when_due(self) -> None:
        promise = self._saver.kept()
        if promise is not None:
            self._keep(promise)
        wait_s = self._settings.snapshot_every_s if self._has_news else SNAPSHOT_IDLE_S
        if self._saver.is_idle and time.monotonic() - self._saved_at >= wait_s:
            self._begin_snapshot()

    def _begin_snapshot(self) -> None:
        parts = self._parts
        with self._metrics.stage("record"):
            parts.visits.write()
        with self._metrics.stage("snapshot"):
            state = LoopState(
                engine=parts.engine.snapshot(),
                reviser=parts.reviser.snapshot(),
                visits=parts.visits.snapshot(),
                site_map=self._map,
                reception=parts.reception.snapshot(),
            )
            content = pack_snapshot(state)
            answers = parts.reception.acknowledgements()
        self._saver.begin(content, Promise(receipts=self._receipts, answers=answers))
        self._receipts = []
        self._has_news = False
        self._saved_at = time.monotonic()

    def _keep(self, promise: Promise) -> None:
        self._parts.source.acknowledge(promise.receipts)
        for topic, payload in promise.answers:
            self._parts.source.send(topic, payload)

    def _wait_for_next_tick(self, started: float) -> None:
        left_s = self._settings.tick_s - (time.monotonic() - started)
        if left_s > 0.0:
            self._stop.wait(self._until_epoch_s(left_s))
        else:
            self._metrics.overruns.inc()

    def _until_epoch_s(self, left_s: float) -> float:
        """Return how long to wait at most ``left_s`` so that an epoch has just become due."""
        epoch_ms = self._settings.epoch_ms
        left_ms = left_s * 1000.0 * self._clock.speed
        first_ms = epoch_ms - (self._clock.now_ms() - self._settings.lateness_ms) % epoch_ms
        last_ms = first_ms + (left_ms - first_ms) // epoch_ms * epoch_ms
        return last_ms / 1000.0 / self._clock.speed if last_ms > 0.0 else left_s
