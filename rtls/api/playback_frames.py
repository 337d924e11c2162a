"""Make the frames of the live wire from what the history holds of a few minutes.

Layer: edges. Takes: `PlayedColumns`. Gives: one roster and a frame of positions for each step to
the playback route. The refs are numbers of this answer alone: neither another answer nor the live
map has the same.
"""

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.api.live_frames import (
    ABSENT,
    FrameHead,
    Steps,
    m_per_step,
    positions_frame,
    roster_frame,
    steps_of,
)
from rtls.api.live_roster import base_36
from rtls.model.errors import InvalidReport
from rtls.model.site_map import Floor
from rtls.model.units import UnixMs
from rtls.ports import PlayedColumns

LENGTH: Final = struct.Struct("<I")
HOLD_MS: Final = 5_000
"""so long somebody stands where the last row says; then nobody knows"""
CELLS_MAX: Final = 6_000_000
"""frames times slots: 24 MB"""
FIRST_ROSTER: Final = 1


def playback(
    played: PlayedColumns, *, floor: Floor, start_ms: UnixMs, end_ms: UnixMs, step_ms: int
) -> bytes:
    """Return the frames one after another, each behind its length.

    Parameters
    ----------
    played
        What the history holds of this floor and time.
    floor
        Of the site map.
    start_ms, end_ms
        The first frame is at the start, the last before the end.
    step_ms
        From one frame to the next.

    Raises
    ------
    InvalidReport
        If the answer would be larger than 24 MB.
    """
    instants = np.arange(start_ms, end_ms, step_ms)
    visitors, slot = np.unique(played.visitor, return_inverse=True)
    if len(visitors) * len(instants) > CELLS_MAX:
        raise InvalidReport(
            f"the playback has {len(instants)} pictures of {len(visitors)} people; expected at "
            f"most {CELLS_MAX:,} places. Ask for a shorter time or a larger step_s."
        )
    step_m = m_per_step(floor)
    places = [
        _held(steps_of(axis, step_m=step_m), played.at_ms, slot, instants, len(visitors))
        for axis in (played.x_m, played.y_m)
    ]
    refs = [base_36(number + 1) for number in range(len(visitors))]
    frames = [roster_frame(_head(floor, start_ms, step_m), refs)]
    frames += [
        positions_frame(_head(floor, UnixMs(at_ms), step_m), x, y)
        for at_ms, x, y in zip(instants.tolist(), *places, strict=True)
    ]
    return b"".join(LENGTH.pack(len(frame)) + frame for frame in frames)


def _head(floor: Floor, at_ms: UnixMs, step_m: float) -> FrameHead:
    return FrameHead(floor=floor.floor, roster=FIRST_ROSTER, at_ms=at_ms, m_per_step=step_m)


def _held(
    steps: Steps,
    at_ms: npt.NDArray[np.int64],
    slot: npt.NDArray[np.intp],
    instants: npt.NDArray[np.int64],
    slots: int,
) -> npt.NDArray[np.uint16]:
    """Return one coordinate, (n_instants, n_slots): of each the last one known, held a while."""
    step_ms = int(instants[1] - instants[0]) if len(instants) > 1 else HOLD_MS
    grid = np.full((len(instants), slots), ABSENT, "<u2")
    # A row is shown in the first picture that is not before it; of several the last one counts.
    frame = -((instants[0] - at_ms) // step_ms)
    in_order = np.argsort(at_ms, kind="stable")
    in_order = in_order[frame[in_order] < len(instants)]
    grid[frame[in_order], slot[in_order]] = steps[in_order]
    held = np.zeros(slots, np.int64)
    for index in range(1, len(instants)):
        is_empty = grid[index] == ABSENT
        held = np.where(is_empty, held + step_ms, 0)
        carried = is_empty & (held <= HOLD_MS)
        grid[index, carried] = grid[index - 1, carried]
    return grid
