"""Write what a live map draws as few bytes: positions, who is in which slot, and how sure we are.

Layer: edges. Takes: arrays of one floor. Gives: binary frames to the live feed and to playback.
docs/live_wire.md describes them for readers. Little-endian, a header of 24 bytes, then columns: a
browser lays typed arrays over them and copies nothing.
"""

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from rtls.model.site_map import Floor
from rtls.model.units import Metre, UnixMs

VERSION: Final = 1
HEADER: Final = struct.Struct("<BBhIIdf")
ABSENT: Final = 65_535
"""in place of a coordinate: not here now"""
STEPS_MAX: Final = ABSENT - 1
M_PER_STEP: Final = Metre(0.01)
AGE_DS_MAX: Final = 255
RADIUS_DM_MAX: Final = 255
# sqrt of the chi-square quantile of 68.3 % with 2 degrees of freedom
RADIUS_SIGMAS_68: Final = math.sqrt(-2.0 * math.log(1.0 - 0.6827))

Steps = npt.NDArray[np.uint16]


class FrameKind(IntEnum):
    """What a frame holds."""

    POSITIONS = 1
    ROSTER = 2
    QUALITY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHead:
    """What stands before the columns of each frame."""

    floor: int
    roster: int
    """the number of the roster that says who is in which slot"""
    at_ms: UnixMs
    m_per_step: float

    def render(self, kind: FrameKind, count: int) -> bytes:
        """Return the 24 bytes."""
        return HEADER.pack(
            kind, VERSION, self.floor, self.roster, count, float(self.at_ms), self.m_per_step
        )


def m_per_step(floor: Floor) -> float:
    """Return how long a step is: a centimetre, or more where a floor is longer than 655 m."""
    longest_m = max(floor.width_m, floor.height_m)
    return max(M_PER_STEP, math.ceil(100.0 * longest_m / STEPS_MAX) / 100.0)


def steps_of(values_m: npt.NDArray[np.floating], *, step_m: float) -> Steps:
    """Return coordinates in steps; what lies beyond the frame of the floor is put on its edge.

    A coordinate that is no number becomes `ABSENT`: nobody knows where that is.
    """
    steps = np.rint(np.nan_to_num(values_m / step_m, nan=ABSENT, posinf=ABSENT, neginf=0.0))
    steps = np.where(np.isfinite(values_m), np.clip(steps, 0, STEPS_MAX), ABSENT)
    return steps.astype("<u2")


def positions_frame(head: FrameHead, x: Steps, y: Steps) -> bytes:
    """Return where each slot of the roster is."""
    return b"".join((head.render(FrameKind.POSITIONS, len(x)), x.tobytes(), y.tobytes()))


def roster_frame(head: FrameHead, refs: list[str]) -> bytes:
    """Return who is in which slot."""
    return head.render(FrameKind.ROSTER, len(refs)) + msgspec.json.encode({"refs": refs})


def quality_frame(
    head: FrameHead, radius_dm: npt.NDArray[np.uint8], age_ds: npt.NDArray[np.uint8]
) -> bytes:
    """Return how far each slot may be off, and how old the last reading is."""
    parts = (head.render(FrameKind.QUALITY, len(radius_dm)), radius_dm.tobytes(), age_ds.tobytes())
    return b"".join(parts)


def radius_dm(variance_m2: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Return the radius that holds 68 %, in decimetres, from the mean variance of the two axes.

    Examples
    --------
    >>> radius_dm(np.array([1.0, 0.0, np.nan])).tolist()
    [15, 0, 255]
    """
    sigma_m = np.sqrt(np.maximum(np.nan_to_num(variance_m2, nan=np.inf), 0.0))
    steps: npt.NDArray[np.float64] = np.rint(10.0 * RADIUS_SIGMAS_68 * sigma_m)
    return np.minimum(steps, RADIUS_DM_MAX).astype(np.uint8)


def age_ds(age_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return ages in tenths of seconds; 255 is that old or older.

    Examples
    --------
    >>> age_ds(np.array([-5, 0, 950, 60_000])).tolist()
    [0, 0, 9, 255]
    """
    return np.clip(age_ms // 100, 0, AGE_DS_MAX).astype(np.uint8)
