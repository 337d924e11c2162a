"""device_fleet: all gateways of a site, on the door's time."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.device_fleet import DeviceFleet
from firmware_sim.errors import InvalidScenario
from firmware_sim.faults import FaultPlan
from firmware_sim.link import MemoryLink
from firmware_sim.scenario import STARTS_AT_MS, ChannelName, Scenario, ScenarioSettings
from rtls.model.site_map import Anchor, Radio, SiteMap
from rtls.model.units import AnchorId, GatewayId, Metre, UnixMs


class Fleet:
    """A fleet over lines in memory, with a line clock that follows the shop."""

    def __init__(
        self,
        shop: SiteMap,
        folder: Path,
        *,
        seed: int = 1,
        channel: ChannelName = "exact",
        faults: FaultPlan | None = None,
    ) -> None:
        self.links: dict[GatewayId, MemoryLink] = {}
        settings = ScenarioSettings(shoppers=10, channel=channel)
        self.scenario = Scenario(shop, seed=seed, settings=settings)
        self.fleet = DeviceFleet(
            self.scenario,
            link_of=self._link,
            spool_folder=folder,
            seed=seed,
            line_clock=lambda: self.scenario.now_ms,
            faults=faults,
        )

    def _link(self, gateway: GatewayId) -> MemoryLink:
        self.links[gateway] = MemoryLink()
        return self.links[gateway]

    def messages(self) -> list[tuple[GatewayId, dict[str, object]]]:
        """What was sent, without what was sent again: nobody acknowledges here."""
        first = {
            (gateway, message.payload): json.loads(message.payload)
            for gateway, link in self.links.items()
            for message in link.take_sent()
            if message.topic.endswith("/up")
        }
        return [(gateway, message) for (gateway, _), message in first.items()]


@pytest.fixture
def fleet(shop: SiteMap, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(shop, tmp_path)
    yield fleet
    fleet.fleet.close()


def test_every_reading_of_the_scenario_is_sent_once_by_the_gateway_of_its_anchor(
    shop: SiteMap, fleet: Fleet
) -> None:
    """Ingest believes an anchor only from its own gateway."""
    fleet.fleet.advance(UnixMs(STARTS_AT_MS + 5_000))
    counted = fleet.fleet.counts().readings
    fleet.fleet.advance(UnixMs(STARTS_AT_MS + 5_300))
    owner = {anchor.anchor: anchor.gateway for anchor in shop.anchors}
    seen = [
        (reading["a"], reading["id"], message["t"] + reading.get("dt", 0), reading["v"])
        for gateway, message in fleet.messages()
        for reading in message["obs"]
        if owner[reading["a"]] == gateway
    ]
    assert len(seen) == len(set(seen))
    assert counted <= len(seen) <= fleet.fleet.counts().readings
    assert {at_ms > STARTS_AT_MS for _, _, at_ms, _ in seen} == {True}


def test_the_numbers_of_each_gateway_have_no_gap(fleet: Fleet) -> None:
    """A gap tells the other end that something is missing."""
    fleet.fleet.advance(UnixMs(STARTS_AT_MS + 5_000))
    numbers: dict[GatewayId, list[object]] = {}
    for gateway, message in fleet.messages():
        numbers.setdefault(gateway, []).append(message["seq"])
    assert len(numbers) == 8
    assert all(of_one == list(range(len(of_one))) for of_one in numbers.values())


def test_one_seed_gives_the_same_bytes_on_the_wire(shop: SiteMap, tmp_path: Path) -> None:
    """With faults as well: the whole of a failing run can be played again."""

    def digest(folder: str, seed: int) -> str:
        plan = FaultPlan(drop=0.1, duplicate=0.1, delay=0.1, reorder=0.1)
        fleet = Fleet(shop, tmp_path / folder, seed=seed, channel="measured", faults=plan)
        fleet.fleet.advance(UnixMs(STARTS_AT_MS + 4_000))
        fleet.fleet.close()
        said = hashlib.sha256()
        for link in fleet.links.values():
            for message in link.sent:
                said.update(message.topic.encode() + message.payload)
        return said.hexdigest()

    first, again, other = digest("one", 3), digest("two", 3), digest("three", 4)
    assert first == again
    assert first != other


def test_the_fleet_keeps_to_the_clock_of_the_door(fleet: Fleet) -> None:
    """At ten times life, 20 ms of waiting are 200 ms in the shop."""
    now = [float(STARTS_AT_MS)]

    def sleep(seconds: float) -> None:
        now[0] += 10 * 1_000 * seconds

    seen: list[int] = []

    def is_stopped() -> bool:
        seen.append(int(now[0]) - fleet.scenario.now_ms)
        return False

    fleet.fleet.run(
        clock=lambda: int(now[0]),
        sleep=sleep,
        until_ms=STARTS_AT_MS + 3_000,
        is_stopped=is_stopped,
    )
    assert fleet.scenario.now_ms == STARTS_AT_MS + 3_000
    assert min(seen) >= 0  # never ahead of the clock: a reading from the future is refused
    assert max(seen) <= 150


def test_a_stopped_fleet_stops(fleet: Fleet) -> None:
    """Ctrl-C in the demo."""
    fleet.fleet.run(
        clock=lambda: STARTS_AT_MS + 10**9, sleep=lambda _: None, is_stopped=lambda: True
    )
    assert fleet.scenario.now_ms == STARTS_AT_MS


def test_a_fleet_that_cannot_keep_up_says_by_how_much(fleet: Fleet) -> None:
    """Better a number than positions that trail behind for no visible reason."""
    calls = iter([False, True])
    fleet.fleet.run(
        clock=lambda: STARTS_AT_MS + 5_000, sleep=lambda _: None, is_stopped=lambda: next(calls)
    )
    assert fleet.fleet.counts().behind_ms == 4_900


def test_an_anchor_without_a_gateway_is_refused(shop: SiteMap, tmp_path: Path) -> None:
    """Nobody would report for it."""
    orphan = Anchor(
        anchor=AnchorId("u99"),
        radio=Radio.UWB,
        floor=0,
        x_m=Metre(1),
        y_m=Metre(1),
        z_m=Metre(3),
    )
    broken = SiteMap(
        site=shop.site,
        name=shop.name,
        floors=shop.floors,
        zones=shop.zones,
        anchors=(*shop.anchors, orphan),
    )
    with pytest.raises(InvalidScenario, match="an anchor has no gateway"):
        Fleet(broken, tmp_path)
