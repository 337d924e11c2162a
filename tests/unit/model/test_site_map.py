"""The nouns of the site map refuse nonsense themselves."""

from dataclasses import replace

import pytest

from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import Anchor, DwellRules, Floor, Radio
from tests.reference.shelf_site import make_site, make_zone, rectangle, shelf_site

ANCHOR = Anchor(anchor="a1", radio=Radio.BLE, floor=0, x_m=1.0, y_m=2.0, z_m=3.0)


def test_zones_and_anchors_are_numbered_in_the_order_of_the_map() -> None:
    """Readings and stays hold these numbers; a snapshot would mean nothing without the order."""
    site = shelf_site()
    assert site.zone_index["dowels"] == 0
    assert site.zone_index["tools"] == 3
    assert site.anchor_index["a02"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p_exit": 0.6}, "the zone would flap"),
        ({"p_enter": 0.4}, "the zone would flap"),
        ({"p_exit": 0.0}, "the zone would flap"),
        ({"p_dwell": 1.0}, "p_dwell is 1"),
        ({"min_enter_s": -1.0}, "dwell times"),
        ({"exit_delay_s": float("nan")}, "dwell times"),
        ({"dwell_thresholds_s": (30.0, 30.0)}, "rising"),
        ({"dwell_thresholds_s": (1.0, 2.0, 3.0, 4.0, 5.0)}, "one to four"),
        ({"dwell_thresholds_s": (0.0,)}, "above 0"),
    ],
)
def test_dwell_rules_that_contradict_themselves_are_refused(change, message: str) -> None:
    with pytest.raises(InvalidSiteMap, match=message):
        replace(DwellRules(), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_m": float("inf")}, "anchor a1: point"),
        ({"x_m": 48_137_154.0}, "not longitude and latitude or millimetres"),
        ({"exponent": 0.0}, "exponent is 0"),
        ({"rssi_at_1m": 5.0}, "rssi_at_1m is 5"),
    ],
)
def test_an_anchor_that_cannot_hang_there_is_refused(change, message: str) -> None:
    with pytest.raises(InvalidSiteMap, match=message):
        replace(ANCHOR, **change)


def test_a_zone_needs_three_corners_and_an_id_that_fits_in_a_topic() -> None:
    with pytest.raises(InvalidSiteMap, match="2 corners"):
        make_zone("dowels", ((0, 0), (1, 1)))
    for name in ("Dowels", "dowels/1", "-dowels", "", "d" * 64):
        with pytest.raises(InvalidSiteMap, match="expected 1 to 63"):
            make_zone(name, rectangle(0, 0, 1, 1))


def test_names_are_unique_and_floors_known() -> None:
    twin = make_zone("dowels", rectangle(0, 0, 1, 1))
    with pytest.raises(InvalidSiteMap, match="zone dowels is defined twice"):
        make_site([twin, twin])
    with pytest.raises(InvalidSiteMap, match=r"floor 2 is not among the floors \[0\]"):
        make_site([make_zone("dowels", rectangle(0, 0, 1, 1), floor=2)])
    with pytest.raises(InvalidSiteMap, match="no floor"):
        replace(shelf_site(), floors=())
    with pytest.raises(InvalidSiteMap, match="width_m is 0"):
        Floor(floor=0, name="ground", width_m=0.0, height_m=5.0)


def test_parents_must_exist_and_may_not_form_a_circle() -> None:
    """Depth is counted by walking up; a circle would never end."""
    ring = rectangle(0, 0, 1, 1)
    with pytest.raises(InvalidSiteMap, match="parent nowhere is not a zone"):
        make_site([make_zone("dowels", ring, parent="nowhere")])
    with pytest.raises(InvalidSiteMap, match="form a circle through"):
        make_site([make_zone("one", ring, parent="two"), make_zone("two", ring, parent="one")])
