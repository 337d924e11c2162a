"""Read an IMDF archive: levels become floors, fixtures furniture, sections and geofences zones.

Layer: rules. Takes: the bytes of a zip. Gives: an `ImportedPlan` in metres to
rtls.plan_files.plan_reading.

An archive that was written here comes back as the map that it was; of others' a suggestion is made,
as of any other plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import shapely

from rtls.model.errors import InvalidPlanFile
from rtls.model.georeference import Georeference
from rtls.model.imported_plan import (
    ImportedFeature,
    ImportedPlan,
    PlanFloor,
    PlanRequest,
    PlanUnits,
    Shape,
    ShapeType,
    extent_of,
)
from rtls.plan_files.drawn_features import Drawn, features_of, rounded
from rtls.plan_files.geojson_plan import own_feature, own_georeference
from rtls.plan_files.geojson_shapes import shapes_of
from rtls.plan_files.imdf_terms import (
    FILES,
    MANIFEST,
    NOWHERE,
    OWN,
    READ_TYPES,
    VERSION,
    kind_of_imdf,
)
from rtls.plan_files.json_parts import Json, list_of, object_of, parse_json, whole_of
from rtls.plan_files.limits import VertexBudget
from rtls.plan_files.lon_lat import degrees, lower_left, moved, placed
from rtls.plan_files.own_members import own_floors, text_of
from rtls.plan_files.plan_text import plain_name
from rtls.plan_files.zip_archive import files_in_zip

ENTRANCE_M: Final = 1.0
"""on either side of a door"""
JOIN_M: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A feature of IMDF, still in degrees."""

    feature_type: str
    properties: Json
    shapes: tuple[Shape, ...]
    floor: int


def read_imdf(content: bytes, request: PlanRequest) -> ImportedPlan:
    """Return what an IMDF archive says, in metres.

    Raises
    ------
    InvalidPlanFile
        If it is no zip that can be trusted, or no IMDF of the version that we read.
    """
    files = files_in_zip(content, FILES, source=request.source)
    documents = {
        name: parse_json(text, source=f"{request.source}: {name}") for name, text in files.items()
    }
    if MANIFEST not in documents:
        raise InvalidPlanFile(
            f"{MANIFEST} is not in the zip; expected an IMDF archive. Pack the files themselves."
        )
    version = documents[MANIFEST].get("version")
    if version != VERSION:
        raise InvalidPlanFile(
            f"{MANIFEST}: version is {str(version)[:20]!r}; expected {VERSION}. Export it anew."
        )
    head = _own_head(documents)
    if head is None:
        return _foreign(documents, request)
    return _own(documents, head, request)


def _own_head(documents: Mapping[str, Json]) -> Json | None:
    for feature in _features(documents, "venue"):
        head = object_of(feature.get("properties"), "venue: properties").get(OWN)
        if head is not None:
            return object_of(head, f"venue: {OWN}")
    return None


def _own(documents: Mapping[str, Json], head: Json, request: PlanRequest) -> ImportedPlan:
    at = own_georeference(head)
    budget = VertexBudget(request.source)
    numbered = [
        _own_thing(feature, feature_type, at or NOWHERE, budget)
        for feature_type in READ_TYPES
        for feature in _features(documents, feature_type)
    ]
    features = tuple(feature for _, feature in sorted(numbered, key=lambda each: each[0]))
    return ImportedPlan(
        features=features,
        units=PlanUnits.METRE,
        extent=extent_of(features),
        floors=own_floors(head),
        georeference=at,
        site={
            member: text_of(head.get(member), f"venue: {member}")
            for member in ("site", "name", "time_zone")
            if member in head
        },
    )


def _own_thing(
    feature: Json, feature_type: str, at: Georeference, budget: VertexBudget
) -> tuple[int, ImportedFeature]:
    where = f"{feature_type}.geojson, feature {plain_name(feature.get('id'))}"
    try:
        own = object_of(object_of(feature.get("properties"), "properties").get(OWN), OWN)
        properties = object_of(own.get("properties"), "properties")
        given = {
            "id": own.get("id"),
            "geometry": own.get("face", feature.get("geometry")),
            "properties": {**properties, "kind": own.get("kind")},
        }
        number = whole_of(own.get("number"), "number")
        return number, own_feature(given, number, budget, partial(placed, at=at))
    except InvalidPlanFile as error:
        raise InvalidPlanFile(f"{where}: {error}") from error


