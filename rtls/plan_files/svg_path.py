"""Read the path data of SVG as lines of straight pieces.

Layer: rules. Takes: the attribute ``d`` of a path. Gives: its lines to rtls.plan_files.svg_drawing.

SVG 1.1, chapter 8; arcs by the formulae of its appendix F.6. Curves become pieces of equal steps,
enough for a plan: a circle has 32.
"""

import cmath
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import Line

PIECES_A_CURVE: Final = 8
PIECES_A_TURN: Final = 32
_COMMAND: Final = re.compile(r"[\s,]*([MmZzLlHhVvCcSsQqTtAa])")
_NUMBER: Final = re.compile(r"[\s,]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_FLAG: Final = re.compile(r"[\s,]*([01])")
_END: Final = re.compile(r"[\s,]*\Z")


@dataclass(slots=True, kw_only=True)
class PathLine:
    """One line of a path, and whether it comes back to its beginning."""

    corners: list[complex] = field(default_factory=list)
    is_closed: bool = False

    @property
    def line(self) -> Line:
        """Return the corners as pairs."""
        return tuple((corner.real, corner.imag) for corner in self.corners)


def path_lines(data: str, *, vertices_max: int) -> Iterator[PathLine]:
    """Yield the lines of a path; `InvalidPlanFile` where a command or number is not as in SVG.

    Parameters
    ----------
    data
        The attribute ``d``.
    vertices_max
        A line is given up, and yielded as it is, once it has more: whoever counts will refuse it.

    Examples
    --------
    >>> [path.line for path in path_lines("M0 0 h4 v3 z", vertices_max=100)]
    [((0.0, 0.0), (4.0, 0.0), (4.0, 3.0))]
    """
    pen = _Pen(data)
    while pen.reads_on():
        if pen.is_new and len(pen.last.corners) > 1:
            yield pen.last
        if len(pen.current.corners) > vertices_max:
            break
    if len(pen.current.corners) > 1:
        yield pen.current


class _Pen:
    """Draws the commands of a path, one group of numbers at a time."""

    def __init__(self, data: str) -> None:
        self._data = data
        self._position = 0
        self._command = ""
        self._at = 0j
        self._control: complex | None = None
        self._control_of = ""
        self.current = PathLine()
        self.last = PathLine()
        self.is_new = False
        """whether the last group of numbers began another line"""

    def reads_on(self) -> bool:
        """Draw the next group; False at the end of the data."""
        self.is_new = False
        if _END.match(self._data, self._position):
            return False
        found = _COMMAND.match(self._data, self._position)
        if found:
            self._command = found.group(1)
            self._position = found.end()
        elif self._command in {"", "z", "Z"}:
            raise self._trouble("a command")
        self._draw(self._command)
        if self._command in "Mm":  # what follows without a command, are lines
            self._command = "L" if self._command == "M" else "l"
        return True

    def _draw(self, command: str) -> None:
        kind = command.upper()
        before, self._control_of = self._control_of, kind
        if kind == "Z":
            self.current.is_closed = True
            self._begin(self.current.corners[0] if self.current.corners else self._at)
        elif kind == "M":
            self._begin(self._point())
        elif kind in "LHV":
            self._to(self._straight(kind))
        elif kind in "CSQT":
            self._curve(kind, before)
        else:
            self._arc()

    def _begin(self, at: complex) -> None:
        self.last, self.current = self.current, PathLine()
        self.is_new = True
        self._at = at
        self.current.corners.append(at)

    def _to(self, at: complex) -> None:
        if not self.current.corners:
            raise self._trouble("the command M")
        if at != self._at:
            self.current.corners.append(at)
        self._at = at

    def _straight(self, kind: str) -> complex:
        if kind == "L":
            return self._point()
        number = self._number()
        x0, y0 = (self._at.real, self._at.imag) if self._command.islower() else (0.0, 0.0)
        return (
            complex(x0 + number, self._at.imag)
            if kind == "H"
            else complex(self._at.real, y0 + number)
        )

    def _curve(self, kind: str, before: str) -> None:
        start = self._at
        family = "CS" if kind in "CS" else "QT"
        mirrored = start
        if self._control is not None and before and before in family:
            mirrored = 2 * start - self._control
        if kind in "CS":
            first = self._point() if kind == "C" else mirrored
            second, end = self._point(), self._point()
            self._control = second
        else:
            control = self._point() if kind == "Q" else mirrored
            end = self._point()
            self._control = control
            first, second = (start + 2 * control) / 3, (end + 2 * control) / 3
        for piece in range(1, PIECES_A_CURVE + 1):
            t = piece / PIECES_A_CURVE
            s = 1.0 - t
            self._to(s**3 * start + 3 * s * s * t * first + 3 * s * t * t * second + t**3 * end)

    def _arc(self) -> None:
        rx, ry, angle = abs(self._number()), abs(self._number()), math.radians(self._number())
        is_large, is_swept = self._flag(), self._flag()
        start, end = self._at, self._point()
        if rx == 0.0 or ry == 0.0 or start == end:
            self._to(end)
            return
        turn = cmath.rect(1.0, angle)
        half = (start - end) / 2 / turn
        wide = (half.real / rx) ** 2 + (half.imag / ry) ** 2
        if wide > 1.0:
            rx, ry = rx * math.sqrt(wide), ry * math.sqrt(wide)
        unit = complex(half.real / rx, half.imag / ry)
        off = math.sqrt(max(0.0, 1.0 / abs(unit) ** 2 - 1.0))
        centre = unit * complex(0.0, off if is_large == is_swept else -off)
        first = cmath.phase(unit - centre)
        swept = math.remainder(cmath.phase(-unit - centre) - first, math.tau)
        if is_swept and swept < 0:
            swept += math.tau
        elif not is_swept and swept > 0:
            swept -= math.tau
        pieces = max(2, math.ceil(abs(swept) / math.tau * PIECES_A_TURN))
        middle = (start + end) / 2
        for piece in range(1, pieces):
            on = centre + cmath.rect(1.0, first + swept * piece / pieces)
            self._to(middle + turn * complex(on.real * rx, on.imag * ry))
        self._to(end)

    def _point(self) -> complex:
        at = complex(self._number(), self._number())
        return self._at + at if self._command.islower() else at

    def _number(self) -> float:
        found = _NUMBER.match(self._data, self._position)
        if not found:
            raise self._trouble("a number")
        self._position = found.end()
        number = float(found.group(1))
        if not math.isfinite(number):
            raise self._trouble("a finite number")
        return number

    def _flag(self) -> bool:
        found = _FLAG.match(self._data, self._position)
        if not found:
            raise self._trouble("a flag, 0 or 1")
        self._position = found.end()
        return found.group(1) == "1"

    def _trouble(self, expected: str) -> InvalidPlanFile:
        there = self._data[self._position : self._position + 12]
        return InvalidPlanFile(
            f"path data has {there!r} at character {self._position}; expected {expected}. Export "
            "the drawing anew."
        )
