"""Back-off: where the evidence does not carry a bay, what is told is the zone around it, alone."""

import numpy as np
import pytest

from rtls.engine import Engine
from rtls.model.reading import ReadingKind
from rtls.model.site_map import Anchor, DwellRules, Radio, SiteMap, ZoneKind
from rtls.model.visit import DwellReached, Transition, TransitionKind, ZoneEvent
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, make_site, make_zone
from tests.reference.shelf_site import rectangle as box

RULES = DwellRules(dwell_thresholds_s=(20.0,))
STAND_S = 60
EPOCH_MS = 500


def narrow_aisle(radio: Radio) -> SiteMap:
    """Return two bays 0.6 m apart in one aisle, under twelve anchors of one radio."""
    zones = [
        make_zone("tools", box(0, 0, 20, 10), kind=ZoneKind.DEPARTMENT, rules=RULES),
        make_zone("aisle", box(1, 2, 19, 8), kind=ZoneKind.AISLE, parent="tools", rules=RULES),
        make_zone("pair", box(7, 3, 13, 7), kind=ZoneKind.BAY_PAIR, parent="aisle", rules=RULES),
        make_zone("dowels", box(7, 3, 13, 4.7), parent="pair", rules=RULES),
        make_zone("drills", box(7, 5.3, 13, 7), parent="pair", rules=RULES),
    ]
    anchors = [
        Anchor(anchor=f"a{x}{y}", radio=radio, floor=0, x_m=5 * x + 2.5, y_m=4 * y + 1, z_m=3.0)
        for x in range(4)
        for y in range(3)
    ]
    return make_site(zones, anchors=anchors)


PLACE = (10.0, 4.4)  # at the dowels, 0.3 m from the edge of their strip


def told(radio: Radio, *, noise: float = 0.0, seed: int = 1) -> list[ZoneEvent]:
    """Return what is told of one stand, with so much white noise in metres or decibels."""
    site = narrow_aisle(radio)
    engine = Engine(site)
    random = np.random.default_rng(seed)
    events: list[ZoneEvent] = []
    for number in range(STAND_S * 1000 // EPOCH_MS):
        at_ms = START_MS + EPOCH_MS * (number + 1)
        readings = exact_ranges(site, at_ms, [(0, *PLACE)])
        if radio is Radio.BLE:
            readings["kind"] = ReadingKind.RSSI
            readings["value"] = -61.0 - 20.0 * np.log10(readings["value"])
        readings["value"] += random.normal(0.0, noise, readings.size)
        introduced = [(0, "tag:0")] if number == 0 else ()
        batch = make_batch(site, number, at_ms, readings, introduced=introduced)
        events += engine.process(batch).events
    return events


def dwelt(events: list[ZoneEvent]) -> set[str]:
    return {event.zone for event in events if isinstance(event, DwellReached)}


def test_ranges_name_the_bay_and_all_around_it() -> None:
    """The control: whoever asks for the bay and whoever asks for its aisle are both right."""
    assert dwelt(told(Radio.UWB, noise=0.05)) == {"dowels", "pair", "aisle", "tools"}


@pytest.mark.parametrize("seed", range(3))
def test_strength_names_what_is_around_a_bay_and_no_bay(seed: int) -> None:
    """Either bay may be the right one; an offer for the wrong one is worse than one for both."""
    found = dwelt(told(Radio.BLE, noise=2.0, seed=seed))
    assert {"aisle", "tools"} <= found
    assert found.isdisjoint({"dowels", "drills"})


def test_nobody_is_in_a_bay_without_being_in_all_around_it() -> None:
    """Each level may be asked for by itself, and none contradicts another at any instant."""
    parents = {zone.zone: zone.parent for zone in narrow_aisle(Radio.UWB).zones}
    for radio, noise in ((Radio.UWB, 0.05), (Radio.UWB, 1.0), (Radio.BLE, 4.0)):
        inside: set[str] = set()
        by_instant: dict[int, list[Transition]] = {}
        for event in told(radio, noise=noise):
            if isinstance(event, Transition):
                by_instant.setdefault(event.decided_at_ms, []).append(event)
        for at_ms in sorted(by_instant):
            for event in by_instant[at_ms]:
                (inside.add if event.kind is TransitionKind.ENTERED else inside.discard)(event.zone)
            assert all(parents[zone] is None or parents[zone] in inside for zone in inside)
        assert "tools" in inside
