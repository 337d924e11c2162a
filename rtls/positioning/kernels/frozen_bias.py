"""Say what frozen errors of the links leave unknown of a place, however long one stands there.

Layer: kernels. Takes: the links of a track. Gives: the part of the emitted covariance that time
does not shrink, and which kinds carry the track, to rtls.positioning.kernels.track_epoch.
"""

from numba import njit

from rtls.positioning.kernels.likelihood import RANGE_KIND
from rtls.positioning.kernels.link_bias import (
    LEARNABLE_MIN,
    links_at_hand,
    range_bias_covariance,
)
from rtls.positioning.kernels.links import rows_of_links
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record, wide
from rtls.positioning.kernels.residuals import residual_and_slope
from rtls.positioning.kernels.rows import BIAS_SD
from rtls.positioning.kernels.small_solve import invert3


@njit(cache=True, nogil=True, error_model="numpy")
def bias_covariance(
    rows: Floats, n: int, p: Parameters, x: float, y: float, offset: float
) -> tuple[float, float, float]:
    """Return the covariance (xx, yx, yy) that independent frozen errors of the rows leave.

    It is the Cramér-Rao bound of one reading a link with the sd of the bias in place of the noise:
    time does not shrink it, another anchor does. Bounded by `bias_cap_m` where links are few,
    since then the filter's own covariance grows.
    """
    ridge = 1.0 / (p.bias_cap_m * p.bias_cap_m)
    j00 = ridge
    j10 = 0.0
    j11 = ridge
    j20 = 0.0
    j21 = 0.0
    j22 = 1.0 / (p.offset_sd_db * p.offset_sd_db)
    for i in range(n):
        _, hx, hy, ho = residual_and_slope(rows[i], x, y, offset)
        weight = 1.0 / (rows[i, BIAS_SD] * rows[i, BIAS_SD])
        j00 += weight * hx * hx
        j10 += weight * hx * hy
        j11 += weight * hy * hy
        j20 += weight * hx * ho
        j21 += weight * hy * ho
        j22 += weight * ho * ho
    inverse, is_regular = invert3(j00, j10, j11, j20, j21, j22)
    if not is_regular:
        return 1.0 / ridge, 0.0, 1.0 / ridge
    return inverse[0], inverse[1], inverse[2]


@njit(cache=True, nogil=True, error_model="numpy")
def kinds_heard(track: Record, since_ms: int) -> int:
    """Return bits 1 << kind of the links heard after ``since_ms``."""
    kinds = 0
    for k in range(track["link_anchor"].size):
        if track["link_anchor"][k] > 0 and track["link_heard_ms"][k] > since_ms:
            kinds |= 1 << int(track["link_kind"][k])
    return kinds


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def note_carriers(
    rows: Floats, work: Floats, track: Record, anchors: AnchorRecords, p: Parameters
) -> None:
    """Keep which kinds carry the track now, and what their frozen errors leave of its place.

    Ranges share errors that are learnt together; where they carry the track, theirs counts.
    """
    since = track["heard_at_ms"] - int(p.bias_window_ms)
    kinds = kinds_heard(track, since)
    track["kinds"] = kinds
    bias = track["bias_cov"]
    m = links_at_hand(work, track, anchors, p, since)
    if m >= LEARNABLE_MIN:
        bias[0], bias[1], bias[2] = range_bias_covariance(work, m, track, p)
        if kinds == 1 << RANGE_KIND:
            return
    state = track["state"]
    n = rows_of_links(rows, track, anchors, p, wide(track["floor"]), since)
    xx, yx, yy = bias_covariance(rows, n, p, state[0], state[1], state[4])
    if m < LEARNABLE_MIN or xx + yy < bias[0] + bias[2]:
        bias[0], bias[1], bias[2] = xx, yx, yy
