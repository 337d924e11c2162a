"""Learn on line by how much a tag's ranges are too long: all of them, and each link's.

Layer: kernels. Takes: running means of range less distance. Gives: corrections of ranges, and what
their remaining errors leave unknown of the place, to the filter.

A range errs by c + s d + l: the tag's own delay c and scale s, and each link's l. At one place,
errors of ranges and of the place cannot be told apart; from place to place the errors stay and the
directions change. So whenever the tag has moved on, the residuals there are taken as measurements
of place, c, s and all l at once, the place unknown, and the place is shifted with what the errors
gave way. That is a Kalman filter whose place forgets itself between steps, at the rate of steps
instead of readings.
"""

import math

from numba import njit

from rtls.positioning.kernels.likelihood import RANGE_KIND
from rtls.positioning.kernels.records import AnchorRecords, Floats, Parameters, Record, wide
from rtls.positioning.kernels.rows import BIAS_SD, COMMON, LEARNT, LINK, SIGMA, VALUE, believe

# Columns of what is at hand of each link; behind them the matrices that are reckoned in.
AT, HX, HY, SHARE, LENGTH, MEAN_RESIDUAL, TRUST = range(7)
LINK_COLUMNS = 7
LINKS_MAX = 16
UNKNOWNS_MAX = 4 + LINKS_MAX  # place, c, s, l
WORK_ROWS = LINKS_MAX + 2 + UNKNOWNS_MAX
MEAN_ROW = LINKS_MAX
GAIN_ROW = LINKS_MAX + 1
COV_ROW = LINKS_MAX + 2
# Four unknowns of a step (place, c, s) and three links more: a link that is simply wrong, as of an
# anchor that was hung elsewhere, is outvoted. With fewer it was learnt, and drew the track with it.
LEARNABLE_MIN = 7
RESIDUAL_M_MAX = 0.25  # from the middle one: beyond, a fault or a detour, nothing to learn
OWN_M_MAX = 0.4
SHIFT_M_MAX = 0.3
PLACE_SD_M = 2.0  # what a step knows of the place beforehand: nothing
VARIANCE_MIN = 1e-7
BLOCKED_MAX = 0.5
ODD_MAX = 4.0  # squared sigmas above which a residual is believed less and less
C, S, OWN = 0, 1, 2  # in the track; at hand the place comes before them
FIRST_OWN = 4


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def at_pair(i: int, j: int) -> int:
    """Return where the packed lower triangle holds (i, j)."""
    high = max(i, j)  # without a branch: the links of a tag come in any order
    return ((high * (high + 1)) >> 1) + min(i, j)


@njit(cache=True, nogil=True, error_model="numpy")
def begin_biases(track: Record, p: Parameters) -> None:
    """Set what is believed of a tag's delay before its first range."""
    cov = track["bias_link_cov"]
    for k in range(cov.size):
        cov[k] = 0.0
    for k in range(track["bias_mean"].size):
        track["bias_mean"][k] = 0.0
    cov[at_pair(C, C)] = p.range_bias_common_sd_m**2
    cov[at_pair(S, S)] = p.range_slope_sd**2


@njit(cache=True, nogil=True, error_model="numpy")
def begin_bias(track: Record, p: Parameters, place: int, bias_sd_m: float) -> None:
    """Set what is believed of a link's own error before its first range."""
    cov = track["bias_link_cov"]
    if cov[at_pair(C, C)] == 0.0:
        begin_biases(track, p)
    for k in range(track["bias_mean"].size):
        cov[at_pair(OWN + place, k)] = 0.0
    cov[at_pair(OWN + place, OWN + place)] = bias_sd_m * bias_sd_m
    track["bias_own_variance"][place] = bias_sd_m * bias_sd_m
    track["bias_mean"][OWN + place] = 0.0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def correct_range(row: Floats, track: Record, p: Parameters, sigma: float) -> None:
    """Take the learnt error off a range, and what remains unknown of it into its sigma."""
    k = int(row[LINK])
    mean = track["bias_mean"]
    learnt = row[COMMON] * (mean[C] + mean[S] * row[VALUE]) + mean[OWN + k]
    unknown = track["bias_own_variance"][k] + p.range_bias_place_sd_m**2
    row[LEARNT] = learnt
    row[VALUE] -= learnt
    row[BIAS_SD] = math.sqrt(unknown)
    row[SIGMA] = math.sqrt(p.range_sigma_m**2 + unknown)
    believe(row, sigma)


