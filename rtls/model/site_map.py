"""The map of one site: floors, walls, fixtures, zones and anchors, in local metres.

Layer: nouns. Takes: what a map file says. Gives: `SiteMap` to positioning, geofence, the simulator
and the API. Each noun refuses nonsense itself; whether the polygons are sound as geometry is
checked by rtls.geofence.site_map_check.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rtls.model.connector import Connector
from rtls.model.errors import InvalidSiteMap
from rtls.model.units import AnchorId, Dbm, GatewayId, Metre, Second, SiteId, ZoneId

ID_PATTERN: Final = re.compile(r"\A[a-z0-9][a-z0-9-]{0,62}\Z")
COORDINATE_M_MAX: Final = 10_000.0
GRACE_S_MAX: Final = 3_600.0
TOLERANCE_M_MAX: Final = 20.0
CONNECTORS_MAX: Final = 32
Ring = tuple[tuple[float, float], ...]


class ZoneKind(StrEnum):
    """What a zone is to a merchandiser."""

    SHELF = "shelf"
    """the strip in front of one bay's face"""
    BAY_PAIR = "bay_pair"
    """two bays that face each other over an aisle, which coarse radio cannot tell apart"""
    AISLE = "aisle"
    CATEGORY = "category"
    DEPARTMENT = "department"
    ENTRANCE = "entrance"
    CHECKOUT = "checkout"


NESTING: Final = (
    ZoneKind.SHELF,
    ZoneKind.BAY_PAIR,
    ZoneKind.AISLE,
    ZoneKind.CATEGORY,
    ZoneKind.DEPARTMENT,
)
"""From the finest to the coarsest: a zone's parent is never of a finer kind than the zone."""


