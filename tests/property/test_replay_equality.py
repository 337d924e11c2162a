"""From messages to events: order, doubling, splitting and restarts change no byte of what is told.

The whole locating half, as the served process runs it: reception, engine, reviser. With fine ranges
(the Gaussian filter), with strengths, and with coarse ranges (both on the walkable grid).
"""

import json
import random
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.engine import Engine
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.reception import Reception
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.model.site_map import DwellRules, Radio, SiteMap
from rtls.model.units import UnixMs
from rtls.model.visit_json import render_event
from rtls.ports import RawMessage
from rtls.revision import Reviser, RevisionSettings
from tests.reference.shelf_site import START_MS, make_site, shelf_zones

SPAN_MS = 14_000
STEP_MS = 250
RULES = DwellRules(dwell_thresholds_s=(3.0, 8.0))
SETTINGS = ReceptionSettings(hold_ms_max=0, revise_max_ms=60_000)
PLACES = [(5.0, 4.5), (7.0, 4.5), (10.0, 5.0), (18.0, 2.0)]
DELAYS_MS = (0, 50, 180)  # of the first copy: below what would pass for a wrong clock
AGAIN_MS = (200, 320)  # of the second, on top; all within the lateness of half a second


def ranges_site() -> SiteMap:
    return make_site(shelf_zones(RULES))


def strengths_site() -> SiteMap:
    site = make_site(shelf_zones(RULES))
    return replace(site, anchors=tuple(replace(a, radio=Radio.BLE) for a in site.anchors))


SITES = {"range": ranges_site(), "rssi": strengths_site(), "coarse": strengths_site()}


KINDS = {"range": {"k": "range"}, "rssi": {"k": "rssi"}, "coarse": {"k": "range", "sd": 2.0}}


@cache
def spoken(kind: str, seed: int) -> tuple[RawMessage, ...]:
    """What two gateways send while two tags walk and stand, in order and without delay."""
    site = SITES[kind]
    chance = np.random.default_rng(seed)
    gateways = {f"g{k}": site.anchors[k::2] for k in range(2)}
    goals = [PLACES[k] for k in chance.integers(0, len(PLACES), 2)]
    messages = []
    for step in range(SPAN_MS // STEP_MS):
        if step % 20 == 0:
            goals[step // 20 % 2] = PLACES[int(chance.integers(0, len(PLACES)))]
        sent_ms = START_MS + STEP_MS * (step + 1)
        for gateway, anchors in gateways.items():
            heard = [
                {"a": anchor.anchor, "id": f"tag:{tag}", "v": value, "dt": -30, **KINDS[kind]}
                for tag, place in enumerate(goals)
                for anchor in anchors
                if (value := measured(kind, anchor, place, chance)) is not None
            ]
            if heard:
                body = {"v": 1, "boot": "6f2c9a10b7e4d853", "seq": step, "t": sent_ms, "obs": heard}
                payload = json.dumps(body).encode()
                topic = f"inaisle/v1/gw/{gateway}/up"
                messages.append(RawMessage(topic=topic, payload=payload, received_at_ms=sent_ms))
    return tuple(messages)


def measured(kind, anchor, place, chance) -> float | None:
    if chance.random() < 0.1:
        return None
    away_m = float(np.hypot(np.hypot(anchor.x_m - place[0], anchor.y_m - place[1]), 2.0))
    if kind != "rssi":
        return round(away_m + chance.normal(0.0, 0.07), 3)
    return round(-59.0 - 20.0 * np.log10(away_m) + chance.normal(0.0, 2.0), 1)


@dataclass
class Process:
    """The locating half between two kills."""

    site: SiteMap
    told: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reception = Reception(self.site, admitted=AdmittedTags.all(), settings=SETTINGS)
        self.engine = Engine(self.site)
        self.reviser = Reviser(self.engine, RevisionSettings())

    def tick(self, messages: list[RawMessage], now_ms: int) -> None:
        self.reception.receive(messages)
        for batch in self.reception.advance(UnixMs(now_ms)):
            output = self.engine.process(batch)
            self.told += map(render_event, self.reviser.note(batch, output.events))
            self.reception.release(output.released.tolist())
        self.reviser.take(self.reception.take_late())
        self.told += map(render_event, self.reviser.revise())

    def restarted(self) -> "Process":
        other = Process(self.site, self.told)
        other.engine.restore(self.engine.snapshot())
        other.reviser.restore(self.reviser.snapshot())
        other.reception.restore(self.reception.snapshot())
        return other


def run(site: SiteMap, arrivals: list[RawMessage], ticks: list[int], kills: set[int]) -> Process:
    """Tick at ``ticks`` (ms from the start) and once at the end; kill after those in ``kills``."""
    process = Process(site)
    waiting = sorted(arrivals, key=lambda one: one.received_at_ms)
    unacknowledged: list[RawMessage] = []
    for tick in [*sorted({*ticks, *kills}), SPAN_MS + 5_000]:
        now_ms = START_MS + tick
        due = [one for one in waiting if one.received_at_ms <= now_ms]
        waiting = waiting[len(due) :]
        process.tick([*unacknowledged, *due], now_ms)
        unacknowledged = []
        if tick in kills:
            process = process.restarted()
            unacknowledged = due  # the broker has had no receipt for these
    return process


@cache
def undisturbed(kind: str, seed: int) -> tuple[tuple[bytes, ...], bytes]:
    process = run(SITES[kind], list(spoken(kind, seed)), list(range(0, SPAN_MS, 100)), set())
    return tuple(process.told), process.engine.snapshot()


def on_a_bad_line(messages: tuple[RawMessage, ...], chance: random.Random) -> list[RawMessage]:
    """Each message delayed, every third one doubled."""
    copies = []
    for message in messages:
        at_ms = message.received_at_ms + chance.choice(DELAYS_MS)
        copies.append(replace(message, received_at_ms=at_ms))
        if chance.random() < 0.3:
            copies.append(replace(message, received_at_ms=at_ms + chance.choice(AGAIN_MS)))
    chance.shuffle(copies)
    return copies


instants = st.lists(st.integers(0, SPAN_MS), max_size=30)


@pytest.mark.parametrize("kind", SITES)
@settings(max_examples=8)
@given(
    seed=st.integers(0, 1),
    chance=st.randoms(use_true_random=False),
    ticks=instants,
    kills=st.sets(st.integers(0, SPAN_MS), max_size=3),
)
def test_the_same_log_gives_the_same_bytes(kind, seed, chance, ticks, kills) -> None:
    """Events, ids and state are those of a quiet line and a process that never stopped."""
    told, state = undisturbed(kind, seed)
    assert any(b"dwell_reached" in event for event in told)
    process = run(SITES[kind], on_a_bad_line(spoken(kind, seed), chance), ticks, kills)
    assert tuple(process.told) == told
    assert process.engine.snapshot() == state