@njit(cache=True, nogil=True, error_model="numpy")
def links_at_hand(
    work: Floats, track: Record, anchors: AnchorRecords, p: Parameters, since_ms: int
) -> int:
    """Lay out the range links heard after ``since_ms`` on the track's floor; return how many."""
    x = track["state"][0]
    y = track["state"][1]
    m = wide(0)
    for k in range(track["link_anchor"].size):
        anchor = track["link_anchor"][k] - 1
        if track["link_kind"][k] != RANGE_KIND or anchor < 0 or anchor >= anchors.own.size:
            continue
        own = anchors.own[anchor]
        if own["floor"] != track["floor"] or track["link_heard_ms"][k] <= since_ms:
            continue
        dx = x - own["x_m"]
        dy = y - own["y_m"]
        rise = own["z_m"] - p.tag_height_m
        distance = max(math.sqrt(dx * dx + dy * dy + rise * rise), 1e-6)
        row = track["calibration_row"]
        if row < 0 or row >= anchors.links.shape[0]:
            row = 0
        link = work[m]
        link[AT] = k
        link[HX] = dx / distance
        link[HY] = dy / distance
        link[SHARE] = anchors.links[row, anchor]["common"]
        link[LENGTH] = distance
        link[MEAN_RESIDUAL] = track["link_residual"][k]
        link[TRUST] = 1.0 - track["link_blocked"][k]
        m += 1
    leave_out_faults(work, m)
    return m


