"""Send the readings of a simulated shop to a broker.

Layer: doors. Takes: the site map, a seed, the address of a broker, a speed. Gives: reference
protocol messages over real MQTT, and the truth once a second to whoever watches (the demo).
"""

import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from firmware_sim.device_fleet import DeviceFleet, FleetCounts
from firmware_sim.faults import FaultPlan
from firmware_sim.mqtt_link import BrokerAddress as LineEnd
from firmware_sim.mqtt_link import MqttLink
from firmware_sim.scenario import ChannelName, Scenario, ScenarioSettings
from firmware_sim.wire_name import UwbWireName, WireName
from inaisle.clock import SystemClock
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.service.broker import BrokerAddress, refuse_silent_broker
from inaisle.settings import Settings
from inaisle.simulation.paced_clock import ShopPace
from inaisle.site.site_loading import load_site_map
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs

SECOND_MS: Final = 1000
NAMED_FAULTS: Final = {
    "none": FaultPlan(),
    "lossy": FaultPlan(drop=0.1, duplicate=0.05),
    "disordered": FaultPlan(delay=0.2, delay_ms_max=1_500, reorder=0.1),
    "rough": FaultPlan(drop=0.1, duplicate=0.05, delay=0.2, delay_ms_max=1_500, reorder=0.1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPlan:
    """Which shop, how full, over which broker."""

    site_map: SiteMap
    broker: BrokerAddress
    seed: int
    shoppers: int
    channel: ChannelName = "measured"
    ble_wire: WireName = "reference"
    uwb_wire: UwbWireName = "reference"
    faults: FaultPlan = field(default_factory=FaultPlan)


class SimulatedShop:
    """A scenario whose gateways are connected to a broker; ends with the context."""

    def __init__(self, plan: ShopPlan, *, starts_at_ms: UnixMs, speed: float) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="inaisle-spools-")
        # The scenario's steps end on whole tenths, so that every second of truth is a whole one.
        starts_at_ms = UnixMs(starts_at_ms // SECOND_MS * SECOND_MS)
        self.pace = ShopPace(starts_at_ms=starts_at_ms, speed=speed)
        self.scenario = Scenario(
            plan.site_map,
            seed=plan.seed,
            settings=ScenarioSettings(
                shoppers=plan.shoppers,
                channel=plan.channel,
                are_phones_known_by_address=plan.ble_wire == "minew",
            ),
            starts_at_ms=starts_at_ms,
        )
        line_end = LineEnd(host=plan.broker.host, port=plan.broker.port)
        self.fleet = DeviceFleet(
            self.scenario,
            link_of=lambda gateway: MqttLink(gateway, broker=line_end),
            spool_folder=Path(self._folder.name),
            seed=plan.seed,
            line_clock=lambda: time.monotonic_ns() // 1_000_000,
            faults=plan.faults,
            ble_wire=plan.ble_wire,
            uwb_wire=plan.uwb_wire,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.fleet.close()
        self._folder.cleanup()

    def run(
        self,
        *,
        each_second: Callable[[], None] = lambda: None,
        until_ms: int | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Let the shop live until ``until_ms`` or until stopped.

        Parameters
        ----------
        each_second
            Called at whole seconds of simulated time, when the scenario stands at that instant.
        """
        while not is_stopped() and (until_ms is None or self.scenario.now_ms < until_ms):
            next_ms = self.scenario.now_ms // SECOND_MS * SECOND_MS + SECOND_MS
            self.fleet.run(
                clock=lambda: self.pace.target_ms(self.scenario.now_ms),
                sleep=time.sleep,
                until_ms=next_ms,
                is_stopped=is_stopped,
            )
            if self.scenario.now_ms == next_ms:
                each_second()


def run_simulate(
    settings: Settings, *, faults: str, seconds: float | None, as_json: bool
) -> ExitStatus:
    """Run a shop against the broker of the settings until it ends or is interrupted.

    Raises
    ------
    InvalidSettings
        If ``faults`` is no named set.
    """
    if faults not in NAMED_FAULTS:
        raise InvalidSettings(f"faults is {faults!r}; expected of {', '.join(NAMED_FAULTS)}.")
    broker = BrokerAddress(host=settings.mqtt.host, port=settings.mqtt.port)
    refuse_silent_broker(broker)
    plan = ShopPlan(
        site_map=load_site_map(settings.site),
        broker=broker,
        seed=settings.simulator.seed,
        shoppers=settings.simulator.shoppers,
        ble_wire=settings.simulator.ble_wire,
        uwb_wire=settings.simulator.uwb_wire,
        faults=NAMED_FAULTS[faults],
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    starts_at_ms = SystemClock().now_ms()
    with SimulatedShop(plan, starts_at_ms=starts_at_ms, speed=settings.simulator.speed) as shop:
        starts_ms = shop.scenario.now_ms
        until_ms = None if seconds is None else starts_ms + round(seconds * SECOND_MS)
        try:
            shop.run(
                each_second=lambda: _tell(shop.fleet.counts(), as_json=as_json),
                until_ms=until_ms,
                is_stopped=stop.is_set,
            )
        except KeyboardInterrupt:
            return ExitStatus.INTERRUPTED
    return ExitStatus.DONE


def _tell(counts: FleetCounts, *, as_json: bool) -> None:
    if as_json:
        document = {name: getattr(counts, name) for name in FleetCounts.__slots__}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stdout.write(
            f"\r{counts.readings:,} readings in {counts.messages:,} messages, {counts.resent:,} "
            f"resent, {counts.unacknowledged:,} unacknowledged, {counts.behind_ms} ms behind   "
        )
    sys.stdout.flush()
