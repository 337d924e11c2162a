"""Which readings an epoch takes, and by which filter: the kernels agree with whole columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.reading import READING_DTYPE, ReadingKind
from rtls.positioning.grid_choice import PRECISE_FOR_MS, choose_filter, usual_spreads
from rtls.positioning.known_readings import NEVER, known_readings
from rtls.positioning.locator_state import LocatorState
from rtls.positioning.measurement import MeasurementSettings
from tests.reference.epoch_choice import coarse_by_columns, known_by_columns

END_MS = 60_000
TAGS, ANCHORS = 5, 3


@st.composite
def epochs(draw, tags):
    """Give readings sorted by tag, some of strangers, from the past and from the future."""
    count = draw(st.integers(0, 14))
    readings = np.zeros(count, READING_DTYPE)
    readings["tag"] = sorted(draw(st.lists(tags, min_size=count, max_size=count)))
    for reading in readings:
        reading["anchor"] = draw(st.integers(-1, ANCHORS))
        reading["ref_anchor"] = draw(st.sampled_from([-1, 0, ANCHORS]))
        reading["heard_at_ms"] = END_MS + draw(st.sampled_from([-5000, -2000, -1, 0, 1]))
        reading["kind"] = draw(st.sampled_from([ReadingKind.RSSI, ReadingKind.RANGE]))
        reading["sigma"] = draw(st.sampled_from([np.nan, 0.0, 0.5, 2.0, 3.0]))
    return readings


@given(
    epochs(st.integers(-1, TAGS + 1)),
    st.lists(st.sampled_from([NEVER, 0, 58_000]), min_size=TAGS, max_size=TAGS),
    st.sampled_from([None, END_MS - 2000]),
)
def test_the_same_readings_are_taken_and_counted(readings, heard, oldest_ms) -> None:
    """A count that is off by one sends an operator after a gateway that is in order."""
    bounds = {"n_anchors": ANCHORS, "oldest_ms": oldest_ms, "end_ms": END_MS}
    heard_ms, expected_ms = np.array(heard, np.int64), np.array(heard, np.int64)
    found, left_out = known_readings(readings, heard_ms, **bounds)
    expected, expected_out = known_by_columns(readings, expected_ms, **bounds)
    assert found.tobytes() == expected.tobytes()
    assert left_out == expected_out
    assert heard_ms.tolist() == expected_ms.tolist()


def test_a_batch_that_may_not_be_written_to_is_read_all_the_same() -> None:
    """Batches of a replay lie in a file that is mapped read-only."""
    readings = np.zeros(1, READING_DTYPE)
    readings["ref_anchor"] = -1
    readings.flags.writeable = False
    heard_ms = np.zeros(1, np.int64)
    known, _ = known_readings(readings, heard_ms, n_anchors=1, oldest_ms=None, end_ms=END_MS)
    assert known.size == 1
    assert known.flags.writeable


@given(
    epochs(st.integers(0, TAGS - 1)),
    st.lists(
        st.tuples(st.sampled_from([0, END_MS - PRECISE_FOR_MS - 1, END_MS - PRECISE_FOR_MS, 1]),
                  st.integers(0, 2)),
        min_size=TAGS,
        max_size=TAGS,
    ),
)  # fmt: skip
def test_the_same_filter_takes_each_tag(readings, known) -> None:
    """A tag that was ranged must not fall back to half a metre while its ranges pause."""
    states = [LocatorState.empty(TAGS, has_grid=True) for _ in range(2)]
    for state in states:
        state.beliefs.rows["precise_ms"] = [precise_ms for precise_ms, _ in known]
        state.beliefs.rows["used"] = [used for _, used in known]
        state.tracks["is_located"] = 1
    usual = usual_spreads(MeasurementSettings())
    marks, taken = choose_filter(states[0], readings, usual=usual, epoch_end_ms=END_MS)
    expected = coarse_by_columns(states[1], readings, usual=usual, epoch_end_ms=END_MS)
    assert marks.tolist() == expected.tolist()
    assert taken == np.count_nonzero(expected)
    assert states[0].beliefs.rows.tobytes() == states[1].beliefs.rows.tobytes()
    assert states[0].tracks.tobytes() == states[1].tracks.tobytes()
