"""Count how many anchors should be heard at a node by a tag that is so much louder or weaker.

Layer: kernels. Takes: the strengths and spreads of a signal map. Gives: a table to
rtls.positioning.signal_map, and its reading to rtls.positioning.kernels.grid_likelihood.

A weak tag is heard by near anchors alone, and by those only when they fade up: what arrives is as
faint as a normal tag at the far end of the shop, where many more anchors would be heard. How strong
the heard ones are cannot tell the two apart; how many there should have been does.
"""

import math

from numba import njit

from rtls.positioning.kernels.grid_records import REFERENCE_DBM, Bytes, Shorts, Singles

OFFSET_STEP_DB = 3.0
OFFSETS = 27
OFFSET_LEAST_DB = -45.0
OFFSET_ZERO = 15  # the column of offset 0
SCALE_4 = 0.7071067811865476  # of Student's t with 4 degrees of freedom and a variance of 1


@njit(cache=True, nogil=True, error_model="numpy")
def student_4(t: float) -> float:
    """Return the distribution function of Student's t with 4 degrees of freedom (closed form)."""
    square = t * t / (4.0 + t * t)
    return 0.5 + 0.25 * math.copysign(math.sqrt(square), t) * (3.0 - square)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_hearing(
    strength: Shorts, spread: Bytes, unheard: int, gain: float, least_dbm: float, table: Singles
) -> None:
    """Fill ``table`` (n_nodes, `OFFSETS`) with ln(1 + anchors that should be heard).

    Parameters
    ----------
    strength, spread
        (n_anchors, n_nodes) hundredths of a dBm, tenths of a dB.
    unheard
        The strength that says "nothing is known": such an anchor does not count.
    gain
        Of the hypothesis, about `REFERENCE_DBM`.
    least_dbm
        What a receiver can just hear.
    table
        Written; float32.
    """
    table[:] = 1.0  # somebody was heard, however weak the tag
    for anchor in range(strength.shape[0]):
        for node in range(strength.shape[1]):
            if strength[anchor, node] == unheard:
                continue
            expected = REFERENCE_DBM + gain * (0.01 * strength[anchor, node] - REFERENCE_DBM)
            width = SCALE_4 * 0.1 * spread[anchor, node]
            for k in range(OFFSETS):
                offset = OFFSET_LEAST_DB + OFFSET_STEP_DB * k
                table[node, k] += student_4((expected + offset - least_dbm) / width)
    for node in range(table.shape[0]):
        for k in range(OFFSETS):
            table[node, k] = math.log(table[node, k])


@njit(cache=True, nogil=True, error_model="numpy")
def hearing_at(row: Singles, offset: float) -> tuple[float, float]:
    """Return the table's row at an offset, and its slope there, 1/dB; ends go on level."""
    at = (offset - OFFSET_LEAST_DB) / OFFSET_STEP_DB
    if at <= 0.0:
        return float(row[0]), 0.0
    if at >= OFFSETS - 1:
        return float(row[OFFSETS - 1]), 0.0
    k = int(at)
    rise = row[k + 1] - row[k]
    return float(row[k] + (at - k) * rise), float(rise / OFFSET_STEP_DB)
