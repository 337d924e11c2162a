"""Read GeoJSON: a site map of ours in metres, or features of others in longitude and latitude.

Layer: rules. Takes: the bytes of a file. Gives: an `ImportedPlan` in metres to
rtls.plan_files.plan_reading.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.georeference import Georeference
from rtls.model.imported_plan import (
    FeatureKind,
    ImportedFeature,
    ImportedPlan,
    PlanRequest,
    PlanUnits,
    Shape,
    extent_of,
)
from rtls.model.site_map import ID_PATTERN
from rtls.plan_files.drawn_features import Drawn, features_of
from rtls.plan_files.geojson_shapes import Place, as_it_is, shapes_of
from rtls.plan_files.json_parts import Json, list_of, number_of, object_of, parse_json
from rtls.plan_files.limits import VERTICES_MAX, VertexBudget
from rtls.plan_files.lon_lat import degrees, lower_left, moved, placed
from rtls.plan_files.own_members import own_floors, own_properties, text_of

ACROSS_M_MAX: Final = 10_000.0
_NAMED_IN: Final = ("layer", "kind", "indoor", "category", "type", "class", "shop")


def read_geojson(content: bytes, request: PlanRequest) -> ImportedPlan:
    """Return what a GeoJSON file says, in metres.

    `InvalidPlanFile` says that it is none, too big, or that its coordinates are neither longitude
    and latitude nor marked as metres of ours.
    """
    document = parse_json(content, source=request.source)
    if "inaisle" in document:
        return plan_of_document(document, request)
    return _foreign(document, request)


def own_georeference(head: Json) -> Georeference | None:
    """Return where a map of ours lies; None where it does not say."""
    given = head.get("georeference")
    if given is None:
        return None
    members = object_of(given, "inaisle.georeference")
    return Georeference(
        lon_deg=number_of(members.get("lon"), "inaisle.georeference.lon"),
        lat_deg=number_of(members.get("lat"), "inaisle.georeference.lat"),
        rotation_deg=number_of(
            members.get("rotation_deg", 0.0), "inaisle.georeference.rotation_deg"
        ),
    )


def plan_of_document(
    document: Json, request: PlanRequest, *, vertices_max: int = VERTICES_MAX
) -> ImportedPlan:
    """Return a site map of ours as a plan, its features as they are.

    Raises
    ------
    InvalidPlanFile
        If its coordinates are not marked as metres, or a feature is not as docs/site_map.md says.
    """
    head = object_of(document.get("inaisle"), "member 'inaisle'")
    if head.get("crs") != "local":
        raise InvalidPlanFile(
            f"inaisle.crs is {head.get('crs')!r}; expected 'local' (metres of the floor's frame)."
        )
    budget = VertexBudget(request.source, most=vertices_max)
    given = list_of(document.get("features"), "member 'features'")
    features = tuple(own_feature(each, n, budget) for n, each in enumerate(given))
    return ImportedPlan(
        features=features,
        units=PlanUnits.METRE,
        extent=extent_of(features),
        floors=own_floors(head),
        georeference=own_georeference(head),
        site={
            member: text_of(head[member], f"inaisle.{member}")
            for member in ("site", "name", "time_zone")
            if member in head
        },
    )


def own_feature(
    given: object, position: int, budget: VertexBudget, place: Place = as_it_is
) -> ImportedFeature:
    """Return a feature of a site map of ours, at its place in the frame.

    Raises
    ------
    InvalidPlanFile
        If it is not as docs/site_map.md says; names it.
    """
    feature = object_of(given, f"feature {position}")
    named = feature.get("id")
    name = f"number-{position}" if named is None else str(named)[:80]
    try:
        if named is not None and not ID_PATTERN.match(name):
            raise InvalidPlanFile(
                f"id is {name!r}; expected 1 to 63 of a-z, 0-9 and '-'. Rename it."
            )
        properties = object_of(feature.get("properties"), "properties")
        kind = _own_kind(properties.get("kind"))
        given_shape = feature.get("geometry")
        shape = None if given_shape is None else _only(given_shape, name, budget, place)
        kept = own_properties(kind, properties)
        return ImportedFeature(feature=name, kind=kind, shape=shape, properties=kept)
    except InvalidPlanFile as error:
        if f"feature {name}:" in str(error):
            raise
        raise InvalidPlanFile(f"feature {name}: {error}") from error


def _own_kind(given: object) -> FeatureKind:
    try:
        return FeatureKind(str(given))
    except ValueError as error:
        raise InvalidPlanFile(
            f"kind is {str(given)[:40]!r}; expected one of {[kind.value for kind in FeatureKind]}. "
            "See docs/site_map.md."
        ) from error


def _only(given: object, name: str, budget: VertexBudget, place: Place) -> Shape:
    geometry = object_of(given, "geometry")
    shapes = list(shapes_of(geometry, feature=name, budget=budget, place=place))
    if len(shapes) != 1:
        raise InvalidPlanFile(f"geometry has {len(shapes)} parts; expected 1. Take it apart.")
    return shapes[0]


def _foreign(document: Json, request: PlanRequest) -> ImportedPlan:
    budget = VertexBudget(request.source)
    found = [
        (feature, shape)
        for n, feature in enumerate(_features(document))
        for shape in _degrees(feature, n, budget)
    ]
    at = request.georeference or lower_left(shape for _, shape in found)
    place = partial(placed, at=at)
    drawn = [
        Drawn(layer=_layer(feature), name=_name(feature), shape=moved(shape, place))
        for feature, shape in found
    ]
    features, warnings = features_of(drawn, floor=request.floor, join_m=0.001)
    extent = extent_of(features)
    across = max(extent[2] - extent[0], extent[3] - extent[1])
    if across > ACROSS_M_MAX:
        raise InvalidPlanFile(
            f"the features lie up to {across / 1e3:,.0f} km apart; expected a building of at most "
            f"{ACROSS_M_MAX / 1e3:g} km. If the coordinates are metres, add the member 'inaisle' "
            "that docs/site_map.md shows."
        )
    return ImportedPlan(
        features=features,
        units=PlanUnits.METRE,
        extent=extent,
        warnings=warnings,
        georeference=at,
    )


def _features(document: Json) -> Iterator[Json]:
    """Yield the features of a collection, or the one that stands alone.

    Raises
    ------
    InvalidPlanFile
        If it is neither.
    """
    if document.get("type") == "Feature":
        yield document
        return
    if document.get("type") != "FeatureCollection":
        raise InvalidPlanFile(
            f"type is {str(document.get('type'))[:40]!r}; expected FeatureCollection or Feature. "
            "Export the plan as GeoJSON."
        )
    for number, feature in enumerate(list_of(document.get("features"), "member 'features'")):
        yield object_of(feature, f"feature {number}")


def _degrees(feature: Json, position: int, budget: VertexBudget) -> Iterator[Shape]:
    geometry = feature.get("geometry")
    if geometry is None:
        return
    name = str(feature.get("id", f"number {position}"))[:80]
    try:
        yield from shapes_of(
            object_of(geometry, "geometry"), feature=name, budget=budget, place=degrees
        )
    except InvalidPlanFile as error:
        if f"feature {name}:" in str(error):
            raise
        raise InvalidPlanFile(f"feature {name}: {error}") from error


def _texts(feature: Json, members: tuple[str, ...]) -> str:
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        return ""
    found = (properties.get(member) for member in members)
    return next((text for text in found if isinstance(text, str) and text), "")


def _layer(feature: Json) -> str:
    return _texts(feature, _NAMED_IN)


def _name(feature: Json) -> str:
    return _texts(feature, ("name", "title", "label"))
