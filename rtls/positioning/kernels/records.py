"""Name what the kernels share: the records of anchors and the numbers of the settings.

Layer: kernels. Takes: nothing. Gives: dtypes and types to the other kernels and their callers.

Kernels take structured arrays whole and pass single records on by reference. Their columns would
come in as strided arrays, two hundred numbers a call; and the column of a one-row array counts as
contiguous, which is another type and so another compilation in the middle of the day.
"""

from typing import NamedTuple

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


# One record, handed on by reference. As a tuple its fifty numbers would be copied into every call
# that is not inlined, which was two fifths of the filter's time.
PARAMETERS_DTYPE = np.dtype(
    [
        ("range_sigma_m", np.float64),
        ("long_share", np.float64),
        ("long_scale_m", np.float64),
        ("short_share", np.float64),
        ("short_scale_m", np.float64),
        ("blocked_stay_s", np.float64),
        ("blocked_share_min", np.float64),
        ("range_bias_common_m", np.float64),
        ("range_bias_common_sd_m", np.float64),
        ("range_bias_place_sd_m", np.float64),
        ("range_slope_sd", np.float64),
        ("bias_noise_factor", np.float64),
        ("bias_cap_m", np.float64),
        ("bias_step_m", np.float64),
        ("bias_window_ms", np.float64),
        ("range_correlation_s", np.float64),
        ("rssi_correlation_s", np.float64),
        ("aoa_correlation_s", np.float64),
        ("position_correlation_s", np.float64),
        ("smoothed_s", np.float64),
        ("tdoa_sigma_m", np.float64),
        ("tdoa_bias_sd_m", np.float64),
        ("aoa_sigma_rad", np.float64),
        ("aoa_bias_sd_rad", np.float64),
        ("position_sigma_m", np.float64),
        ("position_bias_sd_m", np.float64),
        ("student_dof", np.float64),
        ("offset_sd_db", np.float64),
        ("offset_drift_db2_s", np.float64),
        ("tag_height_m", np.float64),
        ("speed_sd_m_s", np.float64),
        ("speed_memory_s", np.float64),
        ("standing_sway_m2_s", np.float64),
        ("standing_prior", np.float64),
        ("mode_memory_s", np.float64),
        ("instant_ms", np.float64),
        ("first_fix_window_ms", np.float64),
        ("lost_after_ms", np.float64),
        ("surprise_max", np.float64),
        ("surprise_memory", np.float64),
        ("recovery_cost", np.float64),
        ("recovery_cost_rssi", np.float64),
        ("recheck_ms", np.float64),
        ("rssi_mean_s", np.float64),
        ("huber_long_sigmas", np.float64),
        ("huber_short_sigmas", np.float64),
        ("anchor_spread_m_min", np.float64),
        ("outside_sd_m", np.float64),
        ("floor_nats_per_db", np.float64),
        ("floor_say_max", np.float64),
        ("floor_log_odds_max", np.float64),
        ("floor_change_odds", np.float64),
    ]
)
"""Numbers of `MeasurementSettings` and `TrackingSettings`, where they are explained."""
Parameters = np.void


@njit(cache=True, nogil=True)
def wide(number: int) -> int:
    """Return a whole number in 64 bits.

    A literal or a narrower number is another type, for which each callee is compiled once more.
    """
    return int(np.int64(number))
