"""tracking: readings of one epoch in, tracks and fixes out."""

import numpy as np
import pytest

from rtls.model.errors import InvalidCalibration
from rtls.model.reading import READING_DTYPE, ReadingKind
from rtls.model.track import LINKS_A_TRACK, TRACK_DTYPE
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.kernels.track_epoch import coast_slots, track_epoch
from rtls.positioning.tracking import TrackingSettings, coast_tracks, update_tracks
from rtls.positioning.warm_up import warm_up
from tests.reference.radio_site import (
    OCTAGON,
    in_order,
    readings_of,
    run_epochs,
    site_with,
    true_ranges,
    true_rssi,
)

SITE = site_with(OCTAGON)
TABLE = AnchorTable.build(SITE)
SETTINGS = TrackingSettings()


def step(tracks: np.ndarray, readings: np.ndarray, *, at_ms: int) -> np.ndarray:
    return update_tracks(
        tracks, readings, anchors=TABLE, epoch_end_ms=UnixMs(at_ms), settings=SETTINGS
    )


def standing_at(place: tuple[float, float], *, seconds: int, sigma_m: float = 0.0) -> np.ndarray:
    draw = np.random.default_rng(4)
    exact = true_ranges(SITE, place)
    return np.concatenate(
        [
            readings_of(exact + draw.normal(0.0, 1.0, exact.size) * sigma_m, at_ms=at_ms)
            for at_ms in range(100, seconds * 1000 + 1, 100)
        ]
    )


def test_the_first_epoch_with_geometry_gives_a_fix() -> None:
    """A shopper who passes the entrance in two seconds must have been there."""
    fixes = step(
        np.zeros(1, TRACK_DTYPE), readings_of(true_ranges(SITE, (4, 6)), at_ms=80), at_ms=100
    )
    assert fixes["x_m"] == pytest.approx([4.0], abs=0.01)
    assert fixes["y_m"] == pytest.approx([6.0], abs=0.01)
    assert fixes["evidence_at_ms"].tolist() == [80]


def test_anchors_heard_one_after_the_other_join_into_a_first_fix() -> None:
    """Cheap tags range with one anchor at a time; no epoch of theirs ever has three."""
    tracks = np.zeros(1, TRACK_DTYPE)
    ranges = true_ranges(SITE, (4, 6))
    found = [
        step(
            tracks,
            readings_of(ranges[k : k + 1], at_ms=100 * k + 90, anchors=[k]),
            at_ms=100 * k + 100,
        )
        for k in range(4)
    ]
    assert [fixes.size for fixes in found] == [0, 0, 1, 1]
    assert found[3]["x_m"] == pytest.approx([4.0], abs=0.2)


def test_links_heard_long_ago_do_not_join_into_a_first_fix() -> None:
    """The tag has walked on since: circles around three places of three times meet nowhere."""
    tracks = np.zeros(1, TRACK_DTYPE)
    there, here = true_ranges(SITE, (1, 1)), true_ranges(SITE, (9, 9))
    step(tracks, readings_of(there[:2], at_ms=100), at_ms=100)
    assert step(tracks, readings_of(here[2:4], at_ms=8_000, anchors=[2, 3]), at_ms=8_000).size == 0
    fixes = step(tracks, readings_of(here[4:5], at_ms=8_500, anchors=[4]), at_ms=8_500)
    assert fixes["x_m"] == pytest.approx([9.0], abs=0.3)


def test_two_anchors_keep_a_track_that_three_have_started() -> None:
    """Tight coupling: what cannot make a fix can still correct one."""
    tracks = np.zeros(1, TRACK_DTYPE)
    ranges = true_ranges(SITE, (4, 6))
    step(tracks, readings_of(ranges, at_ms=100), at_ms=100)
    fixes = np.zeros(0)
    for at_ms in range(200, 5100, 100):
        moved = true_ranges(SITE, (4 + at_ms / 5000.0, 6))
        fixes = step(tracks, readings_of(moved[[0, 3]], at_ms=at_ms, anchors=[0, 3]), at_ms=at_ms)
    assert fixes["x_m"][0] == pytest.approx(5.0, abs=0.25)


