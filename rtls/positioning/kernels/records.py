"""Name what the kernels share: the records of anchors and the numbers of the settings.

Layer: kernels. Takes: nothing. Gives: dtypes and types to the other kernels and their callers.

Kernels take structured arrays whole and pass single records on by reference. Their columns would
come in as strided arrays, two hundred numbers a call; and the column of a one-row array counts as
contiguous, which is another type and so another compilation in the middle of the day.

A function of one caller in the hot loop is put into it (`forceinline`): arrays that are handed on
are counted by the runtime at every call, twice with an atomic operation, a fifth of the time.
"""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Record = np.void
Records = npt.NDArray[np.void]

ANCHOR_DTYPE = np.dtype(
    [
        ("x_m", np.float64),
        ("y_m", np.float64),
        ("z_m", np.float64),
        ("box", np.float64, (4,)),  # low x, high x, low y, high y of all anchors of its floor
        ("rssi_at_1m", np.float64),
        ("exponent", np.float64),
        ("rssi_sigma_db", np.float64),
        ("rssi_bias_sd_db", np.float64),
        ("yaw_rad", np.float64),  # turns azimuths of the anchor into azimuths of the frame
        ("floor", np.int64),
        ("floor_index", np.int64),  # among the floors of the site
        ("is_placed", np.int64),
    ],
    align=True,
)
HEALTH_DTYPE = np.dtype(
    [
        ("weight", np.float64),  # 0..1, factor on the information of the anchor; 1: full trust
        ("residual_sum", np.float64),  # of normalised innovations, clipped, of located tracks
        ("residual_sq_sum", np.float64),
        ("interval_ms", np.float64),  # the anchor's own usual interval between epochs that hear it
        ("count", np.int64),  # innovations in the sums
        ("heard_at_ms", np.int64),  # 0 before the first reading
        ("newest_ms", np.int64),  # the same, while an epoch is being read
    ],
    align=True,
)
LINK_DTYPE = np.dtype(
    [
        ("bias_m", np.float64),
        ("slope", np.float64),
        ("bias_sd_m", np.float64),  # what of the link's own bias remains unknown
        ("common", np.float64),  # 1 where the delay of the tag is in the ranges, 0 where calibrated
    ],
    align=True,
)


class AnchorRecords(NamedTuple):
    """Anchors in the order of the site map, and what is known of each link.

    Parameters
    ----------
    own
        `ANCHOR_DTYPE`, (n_anchors,).
    links
        `LINK_DTYPE`, (n_rows, n_anchors).
    floors
        (n_floors,) int64, the floors that have anchors.
    """

    own: Records
    links: Records
    floors: npt.NDArray[np.int64]


class Parameters(Protocol):
    """Numbers of `MeasurementSettings` and `TrackingSettings`, where they are explained.

    One record, handed on by reference. As a tuple its fifty numbers would be copied into every
    call that is not inlined, which was two fifths of the filter's time.
    """

    range_sigma_m: float
    long_share: float
    long_scale_m: float
    short_share: float
    short_scale_m: float
    blocked_stay_s: float
    blocked_share_min: float
    range_bias_common_m: float
    range_bias_common_sd_m: float
    range_bias_place_sd_m: float
    range_slope_sd: float
    bias_noise_factor: float
    bias_cap_m: float
    bias_step_m: float
    bias_window_ms: float
    range_correlation_s: float
    rssi_correlation_s: float
    aoa_correlation_s: float
    position_correlation_s: float
    smoothed_s: float
    tdoa_sigma_m: float
    tdoa_bias_sd_m: float
    aoa_sigma_rad: float
    aoa_bias_sd_rad: float
    position_sigma_m: float
    position_bias_sd_m: float
    student_dof: float
    offset_sd_db: float
    offset_drift_db2_s: float
    tag_height_m: float
    speed_sd_m_s: float
    speed_memory_s: float
    standing_sway_m2_s: float
    standing_prior: float
    mode_memory_s: float
    instant_ms: float
    first_fix_window_ms: float
    lost_after_ms: float
    surprise_max: float
    surprise_memory: float
    recovery_cost: float
    recovery_cost_rssi: float
    recheck_ms: float
    rssi_mean_s: float
    huber_long_sigmas: float
    huber_short_sigmas: float
    anchor_spread_m_min: float
    outside_sd_m: float
    floor_nats_per_db: float
    floor_say_max: float
    floor_log_odds_max: float
    floor_change_odds: float


PARAMETERS_DTYPE = np.dtype([(name, np.float64) for name in Parameters.__annotations__])


@njit(cache=True, nogil=True)
def wide(number: int) -> int:
    """Return a whole number in 64 bits.

    A literal or a narrower number is another type, for which each callee is compiled once more.
    """
    return int(np.int64(number))
