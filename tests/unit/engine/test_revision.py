"""Reviser: readings that come after their epoch still count, and what was told is put right."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from rtls.engine import Engine
from rtls.model.errors import InvalidSnapshot
from rtls.model.reading import READING_DTYPE, ReadingBatch
from rtls.model.site_map import DwellRules, SiteMap
from rtls.model.visit import DwellReached, LeftReason, Transition, TransitionKind, Visit, ZoneEvent
from rtls.positioning.locator_state import BY_SLOT
from rtls.revision import Reviser, RevisionSettings
from rtls.revision_run import merged
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, make_site, shelf_zones

SITE = make_site(shelf_zones(DwellRules(dwell_thresholds_s=(20.0,), dwell_s_min=5.0)))
SHELF = (5.0, 4.5)
ELSEWHERE = (18.0, 2.0)
TICK_MS = 250
Place = tuple[float, float] | None


def walk_of(*stretches: tuple[float, Place]) -> list[Place]:
    """Where one tag is at each tick; None where it is silent."""
    return [place for seconds, place in stretches for _ in range(round(seconds * 1000 / TICK_MS))]


def batch_at(number: int, place: Place, *, site: SiteMap = SITE, is_new: bool = False):
    at_ms = START_MS + TICK_MS * (number + 1)
    readings = np.empty(0, READING_DTYPE)
    if place is not None:
        readings = exact_ranges(site, at_ms, [(0, *place)], sigma_m=0.1)
    introduced = [(0, "tag:0")] if is_new else ()
    return make_batch(site, number, at_ms, readings, introduced=introduced)


class Desk:
    """An engine with its reviser, and all that was told."""

    def __init__(self, settings: RevisionSettings | None = None) -> None:
        self.engine = Engine(SITE)
        self.reviser = Reviser(self.engine, settings or RevisionSettings(epoch_ms=TICK_MS))
        self.told: list[ZoneEvent] = []

    def process(self, batches: Sequence[ReadingBatch]) -> None:
        for batch in batches:
            self.told += self.reviser.note(batch, self.engine.process(batch).events)

    def give_late(self, late: np.ndarray) -> tuple[ZoneEvent, ...]:
        self.reviser.take(late)
        told = self.reviser.revise()
        self.told += told
        return told

    def holds(self) -> list[tuple]:
        """What is left when each event's last revision holds and withdrawals are applied."""
        last = {event.event_id: event for event in self.told}
        return sorted(
            (type(e).__name__, e.zone, getattr(e, "at_ms", None) or getattr(e, "reached_at_ms", 0))
            for e in last.values()
            if not e.is_withdrawn and not isinstance(e, Visit)
        )


def remembered(engine: Engine) -> bytes:
    """All that the engine knows of its tags, as bytes."""
    rows = engine.rows_of(np.array(sorted(engine.tag_ids()), np.int32))
    by_filter = [getattr(rows.locator, name).tobytes() for name in BY_SLOT]
    return b"".join((*by_filter, rows.stays.tobytes(), rows.heard_ms.tobytes()))


def with_gap(walk: Sequence[Place], first_s: float, last_s: float):
    """(batches without the readings of the stretch, the readings left out, all batches)."""
    first, last = (round(s * 1000 / TICK_MS) for s in (first_s, last_s))
    whole = [batch_at(number, place, is_new=number == 0) for number, place in enumerate(walk)]
    empty = np.empty(0, READING_DTYPE)
    held_back = [
        replace(batch, readings=empty) if first <= batch.sequence < last else batch
        for batch in whole
    ]
    late = np.concatenate([batch.readings for batch in whole[first:last]])
    return held_back, late, whole


def test_after_a_late_delivery_the_state_is_as_if_it_had_come_in_time() -> None:
    """A gateway was cut off for ten seconds: nothing of it is left in any track or stay."""
    walk = walk_of((4, ELSEWHERE), (26, SHELF))
    held_back, late, whole = with_gap(walk, 10, 20)
    desk, in_time = Desk(), Desk()
    desk.process(held_back)
    desk.give_late(late)
    in_time.process(whole)
    assert remembered(desk.engine) == remembered(in_time.engine)
    assert desk.holds() == in_time.holds()