def _foreign(documents: Mapping[str, Json], request: PlanRequest) -> ImportedPlan:
    language = str(documents[MANIFEST].get("language", ""))
    budget = VertexBudget(request.source)
    levels = {str(level.get("id")): level for level in _features(documents, "level")}
    ordinals = {name: _ordinal(level) for name, level in levels.items()}
    found = [
        _found(feature, feature_type, ordinals, request.floor, budget)
        for feature_type in READ_TYPES
        for feature in _features(documents, feature_type)
    ]
    outlines = {name: _shapes(level, "level", budget) for name, level in levels.items()}
    everything = [shape for each in found for shape in each.shapes]
    everything += [shape for shapes in outlines.values() for shape in shapes]
    at = request.georeference or lower_left(everything)
    place = partial(placed, at=at)
    drawn = [
        Drawn(
            layer=each.feature_type,
            name=_label(each.properties.get("name"), language),
            shape=_wide(moved(shape, place), each.feature_type),
            kind=kind_of_imdf(each.feature_type, str(each.properties.get("category", ""))),
            floor=each.floor,
        )
        for each in found
        for shape in each.shapes
    ]
    features, warnings = features_of(drawn, floor=request.floor, join_m=JOIN_M)
    return ImportedPlan(
        features=features,
        units=PlanUnits.METRE,
        extent=extent_of(features),
        floors=tuple(
            _floor(ordinals[name], level, [moved(s, place) for s in outlines[name]], language)
            for name, level in sorted(levels.items(), key=lambda each: ordinals[each[0]])
        ),
        warnings=warnings,
        georeference=at,
    )


def _found(
    feature: Json,
    feature_type: str,
    ordinals: Mapping[str, int],
    floor: int,
    budget: VertexBudget,
) -> _Found:
    properties = object_of(feature.get("properties"), f"{feature_type}: properties")
    levels = properties.get("level_ids")
    first = levels[0] if isinstance(levels, list) and levels else properties.get("level_id")
    return _Found(
        feature_type=feature_type,
        properties=properties,
        shapes=_shapes(feature, feature_type, budget),
        floor=ordinals.get(str(first), floor),
    )


def _shapes(feature: Json, feature_type: str, budget: VertexBudget) -> tuple[Shape, ...]:
    geometry = feature.get("geometry")
    if geometry is None:
        return ()
    name = plain_name(feature.get("id")) or "without id"
    given = object_of(geometry, f"{feature_type}: geometry")
    try:
        return tuple(shapes_of(given, feature=name, budget=budget, place=degrees))
    except InvalidPlanFile as error:
        raise InvalidPlanFile(f"{feature_type}.geojson, feature {name}: {error}") from error


def _features(documents: Mapping[str, Json], feature_type: str) -> Iterator[Json]:
    document = documents.get(f"{feature_type}.geojson")
    if document is None:
        return
    for number, feature in enumerate(
        list_of(document.get("features"), f"{feature_type}: features")
    ):
        yield object_of(feature, f"{feature_type}: feature {number}")


def _ordinal(level: Json) -> int:
    properties = object_of(level.get("properties"), "level: properties")
    return whole_of(properties.get("ordinal"), "level: ordinal")


def _floor(ordinal: int, level: Json, outline: list[Shape], language: str) -> PlanFloor:
    properties = object_of(level.get("properties"), "level: properties")
    corners = [corner for shape in outline for corner in shape.corners]
    return PlanFloor(
        floor=ordinal,
        name=_label(properties.get("name"), language) or f"Level {ordinal}",
        width_m=max((corner[0] for corner in corners), default=None),
        height_m=max((corner[1] for corner in corners), default=None),
    )


def _label(given: object, language: str) -> str:
    """Return a label in the language of the archive, or the first that there is."""
    if not isinstance(given, dict):
        return ""
    told = (given.get(language), *given.values())
    return next((name for text in told if (name := plain_name(text))), "")


def _wide(shape: Shape, feature_type: str) -> Shape:
    """Return the line of a door as the ground before and behind it."""
    if feature_type != "opening" or shape.shape is not ShapeType.LINE:
        return shape
    line = shapely.LineString([corner[:2] for corner in shape.lines[0]])
    around = shapely.buffer(line, ENTRANCE_M, cap_style="flat", join_style="mitre")
    if around.is_empty:
        return shape
    ring = tuple(rounded(corner) for corner in around.exterior.coords)
    return Shape(shape=ShapeType.POLYGON, lines=(ring[:-1],))
