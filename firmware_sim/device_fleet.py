"""Run all gateways of a site on the time that the door gives.

Layer: flow. Takes: a scenario, lines, a clock from the door. Gives: the scenario's readings over
those lines, in time with the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from firmware_sim.anchor_device import DeviceSettings, GatewayDevice, HeldReading
from firmware_sim.disk_spool import DiskSpool
from firmware_sim.dwm1001_network import Dwm1001Network
from firmware_sim.espresense_node import EspresenseNode
from firmware_sim.faults import FaultPlan, FaultyLink
from firmware_sim.field_device import DevicePlan, FieldDevice, plan_devices
from firmware_sim.link import Link
from firmware_sim.minew_gateway import MinewGateway
from firmware_sim.scenario import HeardStep, Scenario
from firmware_sim.wire import ReadingFields
from firmware_sim.wire_name import UwbWireName, WireName
from rtls.model.units import GatewayId, UnixMs

RANGE_SD_M: Final = 0.1  # what the maker of the chip states
TURN_S: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCounts:
    """What the fleet did since its start."""

    readings: int
    messages: int
    resent: int
    unacknowledged: int
    behind_ms: int
    """how far the scenario is behind the clock: if it grows, the speed is too high"""


class DeviceFleet:
    """All gateways of one site.

    Parameters
    ----------
    scenario
        Where the readings come from; belongs to the fleet from now on.
    link_of
        Makes the line of each gateway.
    spool_folder
        Where the spools lie; what an earlier run left there is sent first.
    seed
        Decides boot ids, jitter and faults.
    line_clock
        Milliseconds of the line, from any origin: connections and resends do not run faster
        because the shop does.
    ble_wire
        The wire format of the BLE anchors.
    uwb_wire
        That of the gateways of UWB anchors, or that these are a DWM1001 network.

    An anchor that needs a gateway and has none is refused with `InvalidScenario`.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        link_of: Callable[[GatewayId], Link],
        spool_folder: Path,
        seed: int,
        line_clock: Callable[[], int],
        settings: DeviceSettings | None = None,
        faults: FaultPlan | None = None,
        ble_wire: WireName = "reference",
        uwb_wire: UwbWireName = "reference",
    ) -> None:
        self.scenario = scenario
        self._line_clock = line_clock
        self._faults = faults or FaultPlan()
        self._settings = settings
        self._spool_folder = spool_folder
        self._behind_ms = 0
        plans = plan_devices(scenario.site_map, ble_wire=ble_wire, uwb_wire=uwb_wire)
        spool_folder.mkdir(parents=True, exist_ok=True)
        seeds = np.random.SeedSequence(seed).generate_state(2 * len(plans), np.uint64).tolist()
        self.devices: dict[GatewayId, FieldDevice] = {}
        for number, plan in enumerate(plans):
            link = link_of(plan.device)
            if self._faults.has_line_faults:
                link = FaultyLink(link, plan=self._faults, seed=seeds[2 * number])
            self.devices[plan.device] = self._build(plan, link=link, seed=seeds[2 * number + 1])
        self._anchor_ids = [str(anchor.anchor) for anchor in scenario.site_map.anchors]
        owner = {anchor: number for number, plan in enumerate(plans) for anchor in plan.anchors}
        self._device_of = np.array([owner[a.anchor] for a in scenario.site_map.anchors])

    def _build(self, plan: DevicePlan, *, link: Link, seed: int) -> FieldDevice:
        match plan.wire:
            case "espresense":
                return EspresenseNode(plan.device, link=link)
            case "minew":
                skew_ms = self._faults.skew_of(plan.device)
                return MinewGateway(plan.device, link=link, skew_ms=skew_ms)
            case "dwm1001":
                places = {
                    str(a.anchor): (a.x_m, a.y_m, a.z_m) for a in self.scenario.site_map.anchors
                }
                return Dwm1001Network(places, link=link)
            case "reference" | "packed":
                return GatewayDevice(
                    plan.device,
                    anchors=plan.anchors,
                    link=link,
                    spool=DiskSpool(self._spool_folder / f"{plan.device}.sqlite"),
                    seed=seed,
                    settings=replace(
                        self._settings or DeviceSettings(), is_packed=plan.wire == "packed"
                    ),
                    skew_ms=self._faults.skew_of(plan.device),
                )

    def run(
        self,
        *,
        clock: Callable[[], int],
        sleep: Callable[[float], None],
        until_ms: int | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Keep up with the clock until ``until_ms`` or until stopped.

        Parameters
        ----------
        clock
            Time of the shop; may run up to 100 times as fast as life.
        sleep
            Waits for so many seconds of the line.
        """
        step_ms = self.scenario.settings.step_ms
        while not is_stopped() and (until_ms is None or self.scenario.now_ms < until_ms):
            self._behind_ms = max(0, clock() - self.scenario.now_ms - step_ms)
            if self.scenario.now_ms + step_ms <= clock():
                self.advance(UnixMs(self.scenario.now_ms + step_ms))
            else:
                self.turn()
                sleep(TURN_S)

    def advance(self, to_ms: UnixMs) -> None:
        """Let the shop go on to ``to_ms`` and the gateways send what they heard."""
        while self.scenario.now_ms < to_ms:
            self._faults.kill_anchors(self.scenario)
            self._share_out(self.scenario.step())
            self.turn()

    def turn(self) -> None:
        """Let every gateway do what is due."""
        line_ms = self._line_clock()
        for device in self.devices.values():
            device.turn(self.scenario.now_ms, line_ms=line_ms)

    def counts(self) -> FleetCounts:
        """Return what the fleet did since its start."""
        devices = self.devices.values()
        return FleetCounts(
            readings=sum(device.readings for device in devices),
            messages=sum(device.messages for device in devices),
            resent=sum(device.resent for device in devices),
            unacknowledged=sum(device.unacknowledged for device in devices),
            behind_ms=self._behind_ms,
        )

    def close(self) -> None:
        """Send what is held and end the lines; what is not acknowledged stays in the spools."""
        for device in self.devices.values():
            device.close(self.scenario.now_ms, line_ms=self._line_clock())

    def _share_out(self, step: HeardStep) -> None:
        rows = step.rows
        owner = self._device_of[rows["anchor"]]
        for number, device in enumerate(self.devices.values()):
            mine = rows[owner == number]
            if len(mine):
                device.hear(self._readings(mine, step))

    def _readings(self, rows: np.ndarray, step: HeardStep) -> list[HeldReading]:
        names, tags = self._anchor_ids, step.tags
        held = []
        columns = (rows[name].tolist() for name in ("at_ms", "slot", "anchor", "is_range"))
        values = np.round(rows["value"], 3).tolist()
        for at_ms, slot, anchor, is_range, value, channel in zip(
            *columns, values, rows["channel"].tolist(), strict=True
        ):
            fields = (
                ReadingFields(names[anchor], tags[slot], "range", value, RANGE_SD_M, "uwb_twr")
                if is_range
                else ReadingFields(names[anchor], tags[slot], "rssi", value, ch=channel)
            )
            held.append(HeldReading(at_ms, fields))
        return held