class Radio(StrEnum):
    """What an anchor speaks."""

    UWB = "uwb"
    BLE = "ble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One level of a site; its frame has the origin at the lower left corner, x right, y up."""

    floor: int
    name: str
    width_m: Metre
    height_m: Metre

    def __post_init__(self) -> None:
        for what, size in (("width_m", self.width_m), ("height_m", self.height_m)):
            if not 1.0 <= size <= COORDINATE_M_MAX:
                raise InvalidSiteMap(
                    f"floor {self.floor}: {what} is {size}; expected 1 to "
                    f"{COORDINATE_M_MAX:.0f}. Give the size of the floor in metres."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellRules:
    """When a stay begins, counts and ends. Probabilities are P(tag is in the zone)."""

    p_enter: float = 0.6
    p_hold: float = 0.5
    p_exit: float = 0.25
    p_dwell: float = 0.7
    min_enter_s: Second = Second(2.0)
    exit_delay_s: Second = Second(5.0)
    reset_after_s: Second = Second(120.0)
    dwell_s_min: Second = Second(5.0)
    """a shorter visit is a pass-by"""
    dwell_thresholds_s: tuple[Second, ...] = (Second(30.0), Second(120.0), Second(300.0))
    grace_s: Second | None = None
    """a tag silent for longer is lost; None: as its radio asks for (`DwellSettings`)"""
    exit_tolerance_m: Metre = Metre(0.0)
    tolerance_timeout_s: Second = Second(0.0)
    """who is outside by no more than the tolerance, leaves only after this time"""

    def __post_init__(self) -> None:
        if not 0.0 < self.p_exit < self.p_hold <= self.p_enter < 1.0:
            raise InvalidSiteMap(
                f"p_exit {self.p_exit}, p_hold {self.p_hold}, p_enter {self.p_enter}; expected "
                "0 < p_exit < p_hold <= p_enter < 1, or the zone would flap."
            )
        if not 0.0 < self.p_dwell < 1.0:
            raise InvalidSiteMap(f"p_dwell is {self.p_dwell}; expected between 0 and 1.")
        times = (self.min_enter_s, self.exit_delay_s, self.reset_after_s, self.dwell_s_min)
        if not all(0.0 <= t <= 86_400.0 for t in times):
            raise InvalidSiteMap(f"dwell times are {times}; expected 0 to 86400 s each.")
        self._check_exit()
        rising = sorted(set(self.dwell_thresholds_s))
        if (
            list(self.dwell_thresholds_s) != rising
            or len(rising) > 4
            or min(rising, default=1) <= 0
        ):
            raise InvalidSiteMap(
                f"dwell_thresholds_s is {self.dwell_thresholds_s}; expected one to four rising "
                "numbers of seconds, each above 0."
            )

    def _check_exit(self) -> None:
        if self.grace_s is not None and not 0.0 < self.grace_s <= GRACE_S_MAX:
            raise InvalidSiteMap(
                f"grace_s is {self.grace_s}; expected above 0, up to {GRACE_S_MAX:.0f} s. Leave it "
                "out for the grace of the radio."
            )
        if not 0.0 <= self.exit_tolerance_m <= TOLERANCE_M_MAX:
            raise InvalidSiteMap(
                f"exit_tolerance_m is {self.exit_tolerance_m}; expected 0 to {TOLERANCE_M_MAX:.0f} "
                "metres beyond the outline."
            )
        if not 0.0 <= self.tolerance_timeout_s <= 86_400.0:
            raise InvalidSiteMap(
                f"tolerance_timeout_s is {self.tolerance_timeout_s}; expected 0 to 86400 s."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A named polygon on one floor that offers and reports refer to.

    A shelf's zone is the strip in front of its face where people stand, not the furniture.
    """

    zone: ZoneId
    name: str
    kind: ZoneKind
    floor: int
    ring: Ring
    parent: ZoneId | None = None
    rules: DwellRules = field(default_factory=DwellRules)

    def __post_init__(self) -> None:
        check_id("zone", self.zone)
        if len(self.ring) < 3:
            raise InvalidSiteMap(
                f"zone {self.zone}: the polygon has {len(self.ring)} corners; expected 3 or more."
            )
        check_points(f"zone {self.zone}", self.ring)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A line that nobody walks through, on one floor."""

    floor: int
    line: Ring

    def __post_init__(self) -> None:
        check_points("wall", self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """Furniture that nobody walks through: shelf bodies, pillars, tills."""

    fixture: str
    floor: int
    ring: Ring

    def __post_init__(self) -> None:
        check_points(f"fixture {self.fixture}", self.ring)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walkable:
    """Ground that people walk on. Where a floor has any, nobody walks beside it."""

    floor: int
    ring: Ring
    holes: tuple[Ring, ...] = ()

    def __post_init__(self) -> None:
        for ring in (self.ring, *self.holes):
            if len(ring) < 3:
                raise InvalidSiteMap(
                    f"walkable ground of floor {self.floor}: a ring has {len(ring)} corners; "
                    "expected 3 or more."
                )
            check_points(f"walkable ground of floor {self.floor}", ring)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The end of the radio link whose place is known, with what calibration says of it."""

    anchor: AnchorId
    radio: Radio
    floor: int
    x_m: Metre
    y_m: Metre
    z_m: Metre
    gateway: GatewayId | None = None
    """the gateway that may report for it; None admits any (recordings)"""
    rssi_at_1m: Dbm = Dbm(-61.0)
    exponent: float = 2.0
    range_bias_m: Metre = Metre(0.0)
    """measured range = distance × (1 + range_slope) + range_bias_m"""
    range_slope: float = 0.0
    yaw_deg: float = 0.0
    """from the frame's x axis counter-clockwise to where the anchor measures azimuth 0"""
    is_placed: bool = True
    """whether its place is known; if not, only a survey says where it is heard"""

    def __post_init__(self) -> None:
        check_points(f"anchor {self.anchor}", ((self.x_m, self.y_m), (self.z_m, 0.0)))
        if not 0.5 <= self.exponent <= 8.0:
            raise InvalidSiteMap(
                f"anchor {self.anchor}: exponent is {self.exponent}; expected 0.5 to 8."
            )
        if not -120.0 <= self.rssi_at_1m <= 0.0:
            raise InvalidSiteMap(
                f"anchor {self.anchor}: rssi_at_1m is {self.rssi_at_1m} dBm; expected -120 to 0."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMap:
    """One building with its map; the unit of configuration. Zones and anchors keep their order."""

    site: SiteId
    name: str
    floors: tuple[Floor, ...]
    zones: tuple[Zone, ...]
    anchors: tuple[Anchor, ...]
    walls: tuple[Wall, ...] = ()
    fixtures: tuple[Fixture, ...] = ()
    walkable: tuple[Walkable, ...] = ()
    connectors: tuple[Connector, ...] = ()
    time_zone: str = "Europe/Berlin"

    def __post_init__(self) -> None:
        check_id("site", self.site)
        if not self.floors:
            raise InvalidSiteMap(f"site {self.site}: no floor; expected one or more.")
        refuse_repeats("floor", (str(floor.floor) for floor in self.floors))
        refuse_repeats("zone", (zone.zone for zone in self.zones))
        refuse_repeats("anchor", (anchor.anchor for anchor in self.anchors))
        self._check_connectors()
        known = {floor.floor for floor in self.floors}
        placed = (
            *((f"zone {z.zone}", z.floor) for z in self.zones),
            *((f"anchor {a.anchor}", a.floor) for a in self.anchors),
            *((f"connector {c.connector}", s.floor) for c in self.connectors for s in c.stops),
        )
        for what, floor in placed:
            if floor not in known:
                raise InvalidSiteMap(
                    f"{what}: floor {floor} is not among the floors {sorted(known)}."
                )
        parents = {zone.zone: zone.parent for zone in self.zones}
        for zone in self.zones:
            check_parents(zone.zone, parents)

    def _check_connectors(self) -> None:
        if len(self.connectors) > CONNECTORS_MAX:
            raise InvalidSiteMap(
                f"site {self.site}: {len(self.connectors)} connectors; expected at most "
                f"{CONNECTORS_MAX}. Draw those that shoppers use."
            )
        refuse_repeats("connector", (one.connector for one in self.connectors))
        for one in self.connectors:
            check_id("connector", one.connector)
            points = ((stop.x_m, stop.y_m) for stop in one.stops)
            check_points(f"connector {one.connector}", points)

    @property
    def anchor_index(self) -> dict[AnchorId, int]:
        """Return the index of each anchor, as readings use it."""
        return {anchor.anchor: index for index, anchor in enumerate(self.anchors)}

    @property
    def zone_index(self) -> dict[ZoneId, int]:
        """Return the index of each zone, as geofence uses it."""
        return {zone.zone: index for index, zone in enumerate(self.zones)}


def check_id(what: str, name: str) -> None:
    """Refuse an id that could not stand in a topic, a path or a query.

    Raises
    ------
    InvalidSiteMap
        If ``name`` breaks the grammar.
    """
    if not ID_PATTERN.match(name):
        raise InvalidSiteMap(
            f"{what} id is {name!r}; expected 1 to 63 of a-z, 0-9 and '-', not beginning with '-'."
        )


def check_points(what: str, points: Iterable[tuple[float, float]]) -> None:
    """Refuse coordinates that are not finite metres of a building.

    Raises
    ------
    InvalidSiteMap
        If a coordinate is not finite or beyond `COORDINATE_M_MAX`.
    """
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)) or max(abs(x), abs(y)) > COORDINATE_M_MAX:
            raise InvalidSiteMap(
                f"{what}: point ({x}, {y}) is outside ±{COORDINATE_M_MAX:.0f} m. "
                "Coordinates are local metres, not longitude and latitude or millimetres."
            )


def refuse_repeats(what: str, names: Iterable[str]) -> None:
    """Refuse a second thing of the same name.

    Raises
    ------
    InvalidSiteMap
        If a name occurs twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidSiteMap(f"{what} {name} is defined twice; rename or remove one.")
        seen.add(name)


def check_parents(zone: ZoneId, parents: dict[ZoneId, ZoneId | None]) -> None:
    """Refuse a parent that does not exist and a circle of parents.

    Raises
    ------
    InvalidSiteMap
        If following the parents of ``zone`` does not end.
    """
    seen = {zone}
    above = parents[zone]
    while above is not None:
        if above not in parents:
            raise InvalidSiteMap(f"zone {zone}: parent {above} is not a zone of this site.")
        if above in seen:
            raise InvalidSiteMap(f"zone {zone}: its parents form a circle through {above}.")
        seen.add(above)
        above = parents[above]
