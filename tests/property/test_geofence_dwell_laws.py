"""Laws of the state machine, over random histories of one and many tags."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rtls.geofence.dwell import DwellSettings
from rtls.geofence.kernels.stay_slots import INSIDE, LEAVING, grace_of
from rtls.model.reading import ReadingKind
from rtls.model.site_map import DwellRules
from tests.reference.dwell import DwellByDicts
from tests.reference.shelf_site import DwellByKernel, make_site, shelf_zones

RULES = DwellRules(dwell_thresholds_s=(5.0, 20.0), reset_after_s=40.0)
SITE = make_site(shelf_zones(RULES))
PATIENT = make_site(
    shelf_zones(replace(RULES, exit_tolerance_m=0.5, tolerance_timeout_s=9.0, grace_s=8.0))
)
GRACE_MS = 5000.0
IN = {INSIDE, LEAVING}
LEVELS = st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0])


@st.composite
def histories(draw, tags: int = 1):
    """Give (tag, at, P by zone, p_standing, evidence, is heard), in rising time.

    A place is held for a while, else nothing would ever be entered; children of a place have at
    most the probability of their parent, and neighbours share what there is.
    """
    steps = []
    for tag in range(tags):
        at = draw(st.integers(0, 5)) * 100
        heard = at
        for _ in range(draw(st.integers(1, 12))):
            tools, aisle, dowels, screws = (draw(LEVELS) for _ in range(4))
            p_of = {"tools": tools, "aisle-3": min(tools, aisle)}
            p_of["dowels"] = min(aisle, tools, dowels)
            p_of["screws"] = max(0.0, min(aisle, tools, screws, 0.95 - p_of["dowels"]))
            p_of |= {f"{name}+": max(p, draw(LEVELS)) for name, p in list(p_of.items())}
            p_of = {name: p for name, p in p_of.items() if p > 0.0}
            p_standing = draw(st.sampled_from([0.2, 0.5, 1.0]))
            is_heard = draw(st.booleans()) or at == heard
            for _ in range(draw(st.integers(1, 30))):
                at += draw(st.sampled_from([100, 500, 1000]))
                heard = at if is_heard else heard
                steps.append((tag, at, p_of, p_standing, heard, is_heard))
    return sorted(steps, key=lambda step: (step[1], step[0]))


def play(dwell, steps):
    events = []
    for tag, at, p_of, p_standing, evidence, is_heard in steps:
        how = {"p_standing": p_standing, "evidence": evidence, "is_heard": is_heard}
        if isinstance(dwell, DwellByDicts):
            how["grace_ms"] = GRACE_MS
        events += dwell.step(tag, at, p_of, **how)
    return sorted(events)


@given(histories(tags=2))
def test_the_kernel_tells_the_same_story_as_the_twin(steps) -> None:
    """The kernel is fast and hard to read; the twin is slow and says what the rules say."""
    assert play(DwellByKernel(SITE), steps) == play(DwellByDicts(SITE), steps)


@given(histories())
def test_tolerance_and_grace_of_a_zone_tell_the_same_story_too(steps) -> None:
    """The settings of an omlox fence, in kernel and twin."""
    assert play(DwellByKernel(PATIENT), steps) == play(DwellByDicts(PATIENT), steps)


@given(histories())
def test_dwell_never_exceeds_the_time_that_passed(steps) -> None:
    """Nobody may be offered anything for time that he did not stand there."""
    entered_first: dict[str, int] = {}
    for what, _, zone, at, decided, entered, _, dwell_ms, _ in sorted(
        play(DwellByKernel(SITE), steps), key=lambda event: event[4]
    ):
        first = entered_first.setdefault(zone, entered)
        if what == "dwell":
            assert dwell_ms <= decided - first
        if what in {"walked_away", "lost"}:
            assert dwell_ms <= at - entered


@given(histories())
def test_no_child_is_inside_while_its_parent_is_outside(steps) -> None:
    """A shelf's visitor is a visitor of its aisle, at every instant."""
    dwell = DwellByKernel(SITE)
    parents = {zone.zone: zone.parent for zone in SITE.zones if zone.parent}
    for step in steps:
        play(dwell, [step])
        for child, parent in parents.items():
            if dwell.phase(0, child) in IN:
                assert dwell.phase(0, parent) in IN


@given(histories())
def test_nobody_is_inside_two_shelves_at_once(steps) -> None:
    """Zones of one kind divide the floor; reports would count one shopper twice."""
    dwell = DwellByKernel(SITE)
    for step in steps:
        play(dwell, [step])
        assert not (dwell.phase(0, "dowels") in IN and dwell.phase(0, "screws") in IN)


@given(histories())
def test_enter_and_leave_take_turns(steps) -> None:
    """Two entries without a leave between them would be two visits at once."""
    events = sorted(play(DwellByKernel(SITE), steps), key=lambda event: event[4])
    for zone in SITE.zone_index:
        turns = [
            e[0] == "entered" for e in events if e[2] == zone and e[0] not in {"dwell", "passed"}
        ]
        assert turns == [number % 2 == 0 for number in range(len(turns))]


@given(histories(tags=3), st.permutations(range(6)))
def test_the_slot_of_a_tag_changes_nothing(steps, slots) -> None:
    """Slots are given by order of arrival; a restart may give others."""
    moved = [(slots[step[0]], *step[1:]) for step in steps]
    back = {slot: tag for tag, slot in enumerate(slots)}
    told = [(e[0], back[e[1]], *e[2:]) for e in play(DwellByKernel(SITE), moved)]
    assert sorted(told) == play(DwellByKernel(SITE), steps)


@given(st.integers(0, 31), st.floats(0.0, 1e5))
def test_the_grace_is_between_the_least_patient_kind_and_the_bound(kinds, interval_ms) -> None:
    """Neither an unknown kind nor an odd interval may make us wait for ever."""
    grace_ms = grace_of(DwellByKernel(SITE).rules, 0, kinds, interval_ms)
    assert 1e3 * DwellSettings().grace_range_s <= grace_ms <= 1e3 * DwellSettings().grace_s_max
    if kinds & (1 << ReadingKind.RSSI) or kinds == 0:
        assert grace_ms >= 1e3 * DwellSettings().grace_rssi_s
