"""field_device: which box hangs where, and how it speaks."""

from collections import Counter
from dataclasses import replace

import pytest

from firmware_sim.errors import InvalidScenario
from firmware_sim.field_device import plan_devices
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import AnchorId, GatewayId


def test_every_anchor_hangs_on_its_gateway_unless_told_otherwise(shop: SiteMap) -> None:
    """The demo shop has eight gateways."""
    plans = plan_devices(shop, ble_wire="reference")
    assert [plan.device for plan in plans] == [f"gw-0{number}" for number in range(1, 9)]
    assert {plan.wire for plan in plans} == {"reference"}
    assert sum(len(plan.anchors) for plan in plans) == len(shop.anchors)


def test_in_another_makers_format_every_ble_anchor_is_a_box_of_its_own(shop: SiteMap) -> None:
    """Such a box has one radio; UWB anchors stay where they are."""
    plans = plan_devices(shop, ble_wire="minew")
    ble = [one.anchor for one in shop.anchors if one.radio is Radio.BLE]
    assert Counter(plan.wire for plan in plans) == {"reference": 8, "minew": len(ble)}
    assert [plan.device for plan in plans if plan.wire == "minew"] == ble
    assert all(plan.anchors == (plan.device,) for plan in plans if plan.wire == "minew")


def test_only_a_box_of_the_reference_protocol_needs_a_gateway(shop: SiteMap) -> None:
    """A box that is a gateway itself is drawn in the map without one."""
    anchors = tuple(replace(a, gateway=None) if a.radio is Radio.BLE else a for a in shop.anchors)
    site_map = replace(shop, anchors=anchors)
    assert len(plan_devices(site_map, ble_wire="espresense")) > 8
    with pytest.raises(InvalidScenario, match="an anchor has no gateway"):
        plan_devices(site_map, ble_wire="reference")


def test_two_boxes_never_bear_one_name(shop: SiteMap) -> None:
    """The broker would throw one of two clients of one name out, for ever in turn."""
    first, *others = shop.anchors
    ble = next(one for one in others if one.radio is Radio.BLE)
    assert first.gateway is not None
    named = [
        replace(one, anchor=AnchorId(str(first.gateway))) if one is ble else one for one in others
    ]
    uwb = replace(first, radio=Radio.UWB, gateway=GatewayId(str(first.gateway)))
    with pytest.raises(InvalidScenario, match="also the name of a gateway"):
        plan_devices(replace(shop, anchors=(uwb, *named)), ble_wire="espresense")
