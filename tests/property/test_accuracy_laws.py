"""Laws of the Cramér-Rao bound, for every kind of reading."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.reading import ReadingKind
from rtls.positioning.accuracy import RadioModel, bound_covariance, root_mean_square
from rtls.positioning.anchor_table import AnchorTable
from tests.reference.radio_site import site_with

KINDS = (
    (ReadingKind.RSSI, 6.0, 8.0),
    (ReadingKind.RANGE, 0.2, 0.0),
    (ReadingKind.AOA, 0.1, 0.0),
    (ReadingKind.TDOA, 0.3, math.inf),
)
spots = st.tuples(st.floats(0.0, 40.0), st.floats(0.0, 40.0), st.floats(2.0, 6.0))
layouts = st.lists(spots, min_size=4, max_size=9)
PLACES = np.array([[3.0, 4.0], [20.0, 20.0], [31.0, 7.0]])


def bounds(
    anchors: list[tuple[float, float, float]],
    kind: tuple[ReadingKind, float, float],
    places: np.ndarray = PLACES,
) -> np.ndarray:
    radio = RadioModel(
        kind=kind[0],
        sigma=np.full(len(anchors), kind[1]),
        common_sd=kind[2],
        nearest_max=99,
    )
    table = AnchorTable.build(site_with(anchors))
    return root_mean_square(bound_covariance(places, anchors=table, radio=radio, tag_height_m=1.0))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0].name)
@given(anchors=layouts, more=spots)
def test_one_more_anchor_never_raises_the_bound(
    kind: tuple[ReadingKind, float, float],
    anchors: list[tuple[float, float, float]],
    more: tuple[float, float, float],
) -> None:
    """Information adds up; a search for the best place must never advise to leave one out."""
    without, with_it = bounds(anchors, kind), bounds([*anchors, more], kind)
    assert (with_it <= without * (1.0 + 1e-6)).all()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0].name)
@given(anchors=layouts, angle=st.floats(0.0, 2.0 * math.pi))
def test_the_bound_does_not_care_which_way_the_map_lies(
    kind: tuple[ReadingKind, float, float],
    anchors: list[tuple[float, float, float]],
    angle: float,
) -> None:
    """Where x points is a convention of whoever drew the plan."""
    cos, sin = math.cos(angle), math.sin(angle)
    turned = [(cos * x - sin * y, sin * x + cos * y, z) for x, y, z in anchors]
    places = PLACES @ np.array([[cos, sin], [-sin, cos]])
    straight, askew = bounds(anchors, kind), bounds(turned, kind, places)
    sound = np.isfinite(straight) & np.isfinite(askew) & (straight < 1e3)
    assert askew[sound] == pytest.approx(straight[sound], rel=1e-5)