def test_a_standing_tag_stays_where_it_is_and_is_said_to_stand() -> None:
    """Dwell counts only while the tag is believed to stand."""
    _, fixes, _ = run_epochs(
        standing_at((4, 6), seconds=10, sigma_m=0.07), anchors=TABLE, settings=SETTINGS
    )
    late = fixes[20:]
    assert np.hypot(late["x_m"] - 4, late["y_m"] - 6).max() < 0.2
    assert late["p_standing"].min() > 0.6


def test_a_walking_tag_is_followed_and_said_to_walk() -> None:
    """One metre a second through the aisle is no dwell at its shelves."""
    walk = np.concatenate(
        [
            readings_of(true_ranges(SITE, (1.0 + t / 1000.0, 5.0)), at_ms=t)
            for t in range(100, 8001, 100)
        ]
    )
    at, fixes, _ = run_epochs(walk, anchors=TABLE, settings=SETTINGS)
    late = at > 3000
    assert np.abs(fixes["x_m"][late] - (1.0 + at[late] / 1000.0)).max() < 0.15
    assert fixes["vx_m_s"][late] == pytest.approx(1.0, abs=0.15)
    assert fixes["p_standing"][late].max() < 0.2


def test_standing_for_an_hour_does_not_make_the_place_certain() -> None:
    """The frozen bias of the links does not average out; a covariance of nothing would be a lie."""
    readings = standing_at((4, 6), seconds=60, sigma_m=0.0)
    _, fixes, _ = run_epochs(readings, anchors=TABLE, settings=SETTINGS)
    # Eight anchors around a place halve what one link leaves unknown.
    floor_m = SETTINGS.measurement.range_bias_place_sd_m / 2.0
    assert np.sqrt(fixes["cov_xx"][-1]) > 0.9 * floor_m


def test_coasting_is_a_look_and_changes_nothing() -> None:
    """How often somebody looks at the map must not move a tag."""
    _, _, tracks = run_epochs(standing_at((4, 6), seconds=3), anchors=TABLE, settings=SETTINGS)
    before = tracks.tobytes()
    slots = np.zeros(1, np.int32)
    soon, later = (
        coast_tracks(tracks, slots, at_ms=UnixMs(at_ms), settings=SETTINGS)[0]
        for at_ms in (3_500, 20_000)
    )
    assert tracks.tobytes() == before
    assert soon["cov_xx"] < later["cov_xx"]
    assert later["evidence_at_ms"] == 3000


def test_a_tag_that_walks_out_of_hearing_comes_to_rest() -> None:
    """A constant velocity would carry it through the wall and down the street."""
    walk = np.concatenate(
        [
            readings_of(true_ranges(SITE, (1.0 + t / 1000.0, 5.0)), at_ms=t)
            for t in range(100, 5001, 100)
        ]
    )
    _, fixes, tracks = run_epochs(walk, anchors=TABLE, settings=SETTINGS)
    hour = coast_tracks(
        tracks, np.zeros(1, np.int32), at_ms=UnixMs(5000 + 3_600_000), settings=SETTINGS
    )
    reach_m = fixes["vx_m_s"][-1] * SETTINGS.speed_memory_s
    assert hour["x_m"][0] == pytest.approx(fixes["x_m"][-1] + reach_m, abs=0.01)
    assert abs(hour["vx_m_s"][0]) < 1e-6


def test_an_unlocated_slot_does_not_coast() -> None:
    """There is nothing to predict from."""
    slots = np.array([0, 1, 99, -1], np.int32)
    fixes = coast_tracks(np.zeros(2, TRACK_DTYPE), slots, at_ms=UnixMs(100), settings=SETTINGS)
    assert fixes.size == 0