def test_a_stay_that_was_given_up_is_taken_up_again() -> None:
    """He stood there all the time; only the line was down. One stay, one id."""
    walk = walk_of((4, ELSEWHERE), (40, SHELF))
    held_back, late, _ = with_gap(walk, 14, 30)
    desk = Desk()
    desk.process(held_back)
    lost = [e for e in desk.told if isinstance(e, Transition) and e.reason is LeftReason.LOST]
    assert {event.zone for event in lost} >= {"dowels", "aisle-3", "tools"}
    told = desk.give_late(late)
    withdrawn = {e.event_id for e in told if e.is_withdrawn}
    assert {event.event_id for event in lost} <= withdrawn
    entered = [
        e
        for e in {e.event_id: e for e in desk.told}.values()
        if isinstance(e, Transition) and e.kind is TransitionKind.ENTERED and e.zone == "dowels"
    ]
    assert len([e for e in entered if not e.is_withdrawn]) == 1
    assert all(e.revision == 1 for e in told if e.is_withdrawn)


def test_a_stay_that_began_earlier_than_told_keeps_its_id() -> None:
    """Else an offer made in it could be made again: the id is what tells one stay from two."""
    walk = walk_of((4, ELSEWHERE), (40, SHELF))
    held_back, late, _ = with_gap(walk, 4, 9)
    desk = Desk()
    desk.process(held_back[:100])
    first = next(e for e in desk.told if isinstance(e, Transition) and e.zone == "dowels")
    told = desk.give_late(late)
    again = next(e for e in told if e.event_id == first.event_id)
    assert isinstance(again, Transition)
    assert (again.revision, again.visit_id) == (1, first.visit_id)
    assert first.at_ms - again.at_ms == pytest.approx(5_000, abs=500)
    desk.process(held_back[100:])
    (dwell,) = [e for e in desk.told if isinstance(e, DwellReached) and e.zone == "dowels"]
    assert dwell.visit_id == first.visit_id
    assert dwell.revision == 0


def test_the_ids_of_stays_outlive_a_restart() -> None:
    """The stay goes on after it, under the id that the offer was made in."""
    walk = walk_of((4, ELSEWHERE), (40, SHELF))
    held_back, late, _ = with_gap(walk, 4, 9)
    desk, other = Desk(), Desk()
    desk.process(held_back[:60])
    desk.give_late(late)
    other.engine.restore(desk.engine.snapshot())
    other.reviser.restore(desk.reviser.snapshot())
    told = len(desk.told)
    desk.process(held_back[60:])
    other.process(held_back[60:])
    assert other.told
    assert other.told == desk.told[told:]


def test_a_second_delivery_of_the_same_readings_changes_nothing() -> None:
    """Gateways resend what was not acknowledged."""
    walk = walk_of((4, ELSEWHERE), (26, SHELF))
    held_back, late, _ = with_gap(walk, 10, 20)
    desk = Desk(RevisionSettings(epoch_ms=TICK_MS, every_ms=1))
    desk.process(held_back)
    assert desk.give_late(late)
    before = desk.engine.snapshot()
    desk.process([batch_at(len(walk), SHELF)])
    again = Desk(RevisionSettings(epoch_ms=TICK_MS, every_ms=1))
    again.engine.restore(before)
    again.process([batch_at(len(walk), SHELF)])
    assert desk.give_late(late) == ()
    assert remembered(desk.engine) == remembered(again.engine)


