"""One batch of readings in, fixes and zone events out."""

import numpy as np
import pytest

from rtls.engine import Engine, EngineSettings
from rtls.engine_snapshot import TAGS_MAX
from rtls.model.errors import InvalidGeometry, InvalidReading
from rtls.model.reading import READING_DTYPE, ReadingFlag
from rtls.model.visit import DwellReached, Transition, TransitionKind, Visit
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, shelf_site

SITE = shelf_site()
SHELF = (5.0, 4.5)


def stand(engine, seconds: float, *, first: int = 0, step_ms: int = 500, slots=(0,), flags=0):
    """Tags stand at the dowel shelf; return all events."""
    events = []
    for number in range(first, first + round(1000 * seconds / step_ms) + 1):
        at = START_MS + number * step_ms
        readings = exact_ranges(SITE, at, [(slot, *SHELF) for slot in slots], flags=flags)
        introduced = [(slot, f"tag:{slot}") for slot in slots] if number == first else ()
        output = engine.process(make_batch(SITE, number, at, readings, introduced=introduced))
        events.extend(output.events)
    return events


def wait(engine, start_ms: int, seconds: int, *, sequence: int):
    """Nobody is heard; return the outputs."""
    return [
        engine.process(make_batch(SITE, sequence + number, start_ms + 1000 * number))
        for number in range(seconds)
    ]


def test_a_tag_at_the_shelf_is_located_named_and_placed() -> None:
    engine = Engine(SITE)
    at = START_MS
    batch = make_batch(
        SITE, 0, at, exact_ranges(SITE, at, [(3, *SHELF)]), introduced=[(3, "tag:a")]
    )
    output = engine.process(batch)
    (fix,) = output.fixes.rows
    assert (fix["tag"], output.tags, output.fixes.at_ms) == (3, ("tag:a",), at)
    assert (fix["x_m"], fix["y_m"]) == pytest.approx(SHELF, abs=0.05)
    assert engine.tag_ids() == {3: "tag:a"}


def test_a_tag_in_nested_zones_enters_all_of_them_in_canonical_order() -> None:
    """Two runs, two machines, two slot orders: one order of events."""
    events = stand(Engine(SITE), 2, slots=(1, 0))
    assert [(type(e), e.tag, e.zone) for e in events] == [
        (Transition, tag, zone)
        for tag in ("tag:0", "tag:1")
        for zone in ("aisle-3", "dowels", "tools")
    ]
    assert {event.decided_at_ms - event.at_ms for event in events} == {2000}


def test_a_batch_of_another_site_or_shard_is_refused() -> None:
    """A batch that went astray must not move a tag of ours."""
    engine = Engine(SITE, shard=1)
    with pytest.raises(InvalidReading, match="batch is of site 'shelf-site', shard 0; expected"):
        engine.process(make_batch(SITE, 0, START_MS))
    assert engine.sequence == -1


def test_a_batch_seen_before_changes_nothing() -> None:
    """After a crash the input is given again; a second copy must be harmless."""
    engine = Engine(SITE)
    assert stand(engine, 3)
    before = engine.snapshot()
    assert stand(engine, 3) == []
    assert engine.snapshot() == before
    assert engine.counters.batches_seen_before == 7


def test_a_batch_older_than_the_state_is_counted_and_dropped() -> None:
    engine = Engine(SITE)
    stand(engine, 1)
    old = make_batch(SITE, 9, START_MS, exact_ranges(SITE, START_MS, [(0, *SHELF)]))
    assert engine.process(old).fixes.rows.size == 0
    assert (engine.counters.batches_too_old, engine.counters.readings_too_old) == (1, 4)
    assert engine.sequence == 9


def test_readings_that_the_state_cannot_take_are_counted_by_reason() -> None:
    """An index out of range in a kernel would read another tag's memory."""
    engine = Engine(SITE)
    stand(engine, 1)
    at = START_MS + 1500
    readings = exact_ranges(SITE, at, [(0, *SHELF), (7, *SHELF)])
    readings["anchor"][0] = 99
    readings["ref_anchor"][1] = 99
    readings["heard_at_ms"][2] = at - 10_000
    readings["heard_at_ms"][3] = at + 1
    readings["tag"][4] = -1
    readings["tag"][5] = 1_000_000
    engine.process(make_batch(SITE, 5, at, readings))
    counted = engine.counters.as_dict()
    names = ("no_tag", "no_anchor", "too_old", "too_young")
    assert [counted[f"readings_{'of_' * n.startswith('no')}{n}"] for n in names] == [4, 2, 1, 1]


def test_a_silent_tag_coasts_at_whole_seconds_with_growing_uncertainty() -> None:
    """People look at a map: a tag that is not heard must fade, not freeze."""
    engine = Engine(SITE)
    stand(engine, 2)
    outputs = wait(engine, START_MS + 3000, 3, sequence=10)
    spread = [float(output.fixes.rows["cov_xx"][0]) for output in outputs]
    assert spread == sorted(spread)
    assert spread[-1] > spread[0]
    assert {output.tags for output in outputs} == {("tag:0",)}


