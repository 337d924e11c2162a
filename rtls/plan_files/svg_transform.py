"""Read the attribute ``transform`` of SVG.

Layer: rules. Takes: the attribute. Gives: a matrix to rtls.plan_files.svg_drawing.
"""

import math
import re
from typing import Final

from rtls.model.errors import InvalidPlanFile

Matrix = tuple[float, float, float, float, float, float]
"""a b c d e f, as SVG has them: x' = a x + c y + e, y' = b x + d y + f"""
AS_IT_IS: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
TRANSFORMS_MAX: Final = 16
_ONE: Final = re.compile(r"\s*,?\s*([A-Za-z]+)\s*\(([^()]*)\)")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def read_transform(text: str) -> Matrix:
    """Return what a list of transformations does together.

    Raises
    ------
    InvalidPlanFile
        If there are too many, or one is not as SVG has it.

    Examples
    --------
    >>> read_transform("translate(10 20) scale(2)")
    (2.0, 0.0, 0.0, 2.0, 10.0, 20.0)
    """
    matrix = AS_IT_IS
    position = 0
    for _ in range(TRANSFORMS_MAX):
        found = _ONE.match(text, position)
        if not found:
            break
        matrix = placed_by(matrix, _one(found.group(1), numbers_in(found.group(2))))
        position = found.end()
    if text[position:].strip(" ,\t\r\n"):
        raise InvalidPlanFile(
            f"transform has {text[position : position + 20]!r}; expected at most {TRANSFORMS_MAX} "
            "of matrix, translate, scale, rotate, skewX and skewY. Export the drawing anew."
        )
    return matrix


def placed_by(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the matrix that does the inner one first, then the outer."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return (
        a * p + c * q,
        b * p + d * q,
        a * r + c * s,
        b * r + d * s,
        a * t + c * u + e,
        b * t + d * u + f,
    )


def numbers_in(text: str, *, at_most: int = 16) -> list[float]:
    """Return the first numbers of a text that are finite."""
    numbers = []
    for found in _NUMBER.finditer(text):
        number = float(found.group())
        if math.isfinite(number):
            numbers.append(number)
        if len(numbers) >= at_most:
            break
    return numbers


def _one(name: str, given: list[float]) -> Matrix:
    first, second = (*given, 0.0, 0.0)[:2]
    made: Matrix
    match name, len(given):
        case "matrix", 6:
            made = (first, second, given[2], given[3], given[4], given[5])
        case "translate", 1 | 2:
            made = (1.0, 0.0, 0.0, 1.0, first, second)
        case "scale", 1 | 2:
            made = (first, 0.0, 0.0, second if len(given) > 1 else first, 0.0, 0.0)
        case "rotate", 1 | 3:
            made = _rotated(first, *given[1:])
        case "skewX", 1:
            made = (1.0, 0.0, math.tan(math.radians(first)), 1.0, 0.0, 0.0)
        case "skewY", 1:
            made = (1.0, math.tan(math.radians(first)), 0.0, 1.0, 0.0, 0.0)
        case _:
            raise InvalidPlanFile(
                f"transform has {name[:20]!r} of {len(given)} numbers; expected matrix of 6, "
                "translate, scale, rotate, skewX or skewY. Export the drawing anew."
            )
    return made


def _rotated(angle_deg: float, x: float = 0.0, y: float = 0.0) -> Matrix:
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y
