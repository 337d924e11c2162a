"""Read a DXF drawing: what is on which layer, in metres where the drawing says its units.

Layer: rules. Takes: a DXF of anybody. Gives: an `ImportedPlan` to rtls.plan_files.plan_reading.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import (
    Corner,
    Extent,
    ImportedPlan,
    PlanRequest,
    PlanUnits,
    extent_of,
)
from rtls.plan_files.drawn_features import Drawn, features_of, rounded
from rtls.plan_files.dxf_blocks import check_blocks
from rtls.plan_files.dxf_entities import DxfWalk
from rtls.plan_files.extra_library import needed_for
from rtls.plan_files.geojson_shapes import Place
from rtls.plan_files.limits import MARKS_MAX
from rtls.plan_files.lon_lat import moved
from rtls.plan_files.plan_text import plain_name

if TYPE_CHECKING:
    from ezdxf.document import Drawing

METRES_A_UNIT: Final = {
    1: 0.0254,
    2: 0.3048,
    3: 1609.344,
    4: 0.001,
    5: 0.01,
    6: 1.0,
    7: 1000.0,
    10: 0.9144,
    14: 0.1,
    15: 10.0,
    16: 100.0,
}
"""of $INSUNITS; the others are not lengths that buildings are drawn in"""
CURVE_OFF_M: Final = 0.01
JOIN_M: Final = 0.005
JOIN_PART: Final = 1e-5
"""of the size of a drawing of unknown units"""
BUILDING_M_MIN: Final = 1.0
BUILDING_M_MAX: Final = 10_000.0
WARNED_TYPES_MAX: Final = 20
STUMBLES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)
"""what ezdxf, which was written for drawings and not for attacks, raises over damaged ones"""
_POINT: Final = re.compile(rb"(?m)^[ \t]*1[01]\r?$")
"""The group codes before an x coordinate."""


def read_dxf(content: bytes, request: PlanRequest) -> ImportedPlan:
    """Return what is drawn in the model space of a DXF.

    Raises
    ------
    InvalidPlanFile
        If it is no DXF of text, or has too many points or entities once blocks are opened.
    """
    _check(content, request.source)
    document = _open(content, request.source)
    m_per_unit = METRES_A_UNIT.get(document.header.get("$INSUNITS", 0))
    walk = DxfWalk(
        document,
        source=request.source,
        curve_off=None if m_per_unit is None else CURVE_OFF_M / m_per_unit,
    )
    try:
        check_blocks(document, source=request.source)
        drawn = list(walk.drawn())
    except InvalidPlanFile:
        raise
    except STUMBLES as error:
        raise InvalidPlanFile(
            f"{request.source}: a thing in the drawing cannot be understood ({error}). Run AUDIT "
            "and PURGE in the program that made it, and save it anew."
        ) from error
    plan = _plan(drawn, request.floor, m_per_unit)
    return replace(plan, warnings=(*plan.warnings, *_left_out(walk.left_out)))


def _check(content: bytes, source: str) -> None:
    if content.startswith((b"AC10", b"AutoCAD Binary")):
        raise InvalidPlanFile(
            f"{source}: a DWG or a binary DXF; expected a DXF of text. Save it as DXF (ASCII)."
        )
    points = sum(1 for _ in _POINT.finditer(content))
    if points > MARKS_MAX:
        raise InvalidPlanFile(
            f"{source}: {points:,} points in the drawing; expected at most {MARKS_MAX:,}. Leave "
            "out layers that the map does not need, and draw curves with fewer points."
        )


def _open(content: bytes, source: str) -> "Drawing":
    with needed_for("A DXF"):
        from ezdxf import recover
        from ezdxf.lldxf import const
    try:
        document, _ = recover.read(io.BytesIO(content))
    except (const.DXFError, *STUMBLES) as error:
        raise InvalidPlanFile(
            f"{source}: no DXF that can be read ({plain_name(str(error))}); expected a DXF of "
            "text, of R12 or later. Save it anew from the program that made it."
        ) from error
    return document


def _plan(drawn: Sequence[Drawn], floor: int, m_per_unit: float | None) -> ImportedPlan:
    box = _box(drawn)
    across = max(box[2] - box[0], box[3] - box[1])
    warnings: list[str] = []
    if not drawn:
        m_per_unit = None
        warnings.append("nothing is drawn in the model space.")
    if m_per_unit is not None and not BUILDING_M_MIN <= across * m_per_unit <= BUILDING_M_MAX:
        warnings.append(
            f"the drawing says that it is {across * m_per_unit:,.4g} m across, which no building "
            "is; give its scale by two points."
        )
        m_per_unit = None
    if m_per_unit is None:
        join = max(across * JOIN_PART, 1e-9)
        features, left_out = features_of(drawn, floor=floor, join_m=join)
        units = PlanUnits.UNKNOWN
    else:
        place, told = _into_frame(box, m_per_unit)
        warnings.extend(told)
        placed = [replace(each, shape=moved(each.shape, place)) for each in drawn]
        features, left_out = features_of(placed, floor=floor, join_m=JOIN_M)
        units = PlanUnits.METRE
    return ImportedPlan(
        features=features,
        units=units,
        extent=extent_of(features),
        warnings=(*warnings, *left_out),
    )


def _into_frame(box: Extent, m_per_unit: float) -> tuple[Place, list[str]]:
    """Return how corners come into the frame: as they are, or the drawing moved to the origin."""
    x0, y0, x1, y1 = (number * m_per_unit for number in box)
    is_near = min(x0, y0) >= 0.0 and max(x1, y1) <= BUILDING_M_MAX / 10.0
    dx, dy = (0.0, 0.0) if is_near else (x0, y0)
    told = [f"moved by {-dx:,.3f} m and {-dy:,.3f} m, to the origin."] if not is_near else []

    def place(corner: Corner) -> Corner:
        return rounded((corner[0] * m_per_unit - dx, corner[1] * m_per_unit - dy))

    return place, told


def _box(drawn: Sequence[Drawn]) -> Extent:
    corners = [corner for each in drawn for corner in each.shape.corners]
    if not corners:
        return (0.0, 0.0, 0.0, 0.0)
    xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return (min(xs), min(ys), max(xs), max(ys))


def _left_out(counts: Counter[str]) -> Iterator[str]:
    for what, count in counts.most_common(WARNED_TYPES_MAX):
        yield f"{plain_name(what)}: {count} left out."
