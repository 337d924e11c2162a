"""Write a site map as IMDF, for those who show maps or lead people by theirs.

Layer: rules. Takes: the document of a site map (docs/site_map.md). Gives: the bytes of a zip to
rtls.api and `inaisle site-map export`.

Ids of IMDF are UUIDs, made from ours, so that they stay from one export to the next. What IMDF has
no word for stands in the member ``inaisle`` of a feature's properties; our reader makes the same
map of it again, to the millimetre.
"""

import io
import json
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import (
    Corner,
    FeatureKind,
    ImportedFeature,
    ImportedPlan,
    Json,
    PlanFloor,
    PlanFormat,
    PlanRequest,
    Shape,
    ShapeType,
)
from rtls.model.zone_outline import FAR_M, NEAR_M, strip_before
from rtls.plan_files.geojson_plan import plan_of_document
from rtls.plan_files.imdf_terms import (
    EXTENSION,
    MANIFEST,
    NOWHERE,
    OTHER_TYPE,
    OWN,
    VERSION,
    imdf_type,
)
from rtls.plan_files.json_parts import number_of
from rtls.plan_files.lon_lat import moved
from rtls.plan_files.plan_json import floor_json, georeference_json, shape_json
from rtls.plan_files.wgs84 import to_degrees

NAMESPACE: Final = uuid.UUID("2c4a7b0e-6d0f-5c56-9a53-6f2f3d1f9b0a")
DEGREE_DECIMALS: Final = 10
"""a hundredth of a millimetre"""
LANGUAGE: Final = "de"
VERTICES_MAX: Final = 2_000_000
"""of a map of ours, which is in force already"""
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
"""of a zip: the same map gives the same bytes"""


def render_imdf(document: Json, *, created: datetime) -> bytes:
    """Return a site map as an IMDF archive.

    Parameters
    ----------
    document
        The site map as GeoJSON in local metres, read as JSON.
    created
        When; stands in the manifest.

    Raises
    ------
    InvalidPlanFile
        If the document is none, or has a floor without a size.
    """
    request = PlanRequest(source="site map", form=PlanFormat.GEOJSON)
    plan = plan_of_document(document, request, vertices_max=VERTICES_MAX)
    if plan.site is None or not plan.floors:
        raise InvalidPlanFile("inaisle.floors is empty; expected one floor or more. Add a floor.")
    writer = _Writer(plan, plan.site)
    manifest = {
        "version": VERSION,
        "created": created.isoformat(timespec="seconds"),
        "generated_by": "inaisle",
        "language": LANGUAGE,
        "extensions": [EXTENSION],
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, MANIFEST, manifest)
        for feature_type, features in sorted(writer.features().items()):
            collection = {"type": "FeatureCollection", "features": features}
            _add(archive, f"{feature_type}.geojson", collection)
    return file.getvalue()


def _add(archive: zipfile.ZipFile, name: str, document: Json) -> None:
    entry = zipfile.ZipInfo(name, _FIRST_DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, json.dumps(document, ensure_ascii=False, separators=(",", ":")))


