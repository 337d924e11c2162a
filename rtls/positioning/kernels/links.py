"""Remember the youngest reading of each link of a track.

Layer: kernels. Takes: readings of one tag. Gives: rows for a first or second fix, how much news a
repeated link carries, and whether its path has been blocked lately.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.likelihood import (
    AOA_KIND,
    AZIMUTH_ROW,
    ELEVATION_ROW,
    POSITION_KIND,
    RANGE_KIND,
    RSSI_KIND,
    TDOA_KIND,
)
from rtls.positioning.kernels.link_bias import begin_bias, correct_range
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record, wide
from rtls.positioning.kernels.rows import (
    AGE_S,
    GAP_MS,
    KIND,
    LEARNT,
    LINK,
    P_DIRECT,
    RESIDUAL,
    ROWS_A_READING,
    SIGMA,
    fill_rows,
)

CREDIT_MIN = 0.005
DIRECT_MIN = 0.5
RESIDUAL_MEMORY_MS = 1_000.0
FLAG_SMOOTHED = 1


@njit(cache=True, nogil=True, error_model="numpy")
def remember_link(track: Record, link: Record, p: Parameters, reading: Record) -> tuple[int, float]:
    """Store a reading as the youngest of its link; return where, and the ms since the one before.

    The time is -1 for a link not heard before. The eldest link gives way when all are taken.
    """
    anchor = wide(reading["anchor"])
    kind = wide(reading["kind"])
    ref = wide(reading["ref_anchor"])
    heard_at_ms = reading["heard_at_ms"]
    place = wide(0)
    eldest = wide(0)
    gap = -1.0
    for k in range(track["link_anchor"].size):
        held = track["link_anchor"][k]
        if (
            held == anchor + 1
            and track["link_kind"][k] == kind
            and (kind != TDOA_KIND or track["link_ref"][k] == ref)
        ):
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
        return place, 0.0  # came late: it is evidence, but not the youngest
    value = reading["value"]
    if gap < 0.0:
        begin_link(track, link, p, place, anchor, kind)
        track["link_ref"][place] = ref
    elif kind == RSSI_KIND:
        # One advert fades by 10 dB and more; a fix from the links stands on their running mean.
        news = 1.0 - math.exp(-0.001 * gap / p.rssi_mean_s)
        value = track["link_value"][place] + news * (value - track["link_value"][place])
    track["link_heard_ms"][place] = heard_at_ms
    track["link_value"][place] = value
    if kind in (AOA_KIND, POSITION_KIND):
        track["link_value_2"][place] = reading["value_2"]
    track["link_sigma"][place] = reading["sigma"]
    return place, gap


@njit(cache=True, nogil=True, error_model="numpy")
def begin_link(
    track: Record, link: Record, p: Parameters, place: int, anchor: int, kind: int
) -> None:
    """Give a place to a link, forgetting whose it was."""
    track["link_anchor"][place] = anchor + 1
    track["link_kind"][place] = kind
    track["link_blocked"][place] = p.long_share
    track["link_residual"][place] = 0.0
    if kind == RANGE_KIND:
        begin_bias(track, p, place, link["bias_sd_m"])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def credit_of_repeat(kind: int, gap_ms: float, flags: int, p: Parameters) -> float:
    """Return how much of its information a reading adds, its link heard ``gap_ms`` before.

    Errors of one link are correlated over seconds (AR(1), ρ = exp(-gap / τ)); a long row of such
    readings is worth (1 - ρ) / (1 + ρ) each. What the sender has averaged already is correlated
    over its window as well.
    """
    if gap_ms < 0.0:
        return 1.0
    memory_s = p.rssi_correlation_s if kind == RSSI_KIND else p.range_correlation_s
    if kind == AOA_KIND:
        memory_s = p.aoa_correlation_s
    elif kind == POSITION_KIND:
        memory_s = p.position_correlation_s
    if flags & FLAG_SMOOTHED:
        memory_s += p.smoothed_s
    if memory_s <= 0.0:
        return 1.0
    rho = math.exp(-0.001 * gap_ms / memory_s)
    return max((1.0 - rho) / (1.0 + rho), CREDIT_MIN)


@njit(cache=True, nogil=True, error_model="numpy")
def memory_of_blocking(gap_ms: float, p: Parameters) -> float:
    """Return how much of what a path was ``gap_ms`` ago it still is.

    People and trolleys stay in the way for some seconds (`blocked_stay_s`, a two-state chain).
    """
    relaxation_s = p.blocked_stay_s * (1.0 - p.long_share)
    return math.exp(-0.001 * gap_ms / relaxation_s)


@njit(cache=True, nogil=True, error_model="numpy")
def share_blocked(was_blocked: float, gap_ms: float, memory: float, p: Parameters) -> float:
    """Return the probability that a path is blocked, ``gap_ms`` after it was so with another.

    What the path was a moment ago is most of what is known.
    """
    if gap_ms < 0.0:
        return p.long_share
    share = p.long_share + (was_blocked - p.long_share) * memory
    return min(max(share, p.blocked_share_min), 0.95)


@njit(cache=True, nogil=True, error_model="numpy")
def note_links(rows: Floats, n: int, track: Record) -> None:
    """Keep what the settled residuals say of the path of each range, and their running mean."""
    for i in range(n):
        row = rows[i]
        if row[KIND] != RANGE_KIND or row[LINK] < 0.0:
            continue
        k = int(row[LINK])
        is_long = 1.0 if row[RESIDUAL] > 0.0 else 0.0
        track["link_blocked"][k] = is_long * (1.0 - row[P_DIRECT])
        news = 1.0
        if row[GAP_MS] >= 0.0:
            news = row[P_DIRECT] * row[GAP_MS] / (row[GAP_MS] + RESIDUAL_MEMORY_MS)
        if is_long == 0.0 and row[P_DIRECT] < DIRECT_MIN:
            news = 1.0  # too short is a fault, not a detour: it must show, or it would be learnt
        raw = row[RESIDUAL] + row[LEARNT]
        track["link_residual"][k] += news * (raw - track["link_residual"][k])


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
        if track["link_heard_ms"][k] <= since_ms or n + ROWS_A_READING > rows.shape[0]:
            continue
        added = fill_rows(
            rows,
            n,
            anchors,
            p,
            anchor,
            wide(track["link_kind"][k]),
            track["link_value"][k],
            track["link_value_2"][k],
            np.float64(track["link_sigma"][k]),
            wide(track["link_ref"][k]),
            wide(track["calibration_row"]),
        )
        for i in range(n, n + added):
            rows[i, AGE_S] = 0.001 * (track["heard_at_ms"] - track["link_heard_ms"][k])
            rows[i, LINK] = k
            if rows[i, KIND] == RANGE_KIND:
                correct_range(rows[i], track, p, np.float64(track["link_sigma"][k]))
        n += added
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def age_rows(rows: Floats, n: int, p: Parameters) -> None:
    """Widen the sigma of what is measured in metres by how far the tag may have walked since."""
    for i in range(n):
        kind = rows[i, KIND]
        if kind not in (RSSI_KIND, AZIMUTH_ROW, ELEVATION_ROW):
            walked = p.speed_sd_m_s * rows[i, AGE_S]
            rows[i, SIGMA] = math.sqrt(rows[i, SIGMA] ** 2 + walked * walked)
