"""Read an SVG: the shapes that are on a short list, as lines, and nothing else of it.

Layer: rules. Takes: an SVG of anybody. Gives: an `ImportedPlan` in units of the drawing to
rtls.plan_files.plan_reading.

An SVG is a program as much as a picture: it may hold scripts, links, styles that fetch, and
entities that grow. So it is never shown. What is kept are corners, and names as text.
"""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import (
    ImportedPlan,
    Line,
    PlanRequest,
    PlanUnits,
    Shape,
    ShapeType,
    extent_of,
)
from rtls.plan_files.drawn_features import Drawn, features_of, rounded
from rtls.plan_files.extra_library import needed_for
from rtls.plan_files.limits import DEPTH_MAX, VERTICES_MAX, VertexBudget, check_marks
from rtls.plan_files.plan_text import plain_name
from rtls.plan_files.svg_path import PIECES_A_TURN, PathLine, path_lines
from rtls.plan_files.svg_transform import Matrix, numbers_in, placed_by, read_transform

SVG: Final = "{http://www.w3.org/2000/svg}"
LABEL: Final = "{http://www.inkscape.org/namespaces/inkscape}label"
GROUPS: Final = frozenset({"svg", "g"})
SHAPES: Final = frozenset({"path", "rect", "line", "polyline", "polygon", "circle", "ellipse"})
SILENT: Final = frozenset({"title", "desc", "metadata", "defs", "style", "namedview"})
"""Nobody misses them."""
JOIN_PART: Final = 1e-4
WARNED_TYPES_MAX: Final = 20


def read_svg(content: bytes, request: PlanRequest) -> ImportedPlan:
    """Return the shapes of an SVG; y runs down, as it does there.

    `InvalidPlanFile` says that it is none, declares entities, or has too many elements or vertices.
    """
    check_marks(content, b"<", source=request.source, what="tags in the file")
    root = _parse(content, request.source)
    walk = _SvgWalk(request.source)
    drawn = list(walk.drawn(root))
    extent = extent_of_drawn(drawn)
    join = max(extent, 1e-9) * JOIN_PART
    features, left_out = features_of(drawn, floor=request.floor, join_m=join)
    others = tuple(
        f"{plain_name(what)}: {count} left out."
        for what, count in walk.left_out.most_common(WARNED_TYPES_MAX)
    )
    return ImportedPlan(
        features=features,
        units=PlanUnits.PIXEL,
        extent=extent_of(features),
        warnings=(*left_out, *others),
    )


def extent_of_drawn(drawn: list[Drawn]) -> float:
    """Return how large a drawing is, the larger way."""
    corners = [corner for each in drawn for corner in each.shape.corners]
    if not corners:
        return 0.0
    xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return max(max(xs) - min(xs), max(ys) - min(ys))