def test_readings_in_time_are_never_revised() -> None:
    """The run repeats what the engine did, to the last bit: else events would flicker."""
    walk = walk_of((4, ELSEWHERE), (20, SHELF), (4, ELSEWHERE), (8, SHELF))
    desk = Desk()
    desk.process([batch_at(number, place, is_new=number == 0) for number, place in enumerate(walk)])
    before = desk.engine.snapshot()
    copy_of_one = batch_at(60, walk[60]).readings[:1]
    assert desk.give_late(copy_of_one) == ()
    assert desk.reviser.counters.runs == 1
    assert desk.engine.snapshot() == before


def test_what_is_older_than_all_copies_is_counted() -> None:
    """Later than a minute it is for analytics only."""
    walk = walk_of((90, SHELF))
    held_back, late, _ = with_gap(walk, 10, 12)
    desk = Desk()
    desk.process(held_back)
    before = desk.engine.snapshot()
    assert desk.give_late(late) == ()
    assert desk.reviser.counters.readings_beyond == late.size
    assert desk.engine.snapshot() == before


def test_a_tag_that_was_not_followed_is_counted() -> None:
    """All its readings were late: nothing was told of it, nothing is to be put right."""
    desk = Desk()
    desk.process([batch_at(number, SHELF, is_new=number == 0) for number in range(40)])
    late = batch_at(30, SHELF).readings
    late["tag"] = 7
    assert desk.give_late(late) == ()
    assert desk.reviser.counters.readings_of_no_tag == late.size


def test_a_tag_that_comes_late_to_its_own_introduction_is_run_from_nothing() -> None:
    """Its first readings were held back: no copy of the state knows it."""
    walk = walk_of((10, None), (20, SHELF))
    whole = [batch_at(number, place, is_new=number == 40) for number, place in enumerate(walk)]
    late = exact_ranges(SITE, whole[36].epoch_end_ms, [(0, *SHELF)], sigma_m=0.1)
    desk = Desk()
    desk.process(whole)
    told = desk.give_late(late)
    assert {e.revision for e in told if isinstance(e, Transition)} == {1}
    assert desk.reviser.counters.readings_taken == late.size


def test_what_is_kept_stays_within_its_bounds() -> None:
    """2,000 tags must not fill the memory; who does not fit is named."""
    settings = RevisionSettings(
        epoch_ms=TICK_MS, states_bytes_max=1, readings_bytes_max=4 * 56 * 50
    )
    desk = Desk(settings)
    desk.process([batch_at(number, SHELF, is_new=number == 0) for number in range(200)])
    assert desk.reviser.bytes <= settings.readings_bytes_max
    assert desk.reviser.counters.tags_left_out == 1
    late = batch_at(195, ELSEWHERE).readings
    assert desk.give_late(late) == ()
    assert desk.reviser.counters.readings_of_no_tag == late.size


def test_runs_wait_until_a_spool_is_emptied() -> None:
    """A run costs tens of milliseconds; a spool comes in hundreds of messages."""
    walk = walk_of((30, SHELF))
    held_back, late, _ = with_gap(walk, 10, 20)
    desk = Desk()
    desk.process(held_back[:100])
    for row in range(late.size):
        desk.give_late(late[row : row + 1])
    assert desk.reviser.counters.runs == 1
    desk.process(held_back[100:])
    desk.give_late(late[:0])
    assert desk.reviser.counters.runs == 2


def test_each_reading_is_merged_once_and_in_order() -> None:
    """NaN equals NaN here: a range has no second value, and is still the same range."""
    logged = batch_at(0, SHELF).readings
    late = np.concatenate((logged[1:3], batch_at(1, SHELF).readings))
    rows, ends = merged(logged, np.full(4, START_MS + 300), late, epoch_ms=100)
    assert rows.size == 8
    assert ends.tolist() == [START_MS + 300] * 4 + [START_MS + 500] * 4
    assert rows["anchor"].tolist() == [0, 1, 2, 3] * 2


def test_a_damaged_snapshot_is_refused() -> None:
    """Wrong ids are worse than none."""
    with pytest.raises(InvalidSnapshot, match="visit names"):
        Desk().reviser.restore(b"[1, 2]")
