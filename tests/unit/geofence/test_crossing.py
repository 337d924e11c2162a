"""Crossings: a zone between two fixes is passed, though no fix lies in it."""

import numpy as np
import pytest

from rtls.engine import Engine
from rtls.geofence.containment import ContainmentSettings
from rtls.geofence.crossing import TRAIL_DTYPE, crossed_zones
from rtls.geofence.dwell import DwellSettings, empty_stays, step_rules
from rtls.geofence.kernels.stay_slots import BETWEEN_FIXES, INSIDE, PASSED
from rtls.geofence.kernels.way_between import (
    AT_X,
    FACTOR_X,
    STEPS_MAX,
    THEN_MS,
    WAY_COLUMNS,
    lay_way,
)
from rtls.geofence.records import as_records
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.fix import FIX_DTYPE
from rtls.model.reading import ReadingKind
from rtls.model.visit import Transition
from tests.reference.shelf_site import (
    START_MS,
    exact_ranges,
    make_batch,
    make_site,
    make_zone,
    rectangle,
)

STRIP = make_site([make_zone("strip", rectangle(9, 2, 11, 8))])


class Walker:
    """One tag, and what is kept of it."""

    def __init__(self) -> None:
        self.trails = np.zeros(1, TRAIL_DTYPE)
        self.stays = empty_stays(1)

    def at(self, at_s: float, x: float, *, sigma_m: float = 0.2, p_standing: float = 0.1, floor=0):
        fix = np.zeros(1, FIX_DTYPE)
        fix["x_m"], fix["y_m"], fix["floor"] = x, 5.0, floor
        fix["cov_xx"] = fix["cov_yy"] = sigma_m**2
        fix["p_standing"], fix["kinds"] = p_standing, 1 << ReadingKind.RANGE
        return crossed_zones(
            self.trails,
            fix,
            at_ms=round(START_MS + 1000 * at_s),
            index=ZoneIndex.build(STRIP),
            stays=self.stays,
            rules=step_rules(STRIP, DwellSettings()),
            settings=ContainmentSettings(),
        )


def test_a_zone_between_two_fixes_is_passed_once() -> None:
    """Four seconds between two scans, one on either side of the shelf: he walked past it."""
    walker = Walker()
    assert walker.at(0, 7.0).size == 0
    (row,) = walker.at(4, 13.0)
    assert (row["what"], row["reason"], row["zone"]) == (PASSED, BETWEEN_FIXES, 0)
    assert START_MS + 1000 < row["at_ms"] < START_MS + 3000  # half way, at x = 10
    assert row["decided_at_ms"] == START_MS + 4000
    assert row["probability"] >= 0.6
    assert walker.at(8, 16.0).size == 0


@pytest.mark.parametrize(
    "second",
    [
        {"at_s": 4, "x": 13.0, "p_standing": 0.9},  # the fix jumps, the tag stands
        {"at_s": 4, "x": 13.0, "sigma_m": 5.0},  # nobody knows where it was
        {"at_s": 30, "x": 13.0},  # it may have been anywhere
        {"at_s": 4, "x": 13.0, "floor": 1},  # it took the lift
        {"at_s": 4, "x": 10.0},  # it is in the zone now: the state machine will tell
        {"at_s": 4, "x": 8.0},  # it stays on its side
    ],
)
def test_what_is_no_crossing_passes_nothing(second: dict[str, float]) -> None:
    """A merchandiser would count shoppers that were never there."""
    walker = Walker()
    walker.at(0, 7.0)
    assert walker.at(**second).size == 0


def test_a_zone_that_the_tag_is_in_is_not_passed() -> None:
    """Its visit tells more."""
    walker = Walker()
    walker.stays[0, 0]["phase"], walker.stays[0, 0]["zone"] = INSIDE, 0
    walker.at(0, 7.0)
    assert walker.at(4, 13.0).size == 0


def test_half_way_the_place_is_less_known_the_longer_nothing_was_heard() -> None:
    """Equal ends of variance 1: half of it by mixing, and a bridge of 0.5 m/s over the time."""
    before, fix = np.zeros(1, TRAIL_DTYPE), np.zeros(1, FIX_DTYPE)
    before["at_ms"], fix["x_m"] = START_MS, 4.0
    for end in (before, fix):
        end["cov_xx"] = end["cov_yy"] = 1.0
    way = np.zeros((STEPS_MAX, WAY_COLUMNS))
    ends = as_records(before)[0], as_records(fix)[0]
    steps = lay_way(way, *ends, 4.0, START_MS + 4000, 0.0)
    assert way[:steps, AT_X].tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert way[3, FACTOR_X] ** 2 == pytest.approx(0.5 + (0.5 * 4.0) ** 2 / 4.0, abs=2e-6)
    assert way[3, THEN_MS] == 2000


def test_the_engine_tells_of_the_pass_and_of_no_visit() -> None:
    """From ranges to the pass: 1.5 m/s past a shelf, heard every four seconds only."""
    engine = Engine(STRIP)
    passes, events = [], []
    for number, at_s in enumerate([0.0, 0.5, 1.0, 1.5, 2.0, 6.0, 6.5, 7.0]):
        at_ms = round(START_MS + 1000 * at_s)
        readings = exact_ranges(STRIP, at_ms, [(0, 4.0 + 1.5 * at_s, 5.0)])
        introduced = [(0, "tag:1")] if number == 0 else []
        output = engine.process(make_batch(STRIP, number, at_ms, readings, introduced=introduced))
        passes += output.passes
        events += [event for event in output.events if isinstance(event, Transition)]
    assert [(passed.tag, passed.zone, passed.is_between_fixes) for passed in passes] == [
        ("tag:1", "strip", True)
    ]
    assert events == []


def test_a_restart_between_the_two_fixes_changes_nothing() -> None:
    """The last fix is part of the snapshot."""
    outputs = []
    for is_restarted in (False, True):
        engine = Engine(STRIP)
        for number, at_s in enumerate([0.0, 0.5, 1.0, 1.5, 2.0, 6.0]):
            if is_restarted and number == 5:
                snapshot, engine = engine.snapshot(), Engine(STRIP)
                engine.restore(snapshot)
            at_ms = round(START_MS + 1000 * at_s)
            readings = exact_ranges(STRIP, at_ms, [(0, 4.0 + 1.5 * at_s, 5.0)])
            introduced = [(0, "tag:1")] if number == 0 else []
            batch = make_batch(STRIP, number, at_ms, readings, introduced=introduced)
            output = engine.process(batch)
        outputs.append(output.passes)
    assert len(outputs[0]) == 1
    assert outputs[0] == outputs[1]
