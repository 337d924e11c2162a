"""A published map: who stands at an untouched shelf keeps the dwell, others begin anew."""

from dataclasses import replace

import numpy as np
import pytest

from rtls.engine import Engine
from rtls.geofence.stay_handover import zone_numbers
from rtls.model.errors import InvalidSnapshot
from rtls.model.reading import ReadingBatch
from rtls.model.site_map import DwellRules, Fixture, SiteMap
from rtls.model.visit import DwellReached, Transition, TransitionKind, Visit, ZoneEvent
from rtls.positioning.locator_handover import anchor_numbers
from tests.reference.shelf_site import (
    START_MS,
    exact_ranges,
    make_batch,
    make_zone,
    rectangle,
    shelf_site,
)

SITE = shelf_site()
DOWELS = SITE.zones[SITE.zone_index["dowels"]]
EPOCH_MS = 500
AT_THE_SHELF = (5.0, 4.5)


def batches(site: SiteMap, first: int, count: int) -> list[ReadingBatch]:
    """One tag that stands before the dowels."""
    return [
        make_batch(
            site,
            number,
            START_MS + EPOCH_MS * number,
            exact_ranges(site, START_MS + EPOCH_MS * number, [(0, *AT_THE_SHELF)]),
            introduced=[(0, "tag:a")] if number == 0 else (),
        )
        for number in range(first, first + count)
    ]


def run(engine: Engine, first: int, seconds: float) -> list[ZoneEvent]:
    count = round(1000 * seconds / EPOCH_MS)
    found = [engine.process(batch).events for batch in batches(engine._site_map, first, count)]
    return [event for events in found for event in events]


def dwelt(events: list[ZoneEvent], zone: str = "dowels") -> list[DwellReached]:
    return [e for e in events if isinstance(e, DwellReached) and e.zone == zone]


def with_more(site: SiteMap = SITE) -> SiteMap:
    """Draw a shelf with its furniture, first of all zones, so that every number changes."""
    new = make_zone("glue", rectangle(12, 7, 14, 8))
    body = Fixture(fixture="glue-rack", floor=0, ring=rectangle(12, 8.2, 14, 8.8))
    return replace(site, zones=(new, *site.zones), fixtures=(*site.fixtures, body))


def test_four_minutes_at_an_untouched_shelf_stay_four_minutes() -> None:
    """The story of the floor plan: somebody publishes while somebody stands before the dowels."""
    never_stopped, before = Engine(SITE), Engine(SITE)
    expected = run(never_stopped, 0, 320)
    told = run(before, 0, 240)
    after = Engine(with_more())
    assert after.restore(before.snapshot(), before=SITE) == ()
    told += run(after, 480, 80)
    assert [one.threshold_s for one in dwelt(told)] == [30, 120, 300]
    assert [one.reached_at_ms for one in dwelt(told)] == [
        one.reached_at_ms for one in dwelt(expected)
    ]
    assert {one.visit_id for one in dwelt(told)} == {dwelt(expected)[0].visit_id}


def test_a_visit_in_a_zone_that_was_redrawn_ends_and_one_in_the_new_zone_begins() -> None:
    """The dwell of one outline is not the dwell of another; and offers must hear of the end."""
    before = Engine(SITE)
    run(before, 0, 100)
    wider = replace(DOWELS, ring=rectangle(3, 3.9, 7, 5.5))
    zones = tuple(wider if zone == DOWELS else zone for zone in SITE.zones)
    after = Engine(replace(SITE, zones=zones))
    left, visit = after.restore(before.snapshot(), before=SITE)
    assert isinstance(left, Transition)
    assert (left.kind, left.zone, left.tag) == (TransitionKind.LEFT, "dowels", "tag:a")
    assert isinstance(visit, Visit)
    assert visit.left_at_ms == START_MS + 99_500  # the last evidence
    assert visit.dwell_s == pytest.approx(99.5, abs=3.0)
    events = run(after, 200, 40)
    entered = [e for e in events if isinstance(e, Transition) and e.zone == "dowels"]
    assert [e.kind for e in entered] == [TransitionKind.ENTERED]
    assert [one.threshold_s for one in dwelt(events)] == [30]
    assert entered[0].visit_id != left.visit_id


