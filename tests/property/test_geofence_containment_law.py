"""P(zone) equals the slow integral for any zone and any covariance."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtls.geofence.containment import ContainmentSettings, zone_probabilities
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.fix import FIX_DTYPE
from rtls.model.units import Metre
from tests.reference.containment import mass_in_polygon
from tests.reference.shelf_site import make_site, make_zone

BIAS_M = 0.05
L_SHAPE = ((0.0, 0.0), (3.0, 0.0), (3.0, 0.8), (0.9, 0.8), (0.9, 2.5), (0.0, 2.5))


@st.composite
def rings(draw):
    """A thin strip, an L or a square, turned and moved, drawn either way round."""
    shape = draw(
        st.sampled_from(
            [L_SHAPE, ((0, 0), (6, 0), (6, 0.4), (0, 0.4)), ((0, 0), (1, 0), (1, 1), (0, 1))]
        )
    )
    turn = draw(st.floats(0, math.tau))
    x, y = draw(st.floats(7, 13)), draw(st.floats(3, 7))
    cos, sin = math.cos(turn), math.sin(turn)
    ring = tuple((x + cos * a - sin * b, y + sin * a + cos * b) for a, b in shape)
    return ring if draw(st.booleans()) else ring[::-1]


@given(
    rings(),
    st.tuples(st.floats(4, 16), st.floats(1, 9)),
    st.floats(0.0, 3.0),
    st.floats(0.0, 3.0),
    st.floats(-0.98, 0.98),
)
def test_the_kernel_agrees_with_the_slow_integral_within_one_hundredth(
    ring, mean, sigma_x, sigma_y, correlation
) -> None:
    """Every event carries this number to a merchandiser; it must be what it says."""
    fix = np.zeros(1, FIX_DTYPE)
    fix["x_m"], fix["y_m"] = mean
    cross = correlation * sigma_x * sigma_y
    fix["cov_xx"], fix["cov_xy"], fix["cov_yy"] = sigma_x**2, cross, sigma_y**2
    fix["kinds"] = 2
    index = ZoneIndex.build(make_site([make_zone("zone", ring)]))
    settings = ContainmentSettings(bias_range_m=Metre(BIAS_M))
    found = zone_probabilities(index, fix, settings).of(0).get(0, 0.0)
    widened = (sigma_x**2 + BIAS_M**2, cross, sigma_y**2 + BIAS_M**2)
    slow = mass_in_polygon(ring, mean, widened)
    assert abs(found - slow) <= 0.01
    if found > 0.0:
        assert abs(found - slow) <= 1e-3
