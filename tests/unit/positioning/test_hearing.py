"""How many anchors should be heard: the table of the map filter, against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from rtls.positioning.kernels.hearing import (
    OFFSET_LEAST_DB,
    OFFSET_STEP_DB,
    OFFSET_ZERO,
    OFFSETS,
    fill_hearing,
    hearing_at,
    student_4,
)

UNHEARD = -32_768


def table_of(strength_dbm: list[float], *, gain: float = 1.0) -> np.ndarray:
    strength = np.rint(100.0 * np.array(strength_dbm)).astype(np.int16)[:, None]
    table = np.empty((1, OFFSETS), np.float32)
    fill_hearing(strength, np.full(strength.shape, 50, np.uint8), UNHEARD, gain, -95.0, table)
    return table[0]


@given(st.floats(-50, 50))
def test_the_closed_form_is_students_distribution(t: float) -> None:
    assert student_4(t) == pytest.approx(student.cdf(t, 4), abs=1e-12)


def test_a_strong_tag_is_heard_by_all_and_a_weak_one_by_nobody() -> None:
    """Ends of the scale that can be reckoned by hand: ln(1 + 3) and ln(1 + 0)."""
    table = table_of([-60.0, -62.0, -64.0])
    assert table[-1] == pytest.approx(np.log(4.0), abs=1e-3)
    assert table_of([-300.0])[0] == pytest.approx(0.0, abs=1e-3)


def test_half_of_the_anchors_count_where_they_are_just_heard() -> None:
    """At the sensitivity itself one advert of two arrives: ln(1 + 2 / 2)."""
    assert table_of([-95.0, -95.0])[OFFSET_ZERO] == pytest.approx(np.log(2.0), abs=1e-6)
    assert OFFSET_LEAST_DB + OFFSET_STEP_DB * OFFSET_ZERO == 0.0


def test_an_anchor_of_which_nothing_is_known_does_not_count() -> None:
    table = np.empty((1, OFFSETS), np.float32)
    strength = np.array([[UNHEARD], [-6000]], np.int16)
    fill_hearing(strength, np.full((2, 1), 50, np.uint8), UNHEARD, 1.0, -95.0, table)
    assert table[0] == pytest.approx(table_of([-60.0]))


def test_a_gain_turns_about_the_reference() -> None:
    """An exponent of half as much leaves -70 dBm and brings -90 to -80."""
    assert table_of([-90.0], gain=0.5) == pytest.approx(table_of([-80.0]))


@given(st.floats(-60, 60))
def test_more_offset_is_never_heard_by_fewer(offset: float) -> None:
    table = table_of([-70.0, -85.0, -99.0])
    value, slope = hearing_at(table, offset)
    assert slope >= 0.0
    assert table[0] <= value <= table[-1]
    assert hearing_at(table, offset + 1.0)[0] >= value
