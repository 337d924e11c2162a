"""Laws of tags on the grid: cut, repeated or restarted, the same input gives the same bytes."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.engine import Engine
from rtls.model.reading import ReadingBatch, ReadingKind
from rtls.model.site_map import DwellRules, Radio, SiteMap
from rtls.model.visit_json import render_event
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, make_site, shelf_zones

PLACES = ((3.0, 5.0), (9.0, 5.0), (18.0, 2.0), (1.0, 8.0))


def ble_site() -> SiteMap:
    """Return the shelf site as heard by strength."""
    plain = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(5.0,), p_enter=0.5, p_hold=0.4)))
    anchors = tuple(replace(anchor, radio=Radio.BLE) for anchor in plain.anchors)
    return replace(plain, anchors=anchors)


SITE = ble_site()


@st.composite
def logs(draw) -> list[ReadingBatch]:
    """Give the batches of two tags that stand, jump and fall silent, four times a second."""
    heard: list[list[tuple[int, float, float]]] = [[] for _ in range(48)]
    for tag in (0, 3):
        epoch = draw(st.integers(0, 3))
        while epoch < len(heard):
            place = draw(st.sampled_from((*PLACES, None)))
            for _ in range(draw(st.integers(3, 20))):
                if epoch < len(heard) and place is not None:
                    heard[epoch].append((tag, *place))
                epoch += 1
    random = np.random.default_rng(draw(st.integers(0, 9)))
    batches, known = [], set()
    for number, places in enumerate(heard):
        at_ms = START_MS + 250 * number
        rows = exact_ranges(SITE, at_ms, sorted(places))
        rows["kind"] = ReadingKind.RSSI
        rows["value"] = -60.0 - 20.0 * np.log10(rows["value"]) + 3.0 * random.normal(size=rows.size)
        new = [(tag, f"tag:{tag}") for tag, _, _ in places if tag not in known]
        known.update(tag for tag, _ in new)
        batches.append(make_batch(SITE, number, at_ms, rows, introduced=new))
    return batches


def run(engine: Engine, batches: list[ReadingBatch]) -> tuple[list[bytes], list[str]]:
    outputs = [engine.process(batch) for batch in batches]
    fixes = [output.fixes.rows.tobytes() for output in outputs]
    return fixes, [render_event(event) for output in outputs for event in output.events]


@settings(max_examples=15, deadline=None)
@given(logs(), st.integers(1, 47))
def test_a_restart_changes_no_fix_and_no_event(log: list[ReadingBatch], cut: int) -> None:
    """Beliefs are part of the snapshot: without them every shopper would be sought anew."""
    whole = Engine(SITE)
    fixes, events = run(whole, log)
    first, second = Engine(SITE), Engine(SITE)
    before = run(first, log[:cut])
    second.restore(first.snapshot())
    after = run(second, log[cut:])
    assert (before[0] + after[0], before[1] + after[1]) == (fixes, events)
    assert second.snapshot() == whole.snapshot()


@settings(max_examples=15, deadline=None)
@given(logs(), st.integers(0, 47))
def test_batches_seen_before_change_nothing(log: list[ReadingBatch], again: int) -> None:
    whole, other = Engine(SITE), Engine(SITE)
    _, events = run(whole, log)
    repeated = [*log[: again + 1], *log[max(again - 5, 0) : again + 1], *log[again + 1 :]]
    assert run(other, repeated)[1] == events
    assert other.snapshot() == whole.snapshot()


@settings(max_examples=15, deadline=None)
@given(logs())
def test_leaving_out_empty_batches_changes_no_event(log: list[ReadingBatch]) -> None:
    """Nobody sends batches for a silence; what a silent tag leaves is decided all the same."""
    whole, other = Engine(SITE), Engine(SITE)
    sparse = [b for b in log if b.readings.size or b is log[-1]]
    assert run(other, sparse)[1] == run(whole, log)[1]