def test_a_visit_in_a_zone_that_is_gone_ends_under_the_id_that_it_was_told_by() -> None:
    before = Engine(SITE)
    told = run(before, 0, 40)
    entered = next(e for e in told if isinstance(e, Transition) and e.zone == "dowels")
    zones = tuple(zone for zone in SITE.zones if zone != DOWELS)
    after = Engine(replace(SITE, zones=zones))
    left, visit = after.restore(before.snapshot(), before=SITE)
    assert left.visit_id == visit.visit_id == entered.visit_id
    assert not [e for e in run(after, 80, 40) if e.zone == "dowels"]


def test_what_counts_as_the_same_zone_is_its_outline_its_rules_and_what_lies_around_it() -> None:
    """A new name is no new zone; another threshold is, and so is another aisle around it."""
    renamed = replace(SITE, zones=tuple(replace(z, name="x") for z in SITE.zones))
    assert zone_numbers(SITE, renamed).tolist() == list(range(len(SITE.zones)))
    stricter = replace(DOWELS, rules=DwellRules(dwell_thresholds_s=(60.0,)))
    changed = replace(SITE, zones=tuple(stricter if z == DOWELS else z for z in SITE.zones))
    number = SITE.zone_index["dowels"]
    assert zone_numbers(SITE, changed)[number] == -1
    tools = SITE.zones[SITE.zone_index["tools"]]
    grown = replace(tools, ring=rectangle(0, 0, 15, 10))
    around = replace(SITE, zones=tuple(grown if z == tools else z for z in SITE.zones))
    kept = [z.zone for z, n in zip(SITE.zones, zone_numbers(SITE, around), strict=True) if n >= 0]
    assert kept == ["checkout"]  # all others lie within the tools


def test_the_state_of_the_same_map_goes_on_as_before() -> None:
    before = Engine(SITE)
    run(before, 0, 20)
    after = Engine(SITE)
    assert after.restore(before.snapshot(), before=SITE) == ()
    assert after.snapshot() == before.snapshot()


def test_an_anchor_more_changes_no_number_that_was_learnt() -> None:
    """Anchors are numbers in the state: one drawn before the others must not shift them."""
    before = Engine(SITE)
    run(before, 0, 60)
    new = replace(SITE.anchors[0], anchor="a-new", x_m=10.0, y_m=9.0)
    more = replace(SITE, anchors=(new, *SITE.anchors))
    after = Engine(more)
    after.restore(before.snapshot(), before=SITE)
    old, now = before._state.locator, after._state.locator
    is_link = old.tracks["link_anchor"][0] > 0
    assert is_link.any()
    assert (
        now.tracks["link_anchor"][0][is_link] == old.tracks["link_anchor"][0][is_link] + 1
    ).all()
    assert np.array_equal(now.tracks["bias_mean"][0], old.tracks["bias_mean"][0])
    assert np.array_equal(now.health[1:], old.health)
    fixes = after.process(batches(more, 120, 1)[0]).fixes.rows
    assert np.hypot(fixes["x_m"][0] - 5.0, fixes["y_m"][0] - 4.5) < 0.3


def test_what_was_learnt_of_an_anchor_that_was_moved_is_forgotten_and_the_visit_goes_on() -> None:
    """Its links would pull every tag by as much as it was moved."""
    before = Engine(SITE)
    told = run(before, 0, 60)
    moved = replace(SITE.anchors[0], x_m=4.0)
    now = replace(SITE, anchors=(moved, *SITE.anchors[1:]))
    assert anchor_numbers(SITE, now).tolist() == [-1, 1, 2, 3]
    after = Engine(now)
    assert after.restore(before.snapshot(), before=SITE) == ()
    assert after._state.tracks["is_located"][0] == 0
    told += run(after, 120, 80)
    assert [one.threshold_s for one in dwelt(told)] == [30, 120]
    left = [e for e in told if isinstance(e, Transition) and e.kind is TransitionKind.LEFT]
    assert not [e for e in left if e.zone == "dowels"]


def test_a_snapshot_of_yet_another_map_is_refused() -> None:
    """Whoever says which map it was made on must be right."""
    before = Engine(SITE)
    run(before, 0, 5)
    other = replace(SITE, zones=SITE.zones[1:])
    with pytest.raises(InvalidSnapshot, match="digest of the zones"):
        Engine(with_more()).restore(before.snapshot(), before=other)