@njit(cache=True, nogil=True, error_model="numpy")
def leave_out_faults(work: Floats, m: int) -> None:
    """Trust no link whose residual lies far from the middle one of all.

    The middle one, and not zero: a delay that all ranges share is to be learnt.
    """
    if m == 0:
        return
    for j in range(m):  # sorted by insertion: they are few
        own = work[j, MEAN_RESIDUAL]
        k = j
        while k > 0 and work[MEAN_ROW, k - 1] > own:
            work[MEAN_ROW, k] = work[MEAN_ROW, k - 1]
            k -= 1
        work[MEAN_ROW, k] = own
    middle = work[MEAN_ROW, m // 2]
    for j in range(m):
        if abs(work[j, MEAN_RESIDUAL] - middle) > RESIDUAL_M_MAX:
            work[j, TRUST] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def load_unknowns(work: Floats, m: int, track: Record) -> None:
    """Lay out mean and covariance of (place, c, s, l of the links at hand)."""
    size = 4 + m
    for i in range(2):
        for j in range(size):
            work[COV_ROW + i, j] = 0.0
            work[COV_ROW + j, i] = 0.0
        work[MEAN_ROW, i] = 0.0
    work[COV_ROW, 0] = PLACE_SD_M * PLACE_SD_M
    work[COV_ROW + 1, 1] = PLACE_SD_M * PLACE_SD_M
    cov = track["bias_link_cov"]
    for i in range(2, size):
        at_i = packed_at(work, i)
        work[MEAN_ROW, i] = track["bias_mean"][at_i]
        for j in range(2, i + 1):
            held = cov[at_pair(at_i, packed_at(work, j))]
            work[COV_ROW + i, j] = held
            work[COV_ROW + j, i] = held


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def packed_at(work: Floats, i: int) -> int:
    """Return which number of the track unknown ``i`` is, 2 and 3 being c and s."""
    return i - 2 if i < FIRST_OWN else OWN + int(work[i - FIRST_OWN, AT])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def take_residual(work: Floats, m: int, j: int, noise: float) -> None:
    """Update the unknowns with the residual of link ``j``."""
    size = 4 + m
    link = work[j]
    own = 4 + j
    share = link[SHARE]
    length = share * link[LENGTH]
    spread = noise
    miss = link[MEAN_RESIDUAL]
    for i in range(size):
        row = work[COV_ROW + i]
        gain = row[0] * link[HX] + row[1] * link[HY] + row[2] * share + row[3] * length + row[own]
        work[GAIN_ROW, i] = gain
    gains = work[GAIN_ROW]
    mean = work[MEAN_ROW]
    spread += gains[0] * link[HX] + gains[1] * link[HY] + gains[2] * share + gains[3] * length
    spread += gains[own]
    miss -= mean[0] * link[HX] + mean[1] * link[HY] + mean[2] * share + mean[3] * length
    miss -= mean[own]
    # A path that is blocked, and not yet known to be, would be learnt as an error that stays.
    spread *= max(miss * miss / (spread * ODD_MAX), 1.0)
    if abs(mean[own] + gains[own] / spread * miss) > OWN_M_MAX:
        return
    for i in range(size):
        step = gains[i] / spread
        mean[i] += step * miss
        row = work[COV_ROW + i]
        for k in range(size):
            row[k] -= step * gains[k]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def learn_biases(work: Floats, track: Record, anchors: AnchorRecords, p: Parameters) -> bool:
    """Learn from the residuals where the tag is now; say whether there was anything to learn."""
    m = links_at_hand(work, track, anchors, p, track["heard_at_ms"] - int(p.bias_window_ms))
    learnable = 0
    for j in range(m):
        learnable += work[j, TRUST] > BLOCKED_MAX
    if learnable < LEARNABLE_MIN:
        return False
    load_unknowns(work, m, track)
    noise = p.bias_noise_factor * (p.range_sigma_m**2 + p.range_bias_place_sd_m**2)
    for j in range(m):
        if work[j, TRUST] > BLOCKED_MAX:
            take_residual(work, m, j, noise / work[j, TRUST])
    shift_place(work, m, track)
    cov = track["bias_link_cov"]
    for i in range(2, 4 + m):
        at_i = packed_at(work, i)
        track["bias_mean"][at_i] = work[MEAN_ROW, i]
        for j in range(2, i + 1):
            cov[at_pair(at_i, packed_at(work, j))] = work[COV_ROW + i, j]
        cov[at_pair(at_i, at_i)] = max(work[COV_ROW + i, i], VARIANCE_MIN)
        if at_i >= OWN:
            track["bias_own_variance"][at_i - OWN] = cov[at_pair(at_i, at_i)]
    return True


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def shift_place(work: Floats, m: int, track: Record) -> None:
    """Move the track to where its ranges put it with the errors as they are known now."""
    xx, yx, yy = geometry_inverse(work, m)
    bx = 0.0
    by = 0.0
    mean = work[MEAN_ROW]
    old = track["bias_mean"]
    for j in range(m):
        link = work[j]
        k = OWN + int(link[AT])
        longer = mean[4 + j] - old[k]
        longer += link[SHARE] * (mean[2] - old[C] + link[LENGTH] * (mean[3] - old[S]))
        bx -= link[TRUST] * link[HX] * longer
        by -= link[TRUST] * link[HY] * longer
    dx = xx * bx + yx * by
    dy = yx * bx + yy * by
    if dx * dx + dy * dy > SHIFT_M_MAX * SHIFT_M_MAX:
        return
    track["state"][0] += dx
    track["state"][1] += dy
    track["walk_state"][0] += dx
    track["walk_state"][1] += dy
    track["stand_state"][0] += dx
    track["stand_state"][1] += dy
    for j in range(m):
        along = work[j, HX] * dx + work[j, HY] * dy
        track["link_residual"][int(work[j, AT])] -= along


@njit(cache=True, nogil=True, error_model="numpy")
def geometry_inverse(work: Floats, m: int) -> tuple[float, float, float]:
    """Return (H'WH)⁻¹ of the links at hand, W being how far each is trusted."""
    xx = 1e-3  # a line of anchors leaves the way across it unknown, not infinite
    yx = 0.0
    yy = 1e-3
    for j in range(m):
        link = work[j]
        xx += link[TRUST] * link[HX] * link[HX]
        yx += link[TRUST] * link[HX] * link[HY]
        yy += link[TRUST] * link[HY] * link[HY]
    determinant = xx * yy - yx * yx
    return yy / determinant, -yx / determinant, xx / determinant


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def unpack_links(work: Floats, m: int, track: Record) -> None:
    """Lay out the covariance of (c, s, l of the links at hand)."""
    cov = track["bias_link_cov"]
    for i in range(2 + m):
        at_i = packed_at(work, i + 2)
        for j in range(i + 1):
            held = cov[at_pair(at_i, packed_at(work, j + 2))]
            work[COV_ROW + i, j] = held
            work[COV_ROW + j, i] = held


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def range_bias_covariance(
    work: Floats, m: int, track: Record, p: Parameters
) -> tuple[float, float, float]:
    """Return the covariance (xx, yx, yy) that errors of the ranges leave however long one stands.

    A place found by least squares moves by G = (H'WH)⁻¹ H'W times the errors, so it is G Σ G' with
    what is still unknown of them, and G G' times what changes from place to place.
    """
    xx, yx, yy = geometry_inverse(work, m)
    size = 2 + m
    gx = work[MEAN_ROW]
    gy = work[GAIN_ROW]
    for i in range(4):
        gx[i] = 0.0
        gy[i] = 0.0
    sum_xx = 0.0
    sum_yx = 0.0
    sum_yy = 0.0
    place = p.range_bias_place_sd_m**2
    for j in range(m):
        link = work[j]
        east = link[TRUST] * (xx * link[HX] + yx * link[HY])
        north = link[TRUST] * (yx * link[HX] + yy * link[HY])
        gx[2 + j] = east
        gy[2 + j] = north
        gx[C] += link[SHARE] * east
        gy[C] += link[SHARE] * north
        gx[S] += link[SHARE] * link[LENGTH] * east
        gy[S] += link[SHARE] * link[LENGTH] * north
        sum_xx += place * east * east
        sum_yx += place * east * north
        sum_yy += place * north * north
    unpack_links(work, m, track)
    for i in range(size):
        for j in range(size):
            held = work[COV_ROW + i, j]
            sum_xx += gx[i] * held * gx[j]
            sum_yx += gx[i] * held * gy[j]
            sum_yy += gy[i] * held * gy[j]
    cap = p.bias_cap_m * p.bias_cap_m
    if not (sum_xx < cap and sum_yy < cap):
        return cap, 0.0, cap
    return sum_xx, sum_yx, sum_yy
