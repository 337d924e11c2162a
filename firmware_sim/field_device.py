"""Say which box hangs where and in which wire format it speaks.

Layer: rules. Takes: the site map and the wire format of its BLE anchors. Gives: one plan for each
box to firmware_sim.device_fleet, and the shape that all boxes have.

UWB anchors hang on gateways that speak the reference protocol, in JSON or packed, or are one
DWM1001 network; BLE anchors hang on the same gateways unless told otherwise. In another maker's
format every BLE anchor is a box of its own, named as the anchor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from firmware_sim.anchor_device import HeldReading
from firmware_sim.errors import InvalidScenario
from firmware_sim.wire_name import UwbWireName, WireName
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import AnchorId, GatewayId

NETWORK: Final = GatewayId("dwm-gateway")


class FieldDevice(Protocol):
    """A box that hears for its anchors and tells the broker."""

    readings: int
    messages: int
    resent: int

    @property
    def unacknowledged(self) -> int:
        """Return how many messages are not known to be stored at the other end."""
        ...

    def hear(self, readings: Sequence[HeldReading]) -> None:
        """Take what the anchors heard, in the order of time."""
        ...

    def turn(self, now_ms: int, *, line_ms: int) -> None:
        """Do what is due at ``now_ms`` of the shop and ``line_ms`` of the line."""
        ...

    def close(self, now_ms: int, *, line_ms: int) -> None:
        """Send what is held and end the line."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """One box."""

    device: GatewayId
    wire: WireName | UwbWireName
    anchors: tuple[AnchorId, ...]


def plan_devices(
    site_map: SiteMap, *, ble_wire: WireName, uwb_wire: UwbWireName = "reference"
) -> list[DevicePlan]:
    """Return the boxes of a site: gateways by name, then boxes of one anchor in the map's order.

    The anchors of a DWM1001 network are one box, which comes first.

    Raises
    ------
    InvalidScenario
        If an anchor that needs a gateway has none, or a box would bear another's name.
    """
    network = [a for a in site_map.anchors if uwb_wire == "dwm1001" and a.radio is Radio.UWB]
    alone = [a for a in site_map.anchors if ble_wire != "reference" and a.radio is Radio.BLE]
    grouped: dict[GatewayId, list[AnchorId]] = {}
    for anchor in site_map.anchors:
        if anchor in alone or anchor in network:
            continue
        if anchor.gateway is None:
            raise InvalidScenario("an anchor has no gateway; name one for each in the site map.")
        grouped.setdefault(anchor.gateway, []).append(anchor.anchor)
    for anchor in alone:
        if GatewayId(anchor.anchor) in grouped:
            raise InvalidScenario(
                f"anchor {anchor.anchor!r} is also the name of a gateway; expected another one, "
                f"since with {ble_wire} it is a box of its own. Rename one in the site map."
            )
    own_wire: UwbWireName = "packed" if uwb_wire == "packed" else "reference"
    in_network = tuple(anchor.anchor for anchor in network)
    return [
        *([DevicePlan(device=NETWORK, wire="dwm1001", anchors=in_network)] if network else ()),
        *(
            DevicePlan(device=gateway, wire=own_wire, anchors=tuple(grouped[gateway]))
            for gateway in sorted(grouped)
        ),
        *(
            DevicePlan(device=GatewayId(one.anchor), wire=ble_wire, anchors=(one.anchor,))
            for one in alone
        ),
    ]
