"""One estimated position with its covariance, for many tags at once.

Layer: nouns. Takes: columns from positioning. Gives: `FixBatch` to geofence, live state, replay.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.units import Metre, UnixMs

# sqrt of the chi-square quantiles with 2 degrees of freedom
RADIUS_SIGMAS_95: Final = math.sqrt(5.991464547107979)

FIX_DTYPE: Final = np.dtype(
    [
        ("tag", np.int32),  # slot in the shard
        ("floor", np.int32),
        ("x_m", np.float64),
        ("y_m", np.float64),
        ("z_m", np.float64),
        ("cov_xx", np.float64),  # m²
        ("cov_xy", np.float64),
        ("cov_yy", np.float64),
        ("vx_m_s", np.float64),
        ("vy_m_s", np.float64),
        ("p_standing", np.float64),  # probability that the tag stands still
        ("evidence_at_ms", np.int64),  # last reading that went into this fix
        ("kinds", np.uint8),  # bit 1 << ReadingKind of the readings used lately
        ("method", np.uint8),  # 0: the covariance is all that is known; 1: a belief on the grid
        ("pad", np.uint8, (6,)),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixBatch:
    """The fixes of one epoch, at the instant `at_ms` (the end of the epoch).

    Parameters
    ----------
    rows
        `FIX_DTYPE`, one row for each tag heard in this epoch (or coasting over a full second),
        sorted by tag.
    """

    at_ms: UnixMs
    rows: npt.NDArray[np.void]


def radius_95(cov_xx: float, cov_xy: float, cov_yy: float) -> Metre:
    """Return the long half axis of the 95 % ellipse of a 2 × 2 covariance in m².

    Examples
    --------
    >>> round(radius_95(1.0, 0.0, 1.0), 3)
    2.448
    """
    mean = (cov_xx + cov_yy) / 2.0
    spread = math.hypot((cov_xx - cov_yy) / 2.0, cov_xy)
    return Metre(RADIUS_SIGMAS_95 * math.sqrt(max(mean + spread, 0.0)))
