"""Carry readings from the gateways of thin stores to the chain's log, tick by tick, in one thread.

Layer: doors. Takes: a source, sites, a store of states and a producer, wired by
inaisle.chain.bridge. Gives: frames to the log and acknowledgements to the gateways, always in the
order state saved with its frames → frames durable in the log → input acknowledged. While the log is
away nothing is polled: broker and gateways keep what they have.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

import structlog

from inaisle.chain.bridge_site import BridgeSite, Frame
from inaisle.chain.gateway_sites import GatewaySites
from inaisle.clock import Clock
from inaisle.errors import PartBroke
from rtls.model.anchor_order import ANCHORS_HEADER
from rtls.model.errors import InvalidSnapshot
from rtls.model.units import SiteId
from rtls.ports import Source, StateStore
from rtls.publish.kafka.producing import KafkaProducer

log = structlog.get_logger("inaisle.bridge")
FRAMES_MAX: Final = 4_096
"""of a site: so many may wait for the log before no more is polled"""
SLOW_LOG_S: Final = 2.0
"""what store or log has not taken after so long: no more is polled"""
IDLE_SAVE_S: Final = 10.0
DRAIN_S: Final = 4.0
HURRY: Final = 10.0
"""so many times as often the loop turns while the broker has more: it gives one window a turn"""
WAIT_FOR_BACKLOG_S: Final = 60.0
"""a broker that never runs dry is not behind, it is busy"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeParts:
    """What the loop drives."""

    source: Source
    phones: Mapping[SiteId, Source]
    """what shoppers' phones of a site heard, as the API hands it on; needs no acknowledgement"""
    sites: Mapping[SiteId, BridgeSite]
    routes: GatewaySites
    store: StateStore
    producer: KafkaProducer


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSettings:
    """How the loop runs."""

    topic: str
    """of readings"""
    tick_s: float = 0.05
    save_every_s: float = 0.2
    window: int = 400
    """so many messages not yet acknowledged: the broker has more behind them, which it holds back
    until some are; 0 where it knows no acknowledgements"""


class Step(Enum):
    """Where the frames of the last save are."""

    IDLE = auto()
    SAVING = auto()
    SENDING = auto()


@dataclass(slots=True)
class Parcel:
    """What one save covers: frames to send, and what may be acknowledged when they are durable."""

    frames: dict[SiteId, int] = field(default_factory=dict)
    receipts: Sequence[int] = ()
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    sent: dict[SiteId, int] = field(default_factory=dict)


