"""Describe the plan of the shop on the wire, as much of it as a shopper sees with his own eyes.

Layer: edges. Takes: the site map. Gives: bodies to the plan routes. Anchors, dwell rules and
calibration stay with us.
"""

from pydantic import Field

from offers.api.products.route_schema import PlaceBody
from offers.api.schema import Body
from rtls.model.connector import Connector, ConnectorKind
from rtls.model.site_map import Floor, Ring, SiteMap, Zone, ZoneKind

Point = tuple[float, float]
Points = tuple[Point, ...]


class PlanFloorBody(Body):
    """A floor; its origin is the lower left corner, y points up."""

    floor: int
    name: str = Field(examples=["Ground floor"])
    width_m: float
    height_m: float
    walls: tuple[Points, ...] = Field(description="lines", examples=[[[[0.0, 0.0], [40.0, 0.0]]]])
    fixtures: tuple[Points, ...] = Field(description="outlines of shelves, pillars, tills")
    walkable: tuple[Points, ...] = Field(description="outlines of the ground; empty: everywhere")

    @classmethod
    def of(cls, floor: Floor, site_map: SiteMap) -> "PlanFloorBody":
        """Render a floor with what stands on it."""
        here = floor.floor
        return cls(
            floor=here,
            name=floor.name,
            width_m=floor.width_m,
            height_m=floor.height_m,
            walls=tuple(_points(wall.line) for wall in site_map.walls if wall.floor == here),
            fixtures=tuple(_points(one.ring) for one in site_map.fixtures if one.floor == here),
            walkable=tuple(_points(one.ring) for one in site_map.walkable if one.floor == here),
        )


class PlanZoneBody(Body):
    """A place with a name."""

    zone: str = Field(examples=["dowels"])
    name: str = Field(examples=["Dowels"])
    kind: ZoneKind
    floor: int
    ring: Points

    @classmethod
    def of(cls, zone: Zone) -> "PlanZoneBody":
        """Render a zone without its rules."""
        return cls(
            zone=zone.zone,
            name=zone.name,
            kind=zone.kind,
            floor=zone.floor,
            ring=_points(zone.ring),
        )


class PlanConnectorBody(Body):
    """Stairs, an escalator or a lift."""

    kind: ConnectorKind
    stops: tuple[PlaceBody, ...]

    @classmethod
    def of(cls, connector: Connector) -> "PlanConnectorBody":
        """Render a connector."""
        stops = tuple(
            PlaceBody(floor=stop.floor, x_m=round(stop.x_m, 2), y_m=round(stop.y_m, 2))
            for stop in connector.stops
        )
        return cls(kind=connector.kind, stops=stops)


class PlanBody(Body):
    """The shop as its shoppers see it."""

    site: str
    name: str
    floors: tuple[PlanFloorBody, ...]
    zones: tuple[PlanZoneBody, ...]
    connectors: tuple[PlanConnectorBody, ...]

    @classmethod
    def of(cls, site_map: SiteMap) -> "PlanBody":
        """Render a site map."""
        return cls(
            site=site_map.site,
            name=site_map.name,
            floors=tuple(PlanFloorBody.of(floor, site_map) for floor in site_map.floors),
            zones=tuple(map(PlanZoneBody.of, site_map.zones)),
            connectors=tuple(map(PlanConnectorBody.of, site_map.connectors)),
        )


class PositionBody(Body):
    """Where the shopper is."""

    place: PlaceBody | None = Field(
        description="null: none of his tags has been located within the last half minute"
    )


def _points(ring: Ring) -> Points:
    return tuple((round(x, 2), round(y, 2)) for x, y in ring)