def test_a_tag_switched_off_is_lost_when_it_was_last_heard() -> None:
    engine = Engine(SITE)
    stand(engine, 10)
    events = [e for o in wait(engine, START_MS + 11_000, 20, sequence=50) for e in o.events]
    left = [e for e in events if isinstance(e, Transition)]
    assert {(e.kind, e.reason, e.at_ms) for e in left} == {
        (TransitionKind.LEFT, "lost", START_MS + 10_000)
    }
    visits = [e for e in events if isinstance(e, Visit)]
    assert {(v.left_at_ms, v.dwell_s, v.is_pass_by) for v in visits} == {
        (START_MS + 10_000, 10.0, False)
    }


def test_a_tag_that_stays_silent_is_forgotten_and_its_slot_given_back() -> None:
    """Ten minutes: then slot, track and name are gone, so memory stays bounded."""
    engine = Engine(SITE)
    stand(engine, 1)
    outputs = wait(engine, START_MS + 2000, 605, sequence=10)
    released = [(o.fixes.at_ms, o.released.tolist()) for o in outputs if o.released.size]
    assert released == [(START_MS + 602_000, [0])]
    assert engine.tag_ids() == {}
    empty = Engine(SITE).snapshot()
    of_anchors = 200  # what is known of them remains; a tag takes a thousand bytes and more
    assert len(engine.snapshot()) <= len(empty) + of_anchors


def test_a_slot_given_back_may_carry_another_tag() -> None:
    """Nothing of the tag before may shine through. Exact ranges: a delay is expected of them."""
    engine = Engine(SITE)
    stand(engine, 1)
    wait(engine, START_MS + 2000, 605, sequence=10)
    at = START_MS + 610_000
    batch = make_batch(
        SITE, 900, at, exact_ranges(SITE, at, [(0, 18, 2)]), introduced=[(0, "tag:new")]
    )
    output = engine.process(batch)
    assert output.tags == ("tag:new",)
    assert output.fixes.rows["x_m"][0] == pytest.approx(18.0, abs=0.1)


def test_an_occupied_slot_is_not_given_to_a_second_tag() -> None:
    """Two shoppers under one slot would dwell together: one would get the other's offer."""
    engine = Engine(SITE)
    stand(engine, 1)
    with pytest.raises(InvalidReading, match="slot 0 is given to tag 'tag:b' but belongs to"):
        engine.process(make_batch(SITE, 9, START_MS + 9000, introduced=[(0, "tag:b")]))


@pytest.mark.parametrize("name", ["", "t" * 65, "tag:ä", "a\0b"])
def test_a_tag_id_that_the_state_cannot_hold_is_refused(name: str) -> None:
    """A name that is cut short would be another tag's name."""
    with pytest.raises(InvalidReading, match="expected 1 to 64 ASCII"):
        Engine(SITE).process(make_batch(SITE, 0, START_MS, introduced=[(0, name)]))


def test_the_state_grows_with_the_tags_up_to_its_bound() -> None:
    engine = Engine(SITE)
    introduced = [(300, "tag:300"), (TAGS_MAX, "tag:beyond")]
    at = START_MS
    readings = exact_ranges(SITE, at, [(300, *SHELF)])
    output = engine.process(make_batch(SITE, 0, at, readings, introduced=introduced))
    assert output.tags == ("tag:300",)
    assert engine.counters.tags_refused == 1


def test_dwell_on_readings_from_a_spool_is_late() -> None:
    """The line was down: the shopper may be gone by now, so nothing is offered for it."""
    events = stand(Engine(SITE), 31, flags=ReadingFlag.FROM_SPOOL)
    reached = [e for e in events if isinstance(e, DwellReached)]
    assert {(e.threshold_s, e.is_late) for e in reached} == {(30.0, True)}
    live = [e for e in stand(Engine(SITE), 31) if isinstance(e, DwellReached)]
    assert {e.is_late for e in live} == {False}


def test_readings_that_cannot_be_written_to_are_taken_too() -> None:
    """A batch read from a log is a view of its bytes."""
    engine = Engine(SITE)
    content = exact_ranges(SITE, START_MS, [(0, *SHELF)]).tobytes()
    readings = np.frombuffer(content, READING_DTYPE)
    output = engine.process(make_batch(SITE, 0, START_MS, readings, introduced=[(0, "tag:0")]))
    assert output.fixes.rows.size == 1


def test_a_tag_is_not_forgotten_before_its_visits_have_ended() -> None:
    with pytest.raises(InvalidGeometry, match="track_ttl_s is 200"):
        EngineSettings(track_ttl_s=200.0)
    with pytest.raises(InvalidGeometry, match="coast_s is -1"):
        EngineSettings(coast_s=-1.0)
