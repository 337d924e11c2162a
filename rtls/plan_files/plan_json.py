"""Render an imported plan as the floor studio gets it.

Layer: rules. Takes: an `ImportedPlan`. Gives: JSON to rtls.api and `inaisle site-map import`.
"""

import math
from dataclasses import replace

from rtls.model.georeference import Georeference
from rtls.model.imported_plan import (
    Corner,
    ImportedFeature,
    ImportedPlan,
    Json,
    PlanFloor,
    Shape,
    ShapeType,
    extent_of,
)


def plan_json(plan: ImportedPlan, *, background: str | None = None) -> dict[str, object]:
    """Return a plan as JSON.

    Parameters
    ----------
    plan
        What was in the file.
    background
        The name under which the picture can be fetched, where the plan has one.
    """
    picture = plan.picture
    return {
        "features": [feature_json(feature) for feature in plan.features],
        "units": plan.units.value,
        "background": picture
        and {
            "background": background,
            "width_px": picture.width_px,
            "height_px": picture.height_px,
        },
        "floors": [floor_json(floor) for floor in plan.floors],
        "pages": plan.pages,
        "georeference": plan.georeference and georeference_json(plan.georeference),
        "warnings": list(plan.warnings),
        "extent": list(plan.extent),
    }


def site_map_json(plan: ImportedPlan, *, site: str = "site", name: str = "Site") -> Json:
    """Return a plan in metres as the document of a site map (docs/site_map.md).

    Parameters
    ----------
    plan
        What was in the file.
    site, name
        For a plan that names no site.

    A floor without a size gets that of what is drawn on it, in whole metres; a plan that names no
    floors has those on which something lies.
    """
    head: dict[str, object] = {"version": 1, "crs": "local", "site": site, "name": name}
    if plan.site is not None:
        head |= plan.site
    head["floors"] = [floor_json(_sized(floor, plan)) for floor in plan.floors or _used(plan)]
    if plan.georeference is not None:
        head["georeference"] = georeference_json(plan.georeference)
    return {
        "type": "FeatureCollection",
        "inaisle": head,
        "features": [feature_json(feature) for feature in plan.features],
    }


def feature_json(feature: ImportedFeature) -> dict[str, object]:
    """Return a feature as a site map has it."""
    return {
        "type": "Feature",
        "id": feature.feature,
        "properties": {"kind": feature.kind.value, **feature.properties},
        "geometry": feature.shape and shape_json(feature.shape),
    }


def shape_json(shape: Shape) -> Json:
    """Return a geometry of GeoJSON; rings of polygons are closed, as RFC 7946 has them."""
    return {"type": shape.shape.value, "coordinates": _coordinates(shape)}


def georeference_json(at: Georeference) -> Json:
    """Return where the frame lies, as the head of a site map says it."""
    return {"lon": at.lon_deg, "lat": at.lat_deg, "rotation_deg": at.rotation_deg}


def floor_json(floor: PlanFloor) -> Json:
    """Return a floor as the head of a site map has it, without a size that nobody knows."""
    sizes = {"width_m": floor.width_m, "height_m": floor.height_m}
    known = {name: size for name, size in sizes.items() if size is not None}
    return {"floor": floor.floor, "name": floor.name, **known}


def _coordinates(shape: Shape) -> object:
    if shape.shape is ShapeType.POINT:
        return list(shape.lines[0][0])
    if shape.shape is ShapeType.LINE:
        return _line(shape.lines[0])
    return [_line((*ring, ring[0])) for ring in shape.lines]


def _line(corners: tuple[Corner, ...]) -> list[list[float]]:
    return [list(corner) for corner in corners]


def _used(plan: ImportedPlan) -> list[PlanFloor]:
    floors = {_floor_of(feature) for feature in plan.features} or {0}
    return [PlanFloor(floor=floor, name=f"Floor {floor}") for floor in sorted(floors)]


def _sized(floor: PlanFloor, plan: ImportedPlan) -> PlanFloor:
    if floor.width_m is not None and floor.height_m is not None:
        return floor
    _, _, width, height = extent_of(
        tuple(feature for feature in plan.features if _floor_of(feature) == floor.floor)
    )
    return replace(
        floor, width_m=float(max(1, math.ceil(width))), height_m=float(max(1, math.ceil(height)))
    )


def _floor_of(feature: ImportedFeature) -> int:
    floor = feature.properties.get("floor", 0)
    return floor if isinstance(floor, int) else 0
