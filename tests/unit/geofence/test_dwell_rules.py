"""The state machine of visits, with probabilities and times put in by hand."""

import pytest

from rtls.geofence.dwell import DwellSettings
from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.model.site_map import DwellRules, ZoneKind
from tests.reference.shelf_site import DwellByKernel, make_site, make_zone, rectangle, shelf_zones

IN = {"dowels": 0.95}
OUT: dict[str, float] = {}
WALKING = 0.1
RULES = DwellRules(dwell_thresholds_s=(30.0, 300.0))


def dowels(rules: DwellRules = RULES, settings: DwellSettings | None = None) -> DwellByKernel:
    zone = make_zone("dowels", rectangle(4, 4, 6, 5), rules=rules)
    return DwellByKernel(make_site([zone]), settings)


def stand(dwell: DwellByKernel, start_s: float, end_s: float, p=IN, step_s: float = 0.5, **how):
    """Step from start to end, both included; return the events."""
    steps = round((end_s - start_s) / step_s)
    times = (round(1000 * (start_s + number * step_s)) for number in range(steps + 1))
    return [event for at in times for event in dwell.step(0, at, p, **how)]


def test_a_visit_begins_when_the_tag_was_first_seen_inside() -> None:
    """Two seconds of proof must not cost the shopper two seconds of dwell."""
    (event,) = stand(dowels(), 10, 12)
    what, _, zone, at, decided, *_ = event
    assert (what, zone, at, decided) == ("entered", "dowels", 10_000, 12_000)


def test_dwell_reaches_thirty_seconds_after_thirty_seconds() -> None:
    """The rule of five minutes, in small: not before, and at once when it is true."""
    dwell = dowels()
    assert [e[0] for e in stand(dwell, 10, 39.5)] == ["entered"]
    (event,) = stand(dwell, 40, 40)
    assert event[:2] + event[3:4] + event[6:8] == ("dwell", 0, 40_000, 30_000, 30_000)


def test_at_high_probability_time_counts_in_full() -> None:
    """A correct stand must not come late by its own uncertainty: 0.75 counts like 1."""
    events = stand(dowels(), 0, 30, {"dowels": 0.75})
    assert [(e[0], e[4]) for e in events] == [("entered", 2000), ("dwell", 30_000)]
    assert events[1][8] == pytest.approx(0.75)


def test_at_middling_probability_time_counts_by_its_probability() -> None:
    """At P = 0.75, one who asks for 0.9 hears of 30 s after 40 s."""
    events = stand(dowels(settings=DwellSettings(p_certain=0.9)), 0, 45, {"dowels": 0.75})
    assert [(e[0], e[4]) for e in events] == [("entered", 2000), ("dwell", 40_000)]


def test_dwell_is_not_told_while_its_mean_probability_is_too_low() -> None:
    """At P = 0.65 the tag is counted inside, but nobody should act on it."""
    events = stand(dowels(), 0, 200, {"dowels": 0.65})
    assert [e[0] for e in events] == ["entered"]


def test_walking_past_counts_no_dwell() -> None:
    """A shopper who paces along the shelf is inside, and does not stand at it."""
    events = stand(dowels(), 0, 60, p_standing=0.3)
    assert [e[0] for e in events] == ["entered"]
    left = stand(dowels(), 0, 60, p_standing=0.3)
    assert left[0][7] == 0.0


def test_a_glimpse_is_no_visit() -> None:
    """A fix that strays into a zone for a second tells nobody anything."""
    dwell = dowels()
    assert stand(dwell, 0, 1.5) == []
    assert stand(dwell, 2, 60, OUT) == []


def test_leaving_is_dated_when_the_probability_fell() -> None:
    """Five seconds of proof must not be counted as dwell."""
    dwell = dowels()
    stand(dwell, 0, 20)
    events = stand(dwell, 20.5, 30, OUT, p_standing=WALKING)
    assert [(e[0], e[3], e[4], e[7]) for e in events] == [("walked_away", 20_500, 25_500, 20_000.0)]


def test_a_short_dip_does_not_end_a_visit() -> None:
    """Somebody walks through the radio link: the zone must not flap."""
    dwell = dowels()
    stand(dwell, 0, 20)
    assert stand(dwell, 20.5, 25, OUT) == []
    assert [e[0] for e in stand(dwell, 25.5, 60)] == ["dwell"]


def test_who_has_not_walked_is_waited_for_longer() -> None:
    """Nobody leaves without a step: a fix that wanders over the edge is a wrong fix."""
    dwell = dowels()
    stand(dwell, 0, 20)
    assert stand(dwell, 20.5, 50, OUT) == []
    (event,) = stand(dwell, 50.5, 50.5, OUT)
    assert (event[0], event[3], event[4]) == ("walked_away", 20_500, 50_500)


