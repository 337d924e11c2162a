"""The filtered state of one tag, as one record in a contiguous array.

Layer: nouns. Takes: nothing. Gives: the dtype of the engine's track state to positioning (which
updates it in place) and to the engine (which stores it as bytes). No Python object per tag.
"""

from typing import Final

import numpy as np

TAG_ID_BYTES_MAX: Final = 64

# The state vector of the filter is (x, y, vx, vy, rssi offset); cov is its lower triangle, row by
# row: xx, yx, yy, vx·x, vx·y, vx·vx, … (15 numbers). A change here is a new SNAPSHOT_VERSION.
TRACK_STATE_SIZE: Final = 5
TRACK_COV_SIZE: Final = 15

# A standing tag has no velocity: (x, y, rssi offset) and its lower triangle.
STAND_STATE_SIZE: Final = 3
STAND_COV_SIZE: Final = 6

# The youngest reading of each link, so that a first fix does not need all anchors in one epoch,
# correlated readings of one link are not counted as news, and the emitted covariance knows which
# anchors carry it. The eldest gives way.
LINKS_A_TRACK: Final = 16

# Range errors as learnt on line: what the tag adds to all its ranges, its slope, and each link's
# own; the covariance is the lower triangle of these 18.
BIAS_STATE_SIZE: Final = 2 + LINKS_A_TRACK
BIAS_COV_SIZE: Final = BIAS_STATE_SIZE * (BIAS_STATE_SIZE + 1) // 2

FLOORS_A_SITE: Final = 16

# What every reading touches lies together: a shop of tracks does not fit into the fast caches.
TRACK_DTYPE: Final = np.dtype(
    [
        ("tag_id", f"S{TAG_ID_BYTES_MAX}"),  # ASCII; empty where the slot is free
        ("state", np.float64, (TRACK_STATE_SIZE,)),  # m, m, m/s, m/s, dB: both modes together
        ("cov", np.float64, (TRACK_COV_SIZE,)),
        ("walk_state", np.float64, (TRACK_STATE_SIZE,)),
        ("walk_cov", np.float64, (TRACK_COV_SIZE,)),
        ("stand_state", np.float64, (STAND_STATE_SIZE,)),  # m, m, dB
        ("stand_cov", np.float64, (STAND_COV_SIZE,)),
        # xx, yx, yy, m²: what frozen link errors leave of the place
        ("bias_cov", np.float64, (3,)),
        ("p_standing", np.float64),  # probability of the standing mode
        ("surprise", np.float64),  # running mean of the normalised innovation: lock loss shows here
        ("unit_variance", np.float64),  # running mean square of residuals over stated noise
        ("at_ms", np.int64),  # instant of `state`
        ("heard_at_ms", np.int64),  # youngest reading used
        ("first_heard_at_ms", np.int64),
        ("interval_ms", np.float64),  # the tag's own usual interval between epochs with readings
        ("z_m", np.float64),
        ("floor", np.int32),
        ("calibration_row", np.int32),  # row of per-link calibration, 0 where there is none
        ("kinds", np.uint8),  # bit 1 << ReadingKind of the readings used lately
        ("is_located", np.uint8),
        ("pad", np.uint8, (6,)),
        ("link_kind", np.uint8, (LINKS_A_TRACK,)),
        ("link_anchor", np.int32, (LINKS_A_TRACK,)),  # index + 1; 0 where the link is free
        ("link_heard_ms", np.int64, (LINKS_A_TRACK,)),
        ("link_value", np.float64, (LINKS_A_TRACK,)),  # as received: m, dBm, rad
        ("link_sigma", np.float32, (LINKS_A_TRACK,)),  # as stated, NaN where it is not
        ("link_blocked", np.float32, (LINKS_A_TRACK,)),  # probability that the path is blocked
        ("link_residual", np.float32, (LINKS_A_TRACK,)),  # running mean of range less distance, m
        ("bias_mean", np.float32, (BIAS_STATE_SIZE,)),  # m, m/m, then m by link, less the expected
        ("bias_own_variance", np.float32, (LINKS_A_TRACK,)),  # m², what is unknown of each link's
        ("link_ref", np.int32, (LINKS_A_TRACK,)),  # index of the second anchor of a difference
        ("link_value_2", np.float64, (LINKS_A_TRACK,)),  # of positions and angles
        ("bias_place", np.float64, (2,)),  # where range errors were last learnt
        ("bias_at_ms", np.int64),  # when; 0 before
        ("floor_log_odds", np.float32, (FLOORS_A_SITE,)),  # log probability by floor, up to a sum
        ("bias_link_cov", np.float32, (BIAS_COV_SIZE,)),
        ("pad_2", np.uint8, (4,)),
    ],
    align=True,
)
