"""Read the geometries of GeoJSON.

Layer: rules. Takes: the member ``geometry`` of a feature. Gives: shapes, with every vertex counted
before it is kept, to rtls.plan_files.geojson_plan and imdf_plan.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import Corner, Line, Shape, ShapeType
from rtls.plan_files.json_parts import Json, list_of, number_of
from rtls.plan_files.limits import VertexBudget

Place = Callable[[Corner], Corner]
"""from the coordinates of the file to those of the plan"""
PARTS: Final = {
    "Point": ShapeType.POINT,
    "LineString": ShapeType.LINE,
    "Polygon": ShapeType.POLYGON,
    "MultiPoint": ShapeType.POINT,
    "MultiLineString": ShapeType.LINE,
    "MultiPolygon": ShapeType.POLYGON,
}


def as_it_is(corner: Corner) -> Corner:
    """Return a corner that is in the frame already."""
    return corner


def shapes_of(
    geometry: Json, *, feature: str, budget: VertexBudget, place: Place = as_it_is
) -> Iterator[Shape]:
    """Yield the shapes of a geometry: one, or each part of a Multi… one.

    Raises
    ------
    InvalidPlanFile
        If it is of no type that a map can have, or its coordinates are not as that type has them.
    """
    named = geometry.get("type")
    if not isinstance(named, str) or named not in PARTS:
        raise InvalidPlanFile(
            f"geometry is {named!r}; expected one of {sorted(PARTS)}. Take collections apart."
        )
    given = list_of(geometry.get("coordinates"), "coordinates")
    for part in given if named.startswith("Multi") else (given,):
        yield _shape(PARTS[named], list_of(part, "coordinates"), feature, budget, place)


def _shape(
    shape: ShapeType, given: Sequence[object], feature: str, budget: VertexBudget, place: Place
) -> Shape:
    if shape is ShapeType.POINT:
        lines: Sequence[Sequence[object]] = ((given,),)
    elif shape is ShapeType.LINE:
        lines = (given,)
    else:
        lines = [list_of(ring, "a ring") for ring in given]
    read: list[Line] = []
    for line in lines:
        budget.take(len(line), feature=feature)
        corners = tuple(place(_corner(corner)) for corner in line)
        is_closed = shape is ShapeType.POLYGON and len(corners) > 1 and corners[0] == corners[-1]
        read.append(corners[:-1] if is_closed else corners)
    return Shape(shape=shape, lines=tuple(read))


def _corner(given: object) -> Corner:
    numbers = list_of(given, "a position")
    if len(numbers) not in {2, 3}:
        raise InvalidPlanFile(
            f"a position has {len(numbers)} numbers; expected two or three. Correct the file."
        )
    return tuple(number_of(number, "a coordinate") for number in numbers)
