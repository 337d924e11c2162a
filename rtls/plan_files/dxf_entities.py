"""Walk through what is drawn in a DXF: blocks opened, curves made of straight lines.

Layer: rules. Takes: a document of ezdxf. Gives: lines with the names of their layers, in units of
the drawing, to rtls.plan_files.dxf_drawing, which has counted before.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from rtls.model.imported_plan import Line, Shape, ShapeType
from rtls.plan_files.drawn_features import Drawn
from rtls.plan_files.limits import VertexBudget

if TYPE_CHECKING:
    from ezdxf.document import Drawing
    from ezdxf.entities.dxfentity import DXFEntity
    from ezdxf.entities.insert import Insert
    from ezdxf.math import Vec3

_LINES: Final = frozenset({"LINE", "LWPOLYLINE", "POLYLINE", "SOLID", "TRACE", "3DFACE"})
DRAWN: Final = _LINES | {"ARC", "CIRCLE", "ELLIPSE", "SPLINE"}
OWN_LAYER: Final = "0"
"""What is drawn on it in a block, is on the layer of whoever inserts the block."""
COARSEST: Final = 1.0 / 500.0
"""How far a line may be off its curve, as a part of its size, where the units are not known."""
FINEST: Final = 1.0 / 20_000.0
"""No finer than this part, or a circle as large as the world would never be done."""
UNITS_MAX: Final = 1e12
"""A coordinate beyond it is damage."""


class DxfWalk:
    """Yields what is drawn, and counts what is not.

    Parameters
    ----------
    document
        What ezdxf has read.
    source
        The file's name, for messages.
    curve_off
        How far, in units of the drawing, a straight line may be off its curve; None: by its size.
    """

    def __init__(self, document: "Drawing", *, source: str, curve_off: float | None) -> None:
        self._document = document
        self._source = source
        self._curve_off = curve_off
        self._vertices = VertexBudget(source)
        self.left_out: Counter[str] = Counter()

    def drawn(self) -> Iterator[Drawn]:
        """Yield the lines and outlines of the model space; `InvalidPlanFile` if too many."""
        yield from self._walk(self._document.modelspace(), layer=OWN_LAYER, block="")

    def _walk(self, entities: "Iterable[DXFEntity]", *, layer: str, block: str) -> Iterator[Drawn]:
        from ezdxf.entities.insert import Insert

        for entity in entities:
            own = str(entity.dxf.get("layer", OWN_LAYER))
            on = layer if own == OWN_LAYER else own
            if self._is_hidden(own):
                self.left_out[f"hidden layer {own}"] += 1
            elif isinstance(entity, Insert):
                yield from self._inserted(entity, layer=on)
            elif entity.dxftype() in DRAWN:
                yield from self._lines(entity, layer=on, name=block)
            else:
                self.left_out[entity.dxftype()] += 1

    def _inserted(self, insert: "Insert", *, layer: str) -> Iterator[Drawn]:
        for each in insert.multi_insert() if insert.mcount > 1 else (insert,):
            name = str(each.dxf.get("name", ""))
            yield from self._walk(each.virtual_entities(), layer=layer, block=name)

    def _lines(self, entity: "DXFEntity", *, layer: str, name: str) -> Iterator[Drawn]:
        from ezdxf import path

        made = path.make_path(entity)
        for part in made.sub_paths() if made.has_sub_paths else (made,):
            if len(part) == 0:
                continue
            corners = part.control_vertices()
            self._vertices.take(len(corners), feature=f"{entity.dxftype()} {entity.dxf.handle}")
            if not all(_is_sound(corner) for corner in corners):
                self.left_out["beyond all bounds"] += 1
                continue
            if part.has_curves:
                corners = list(part.flattening(self._off(corners), segments=2))
                self._vertices.take(len(corners), feature=f"curve {entity.dxf.handle}")
            line = _distinct(tuple((corner.x, corner.y) for corner in corners))
            if len(line) > 1:
                yield Drawn(layer=layer, name=name, shape=_shape(line, is_closed=part.is_closed))

    def _off(self, corners: "Iterable[Vec3]") -> float:
        xs, ys = zip(*((corner.x, corner.y) for corner in corners), strict=True)
        size: float = max(max(xs) - min(xs), max(ys) - min(ys), 1e-9)
        off = size * COARSEST if self._curve_off is None else self._curve_off
        return max(off, size * FINEST)

    def _is_hidden(self, layer: str) -> bool:
        if not self._document.layers.has_entry(layer):
            return False
        entry = self._document.layers.get(layer)
        return entry.is_off() or entry.is_frozen()


def _is_sound(corner: "Vec3") -> bool:
    return bool(abs(corner.x) <= UNITS_MAX and abs(corner.y) <= UNITS_MAX)  # NaN is not


def _distinct(line: Line) -> Line:
    """Return a line without corners that repeat the one before."""
    return tuple(
        corner for number, corner in enumerate(line) if number == 0 or corner != line[number - 1]
    )


def _shape(line: Line, *, is_closed: bool) -> Shape:
    ring = line[:-1] if line[0] == line[-1] else line
    if is_closed and len(ring) > 2:  # noqa: PLR2004  a triangle
        return Shape(shape=ShapeType.POLYGON, lines=(ring,))
    return Shape(shape=ShapeType.LINE, lines=(line,))
