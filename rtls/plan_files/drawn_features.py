"""Make features of a site map from what somebody has drawn: lines and outlines on layers.

Layer: rules. Takes: shapes with the names of their layers, from the readers of DXF, SVG and foreign
GeoJSON. Gives: features with a suggested kind, and what was left out.

Drawings often have a shelf as four lines, not as one outline. So lines on a layer of furniture or
zones are joined where they meet, and what they enclose is the feature.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import shapely

from rtls.model.imported_plan import (
    Corner,
    FeatureKind,
    ImportedFeature,
    Line,
    Shape,
    ShapeType,
)
from rtls.model.site_map import ZoneKind
from rtls.plan_files.layer_kinds import LayerKind, kind_of_layer
from rtls.plan_files.plan_text import plain_name

OUTLINED: Final = LayerKind(kind=FeatureKind.FIXTURE)
LINED: Final = LayerKind(kind=FeatureKind.WALL)
WARNED_LAYERS_MAX: Final = 20
MEETINGS_MAX: Final = 200_000
"""of pieces of lines on a layer, each with itself and with its neighbours among them"""
CHUNK: Final = 100
MM: Final = 3
"""decimals that are kept: whoever draws by hand is no better than a millimetre"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One line, outline or point of a drawing.

    Parameters
    ----------
    kind
        Where the file says what it is; None: the name of the layer is asked.
    floor
        Where the file says on which floor it is.
    """

    layer: str
    name: str
    shape: Shape
    kind: LayerKind | None = None
    floor: int | None = None


class _Features:
    """Gathers features under ids that count up, and what was left out."""

    def __init__(self, floor: int) -> None:
        self._floor = floor
        self._numbers: Counter[FeatureKind] = Counter()
        self.features: list[ImportedFeature] = []
        self.left_out: Counter[str] = Counter()

    def add(
        self,
        found: LayerKind,
        *,
        layer: str,
        name: str,
        shape: Shape,
        floor: int | None = None,
    ) -> None:
        assert found.kind is not None
        self._numbers[found.kind] += 1
        number = self._numbers[found.kind]
        properties: dict[str, object] = {
            "floor": self._floor if floor is None else floor,
            "layer": layer or "0",
        }
        if found.kind is FeatureKind.ZONE:
            zone_kind = found.zone_kind or ZoneKind.DEPARTMENT
            properties["zone_kind"] = zone_kind.value
            properties["name"] = name or f"{layer or 'Zone'} {number}"
        self.features.append(
            ImportedFeature(
                feature=f"{found.kind.value}-{number}",
                kind=found.kind,
                shape=shape,
                properties=properties,
            )
        )

    def add_enclosed(
        self,
        found: LayerKind,
        lines: Sequence[Line],
        *,
        layer: str,
        floor: int | None,
        join_m: float,
    ) -> None:
        shapes = _enclosed(lines, join_m, is_merged=found.kind is not FeatureKind.ZONE)
        if shapes is None:
            self.left_out[f"{layer or '0'} (lines that cross too often)"] += len(lines)
        for shape in shapes or ():
            self.add(found, layer=layer, name="", shape=shape, floor=floor)


def features_of(
    drawn: Iterable[Drawn], *, floor: int, join_m: float
) -> tuple[tuple[ImportedFeature, ...], tuple[str, ...]]:
    """Return features with a suggested kind, and what was left out.

    Parameters
    ----------
    drawn
        Lines, outlines and points.
    floor
        Where they are.
    join_m
        How far apart, in units of the drawing, ends are that were meant to meet.
    """
    found = _Features(floor)
    lines: dict[tuple[LayerKind, str, int | None], list[Line]] = defaultdict(list)
    for each in drawn:
        layer, name = plain_name(each.layer), plain_name(each.name)
        shape = _closed(each.shape, join_m)
        guess = each.kind or kind_of_layer(layer) or kind_of_layer(name) or _by_shape(shape)
        if guess.kind is None or shape.shape is ShapeType.POINT:
            found.left_out[layer or "0"] += 1
        elif guess.kind is FeatureKind.WALL:
            for line in _outlines(shape):
                wall = Shape(shape=ShapeType.LINE, lines=(line,))
                found.add(guess, layer=layer, name=name, shape=wall, floor=each.floor)
        elif shape.shape is ShapeType.LINE:
            lines[guess, layer, each.floor].extend(shape.lines)
        else:
            kept = shape if guess.kind is FeatureKind.WALKABLE else _without_holes(shape)
            found.add(guess, layer=layer, name=name, shape=kept, floor=each.floor)
    for (guess, layer, on_floor), loose in lines.items():
        found.add_enclosed(guess, loose, layer=layer, floor=on_floor, join_m=join_m)
    return tuple(found.features), tuple(_warnings(found.left_out))


def rounded(corner: Corner) -> Corner:
    """Return a corner to the millimetre."""
    return tuple(round(number, MM) for number in corner)


def _by_shape(shape: Shape) -> LayerKind:
    return OUTLINED if shape.shape is ShapeType.POLYGON else LINED


def _closed(shape: Shape, join_m: float) -> Shape:
    """Return a line that ends where it began as an outline."""
    line = shape.lines[0]
    if shape.shape is not ShapeType.LINE or len(line) <= 3:  # noqa: PLR2004  a triangle, closed
        return shape
    if max(abs(line[0][0] - line[-1][0]), abs(line[0][1] - line[-1][1])) > join_m:
        return shape
    return Shape(shape=ShapeType.POLYGON, lines=(line[:-1],))


def _outlines(shape: Shape) -> Iterator[Line]:
    is_outline = shape.shape is ShapeType.POLYGON
    for line in shape.lines:
        yield (*line, line[0]) if is_outline else line


def _without_holes(shape: Shape) -> Shape:
    return Shape(shape=shape.shape, lines=shape.lines[:1])


def _is_thicket(lines: Sequence[Line]) -> bool:
    """Return whether lines meet so often that what they enclose would never be found.

    Ten thousand lines across a hall meet in twenty million points, each a corner of some face.
    """
    pieces = [
        shapely.LineString([start[:2], end[:2]]) for line in lines for start, end in pairwise(line)
    ]
    tree = shapely.STRtree(pieces)
    met = 0
    for first in range(0, len(pieces), CHUNK):
        found = tree.query(pieces[first : first + CHUNK], predicate="intersects")
        met += found.shape[1]
        if met > MEETINGS_MAX:
            return True
    return False


def _enclosed(lines: Sequence[Line], join_m: float, *, is_merged: bool) -> Sequence[Shape] | None:
    """Return what lines enclose, None where they cross too often for that.

    With ``is_merged``, faces that touch are one: a crossed-out box.
    """
    if _is_thicket(lines):
        return None
    drawn = [shapely.LineString([corner[:2] for corner in line]) for line in lines]
    noded = shapely.union_all(drawn, grid_size=join_m)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    areas = shapely.get_parts(shapely.union_all(faces)) if is_merged else faces
    rings = (shapely.get_coordinates(area.exterior).tolist()[:-1] for area in areas)
    return [
        Shape(shape=ShapeType.POLYGON, lines=(tuple(rounded(corner) for corner in ring),))
        for ring in rings
    ]


def _warnings(left_out: Counter[str]) -> Iterator[str]:
    for layer, count in left_out.most_common(WARNED_LAYERS_MAX):
        yield f"layer {layer}: {count} left out, since a map has no use for them."
    if len(left_out) > WARNED_LAYERS_MAX:
        yield f"{len(left_out) - WARNED_LAYERS_MAX} more layers: left out."
