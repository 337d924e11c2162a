"""How near fix and filter come to the Cramér-Rao bound, for every kind of reading."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rtls.model.reading import ReadingKind
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.multilateration import locate_readings
from tests.reference.bounded_scene import (
    SETTINGS,
    SITE,
    TABLE,
    azimuth_of,
    elevation_of,
    filter_over_bound,
    fix_over_bound,
    range_of,
)
from tests.reference.radio_site import readings_of, site_with


@pytest.mark.parametrize("kind", list(ReadingKind))
def test_a_single_fix_comes_within_a_quarter_of_the_bound(kind: ReadingKind) -> None:
    """No estimator does better than the bound; the robust loss and the start may cost a little."""
    assert 0.93 < fix_over_bound(kind) < 1.25


def test_an_azimuth_is_turned_into_the_frame_by_the_yaw_of_its_anchor() -> None:
    """Locators hang as the ceiling allows; the installer notes where their zero points."""
    yaw = 37.0
    turned = replace(SITE, anchors=tuple(replace(a, yaw_deg=yaw) for a in SITE.anchors))
    at = np.array([3.0, 6.5])
    readings = readings_of(azimuth_of(at) - math.radians(yaw), at_ms=0, kind=ReadingKind.AOA)
    fixes = locate_readings(readings, anchors=AnchorTable.build(turned), settings=SETTINGS)
    assert fixes.place_m[0] == pytest.approx(at, abs=1e-3)


def test_one_anchor_with_both_angles_is_enough() -> None:
    """A single locator over a counter sees direction and steepness: that is a place."""
    at = np.array([3.0, 6.5])
    readings = readings_of(azimuth_of(at)[:1], at_ms=0, kind=ReadingKind.AOA)
    readings["value_2"] = elevation_of(at)[:1]
    fixes = locate_readings(readings, anchors=TABLE, settings=SETTINGS)
    assert fixes.place_m[0] == pytest.approx(at, abs=1e-3)


def test_anchors_in_a_row_with_nothing_but_distances_are_not_enough() -> None:
    """The mirror image fits as well; a guess would be wrong half the time."""
    row = AnchorTable.build(site_with([(float(x), 0.0, 3.0) for x in range(0, 20, 4)]))
    readings = readings_of([5.0, 4.0, 5.0, 7.0], at_ms=0)
    assert not locate_readings(readings, anchors=row, settings=SETTINGS).is_located.any()


def test_kinds_join_into_one_fix() -> None:
    """Two ranges and one bearing fix what neither fixes alone."""
    at = np.array([3.0, 6.5])
    parts = [
        readings_of(range_of(at)[:2], at_ms=0),
        readings_of(azimuth_of(at)[2:4], at_ms=0, kind=ReadingKind.AOA, anchors=[2, 3]),
    ]
    fixes = locate_readings(np.concatenate(parts), anchors=TABLE, settings=SETTINGS)
    assert fixes.place_m[0] == pytest.approx(at, abs=1e-3)


@pytest.mark.parametrize("kind", [ReadingKind.RANGE, ReadingKind.TDOA, ReadingKind.POSITION])
def test_the_filter_comes_near_the_posterior_bound_and_says_so(kind: ReadingKind) -> None:
    """Walks drawn from the filter's own law: 1.3 × the bound, and an ellipse that holds 95 %."""
    ratio, inside = filter_over_bound(kind)
    assert ratio < 1.3
    assert 0.93 <= inside <= 0.97
