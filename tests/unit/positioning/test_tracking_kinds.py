"""tracking: every kind of reading, what a sender smoothed, and floors."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rtls.model.errors import InvalidCalibration
from rtls.model.reading import ReadingFlag, ReadingKind
from rtls.model.track import FLOORS_A_SITE
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.tracking import TrackingSettings
from tests.reference.radio_site import (
    OCTAGON,
    readings_of,
    run_epochs,
    site_with,
    true_ranges,
    true_rssi,
)

SITE = site_with(OCTAGON)
TABLE = AnchorTable.build(SITE)
SETTINGS = TrackingSettings()


def exact(kind: ReadingKind, at: tuple[float, float], at_ms: int) -> np.ndarray:
    anchors = np.array(OCTAGON)
    ranges = true_ranges(SITE, at)
    if kind == ReadingKind.TDOA:
        readings = readings_of(
            (ranges - ranges[0])[1:], at_ms=at_ms, kind=kind, anchors=range(1, 8)
        )
        readings["ref_anchor"] = 0
        return readings
    if kind == ReadingKind.AOA:
        away = np.array(at) - anchors[:, :2]
        readings = readings_of(np.arctan2(away[:, 1], away[:, 0]), at_ms=at_ms, kind=kind)
        readings["value_2"] = np.arctan2(-2.0, np.hypot(away[:, 0], away[:, 1]))
        return readings
    if kind == ReadingKind.POSITION:
        readings = readings_of([at[0]], at_ms=at_ms, kind=kind)
        readings["value_2"] = at[1]
        return readings
    return readings_of(
        ranges + 0.15 if kind == ReadingKind.RANGE else true_rssi(SITE, at), at_ms=at_ms, kind=kind
    )


@pytest.mark.parametrize("kind", list(ReadingKind))
def test_a_tag_is_followed_by_readings_of_any_kind(kind: ReadingKind) -> None:
    """One likelihood: a walk along a line, and a stop, with nothing but this kind."""
    log, truth = [], []
    for t in range(200, 12_001, 200):
        at = (2.0 + min(t / 1000.0, 6.0), 5.0)
        log.append(exact(kind, at, t))
        truth.append(at)
    _, fixes, tracks = run_epochs(np.concatenate(log), anchors=TABLE, settings=SETTINGS)
    error = np.hypot(fixes["x_m"] - np.array(truth)[:, 0], fixes["y_m"] - 5.0)
    loose = {ReadingKind.RSSI: 1.2, ReadingKind.POSITION: 0.4}.get(kind, 0.3)
    assert error[-15:].max() < loose
    assert tracks["kinds"][0] == 1 << kind
    if kind != ReadingKind.RSSI:
        assert fixes["p_standing"][18:28].max() < 0.3
        assert fixes["p_standing"][-1] > 0.7


def test_a_position_claims_no_more_than_its_sender_stated() -> None:
    """A system that says two metres must not come out as a decimetre because it repeats itself."""
    log = []
    for t in range(200, 20_001, 200):
        readings = exact(ReadingKind.POSITION, (4.0, 6.0), t)
        readings["sigma"] = 2.0
        log.append(readings)
    _, fixes, _ = run_epochs(np.concatenate(log), anchors=TABLE, settings=SETTINGS)
    assert math.sqrt(fixes["cov_xx"][-1]) > 0.9


def test_differences_to_another_reference_are_links_of_their_own() -> None:
    """Anchor 3 less anchor 0 and anchor 3 less anchor 1 are two equations."""
    at = (4.0, 6.0)
    ranges = true_ranges(SITE, at)
    one = exact(ReadingKind.TDOA, at, 200)[2:4]
    two = readings_of((ranges - ranges[1])[2:4], at_ms=200, kind=ReadingKind.TDOA, anchors=[2, 3])
    two["ref_anchor"] = 1
    _, _, tracks = run_epochs(np.concatenate([one, two]), anchors=TABLE, settings=SETTINGS)
    assert np.count_nonzero(tracks["link_anchor"][0]) == 4


def test_what_a_sender_has_smoothed_counts_for_less() -> None:
    """A mean over fifteen seconds, sent every second, is not fifteen readings."""
    widths = []
    for flag in (0, ReadingFlag.SMOOTHED):
        log = []
        for t in range(1000, 10_001, 1000):
            readings = exact(ReadingKind.RSSI, (4.0, 6.0), t)
            readings["flags"] = flag
            log.append(readings)
        _, _, tracks = run_epochs(np.concatenate(log), anchors=TABLE, settings=SETTINGS)
        widths.append(tracks["cov"][0, 0])
    assert widths[1] > 1.5 * widths[0]


def test_an_anchor_without_a_place_is_passed_over() -> None:
    """Its coordinates are fillers; a survey may use what it hears, geometry may not."""
    lost = tuple(
        replace(anchor, is_placed=False, x_m=40.0) if index == 3 else anchor
        for index, anchor in enumerate(SITE.anchors)
    )
    table = AnchorTable.build(replace(SITE, anchors=lost))
    readings = exact(ReadingKind.RANGE, (4.0, 6.0), 200)
    _, fixes, _ = run_epochs(readings, anchors=table, settings=SETTINGS)
    assert np.hypot(fixes["x_m"] - 4.0, fixes["y_m"] - 6.0)[0] < 0.1


TWO_FLOORS = site_with([*OCTAGON, *OCTAGON], floors=[0] * 8 + [1] * 8)
FLOOR_TABLE = AnchorTable.build(TWO_FLOORS)


def heard_through_slab(floor: int, at_ms: int, *, loud: float = 0.0) -> np.ndarray:
    """All sixteen anchors, those of the other floor 15 dB weaker; one of them ``loud`` dB up."""
    rssi = true_rssi(TWO_FLOORS, (4.0, 6.0))
    other = slice(8, 16) if floor == 0 else slice(0, 8)
    rssi[other] -= 15.0
    rssi[other.start] += loud
    return readings_of(rssi, at_ms=at_ms, kind=ReadingKind.RSSI)


def test_one_loud_advert_round_the_stairwell_changes_no_floor() -> None:
    """The wrong floor is the error that shoppers complain of most; it takes sustained evidence."""
    log = [
        heard_through_slab(0, t, loud=35.0 if t == 10_000 else 0.0) for t in range(500, 20_001, 500)
    ]
    _, fixes, _ = run_epochs(np.concatenate(log), anchors=FLOOR_TABLE, settings=SETTINGS)
    assert set(fixes["floor"]) == {0}


def test_the_stairs_are_noticed_within_seconds() -> None:
    """Evidence that stays is believed, however sure the track was of the floor below."""
    log = [heard_through_slab(0 if t <= 60_000 else 1, t) for t in range(500, 80_001, 500)]
    at_ms, fixes, _ = run_epochs(np.concatenate(log), anchors=FLOOR_TABLE, settings=SETTINGS)
    changed = at_ms[fixes["floor"] == 1].min()
    assert 61_000 <= changed <= 68_000
    assert set(fixes["floor"][at_ms > 68_000]) == {1}


def test_more_floors_than_a_track_can_weigh_are_refused() -> None:
    """Better at start-up than as a floor that nobody is ever found on."""
    tower = site_with([(0.0, 0.0, 3.0)] * (FLOORS_A_SITE + 1), floors=range(FLOORS_A_SITE + 1))
    with pytest.raises(InvalidCalibration, match="floors"):
        AnchorTable.build(tower)
