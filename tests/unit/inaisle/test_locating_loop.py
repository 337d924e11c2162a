"""Locating loop: events durable, then the snapshot, then the acknowledgement; never another way."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from inaisle.clock import SystemClock
from inaisle.errors import PartBroke
from inaisle.service.anchor_tally import AnchorTally
from inaisle.service.locating_loop import LocatingLoop, LoopSettings, Parts
from inaisle.service.metrics import LocatingMetrics
from inaisle.service.snapshot_saver import LoopState, pack_map, pack_snapshot, unpack_snapshot
from inaisle.service.visit_recorder import VisitRecorder
from rtls.engine import Engine, EngineOutput
from rtls.ingest.reception import Reception
from rtls.model.anchor_alarm import AnchorAlarm
from rtls.model.errors import InvalidSnapshot, NotDurable
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.reading import READING_DTYPE, ReadingBatch
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, Metre, SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import Transition, TransitionKind, ZoneEvent
from rtls.ports import EventSink, LiveState, RawMessage, Source, StateStore
from rtls.revision import Reviser

WAIT_S = 5.0
SITE_MAP = SiteMap(
    site=SiteId("s"),
    name="s",
    floors=(Floor(floor=0, name="0", width_m=Metre(9.0), height_m=Metre(9.0)),),
    zones=(),
    anchors=(
        Anchor(
            anchor=AnchorId("a0"),
            radio=Radio.UWB,
            floor=0,
            x_m=Metre(0.0),
            y_m=Metre(0.0),
            z_m=Metre(2.0),
        ),
    ),
)
EVENT = Transition(
    event_id="e",
    visit_id="v",
    site=SiteId("s"),
    tag=TagId("tag:1"),
    zone=ZoneId("dowels"),
    kind=TransitionKind.ENTERED,
    at_ms=UnixMs(1),
    decided_at_ms=UnixMs(2),
    probability=1.0,
)


@dataclass
class Shop:
    """All parts of a loop in one object that writes down who was called, in order."""

    calls: list[str] = field(default_factory=list)
    messages: list[RawMessage] = field(default_factory=list)
    saved: dict[str, bytes] = field(default_factory=dict)
    fails_at: str = ""
    ended: tuple[object, ...] = ()
    happened: threading.Condition = field(default_factory=threading.Condition)
    received: int = 0
    has_room: bool = True
    late: int = 0
    revised: tuple[ZoneEvent, ...] = ()
    anchor_alarms: tuple[AnchorAlarm, ...] = ()
    clock_alarms_ms: dict[str, int | None] = field(default_factory=dict)

    def note(self, call: str) -> None:
        with self.happened:
            self.calls.append(call)
            self.happened.notify_all()
        if self.fails_at and call.startswith(self.fails_at):
            raise NotDurable("on purpose")

    def wait_for(self, call: str) -> None:
        with self.happened:
            assert self.happened.wait_for(lambda: call in self.calls, WAIT_S), self.calls

    def wait_for_start_of(self, call: str) -> None:
        def is_there() -> bool:
            return any(made.startswith(call) for made in self.calls)

        with self.happened:
            assert self.happened.wait_for(is_there, WAIT_S), self.calls

    # Source
    def poll(self, _timeout_s: float) -> Sequence[RawMessage]:
        taken, self.messages = self.messages, []
        return taken

    def acknowledge(self, receipts: Sequence[int]) -> None:
        if receipts:
            self.note(f"acknowledge {list(receipts)}")

    def send(self, topic: str, payload: bytes) -> None:
        self.note(f"send {topic} {payload.decode()}")

    def close(self) -> None:
        self.note("close")

    # Reception
    def receive(self, messages: Sequence[RawMessage]) -> None:
        self.received += len(messages)
        self.note(f"receive {len(messages)}")

    def advance(self, now_ms: UnixMs) -> list[ReadingBatch]:
        if not self.received:
            return []
        self.received = 0
        return [
            ReadingBatch(
                site=SiteId("s"),
                shard=0,
                sequence=1,
                epoch_end_ms=now_ms,
                readings=np.zeros(1, READING_DTYPE),
            )
        ]

    def take_late(self) -> np.ndarray:
        late, self.late = self.late, 0
        return np.zeros(late, READING_DTYPE)

    def acknowledgements(self) -> list[tuple[str, bytes]]:
        return [("down", b"1")]

    def release(self, slots: Sequence[int]) -> None:
        self.note(f"release {list(slots)}")

    # Engine
    def warm_up(self) -> None:
        self.note("warm up")

    def process(self, batch: ReadingBatch) -> EngineOutput:
        self.note("process")
        return EngineOutput(
            fixes=FixBatch(at_ms=batch.epoch_end_ms, rows=np.zeros(1, FIX_DTYPE)),
            tag_names=np.array([b"tag:1"]),
            events=(EVENT,),
            released=np.array([7], np.int32),
        )

    def snapshot(self) -> bytes:
        return b"state"

    def restore(self, snapshot: bytes, *, before: SiteMap | None = None) -> tuple[object, ...]:
        self.note(f"restore {snapshot.decode()}{'' if before is None else ' of another map'}")
        return () if before is None else self.ended

    # EventSink, LiveState, StateStore
    def publish(self, events: Sequence[ZoneEvent]) -> None:
        self.note(f"publish {len(events)}")

    def put(self, _fixes: FixBatch, tags: Sequence[TagId]) -> None:
        self.note(f"live {list(tags)}")

    def save(self, key: str, snapshot: bytes) -> None:
        self.note("save")
        self.saved[key] = snapshot

    def load(self, key: str) -> bytes | None:
        return self.saved.get(key)


@dataclass
class Revisions:
    """A reviser that finds nothing to put right, unless told."""

    shop: Shop

    def note(self, _batch: ReadingBatch, events: Sequence[ZoneEvent]) -> tuple[ZoneEvent, ...]:
        return tuple(events)

    def as_told(self, events: Sequence[ZoneEvent]) -> tuple[ZoneEvent, ...]:
        return tuple(events)

    def take(self, late: np.ndarray) -> None:
        if late.size:
            self.shop.note(f"late {late.size}")

    def revise(self) -> tuple[ZoneEvent, ...]:
        found, self.shop.revised = self.shop.revised, ()
        return found

    def snapshot(self) -> bytes:
        return b"names"

    def restore(self, snapshot: bytes) -> None:
        self.shop.note(f"restore {snapshot.decode()}")


@dataclass
class Records:
    """A recorder that writes down when it is asked to make durable, and what it is given."""

    shop: Shop

    def warm_up(self) -> None:
        pass

    def take(self, _output: EngineOutput, events: Sequence[ZoneEvent]) -> None:
        self.shop.note(f"record {len(events)}")

    def correct(self, events: Sequence[ZoneEvent]) -> None:
        if events:
            self.shop.note(f"correct {len(events)}")

    def write(self) -> None:
        self.shop.note("write")

    def snapshot(self) -> bytes:
        return b"ended"

    def restore(self, snapshot: bytes) -> None:
        self.shop.note(f"restore {snapshot.decode()}")

    def close(self) -> None:
        self.shop.note("close journal")


Start = Callable[[], LocatingLoop]


@pytest.fixture
def shop() -> Shop:
    return Shop(messages=[RawMessage(topic="t", payload=b"", received_at_ms=UnixMs(5), receipt=41)])


@pytest.fixture
def start(shop: Shop) -> Iterator[Start]:
    started: list[LocatingLoop] = []

    def begin() -> LocatingLoop:
        parts = Parts(
            source=cast("Source", shop),
            reception=cast("Reception", shop),
            engine=cast("Engine", shop),
            reviser=cast("Reviser", Revisions(shop)),
            visits=cast("VisitRecorder", Records(shop)),
            sink=cast("EventSink", shop),
            live=cast("LiveState", shop),
            store=cast("StateStore", shop),
            site_map=SITE_MAP,
        )
        loop = LocatingLoop(
            parts,
            clock=SystemClock(),
            settings=LoopSettings(key="s-0", tick_s=0.005, snapshot_every_s=0.05),
            metrics=LocatingMetrics(CollectorRegistry()),
            tally=AnchorTally(SITE_MAP),
        )
        started.append(loop)
        loop.start()
        return loop

    yield begin
    for loop in started:
        if loop.failure is None:
            loop.stop(WAIT_S)


def test_input_is_acknowledged_after_its_events_and_the_snapshot_are_durable(
    shop: Shop, start: Start
) -> None:
    """Kill -9 in between makes the sender send again; the other way round it would lose it."""
    start()
    shop.wait_for("send down 1")
    order = [call for call in shop.calls if not call.startswith(("live", "release", "warm"))]
    assert order[:8] == [
        "receive 1",
        "process",
        "record 1",
        "publish 1",
        "write",
        "save",
        "acknowledge [41]",
        "send down 1",
    ]
    assert "release [7]" in shop.calls
    assert "live ['tag:1']" in shop.calls


@pytest.mark.parametrize("step", ["publish", "save"])
def test_what_is_not_durable_is_not_acknowledged_and_ends_the_loop(
    shop: Shop, start: Start, step: str
) -> None:
    """A supervisor starts the process again; the gateways still have everything."""
    shop.fails_at = step
    loop = start()
    shop.wait_for_start_of(step)
    with pytest.raises(PartBroke, match="on purpose"):
        loop.stop(WAIT_S)
    assert isinstance(loop.failure, NotDurable)
    assert not any(call.startswith(("acknowledge", "send")) for call in shop.calls)


def test_a_restart_goes_on_from_the_snapshot_before_it_says_ready(shop: Shop, start: Start) -> None:
    """Whoever asks /readyz sends readings next."""
    state = LoopState(
        engine=b"tracks",
        reviser=b"names",
        visits=b"ended",
        site_map=pack_map(SITE_MAP),
        reception=b"ledger",
    )
    shop.saved["s-0"] = pack_snapshot(state)
    loop = start()
    assert loop.ready.wait(WAIT_S)
    begun = shop.calls[: shop.calls.index("restore ledger") + 1]
    restored = ["restore tracks", "restore names", "restore ended", "restore ledger"]
    assert begun == ["warm up", *restored]


def test_after_a_change_of_the_map_the_visits_of_gone_zones_are_told_before_anything_else(
    shop: Shop, start: Start
) -> None:
    """Offers would wait for their end for ever; and a kill in between must tell them again."""
    state = LoopState(
        engine=b"tracks",
        reviser=b"names",
        visits=b"ended",
        site_map=pack_map(replace(SITE_MAP, name="As it was")),
        reception=b"ledger",
    )
    shop.saved["s-0"] = pack_snapshot(state)
    shop.ended = (EVENT,)
    loop = start()
    assert loop.ready.wait(WAIT_S)
    begun = shop.calls[: shop.calls.index("correct 1") + 1]
    assert begun[1] == "restore tracks of another map"
    assert begun[-2:] == ["publish 1", "correct 1"]
    assert "save" not in begun


def test_a_stop_makes_durable_what_was_received_and_answers(shop: Shop, start: Start) -> None:
    """A deployment at noon costs no reading."""
    loop = start()
    shop.wait_for("receive 1")
    loop.stop(WAIT_S)
    assert unpack_snapshot(shop.saved["s-0"]) == LoopState(
        engine=b"state",
        reviser=b"names",
        visits=b"ended",
        site_map=pack_map(SITE_MAP),
        reception=b"state",
    )
    assert shop.calls[-1] == "close"
    assert "acknowledge [41]" in shop.calls


def test_what_late_readings_change_is_published_with_the_rest(shop: Shop, start: Start) -> None:
    """And before the snapshot that acknowledges them."""
    shop.late, shop.revised = 3, (replace(EVENT, revision=1),)
    start()
    shop.wait_for("save")
    order = [c for c in shop.calls if c.startswith(("late", "correct", "publish", "save"))]
    assert order[:4] == ["late 3", "correct 1", "publish 2", "save"]


def test_without_room_nothing_is_taken_from_the_source(shop: Shop, start: Start) -> None:
    """The gateways have spools; our memory has an end."""
    shop.has_room = False
    loop = start()
    assert loop.ready.wait(WAIT_S)
    loop.stop(WAIT_S)
    assert "receive 1" not in shop.calls


@pytest.mark.parametrize("content", [b"", b"LOOP", b"x" * 64])
def test_a_snapshot_of_something_else_is_refused(content: bytes) -> None:
    """Half a state is worse than none."""
    with pytest.raises(InvalidSnapshot):
        unpack_snapshot(content)