def test_one_step_suffices_to_leave() -> None:
    """Two metres on to the next shelf are walked in two seconds; then he stands again."""
    dwell = dowels()
    stand(dwell, 0, 20)
    stand(dwell, 20.5, 21.5, OUT, p_standing=WALKING)
    assert stand(dwell, 22, 25, OUT) == []
    assert [e[0] for e in stand(dwell, 25.5, 25.5, OUT)] == ["walked_away"]


def test_a_probability_that_hovers_above_the_exit_does_not_leave() -> None:
    """On the edge of two shelves P wanders between 0.2 and 0.5: that is no leaving."""
    dwell = dowels()
    stand(dwell, 0, 20)
    for start in range(20, 60, 4):
        assert stand(dwell, start + 0.5, start + 2, OUT, p_standing=WALKING) == []
        assert stand(dwell, start + 2.5, start + 4, {"dowels": 0.3}, p_standing=WALKING) == []


def test_the_way_back_into_the_zone_is_not_counted() -> None:
    """Time between two steps is worth its weaker end: 20 s before the dip, 10 s from 23.5 s on."""
    dwell = dowels()
    stand(dwell, 0, 20)
    stand(dwell, 20.5, 23, OUT)
    events = stand(dwell, 23.5, 40)
    assert [(e[0], e[4]) for e in events] == [("dwell", 33_500)]


def test_silence_shorter_than_the_grace_counts_once_it_is_confirmed() -> None:
    """Bursty adverts: a phone that is silent for 20 s between two adverts has not gone."""
    dwell = dowels()
    stand(dwell, 0, 10, kind=ReadingKind.RSSI)
    silent = stand(dwell, 11, 29, step_s=1, evidence=10_000, is_heard=False, kind=ReadingKind.RSSI)
    (event,) = stand(dwell, 30, 30, kind=ReadingKind.RSSI)
    assert (silent, event[0], event[4], event[7]) == ([], "dwell", 30_000, 30_000)


def test_silence_does_not_reach_a_threshold() -> None:
    """Nobody is offered anything because a phone fell silent at the shelf."""
    dwell = dowels()
    stand(dwell, 0, 28, kind=ReadingKind.RSSI)
    how = {"evidence": 28_000, "is_heard": False, "kind": ReadingKind.RSSI}
    assert stand(dwell, 29, 58, step_s=1, **how) == []


def test_silence_that_ends_elsewhere_does_not_count() -> None:
    """The tag walked off in silence: what could not be seen is not dwell."""
    dwell = dowels()
    stand(dwell, 0, 10, kind=ReadingKind.RSSI)
    how = {"evidence": 10_000, "is_heard": False, "kind": ReadingKind.RSSI}
    stand(dwell, 11, 29, step_s=1, **how)
    (event,) = stand(dwell, 30, 36, OUT, kind=ReadingKind.RSSI)
    assert (event[0], event[7]) == ("walked_away", 10_000)


@pytest.mark.parametrize(("kind", "lost_after_s"), [(ReadingKind.RSSI, 30), (ReadingKind.RANGE, 5)])
def test_a_silent_tag_is_lost_at_its_last_evidence(kind: ReadingKind, lost_after_s: int) -> None:
    """A tag switched off at the shelf dwelt until it was last heard, not until we noticed."""
    dwell = dowels()
    stand(dwell, 0, 10, kind=kind)
    events = stand(dwell, 11, 60, step_s=1, evidence=10_000, is_heard=False, kind=kind)
    assert [(e[0], e[3], e[4], e[7]) for e in events] == [
        ("lost", 10_000, 11_000 + 1000 * lost_after_s, 10_000)
    ]


def test_a_tag_of_rare_adverts_gets_five_of_its_own_intervals() -> None:
    """A tag that speaks every 20 s is not lost after 30."""
    dwell = dowels()
    how = {"kind": ReadingKind.RSSI, "interval_ms": 20_000.0}
    stand(dwell, 0, 10, **how)
    events = stand(dwell, 11, 200, step_s=1, evidence=10_000, is_heard=False, **how)
    assert [(e[0], e[4]) for e in events] == [("lost", 111_000)]


def test_a_tag_that_walked_out_and_fell_silent_did_walk_out() -> None:
    """The last evidence said outside: silence does not turn that into lost."""
    dwell = dowels()
    stand(dwell, 0, 10)
    stand(dwell, 10.5, 11, OUT)
    events = stand(dwell, 12, 60, OUT, step_s=1, evidence=11_000, is_heard=False)
    assert [(e[0], e[3]) for e in events] == [("walked_away", 10_500)]


