"""Ranges gathered side by side say the same, to the last bit, as gathered row by row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtls.positioning.kernels.likelihood import RANGE_KIND, RSSI_KIND
from rtls.positioning.kernels.measure import gather_information
from rtls.positioning.kernels.range_lanes import (
    gather_ranges,
    load_ranges,
    note_first_ranges,
    note_last_ranges,
)
from rtls.positioning.kernels.rows import (
    AGE_S,
    ANCHOR_X,
    ANCHOR_Y,
    CREDIT,
    INNOVATION,
    KIND,
    LONG_SHARE,
    P_DIRECT,
    RESIDUAL,
    RISE_SQUARED,
    ROW_WIDTH,
    ROWS_MAX,
    SIGMA,
    VALUE,
)
from rtls.positioning.kernels.track_epoch import ROOM_DTYPE
from rtls.positioning.tracking import TrackingSettings, parameters_of

P = parameters_of(TrackingSettings())
METRES = st.floats(-40, 40)


@st.composite
def ranges(draw):
    """Give rows of ranges: near and far, blocked or not, some heard a while ago."""
    rows = np.full((draw(st.integers(1, 12)), ROW_WIDTH), np.nan)
    for row in rows:
        row[KIND] = RANGE_KIND
        row[ANCHOR_X], row[ANCHOR_Y] = draw(METRES), draw(METRES)
        row[RISE_SQUARED] = draw(st.sampled_from([0.0, 4.0, 9.0]))
        row[VALUE] = draw(st.floats(0, 90))
        row[SIGMA] = draw(st.floats(0.03, 2.0))
        row[AGE_S] = draw(st.sampled_from([0.0, 0.05, 1.9]))
        row[LONG_SHARE] = draw(st.floats(0.01, 0.95))
        row[CREDIT] = draw(st.floats(0.005, 1.0))
    return rows


places = st.tuples(METRES, METRES, st.just(0.0))
velocities = st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(0, 1))
beliefs = st.tuples(st.floats(1e-4, 25), st.floats(-0.9, 0.9), st.floats(1e-4, 25))


@given(ranges(), places, velocities, beliefs)
def test_ranges_are_weighed_alike_side_by_side(rows, place, velocity, belief) -> None:
    """Which of both ways is gone hangs on who else is heard, and must change no event."""
    xx, lean, yy = belief
    s = (xx, lean * np.sqrt(xx * yy), yy, 0.0, 0.0, 36.0)
    room = np.empty(1, ROOM_DTYPE)[0]
    alike = rows.copy()
    expected = gather_information(rows, len(rows), P, place, velocity, s, 0)
    assert load_ranges(room, alike, len(alike))
    found = gather_ranges(room, len(alike), P, place, velocity, s)
    note_first_ranges(room, alike, len(alike))
    note_last_ranges(room, alike, len(alike))
    assert found == expected
    for column in (RESIDUAL, P_DIRECT, INNOVATION):
        assert alike[:, column].tobytes() == rows[:, column].tobytes()


def test_rows_of_other_kinds_are_not_taken_for_ranges() -> None:
    """One strength among them, and all are gathered row by row."""
    room, rows = np.empty(1, ROOM_DTYPE)[0], np.zeros((ROWS_MAX + 1, ROW_WIDTH))
    rows[:, KIND] = RANGE_KIND
    assert load_ranges(room, rows, ROWS_MAX)
    assert not load_ranges(room, rows, ROWS_MAX + 1)
    rows[1, KIND] = RSSI_KIND
    assert not load_ranges(room, rows, 2)
