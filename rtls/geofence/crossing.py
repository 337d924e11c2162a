"""Find the zones that a tag walked through between two fixes.

Layer: rules. Takes: fixes of an epoch, and the last fix of each tag before. Gives: rows that say
PASSED to rtls.geofence.zone_events.

A phone that scans every few seconds may be before a shelf at one fix and behind it at the next.
Between them it is taken to have walked straight; P(zone) there is that of the two fixes mixed, and
the wider the longer nothing was heard. A zone that reaches `p_enter` there, in which the tag is not
and was not, has been passed. This is for analytics alone.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ContainmentSettings
from rtls.geofence.dwell import ROW_DTYPE
from rtls.geofence.kernels.stay_slots import StepRules
from rtls.geofence.kernels.way_between import STEPS_MAX, WAY_COLUMNS, pass_tags
from rtls.geofence.records import as_records
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.units import UnixMs

Rows = npt.NDArray[np.void]
Fixes = npt.NDArray[np.void]

TRAIL_DTYPE: Final = np.dtype(
    [
        ("at_ms", np.int64),  # of the last fix from readings; 0 where there was none
        ("x_m", np.float64),
        ("y_m", np.float64),
        ("cov_xx", np.float64),
        ("cov_xy", np.float64),
        ("cov_yy", np.float64),
        ("floor", np.int32),
        ("pad", np.uint8, (4,)),
    ],
    align=True,
)
ROWS_A_CALL: Final = 256
"""beside one a zone, which is what a single tag may need"""


def crossed_zones(
    trails: Rows,
    fixes: Fixes,
    *,
    at_ms: UnixMs,
    index: ZoneIndex,
    stays: Rows,
    rules: StepRules,
    settings: ContainmentSettings,
) -> Rows:
    """Return the zones passed since the last fixes, and keep these as the last ones.

    Parameters
    ----------
    trails
        (capacity,) `TRAIL_DTYPE`, changed in place.
    fixes
        (n,) `FIX_DTYPE` from readings, each tag at most once.
    at_ms
        Their instant.
    index, settings
        Of P(zone).
    stays
        (capacity, slots) `STAY_DTYPE` before this instant.
    rules
        Of the zones.

    Returns
    -------
    Rows
        `ROW_DTYPE` that say PASSED, by tag slot and zone.
    """
    buffer = np.zeros(ROWS_A_CALL + rules.zones.size, ROW_DTYPE)
    way = np.empty((STEPS_MAX, WAY_COLUMNS))
    parts = []
    place = -1
    while place < fixes.size:
        place, used = pass_tags(
            index.coarse,
            index.shapes,
            settings.bias_by_kind,
            settings.p_listed,
            as_records(trails),
            as_records(fixes),
            max(place, 0),
            at_ms,
            as_records(stays),
            rules,
            way,
            as_records(buffer),
        )
        parts.append(buffer[:used].copy())
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
