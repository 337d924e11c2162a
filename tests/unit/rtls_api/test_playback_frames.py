"""Playback: the frames of the live wire, made of what the history holds."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.api.playback_frames import HOLD_MS, playback
from rtls.model.errors import InvalidReport
from rtls.model.site_map import Floor
from rtls.model.units import Metre, UnixMs
from rtls.ports import PlayedColumns
from tests.unit.rtls_api.live_crowd import Read, read

FLOOR = Floor(floor=2, name="Top", width_m=Metre(80.0), height_m=Metre(50.0))
START_MS = 1_795_255_200_000
Row = tuple[int, int, float, float]


def columns(rows: list[Row]) -> PlayedColumns:
    at_ms, visitor, x_m, y_m = zip(*rows, strict=True) if rows else ((), (), (), ())
    return PlayedColumns(
        at_ms=np.array(at_ms, np.int64) + START_MS,
        visitor=np.array(visitor, np.uint64),
        x_m=np.array(x_m, np.float32),
        y_m=np.array(y_m, np.float32),
    )


def play(rows: list[Row], *, seconds: int, step_s: int = 1) -> list[Read]:
    content = playback(
        columns(rows),
        floor=FLOOR,
        start_ms=UnixMs(START_MS),
        end_ms=UnixMs(START_MS + 1_000 * seconds),
        step_ms=1_000 * step_s,
    )
    frames = []
    while content:
        (length,) = struct.unpack_from("<I", content)
        frames.append(read(content[4 : 4 + length]))
        content = content[4 + length :]
    return frames


def test_a_playback_is_a_roster_and_a_picture_for_each_step() -> None:
    """The same reader draws it as draws the live map."""
    rows = [(400, 11, 1.0, 2.0), (1_400, 11, 1.5, 2.0), (1_000, 2**63, 7.25, 8.5)]
    roster, *pictures = play(rows, seconds=3)
    assert (roster.kind, roster.floor, roster.refs) == (2, 2, ["1", "2"])
    assert [picture.at_ms - START_MS for picture in pictures] == [0, 1_000, 2_000]
    assert pictures[0].places_m == [None, None]
    assert pictures[1].places_m == [(1.0, 2.0), (7.25, 8.5)]
    assert pictures[2].places_m == [(1.5, 2.0), (7.25, 8.5)]
    assert {picture.roster for picture in pictures} == {roster.roster}


def test_nobody_is_told_by_the_number_that_the_history_has() -> None:
    """It would join what is played back with what an export holds."""
    content = playback(
        columns([(0, 0x1234_5678_9ABC_DEF0, 1.0, 1.0)]),
        floor=FLOOR,
        start_ms=UnixMs(START_MS),
        end_ms=UnixMs(START_MS + 1_000),
        step_ms=1_000,
    )
    for order in ("little", "big"):
        assert (0x1234_5678_9ABC_DEF0).to_bytes(8, order) not in content
    assert str(0x1234_5678_9ABC_DEF0).encode() not in content


def place_at(rows: list[Row], visitor: int, at_ms: int, step_ms: int) -> tuple[float, float] | None:
    """The slow twin: the last row not after the picture, unless it is too old by then."""
    known = [row for row in rows if row[1] == visitor and row[0] <= at_ms]
    if not known:
        return None
    last = max(known, key=lambda row: row[0])
    first_shown_ms = -(-last[0] // step_ms) * step_ms
    return (last[2], last[3]) if at_ms - first_shown_ms <= HOLD_MS else None


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 29_999), st.integers(1, 3)), st.integers(0, 40), max_size=40
    ),
    st.sampled_from([1, 2, 7]),
)
def test_everybody_is_where_the_last_row_says_for_a_while(
    found: dict[tuple[int, int], int], step_s: int
) -> None:
    """Against a slow twin: who stands still is not lost, and who is gone does not stay."""
    rows = [(at_ms, visitor, float(x), x / 4) for (at_ms, visitor), x in found.items()]
    roster, *pictures = play(rows, seconds=30, step_s=step_s)
    visitors = sorted({row[1] for row in rows})
    assert len(roster.refs) == len(visitors)
    for picture in pictures:
        at_ms = int(picture.at_ms) - START_MS
        expected = [place_at(rows, one, at_ms, 1_000 * step_s) for one in visitors]
        assert picture.places_m == [
            None if place is None else pytest.approx(place) for place in expected
        ]


def test_a_playback_of_nobody_has_pictures_all_the_same() -> None:
    """A night is to be seen as an empty shop, not as an error."""
    roster, *pictures = play([], seconds=5)
    assert (roster.refs, len(pictures)) == ([], 5)


def test_a_playback_that_would_be_too_large_is_refused_with_the_remedy() -> None:
    """Nine hundred pictures of seven thousand people are a quarter of the memory we may have."""
    crowd = [(0, visitor, 1.0, 1.0) for visitor in range(7_000)]
    with pytest.raises(InvalidReport, match="larger step_s"):
        play(crowd, seconds=900)
    assert len(play(crowd, seconds=900, step_s=2)) == 451