class BridgeLoop:
    """One thread that owns source, sites and producer; nobody else touches them while it runs.

    Attributes
    ----------
    ready
        Set when the states are restored.
    failure
        What ended the loop, if an error did: the process must end then, with status 1.
    counters
        Of messages taken, saves, and ticks on which nothing was polled since the log was away.
    """

    def __init__(self, parts: BridgeParts, *, clock: Clock, settings: BridgeSettings) -> None:
        self._parts = parts
        self._clock = clock
        self._settings = settings
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bridge-state")
        self._step = Step.IDLE
        self._saving: Future[None] | None = None
        self._parcel = Parcel()
        self._receipts: list[int] = []
        self._step_at = self._saved_at = self._beat_at = self._dry_at = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bridge", daemon=True)
        self.counters = {"messages": 0, "saves": 0, "ticks_held": 0}
        self.ready = threading.Event()
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Take no more messages, bring what was received to the log, and end.

        `InvalidSnapshot` says that it had ended since a state cannot be taken up.

        Raises
        ------
        PartBroke
            If the loop does not end in time or had ended by another error.
        """
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise PartBroke(f"the bridge did not end within {timeout_s:g} s.")
        if isinstance(self.failure, InvalidSnapshot):
            raise self.failure  # to start it again would not help
        if self.failure is not None:
            raise PartBroke(f"the bridge ended: {self.failure!r}.")

    @property
    def seconds_since_tick(self) -> float:
        """How long the last tick is past: the watchdog's question."""
        return time.monotonic() - self._beat_at

    @property
    def is_held(self) -> bool:
        """Return whether nothing is polled, since the log does not take what there is."""
        waited_s = time.monotonic() - self._step_at
        is_slow = self._step is not Step.IDLE and waited_s > SLOW_LOG_S
        return is_slow or any(len(s.frames) > FRAMES_MAX for s in self._parts.sites.values())

    def prepare(self) -> None:
        """Take up the states of the last run; their frames are sent before anything is polled."""
        for site in self._parts.sites.values():
            content = self._parts.store.load(key_of(site.site))
            if content is not None:
                site.restore(content)
            log.info("a site is bridged", site=site.site, frames_told_again=len(site.frames))
        self._seal()
        self._go_to(Step.SENDING)

    def tick(self) -> None:
        """Take what has arrived, make what can be made, and bring it one step on."""
        if self.is_held:
            self.counters["ticks_held"] += 1
            for site in self._parts.sites.values():
                site.hold()
        else:
            self._receive()
        self._bring_on()
        self._beat_at = time.monotonic()

    def finish(self) -> None:
        """Bring what was received to the log if it takes it; else it is told at the next start."""
        give_up_at = time.monotonic() + DRAIN_S
        while self._has_more() and time.monotonic() < give_up_at:
            self._bring_on(at_once=True)
            time.sleep(self._settings.tick_s / 10.0)
        if self._saving is not None:
            self._saving.result()
        self._pool.shutdown()
        self._parts.source.close()

    def _run(self) -> None:
        try:
            self.prepare()
            self.ready.set()
            while not self._stop.is_set():
                started = time.monotonic()
                self.tick()
                tick_s = self._settings.tick_s / (HURRY if self._is_behind() else 1.0)
                self._stop.wait(max(tick_s - (time.monotonic() - started), 0.0))
            self.finish()
        except BaseException as error:
            self.failure = error
            log.critical("the bridge broke", exc_info=error)

    def _receive(self) -> None:
        parts = self._parts
        has_room = all(site.reception.has_room for site in parts.sites.values())
        messages = parts.source.poll(0.0) if has_room else ()
        now_ms = self._clock.now_ms()
        for name, own in parts.routes.sort(messages).items():
            parts.sites[name].receive(own)
        for name, phones in parts.phones.items():
            parts.sites[name].receive(phones.poll(0.0))
        self._receipts.extend(message.receipt for message in messages)
        self.counters["messages"] += len(messages)
        is_behind = self._is_behind()
        for site in parts.sites.values():
            if is_behind:
                site.hold()
            site.advance(now_ms)

    def _is_behind(self) -> bool:
        """Return whether older messages wait at the broker: the time of all sites waits for them.

        After a restart it has those of the whole time without us, and sends them window by window.
        """
        unacknowledged = len(self._receipts) + len(self._parcel.receipts)
        is_full = 0 < self._settings.window <= unacknowledged
        if not is_full:
            self._dry_at = time.monotonic()
        return is_full and time.monotonic() - self._dry_at < WAIT_FOR_BACKLOG_S

    def _bring_on(self, *, at_once: bool = False) -> None:
        """Go one step on with what is to be saved, sent and acknowledged."""
        if self._step is Step.SAVING and self._is_saved():
            self._go_to(Step.SENDING)
        if self._step is Step.SENDING and self._is_sent():
            self._acknowledge()
            self._go_to(Step.IDLE)
        if self._step is Step.IDLE and self._is_due(at_once=at_once):
            self._begin_save()
            self._go_to(Step.SAVING)

    def _go_to(self, step: Step) -> None:
        self._step, self._step_at = step, time.monotonic()

    def _is_due(self, *, at_once: bool) -> bool:
        waited_s = time.monotonic() - self._saved_at
        has_news = bool(self._receipts) or any(s.has_news for s in self._parts.sites.values())
        # A full window is a broker that waits for us.
        is_due = at_once or waited_s >= self._settings.save_every_s or self._is_behind()
        return (has_news and is_due) or waited_s >= IDLE_SAVE_S

    def _has_more(self) -> bool:
        sites = self._parts.sites.values()
        return (
            self._step is not Step.IDLE
            or bool(self._receipts)
            or any(site.frames for site in sites)
        )

    def _seal(self) -> None:
        """Let the next parcel hold what there is now; what comes later is for the one after it."""
        sites = self._parts.sites.values()
        self._parcel = Parcel(
            frames={site.site: len(site.frames) for site in sites},
            receipts=self._receipts,
            answers=[one for site in sites for one in site.reception.acknowledgements()],
        )
        self._receipts = []

    def _begin_save(self) -> None:
        now_ms = self._clock.now_ms()
        sites = [site for site in self._parts.sites.values() if site.has_news]
        contents = {key_of(site.site): site.pack(now_ms) for site in sites}
        self._seal()
        self._saved_at = time.monotonic()
        self.counters["saves"] += 1
        self._saving = self._pool.submit(self._save, contents)

    def _save(self, contents: Mapping[str, bytes]) -> None:
        for key, content in contents.items():
            self._parts.store.save(key, content)

    def _is_saved(self) -> bool:
        assert self._saving is not None
        if not self._saving.done():
            return False
        saving, self._saving = self._saving, None
        saving.result()
        return True

    def _is_sent(self) -> bool:
        """Send what the parcel holds, as far as there is room; return whether all is durable."""
        producer, parcel = self._parts.producer, self._parcel
        for name, count in parcel.frames.items():
            frames = self._parts.sites[name].frames
            while parcel.sent.get(name, 0) < count:
                if not self._offer(frames[parcel.sent.get(name, 0)]):
                    return False
                parcel.sent[name] = parcel.sent.get(name, 0) + 1
        return producer.is_durable()

    def _offer(self, frame: Frame) -> bool:
        return self._parts.producer.offer(
            self._settings.topic,
            key=frame.key,
            value=frame.value,
            headers={ANCHORS_HEADER: frame.anchors.encode()},
        )

    def _acknowledge(self) -> None:
        parcel, source = self._parcel, self._parts.source
        for name, count in parcel.frames.items():
            self._parts.sites[name].forget(count)
        source.acknowledge(parcel.receipts)
        for topic, payload in parcel.answers:
            source.send(topic, payload)
        self._parcel = Parcel()


def key_of(site: SiteId) -> str:
    """Return the name under which the state of a site is kept."""
    return f"bridge-{site}"
