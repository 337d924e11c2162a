"""Render the site map in the format that rtls.model.site_map_geojson reads.

Layer: edges. Takes: the `SiteMap` that locating works with. Gives: its JSON to the operator's
routes. The coordinates are metres, so the media type is our own and not that of GeoJSON.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import msgspec

from rtls.model.connector import Connector
from rtls.model.site_map import Anchor, Fixture, Floor, Ring, SiteMap, Walkable, Wall, Zone

MEDIA_TYPE: Final = "application/vnd.inaisle.site-map+json"
Json = Mapping[str, object]


def render_site_map(site_map: SiteMap) -> bytes:
    """Return the map as JSON; `parse_site_map` reads an equal map from it."""
    return msgspec.json.encode(
        {
            "type": "FeatureCollection",
            "inaisle": {
                "version": 1,
                "crs": "local",
                "site": site_map.site,
                "name": site_map.name,
                "time_zone": site_map.time_zone,
                "floors": [_floor(floor) for floor in site_map.floors],
            },
            "features": [
                *map(_zone, site_map.zones),
                *map(_wall, site_map.walls),
                *map(_fixture, site_map.fixtures),
                *map(_walkable, site_map.walkable),
                *map(_anchor, site_map.anchors),
                *map(_connector, site_map.connectors),
            ],
        }
    )


def _floor(floor: Floor) -> Json:
    return asdict(floor)


def _zone(zone: Zone) -> Json:
    parent = {} if zone.parent is None else {"parent": zone.parent}
    properties = {
        "kind": "zone",
        "name": zone.name,
        "zone_kind": zone.kind.value,
        "floor": zone.floor,
        "rules": asdict(zone.rules),
        **parent,
    }
    return _feature(properties, _polygon(zone.ring), zone.zone)


def _wall(wall: Wall) -> Json:
    return _feature(
        {"kind": "wall", "floor": wall.floor},
        {"type": "LineString", "coordinates": wall.line},
    )


def _fixture(fixture: Fixture) -> Json:
    properties = {"kind": "fixture", "floor": fixture.floor}
    return _feature(properties, _polygon(fixture.ring), fixture.fixture)


def _walkable(ground: Walkable) -> Json:
    rings = [[*ring, ring[0]] for ring in (ground.ring, *ground.holes)]
    properties = {"kind": "walkable", "floor": ground.floor}
    return _feature(properties, {"type": "Polygon", "coordinates": rings})


def _anchor(anchor: Anchor) -> Json:
    gateway = {} if anchor.gateway is None else {"gateway": anchor.gateway}
    properties = {
        "kind": "anchor",
        "radio": anchor.radio.value,
        "floor": anchor.floor,
        "rssi_at_1m": anchor.rssi_at_1m,
        "exponent": anchor.exponent,
        "range_bias_m": anchor.range_bias_m,
        "range_slope": anchor.range_slope,
        "yaw_deg": anchor.yaw_deg,
        **gateway,
    }
    place = {"type": "Point", "coordinates": (anchor.x_m, anchor.y_m, anchor.z_m)}
    return _feature(properties, place, anchor.anchor)


def _connector(connector: Connector) -> Json:
    properties = {
        "kind": "connector",
        "name": connector.name,
        "connector_kind": connector.kind.value,
        "direction": connector.direction.value,
        "stops": [{"floor": stop.floor, "at": (stop.x_m, stop.y_m)} for stop in connector.stops],
    }
    return _feature(properties, None, connector.connector)


def _feature(properties: Json, geometry: Json | None, name: str | None = None) -> Json:
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    return feature if name is None else {"id": name, **feature}


def _polygon(ring: Ring) -> Json:
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
