"""config/demo/site.geojson: the shop that the demo, the tests and the benchmarks share."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from shapely import Polygon

from rtls.model.site_map import Radio, SiteMap, ZoneKind
from rtls.model.units import ZoneId

ROOT = Path(__file__).resolve().parents[3]


def test_the_checked_in_plan_is_what_the_script_writes() -> None:
    """Whoever edits the file by hand would lose it at the next run of the script."""
    script = ROOT / "scripts" / "make_demo_site.py"
    done = subprocess.run([sys.executable, str(script), "--check"], check=False)
    assert done.returncode == 0


def test_the_shop_has_thirty_shelves_and_one_of_them_holds_dowels(shop: SiteMap) -> None:
    """The founding scene needs the fischer dowel shelf by its id."""
    shelves = {zone.zone: zone.name for zone in shop.zones if zone.kind is ZoneKind.SHELF}
    assert len(shelves) == 30
    assert shelves[ZoneId("dowels")] == "fischer Dübel"


def test_zones_of_one_kind_do_not_overlap_and_children_lie_within_their_parents(
    shop: SiteMap,
) -> None:
    """A tag is in one shelf at a time, and a shelf's dwell backs off to the aisle that holds it."""
    area = {zone.zone: Polygon(zone.ring) for zone in shop.zones}
    for one, other in combinations(shop.zones, 2):
        if one.kind is other.kind:
            assert area[one.zone].intersection(area[other.zone]).area < 1e-9, (one, other)
    for zone in shop.zones:
        if zone.kind is ZoneKind.SHELF:
            assert zone.parent is not None
        if zone.parent is not None:
            assert area[zone.parent].buffer(1e-9).contains(area[zone.zone])


def test_nobody_can_stand_inside_furniture(shop: SiteMap) -> None:
    """A strip that reaches into a rack would hold dwell that no shopper can make."""
    bodies = [Polygon(fixture.ring) for fixture in shop.fixtures]
    for zone in shop.zones:
        if zone.kind is ZoneKind.SHELF:
            strip = Polygon(zone.ring)
            assert min(strip.distance(body) for body in bodies) == pytest.approx(0.2)


def test_every_place_is_ranged_by_five_anchors_within_26_metres(shop: SiteMap) -> None:
    """Three fix a position; five let one be blocked and one be dead."""
    place = np.array([(a.x_m, a.y_m) for a in shop.anchors if a.radio is Radio.UWB])
    for x in np.arange(0.5, 60, 1.0):
        for y in np.arange(0.5, 40, 1.0):
            within = np.hypot(*(place - (x, y)).T) <= 26.0
            assert within.sum() >= 5


def test_every_anchor_belongs_to_one_of_eight_gateways(shop: SiteMap) -> None:
    """A gateway may report for its own anchors only; one without a gateway is nobody's."""
    gateways = {anchor.gateway for anchor in shop.anchors}
    assert gateways == {f"gw-{number:02d}" for number in range(1, 9)}