def test_a_late_reading_is_used_at_its_age() -> None:
    """One second late it says where the tag was then, not where it is."""
    tracks = np.zeros(1, TRACK_DTYPE)
    for t in range(100, 4001, 100):
        step(tracks, readings_of(true_ranges(SITE, (1.0 + t / 1000.0, 5.0)), at_ms=t), at_ms=t)
    on_time = tracks.copy()
    late = readings_of(true_ranges(SITE, (4.0, 5.0)), at_ms=3000)
    fixes = step(tracks, late, at_ms=4100)
    expected = coast_tracks(on_time, np.zeros(1, np.int32), at_ms=UnixMs(4100), settings=SETTINGS)
    assert fixes["x_m"][0] == pytest.approx(expected["x_m"][0], abs=0.05)
    assert tracks["at_ms"][0] == 4000
    assert fixes["evidence_at_ms"][0] == 4000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0, 1e9])
def test_a_number_no_radio_gives_is_passed_over(value: float) -> None:
    """One NaN in a covariance stays in it for ever."""
    tracks = np.zeros(1, TRACK_DTYPE)
    ranges = true_ranges(SITE, (4, 6))
    ranges[1] = value
    readings = in_order(readings_of(ranges, at_ms=100))
    readings["sigma"][:2] = np.inf, -3.0
    fixes = step(tracks, readings, at_ms=100)
    assert fixes["x_m"] == pytest.approx([4.0], abs=0.01)
    assert np.isfinite(tracks["cov"]).all()


def test_unknown_anchors_tags_and_kinds_are_passed_over() -> None:
    """Admission refuses them; a kernel that trusted it would write outside its arrays."""
    ranges = true_ranges(SITE, (4, 6))
    good = readings_of(ranges, at_ms=100)
    far = readings_of(ranges[:2], at_ms=100, anchors=[-1, 99])
    aoa = readings_of([1.0], at_ms=100, kind=ReadingKind.AOA)
    stranger = readings_of(ranges, at_ms=100, tag=7)
    fixes = step(
        np.zeros(1, TRACK_DTYPE), in_order(np.concatenate([good, far, aoa, stranger])), at_ms=100
    )
    assert fixes["tag"].tolist() == [0]
    assert fixes["x_m"] == pytest.approx([4.0], abs=0.01)


def test_no_reading_gives_no_fix_and_no_change() -> None:
    """The empty batch of every whole second only turns timers."""
    _, _, tracks = run_epochs(standing_at((4, 6), seconds=1), anchors=TABLE, settings=SETTINGS)
    before = tracks.tobytes()
    assert step(tracks, np.zeros(0, READING_DTYPE), at_ms=2000).size == 0
    assert tracks.tobytes() == before


def test_tags_do_not_disturb_each_other() -> None:
    """The shard is one array; a tag must get the fix it would get alone."""
    one = readings_of(true_ranges(SITE, (4, 6)), at_ms=100, tag=0)
    two = readings_of(true_ranges(SITE, (8, 2)), at_ms=100, tag=2)
    both = step(np.zeros(3, TRACK_DTYPE), np.concatenate([one, two]), at_ms=100)
    alone = step(np.zeros(3, TRACK_DTYPE), two, at_ms=100)
    assert both["tag"].tolist() == [0, 2]
    assert both[1:].tobytes() == alone.tobytes()


def test_a_tag_carried_upstairs_changes_floor() -> None:
    """A floor that is only voted on at the first fix would be wrong for the rest of the day."""
    places = [*OCTAGON, *OCTAGON]
    site = site_with(places, floors=[0] * 8 + [1] * 8)
    table = AnchorTable.build(site)
    ranges = true_ranges(site, (4, 6))
    below, above = ranges + np.repeat([0.0, 4.0], 8), ranges + np.repeat([4.0, 0.0], 8)
    log = [
        readings_of(below if at_ms <= 2000 else above, at_ms=at_ms)
        for at_ms in range(100, 8001, 100)
    ]
    at, fixes, _ = run_epochs(np.concatenate(log), anchors=table, settings=SETTINGS)
    assert set(fixes["floor"][at <= 2000]) == {0}
    assert set(fixes["floor"][at > 6000]) == {1}
    assert np.hypot(fixes["x_m"][-1] - 4, fixes["y_m"][-1] - 6) < 0.1