def _parse(content: bytes, source: str) -> Element:
    with needed_for("An SVG"):
        from defusedxml import ElementTree
        from defusedxml.common import DefusedXmlException
    try:
        root: Element = ElementTree.fromstring(content)
    except DefusedXmlException as error:
        raise InvalidPlanFile(
            f"{source}: it declares entities ({type(error).__name__}); expected none. Save it as "
            "plain SVG."
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise InvalidPlanFile(f"{source}: no XML ({error}). Save it as plain SVG.") from error
    if root.tag not in {"svg", f"{SVG}svg"}:
        raise InvalidPlanFile(
            f"{source}: the root is {plain_name(root.tag)!r}; expected svg. Save it as plain SVG."
        )
    return root


class _SvgWalk:
    """Yields the shapes of an SVG, with the names of the groups that they are in."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._vertices = VertexBudget(source)
        self.left_out: Counter[str] = Counter()

    def drawn(self, root: Element) -> Iterator[Drawn]:
        box = numbers_in(root.get("viewBox", ""))
        x0, y0 = (box[0], box[1]) if len(box) == 4 else (0.0, 0.0)  # noqa: PLR2004  as SVG has it
        for child in root:
            yield from self._walk(child, (1.0, 0.0, 0.0, 1.0, -x0, -y0), layer="", depth=1)

    def _walk(self, element: Element, matrix: Matrix, *, layer: str, depth: int) -> Iterator[Drawn]:
        if depth > DEPTH_MAX:
            raise InvalidPlanFile(
                f"{self._source}: groups lie more than {DEPTH_MAX} deep; expected fewer. Ungroup "
                "them, and export the drawing anew."
            )
        kind = element.tag.removeprefix(SVG)
        if _is_hidden(element):
            self.left_out["hidden"] += 1
        elif kind in GROUPS:
            on = placed_by(matrix, read_transform(element.get("transform", "")))
            name = _name(element) or layer
            for child in element:
                yield from self._walk(child, on, layer=name, depth=depth + 1)
        elif kind in SHAPES:
            yield from self._shapes(kind, element, matrix, layer)
        elif element.tag.rpartition("}")[2] not in SILENT:
            self.left_out[element.tag.rpartition("}")[2]] += 1

    def _shapes(self, kind: str, element: Element, matrix: Matrix, layer: str) -> Iterator[Drawn]:
        name = _name(element)
        on = placed_by(matrix, read_transform(element.get("transform", "")))
        what = f"{kind} {name}".strip()
        try:
            for path in _lines(kind, element):
                self._vertices.take(len(path.corners), feature=what)
                line = tuple(rounded(_at(on, corner)) for corner in path.corners)
                shape = _shape(_distinct(line), is_closed=path.is_closed)
                if shape is not None:
                    yield Drawn(layer=layer, name=name, shape=shape)
        except InvalidPlanFile as error:
            if f"feature {what}:" in str(error):
                raise
            raise InvalidPlanFile(f"feature {what}: {error}") from error


def _lines(kind: str, element: Element) -> Iterator[PathLine]:
    if kind == "path":
        yield from path_lines(element.get("d", ""), vertices_max=VERTICES_MAX)
    elif kind in {"polyline", "polygon"}:
        numbers = numbers_in(element.get("points", ""), at_most=2 * VERTICES_MAX + 2)
        corners = [complex(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=False)]
        yield PathLine(corners=corners, is_closed=kind == "polygon")
    elif kind == "line":
        x1, y1, x2, y2 = (_length(element, name) for name in ("x1", "y1", "x2", "y2"))
        yield PathLine(corners=[complex(x1, y1), complex(x2, y2)])
    elif kind == "rect":
        x, y, width, height = (_length(element, name) for name in ("x", "y", "width", "height"))
        far = complex(x + width, y + height)
        corners = [complex(x, y), complex(far.real, y), far, complex(x, far.imag)]
        yield PathLine(corners=corners, is_closed=True)
    else:
        yield _round(element)


def _round(element: Element) -> PathLine:
    centre = complex(_length(element, "cx"), _length(element, "cy"))
    rx, ry = (_length(element, name) or _length(element, "r") for name in ("rx", "ry"))
    turns = (math.tau * piece / PIECES_A_TURN for piece in range(PIECES_A_TURN))
    corners = [centre + complex(rx * math.cos(turn), ry * math.sin(turn)) for turn in turns]
    return PathLine(corners=corners, is_closed=True)


def _length(element: Element, name: str) -> float:
    """Return an attribute in units of the drawing; a percentage is of what nobody knows, and 0."""
    text = element.get(name, "0")
    numbers = numbers_in(text, at_most=1)
    return numbers[0] if numbers and "%" not in text else 0.0


def _at(matrix: Matrix, corner: complex) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    x, y = corner.real, corner.imag
    return a * x + c * y + e, b * x + d * y + f


def _distinct(line: Line) -> Line:
    return tuple(
        corner for number, corner in enumerate(line) if number == 0 or corner != line[number - 1]
    )


def _shape(line: Line, *, is_closed: bool) -> Shape | None:
    ring = line[:-1] if len(line) > 1 and line[0] == line[-1] else line
    if (is_closed or ring is not line) and len(ring) > 2:  # noqa: PLR2004  a triangle
        return Shape(shape=ShapeType.POLYGON, lines=(ring,))
    return Shape(shape=ShapeType.LINE, lines=(line,)) if len(line) > 1 else None


def _name(element: Element) -> str:
    title = element.find(f"{SVG}title")
    told = (element.get(LABEL), title.text if title is not None else None, element.get("id"))
    return next((name for text in told if (name := plain_name(text))), "")


def _is_hidden(element: Element) -> bool:
    style = element.get("style", "").replace(" ", "")
    return element.get("display") == "none" or "display:none" in style
