"""A site small enough to check by hand, and the parts of the operator's routes over it."""

from rtls.api.health import Health
from rtls.api.operator_routes import OperatorParts
from rtls.model.anchor_alarm import AlarmKind, AnchorAlarm
from rtls.model.errors import LiveStateAway
from rtls.model.site_map import (
    Anchor,
    Fixture,
    Floor,
    Radio,
    SiteMap,
    Walkable,
    Wall,
    Zone,
    ZoneKind,
)
from rtls.model.units import AnchorId, GatewayId, Metre, SiteId, UnixMs, ZoneId
from rtls.ports import AnchorHeard, LiveFixes
from rtls.storage.live_state import InMemoryLiveState
from tests.contract.live_fix_samples import NOW_MS

SQUARE = ((1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0))


def small_site() -> SiteMap:
    return SiteMap(
        site=SiteId("demo"),
        name="Demo",
        floors=(Floor(floor=0, name="Ground", width_m=Metre(10.0), height_m=Metre(8.0)),),
        zones=(
            Zone(zone=ZoneId("hall"), name="Hall", kind=ZoneKind.DEPARTMENT, floor=0, ring=SQUARE),
            Zone(
                zone=ZoneId("dowels"),
                name="Dowels",
                kind=ZoneKind.SHELF,
                floor=0,
                ring=SQUARE,
                parent=ZoneId("hall"),
            ),
        ),
        anchors=(
            Anchor(
                anchor=AnchorId("u1"),
                radio=Radio.UWB,
                floor=0,
                x_m=Metre(0.5),
                y_m=Metre(0.25),
                z_m=Metre(3.0),
                gateway=GatewayId("gw-1"),
                range_bias_m=Metre(0.12),
            ),
            Anchor(
                anchor=AnchorId("b1"),
                radio=Radio.BLE,
                floor=0,
                x_m=Metre(9.5),
                y_m=Metre(7.75),
                z_m=Metre(3.0),
            ),
        ),
        walls=(Wall(floor=0, line=((0.0, 0.0), (10.0, 0.0))),),
        fixtures=(Fixture(fixture="shelf 1", floor=0, ring=SQUARE),),
        walkable=(
            Walkable(
                floor=0,
                ring=((0.0, 0.0), (10.0, 0.0), (10.0, 8.0), (0.0, 8.0)),
                holes=(((5.0, 5.0), (6.0, 5.0), (6.0, 6.0)),),
            ),
        ),
        time_zone="Europe/Vienna",
    )


class AwayReader:
    """A live state whose Redis does not answer."""

    def latest(self, *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        raise LiveStateAway(f"Redis did not answer for {max_age_ms} ms before {now_ms}")


def parts(live: InMemoryLiveState | AwayReader) -> OperatorParts:
    heard = AnchorHeard(
        anchor=AnchorId("u1"),
        readings=42,
        last_heard_at_ms=UnixMs(NOW_MS - 1500),
        alarms=(
            AnchorAlarm(
                anchor=AnchorId("u1"),
                kind=AlarmKind.BIASED,
                since_ms=UnixMs(NOW_MS - 60_000),
                figure=-2.51234,
            ),
        ),
    )
    health = Health(now_ms=lambda: NOW_MS)
    health.ok("ingest")
    return OperatorParts(
        site_map=small_site(),
        live=live,
        anchors=lambda: [heard],
        health=health,
        now_ms=lambda: NOW_MS,
    )