class _Writer:
    """Makes the features of IMDF from those of a plan."""

    def __init__(self, plan: ImportedPlan, site: Mapping[str, str]) -> None:
        self._plan = plan
        self._site = site
        self._at = plan.georeference or NOWHERE

    def features(self) -> Mapping[str, Sequence[Json]]:
        """Return the features of each type."""
        made: dict[str, list[Json]] = defaultdict(list)
        for feature_type, feature in (*self._building(), *self._things()):
            made[feature_type].append(feature)
        return made

    def _building(self) -> Iterator[tuple[str, Json]]:
        """Yield address, venue, building, footprint and levels, which IMDF asks for."""
        outline = self._outline(self._plan.floors)
        name = {LANGUAGE: self._site["name"]}
        point = self._shape(Shape(shape=ShapeType.POINT, lines=((_middle(outline),),)))
        ids = {what: self._id(what, "") for what in ("address", "building", "venue")}
        own = {
            **self._site,
            "floors": [floor_json(floor) for floor in self._plan.floors],
            "georeference": self._plan.georeference and georeference_json(self._at),
        }
        address = {"address": self._site["name"], "locality": "", "country": "DE"}
        yield "address", self._feature("address", ids["address"], None, address)
        venue: dict[str, object] = {"category": "retailstore", "name": name, "display_point": point}
        venue |= {"address_id": ids["address"], "restriction": None, OWN: own}
        yield "venue", self._feature("venue", ids["venue"], outline, venue)
        building: dict[str, object] = {
            "category": "unspecified",
            "name": name,
            "display_point": point,
        }
        building |= {"address_id": ids["address"], "restriction": None}
        yield "building", self._feature("building", ids["building"], None, building)
        footprint = {"category": "ground", "name": None, "building_ids": [ids["building"]]}
        yield "footprint", self._feature("footprint", self._id("footprint", ""), outline, footprint)
        for floor in self._plan.floors:
            level = {
                "category": "unspecified",
                "restriction": None,
                "outdoor": False,
                "ordinal": floor.floor,
                "name": {LANGUAGE: floor.name},
                "short_name": {LANGUAGE: str(floor.floor)},
                "display_point": None,
                "address_id": None,
                "building_ids": [ids["building"]],
            }
            yield (
                "level",
                self._feature("level", self._level(floor.floor), self._outline((floor,)), level),
            )

    def _things(self) -> Iterator[tuple[str, Json]]:
        for number, feature in enumerate(self._plan.features):
            yield self._thing(feature, number)

    def _thing(self, feature: ImportedFeature, number: int) -> tuple[str, Json]:
        own: dict[str, object] = {
            "id": feature.feature,
            "kind": feature.kind.value,
            "number": number,
            "properties": feature.properties,
        }
        shape = feature.shape
        zone_kind = str(feature.properties.get("zone_kind", ""))
        feature_type, category = imdf_type(feature.kind, zone_kind)
        if shape is None:
            feature_type, category = OTHER_TYPE, None
        elif feature.kind is FeatureKind.ZONE and shape.shape is ShapeType.LINE:
            own["face"] = self._shape(shape)
            shape = _strip(feature, shape)
        floor = int(number_of(feature.properties.get("floor", 0), "floor"))
        name = feature.properties.get("name")
        properties: dict[str, object] = {"level_id": self._level(floor), OWN: own}
        if category is not None:
            labels = None if name is None else {LANGUAGE: name}
            properties |= {"category": category, "name": labels, "display_point": None}
        if feature_type == "geofence":
            properties["level_ids"] = [properties.pop("level_id")]
        return feature_type, self._feature(
            feature_type, self._id(feature_type, feature.feature), shape, properties
        )

    def _feature(self, feature_type: str, name: str, shape: Shape | None, properties: Json) -> Json:
        return {
            "id": name,
            "type": "Feature",
            "feature_type": feature_type,
            "geometry": None if shape is None else self._shape(shape),
            "properties": properties,
        }

    def _shape(self, shape: Shape) -> Json:
        return shape_json(_right_handed(moved(shape, self._degrees)))

    def _degrees(self, corner: Corner) -> Corner:
        lon, lat = to_degrees(self._at, corner[0], corner[1])
        return (round(lon, DEGREE_DECIMALS), round(lat, DEGREE_DECIMALS), *corner[2:])

    def _outline(self, floors: Sequence[PlanFloor]) -> Shape:
        width = max(floor.width_m or 0.0 for floor in floors)
        height = max(floor.height_m or 0.0 for floor in floors)
        ring = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
        return Shape(shape=ShapeType.POLYGON, lines=(ring,))

    def _level(self, floor: int) -> str:
        return self._id("level", str(floor))

    def _id(self, feature_type: str, name: str) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self._site['site']}/{feature_type}/{name}"))


def _strip(zone: ImportedFeature, face: Shape) -> Shape:
    """Return the strip of a shelf that is given by its face: a geofence has an area."""
    (x0, y0), (x1, y1) = (corner[:2] for corner in (face.lines[0][0], face.lines[0][-1]))
    ring = strip_before(
        ((x0, y0), (x1, y1)),
        near_m=number_of(zone.properties.get("near_m", NEAR_M), "near_m"),
        far_m=number_of(zone.properties.get("far_m", FAR_M), "far_m"),
    )
    return Shape(shape=ShapeType.POLYGON, lines=(ring,))


def _middle(outline: Shape) -> Corner:
    far = outline.lines[0][2]
    return far[0] / 2.0, far[1] / 2.0


def _right_handed(shape: Shape) -> Shape:
    """Return a polygon as RFC 7946 has it: the outline counter-clockwise, holes clockwise."""
    if shape.shape is not ShapeType.POLYGON:
        return shape
    lines = tuple(
        line if (_area(line) > 0.0) == (number == 0) else (line[0], *line[:0:-1])
        for number, line in enumerate(shape.lines)
    )
    return Shape(shape=shape.shape, lines=lines)


def _area(ring: Sequence[Corner]) -> float:
    x0, y0 = ring[0][:2]  # from the first corner: a degree squared of a shelf is very small
    ends = zip(ring, (*ring[1:], ring[0]), strict=True)
    return sum((a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0) for a, b in ends)
