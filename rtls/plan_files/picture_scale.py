"""Find scale, rotation and place of a picture from points that somebody has shown on both.

Layer: rules. Takes: points of the picture with their places in the frame. Gives: a `PictureFit` to
the floor studio, with how far each point is off.

The similarity with the least squares of the errors has a closed form (Umeyama 1991, "Least-squares
estimation of transformation parameters between two point patterns"); in the plane, with points as
complex numbers and no mirror image allowed, it is one division.
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from rtls.model.errors import InvalidGeometry
from rtls.model.imported_plan import Corner, Shape

POINTS_MIN: Final = 2
POINTS_MAX: Final = 50
APART_PX_MIN: Final = 1.0
APART_M_MIN: Final = 0.01
COORDINATE_MAX: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoint:
    """One place, on the picture and in the frame.

    Parameters
    ----------
    source
        Pixels from the left and from the top of the picture.
    plan
        Metres in the frame of the floor.
    """

    source: tuple[float, float]
    plan: tuple[float, float]

    def __post_init__(self) -> None:
        for what, point in (("source", self.source), ("plan", self.plan)):
            if not all(abs(number) <= COORDINATE_MAX for number in point):  # NaN fails too
                raise InvalidGeometry(
                    f"{what} is {list(point)}; expected numbers of at most {COORDINATE_MAX:,.0f}. "
                    "Show the point anew."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFit:
    """Where a picture lies.

    Parameters
    ----------
    m_per_px
        Scale.
    rotation_deg
        Counter-clockwise, about the upper left corner of the picture.
    x_m, y_m
        Of the upper left corner of the picture, in the frame.
    residuals_cm
        How far each point is from where it was said to be, in the order given.
    """

    m_per_px: float
    rotation_deg: float
    x_m: float
    y_m: float
    residuals_cm: tuple[float, ...] = ()

    @property
    def residual_cm_rms(self) -> float:
        """Return the root of the mean square of the residuals."""
        squares = [residual**2 for residual in self.residuals_cm]
        return math.sqrt(sum(squares) / len(squares)) if squares else 0.0


def fit_picture(points: Sequence[ControlPoint]) -> PictureFit:
    """Return the similarity that brings the points of the picture nearest to their places.

    Two points are met exactly; from the third on, residuals say how well the picture is to scale.

    Raises
    ------
    InvalidGeometry
        If there are fewer than two points or too many, or two are at one place.

    Examples
    --------
    >>> fit = fit_picture(
    ...     [
    ...         ControlPoint(source=(0.0, 100.0), plan=(0.0, 0.0)),
    ...         ControlPoint(source=(200.0, 100.0), plan=(10.0, 0.0)),
    ...     ]
    ... )
    >>> fit.m_per_px, fit.rotation_deg, fit.x_m, fit.y_m
    (0.05, 0.0, 0.0, 5.0)
    """
    _check(points)
    sources = [complex(point.source[0], -point.source[1]) for point in points]  # y runs down
    places = [complex(*point.plan) for point in points]
    middle, centre = sum(sources) / len(points), sum(places) / len(points)
    spread = sum(abs(source - middle) ** 2 for source in sources)
    shared = sum(
        (place - centre) * (source - middle).conjugate()
        for source, place in zip(sources, places, strict=True)
    )
    turn = shared / spread
    if not abs(turn) > 0.0:
        raise InvalidGeometry(
            "the points lie in the frame as on no turned picture; expected the same order round. "
            "Show the points anew."
        )
    corner = centre - turn * middle
    off = [
        abs(turn * source + corner - place) * 100.0
        for source, place in zip(sources, places, strict=True)
    ]
    return PictureFit(
        m_per_px=abs(turn),
        rotation_deg=math.degrees(cmath.phase(turn)),
        x_m=corner.real,
        y_m=corner.imag,
        residuals_cm=tuple(off),
    )


def on_floor(shape: Shape, fit: PictureFit) -> Shape:
    """Return a shape of a picture, in pixels, where it lies in the frame."""
    turn = cmath.rect(fit.m_per_px, math.radians(fit.rotation_deg))

    def place(corner: Corner) -> Corner:
        at = turn * complex(corner[0], -corner[1]) + complex(fit.x_m, fit.y_m)
        return round(at.real, 3), round(at.imag, 3)

    lines = tuple(tuple(place(corner) for corner in line) for line in shape.lines)
    return Shape(shape=shape.shape, lines=lines)


def _check(points: Sequence[ControlPoint]) -> None:
    if not POINTS_MIN <= len(points) <= POINTS_MAX:
        raise InvalidGeometry(
            f"points are {len(points)}; expected {POINTS_MIN} to {POINTS_MAX}. Show the same "
            "places on the picture and in the plan."
        )
    for (one, first), (other, second) in combinations(enumerate(points), 2):
        is_one_pixel = math.dist(first.source, second.source) < APART_PX_MIN
        if is_one_pixel or math.dist(first.plan, second.plan) < APART_M_MIN:
            raise InvalidGeometry(
                f"points {one} and {other} are at one place "
                f"{'on the picture' if is_one_pixel else 'in the plan'}; expected {APART_PX_MIN:g} "
                f"pixel and {APART_M_MIN * 100:g} cm between any two. Move or remove one."
            )