def test_dwell_goes_on_after_a_short_absence() -> None:
    """A shopper who fetches a basket and comes back has still been 20 s at the shelf."""
    dwell = dowels()
    stand(dwell, 0, 20)
    stand(dwell, 20.5, 99.5, OUT)
    events = stand(dwell, 100, 115)
    assert [(e[0], e[4], e[5], e[7]) for e in events] == [
        ("entered", 102_000, 100_000, 2000),
        ("dwell", 110_000, 100_000, 30_000),
    ]


def test_dwell_starts_anew_after_a_long_absence() -> None:
    """Two minutes later it is another visit."""
    dwell = dowels()
    stand(dwell, 0, 20)
    stand(dwell, 20.5, 140, OUT)
    events = stand(dwell, 140.5, 170.5)
    assert [(e[0], e[4]) for e in events] == [("entered", 142_500), ("dwell", 170_500)]


def test_a_threshold_is_told_once_over_visits_that_continue() -> None:
    """One stand, one offer, also when the shopper steps aside in between."""
    dwell = dowels()
    assert [e[0] for e in stand(dwell, 0, 40)] == ["entered", "dwell"]
    stand(dwell, 40.5, 60, OUT, p_standing=WALKING)
    assert [e[0] for e in stand(dwell, 60.5, 130)] == ["entered"]


def test_a_child_is_never_entered_before_its_parent() -> None:
    """Reports add up only if a shelf's visitors were in its aisle."""
    dwell = DwellByKernel(make_site(shelf_zones()))
    events = stand(dwell, 0, 4, {"dowels": 0.95, "aisle-3": 0.5, "tools": 0.99})
    assert [e[2] for e in events] == ["tools"]


def test_a_child_ends_with_its_parent() -> None:
    """The aisle is left, so is the shelf, whatever the shelf's own probability says."""
    dwell = DwellByKernel(make_site(shelf_zones()))
    inside = {"dowels": 0.95, "aisle-3": 0.95, "tools": 0.99}
    assert [e[2] for e in stand(dwell, 0, 10, inside)] == ["tools", "aisle-3", "dowels"]
    outside = {"dowels": 0.3, "aisle-3": 0.1, "tools": 0.99}
    events = stand(dwell, 10.5, 20, outside, p_standing=WALKING)
    assert [(e[0], e[2], e[3], e[4]) for e in events] == [
        ("walked_away", "aisle-3", 10_500, 15_500),
        ("walked_away", "dowels", 10_500, 15_500),
    ]


def test_a_tag_on_the_edge_of_two_shelves_is_in_one_of_them() -> None:
    """Nobody stands at two shelves: the second waits until the first is left, then counts all."""
    dwell = DwellByKernel(make_site(shelf_zones()))
    above = {"aisle-3": 0.99, "tools": 0.99}
    first = stand(dwell, 0, 10, {"dowels": 0.65, "screws": 0.35, **above})
    assert [e[2] for e in first] == ["tools", "aisle-3", "dowels"]
    assert stand(dwell, 10.5, 20, {"dowels": 0.35, "screws": 0.65, **above}) == []
    moved = {"dowels": 0.2, "screws": 0.8, **above}
    left, entered = stand(dwell, 20.5, 26, moved, p_standing=WALKING)
    assert (left[0], left[2], left[3], left[4]) == ("walked_away", "dowels", 20_500, 25_500)
    assert (entered[0], entered[2], entered[3], entered[4]) == (
        "entered",
        "screws",
        10_500,
        25_500,
    )


def test_shelf_and_checkout_may_overlap() -> None:
    """Kinds are different questions; only one answer is asked of each."""
    ring = rectangle(4, 4, 6, 5)
    till = make_zone("till", ring, kind=ZoneKind.CHECKOUT)
    dwell = DwellByKernel(make_site([make_zone("dowels", ring), till]))
    events = stand(dwell, 0, 2, {"dowels": 0.95, "till": 0.95})
    assert [e[2] for e in events] == ["dowels", "till"]


def test_a_tag_in_more_zones_than_it_has_slots_is_counted() -> None:
    """Overlap beyond the bound may lose a zone, but never silently."""
    ring = rectangle(4, 4, 6, 5)
    zones = [make_zone("z0", ring)]
    zones += [make_zone(f"z{n}", ring, parent=f"z{n - 1}") for n in range(1, 13)]
    dwell = DwellByKernel(make_site(zones))
    events = stand(dwell, 0, 2, {zone.zone: 0.95 for zone in zones})
    assert len(events) == 12
    assert dwell.counters.no_slot_left == 5


def test_an_ended_visit_makes_room_for_a_new_one() -> None:
    """Memory of where a shopper was must not keep him from being seen where he is."""
    zones = [make_zone(f"z{n}", rectangle(4, 4, 6, 5)) for n in range(13)]
    dwell = DwellByKernel(make_site(zones))
    for number in range(13):
        start = 9 * number
        stand(dwell, start, start + 2.5, {f"z{number}": 0.95})
        stand(dwell, start + 3, start + 8.5, OUT, p_standing=WALKING)
    assert dwell.counters.no_slot_left == 0
    assert dwell.counters.absence_forgotten == 1


