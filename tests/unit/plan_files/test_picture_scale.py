"""fit_picture: where a picture lies, from points that are known on both."""

import cmath
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.errors import InvalidGeometry
from rtls.model.imported_plan import Shape, ShapeType
from rtls.plan_files.picture_scale import ControlPoint, PictureFit, fit_picture, on_floor

PIXELS = st.tuples(st.integers(0, 4000), st.integers(0, 4000))


def shown(fit: PictureFit, pixels) -> list[ControlPoint]:
    turn = cmath.rect(fit.m_per_px, math.radians(fit.rotation_deg))
    places = [turn * complex(x, -y) + complex(fit.x_m, fit.y_m) for x, y in pixels]
    return [
        ControlPoint(source=(float(x), float(y)), plan=(at.real, at.imag))
        for (x, y), at in zip(pixels, places, strict=True)
    ]


@given(
    st.floats(0.01, 0.1),
    st.floats(-179.0, 179.0),
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.lists(PIXELS, min_size=2, max_size=8, unique=True),
)
def test_points_of_a_picture_that_is_to_scale_are_all_met(m_per_px, rotation, x, y, pixels) -> None:
    """Whoever scans a plan straight gets exactly its scale, however it lies on the scanner."""
    truth = PictureFit(m_per_px=m_per_px, rotation_deg=rotation, x_m=x, y_m=y)
    fit = fit_picture(shown(truth, pixels))
    assert fit.m_per_px == pytest.approx(m_per_px, rel=1e-6)
    assert math.remainder(fit.rotation_deg - rotation, 360.0) == pytest.approx(0.0, abs=1e-4)
    assert fit.x_m == pytest.approx(x, abs=1e-4)
    assert fit.y_m == pytest.approx(y, abs=1e-4)
    assert fit.residual_cm_rms < 1e-4


def test_the_residual_says_how_far_a_point_was_shown_off() -> None:
    """Four corners of a room of 10 by 10 m, one shown 20 cm too far out: the fit shares it out."""
    square = [(0.0, 1000.0), (1000.0, 1000.0), (1000.0, 0.0), (0.0, 0.0)]
    places = [(0.0, 0.0), (10.0, 0.0), (10.2, 10.0), (0.0, 10.0)]
    points = [ControlPoint(source=s, plan=p) for s, p in zip(square, places, strict=True)]
    fit = fit_picture(points)
    assert fit.m_per_px == pytest.approx(0.01005, rel=1e-4)  # a quarter of 2 %, half of it across
    assert 5.0 < fit.residual_cm_rms < 10.0
    assert max(fit.residuals_cm) == fit.residuals_cm[2]


@given(st.lists(PIXELS, min_size=3, max_size=6, unique=True), st.randoms(use_true_random=False))
def test_no_other_similarity_near_by_is_nearer(pixels, random) -> None:
    """Least squares: any small change of the fit makes the sum of squares larger, or equal."""
    truth = PictureFit(m_per_px=0.02, rotation_deg=10.0, x_m=1.0, y_m=2.0)
    points = [
        ControlPoint(
            source=p.source,
            plan=(p.plan[0] + random.uniform(-1, 1), p.plan[1] + random.uniform(-1, 1)),
        )
        for p in shown(truth, pixels)
    ]
    try:
        fit = fit_picture(points)
    except InvalidGeometry:  # two of them came to lie at one place
        return
    best = sum(r**2 for r in fit.residuals_cm)

    def cost(scale: float, turn: float, dx: float) -> float:
        other = cmath.rect(fit.m_per_px * scale, math.radians(fit.rotation_deg + turn))
        at = complex(fit.x_m + dx, fit.y_m)
        off = [other * complex(p.source[0], -p.source[1]) + at - complex(*p.plan) for p in points]
        return sum((abs(each) * 100.0) ** 2 for each in off)

    for change in ((1.01, 0, 0), (0.99, 0, 0), (1, 1, 0), (1, -1, 0), (1, 0, 0.05)):
        assert cost(*change) >= best - 1e-6


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([((0, 0), (0, 0))], "points are 1"),
        ([((5, 5), (0, 0)), ((5, 5), (10, 0))], "at one place on the picture"),
        ([((0, 0), (3, 3)), ((900, 0), (3, 3))], "at one place in the plan"),
        ([((0, 0), (0, 0)), ((9, 0), (9, 0)), ((9.5, 0), (5, 0))], "points 1 and 2"),
    ],
)
def test_points_that_say_no_scale_are_refused(points, says) -> None:
    """A double click would else give a plan of no size, or of an enormous one."""
    with pytest.raises(InvalidGeometry, match=says):
        fit_picture([ControlPoint(source=s, plan=p) for s, p in points])


def test_a_point_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidGeometry, match="plan is"):
        ControlPoint(source=(0.0, 0.0), plan=(math.nan, 0.0))


def test_a_shape_in_pixels_lands_where_the_fit_says() -> None:
    """Fifty pixels to the metre, the upper left corner of the picture 20 m up."""
    fit = PictureFit(m_per_px=0.02, rotation_deg=0.0, x_m=0.0, y_m=20.0)
    line = Shape(shape=ShapeType.LINE, lines=(((0.0, 1000.0), (500.0, 0.0)),))
    assert on_floor(line, fit).lines == (((0.0, 0.0), (10.0, 20.0)),)