def test_a_tag_silent_for_long_starts_anew() -> None:
    """After the tea break it is elsewhere; the old place is no prior for the new one."""
    tracks = np.zeros(1, TRACK_DTYPE)
    step(tracks, readings_of(true_ranges(SITE, (1, 1)), at_ms=100), at_ms=100)
    fixes = step(tracks, readings_of(true_ranges(SITE, (9, 9)), at_ms=60_000), at_ms=60_000)
    assert fixes["x_m"] == pytest.approx([9.0], abs=0.01)


def test_more_links_than_a_track_remembers_do_no_harm() -> None:
    """A shop has 70 anchors, a track remembers the youngest few."""
    draw = np.random.default_rng(1)
    site = site_with([(x, y, 3.0) for x, y in draw.uniform(0.0, 10.0, (70, 2))])
    assert len(site.anchors) > LINKS_A_TRACK
    readings = np.concatenate(
        [readings_of(true_ranges(site, (4, 6)), at_ms=at_ms) for at_ms in range(100, 2001, 100)]
    )
    _, fixes, tracks = run_epochs(readings, anchors=AnchorTable.build(site), settings=SETTINGS)
    assert np.hypot(fixes["x_m"] - 4, fixes["y_m"] - 6).max() < 0.05
    assert (tracks["link_anchor"] > 0).all()


def test_rssi_and_ranges_of_one_tag_go_into_one_track() -> None:
    """A phone with both radios is one tag."""
    both = np.concatenate(
        [
            readings_of(true_ranges(SITE, (4, 6)), at_ms=100),
            readings_of(true_rssi(SITE, (4, 6)), at_ms=100, kind=ReadingKind.RSSI),
        ]
    )
    tracks = np.zeros(1, TRACK_DTYPE)
    fixes = step(tracks, in_order(both), at_ms=100)
    assert fixes["kinds"].tolist() == [(1 << ReadingKind.RSSI) | (1 << ReadingKind.RANGE)]
    assert fixes["x_m"] == pytest.approx([4.0], abs=0.05)


def test_the_offset_of_a_phone_is_learnt_while_it_walks() -> None:
    """Receivers differ by 20 dB; the first advert cannot tell offset from distance."""
    draw = np.random.default_rng(6)
    log = []
    for t in range(100, 20_001, 500):
        place = (5 + 3 * np.cos(t / 4000.0), 5 + 3 * np.sin(t / 4000.0))
        rssi = true_rssi(SITE, place) - 15.0 + draw.normal(0.0, 3.0, len(SITE.anchors))
        log.append(readings_of(rssi, at_ms=t, kind=ReadingKind.RSSI))
    _, _, tracks = run_epochs(np.concatenate(log), anchors=TABLE, settings=SETTINGS)
    assert tracks["state"][0, 4] == pytest.approx(-15.0, abs=2.0)


def test_after_warm_up_nothing_is_compiled() -> None:
    """A compiler in the middle of the day is a stall of seconds for every shopper."""
    warm_up()
    known = len(track_epoch.signatures), len(coast_slots.signatures)
    readings = readings_of(true_ranges(SITE, (4, 6)), at_ms=100)
    frozen = readings.copy()
    frozen.flags.writeable = False
    for batch in (readings, readings[:1], readings[2:7], frozen, readings[:0]):
        step(np.zeros(3, TRACK_DTYPE), batch, at_ms=100)
    coast_tracks(np.zeros(2, TRACK_DTYPE), np.arange(2)[::-1], at_ms=UnixMs(1), settings=SETTINGS)
    assert (len(track_epoch.signatures), len(coast_slots.signatures)) == known


@pytest.mark.parametrize(
    ("name", "value"), [("speed_sd_m_s", 0.0), ("standing_prior", 1.0), ("instant_ms", np.nan)]
)
def test_movement_that_cannot_be_is_refused_by_name(name: str, value: float) -> None:
    """A zero would freeze every track where it first was."""
    with pytest.raises(InvalidCalibration, match=name):
        TrackingSettings(**{name: value})