def test_the_bounds_of_dwell_hold_the_clock_between_them() -> None:
    """Low weighs every moment by P, high counts every moment that may have been."""
    dwell = dowels()
    stand(dwell, 0, 20, {"dowels": 0.8})
    stand(dwell, 20.5, 30, {"dowels": 0.4})
    row = dwell.stays[0][0]["visit"]
    assert row[:3].tolist() == pytest.approx([20_000, 16_000, 30_000])


def test_an_impatient_setting_is_refused_with_its_remedy() -> None:
    with pytest.raises(InvalidGeometry, match=r"grace_intervals is 0\.5; expected 1 to 100"):
        DwellSettings(grace_intervals=0.5)
    with pytest.raises(InvalidGeometry, match="graces are"):
        DwellSettings(grace_rssi_s=400.0)
    with pytest.raises(InvalidGeometry, match="p_certain is 0"):
        DwellSettings(p_certain=0.0)


def test_a_zone_walked_through_without_a_stay_is_passed() -> None:
    """Merchandisers ask how many walk past a shelf; nobody is offered anything for it."""
    dwell = dowels()
    assert stand(dwell, 0, 1, IN, p_standing=0.1) == []
    (event,) = stand(dwell, 1.5, 1.5, OUT, p_standing=0.1)
    what, _, zone, at, decided, *_, p = event
    assert (what, zone, at, decided, p) == ("passed", "dowels", 0, 1500, 0.95)
    assert stand(dwell, 2, 5, OUT, p_standing=0.1) == []


def test_a_tag_that_flickers_over_an_edge_while_standing_passes_nothing() -> None:
    """Noise is no customer."""
    dwell = dowels()
    stand(dwell, 0, 1, IN, p_standing=0.9)
    assert stand(dwell, 1.5, 1.5, OUT, p_standing=0.9) == []


def tolerant() -> DwellByKernel:
    rules = DwellRules(exit_tolerance_m=0.5, tolerance_timeout_s=20.0)
    return dowels(rules)


def test_who_is_outside_by_less_than_the_tolerance_leaves_after_its_timeout() -> None:
    """As in an omlox hub: a step back from the shelf ends no visit, but not for ever."""
    dwell = tolerant()
    stand(dwell, 0, 10)
    near = {"dowels": 0.1, "dowels+": 0.9}
    assert stand(dwell, 10.5, 30, near, p_standing=WALKING) == []
    (event,) = stand(dwell, 30.5, 30.5, near, p_standing=WALKING)
    assert (event[0], event[3], event[4]) == ("walked_away", 10_500, 30_500)


def test_who_is_outside_by_more_than_the_tolerance_leaves_as_usual() -> None:
    """The tolerance must not keep a visit of one who is at the till."""
    dwell = tolerant()
    stand(dwell, 0, 10)
    (event,) = stand(dwell, 10.5, 15.5, OUT, p_standing=WALKING)
    assert (event[0], event[3], event[4]) == ("walked_away", 10_500, 15_500)


def test_a_halo_is_never_entered() -> None:
    """The tolerance is for leaving alone."""
    assert stand(tolerant(), 0, 60, {"dowels": 0.4, "dowels+": 1.0}) == []


def test_a_zone_may_be_more_patient_with_silence_than_its_radio() -> None:
    """An omlox timeout of 20 s: not lost after the 5 s of UWB, lost after 20 s."""
    dwell = dowels(DwellRules(grace_s=20.0))
    stand(dwell, 0, 10)
    silent = {"is_heard": False, "evidence": 10_000}
    assert stand(dwell, 10.5, 30, IN, **silent) == []
    (event,) = stand(dwell, 30.5, 30.5, IN, **silent)
    assert (event[0], event[3]) == ("lost", 10_000)


def test_a_zone_may_be_less_patient_than_its_radio_but_not_than_the_habit_of_the_tag() -> None:
    """A phone that adverts every 2 s is not lost by a timeout of 1 s, but by five intervals."""
    dwell = dowels(DwellRules(grace_s=1.0))
    stand(dwell, 0, 10, interval_ms=2000.0, kind=ReadingKind.RSSI)
    silent = {"is_heard": False, "evidence": 10_000, "kind": ReadingKind.RSSI}
    assert stand(dwell, 10.5, 20, IN, interval_ms=2000.0, **silent) == []
    (event,) = stand(dwell, 20.5, 20.5, IN, interval_ms=2000.0, **silent)
    assert event[0] == "lost"
