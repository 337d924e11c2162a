"""Remember the youngest reading of each link of a track.

Layer: kernels. Takes: readings of one tag. Gives: rows for a first or second fix, how much news a
repeated link carries, and how far the frozen bias of the links may shift a fix.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import RANGE_KIND, RSSI_KIND
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record, wide
from rtls.positioning.kernels.rows import AGE_S, BIAS_SD, KIND, SIGMA, fill_row, residual_and_slope
from rtls.positioning.kernels.small_solve import invert3

CREDIT_MIN = 0.005


@njit(cache=True, nogil=True, error_model="numpy")
def remember_link(
    track: Record,
    anchor: int,
    kind: int,
    heard_at_ms: int,
    value: float,
    sigma: float,
    p: Parameters,
) -> float:
    """Store a reading as the youngest of its link; return the ms since the one before.

    The result is -1 for a link not heard before. The eldest link gives way when all are taken.
    """
    width = track["link_anchor"].size
    place = 0
    eldest = 0
    gap = -1.0
    for k in range(width):
        held = track["link_anchor"][k]
        if held == anchor + 1 and track["link_kind"][k] == kind:
            gap = max(float(heard_at_ms - track["link_heard_ms"][k]), 0.0)
            place = k
            break
        if held == 0:
            place = k
            break
        if track["link_heard_ms"][k] < track["link_heard_ms"][eldest]:
            eldest = k
        place = eldest
    if gap >= 0.0 and heard_at_ms < track["link_heard_ms"][place]:
        return 0.0  # came late: it is evidence, but not the youngest
    track["link_anchor"][place] = anchor + 1
    track["link_kind"][place] = kind
    track["link_heard_ms"][place] = heard_at_ms
    if gap >= 0.0 and kind == RSSI_KIND:
        # One advert fades by 10 dB and more; a fix from the links stands on their running mean.
        news = 1.0 - math.exp(-0.001 * gap / p.rssi_mean_s)
        value = track["link_value"][place] + news * (value - track["link_value"][place])
    track["link_value"][place] = value
    track["link_sigma"][place] = sigma
    return gap


@njit(cache=True, nogil=True, error_model="numpy")
def credit_of_repeat(kind: int, gap_ms: float, p: Parameters) -> float:
    """Return how much of its information a reading adds, its link heard ``gap_ms`` before.

    Errors of one link are correlated over seconds (AR(1), ρ = exp(-gap / τ)); a long row of such
    readings is worth (1 - ρ) / (1 + ρ) each.
    """
    if gap_ms < 0.0:
        return 1.0
    memory_s = p.range_correlation_s if kind == RANGE_KIND else p.rssi_correlation_s
    if memory_s <= 0.0:
        return 1.0
    return max(math.tanh(0.0005 * gap_ms / memory_s), CREDIT_MIN)


@njit(cache=True, nogil=True, error_model="numpy")
def rows_of_links(
    rows: Floats,
    track: Record,
    anchors: AnchorRecords,
    p: Parameters,
    floor: int,
    since_ms: int,
) -> int:
    """Fill ``rows`` with the links heard after ``since_ms`` on ``floor``; return how many."""
    n = wide(0)
    for k in range(track["link_anchor"].size):
        anchor = wide(track["link_anchor"][k]) - 1
        if anchor < 0 or anchor >= anchors.own.size or anchors.own[anchor]["floor"] != floor:
            continue
        if track["link_heard_ms"][k] <= since_ms:
            continue
        if fill_row(
            rows[n],
            anchors,
            p,
            anchor,
            wide(track["link_kind"][k]),
            track["link_value"][k],
            track["link_sigma"][k],
            wide(track["calibration_row"]),
        ):
            age_s = 0.001 * (track["heard_at_ms"] - track["link_heard_ms"][k])
            rows[n, AGE_S] = age_s
            n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def age_rows(rows: Floats, n: int, p: Parameters) -> None:
    """Widen the sigma of ranges by how far the tag may have walked since they were heard."""
    for i in range(n):
        if rows[i, KIND] == RANGE_KIND:
            walked = p.speed_sd_m_s * rows[i, AGE_S]
            rows[i, SIGMA] = math.sqrt(rows[i, SIGMA] ** 2 + walked * walked)


@njit(cache=True, nogil=True, error_model="numpy")
def bias_covariance(
    rows: Floats, n: int, p: Parameters, x: float, y: float, offset: float
) -> tuple[float, float, float]:
    """Return the covariance (xx, yx, yy) that frozen link errors leave however long one stands.

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
