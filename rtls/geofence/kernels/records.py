"""Name the members of the records that the kernels read and write, for the type checker.

Layer: kernels. Takes: nothing. Gives: shapes of records; numba takes them from the arrays' dtypes,
which rtls.geofence.dwell, rtls.geofence.crossing and rtls.model.fix define.

A function of one caller in the hot loop is put into it (`forceinline`): arrays that are handed on
are counted by the runtime at every call, which cost a third of a step.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Fix(Protocol):
    """One row of `FIX_DTYPE`, as far as stays need it."""

    tag: int
    floor: int
    x_m: float
    y_m: float
    cov_xx: float
    cov_xy: float
    cov_yy: float
    kinds: int
    p_standing: float
    evidence_at_ms: int


class Trail(Protocol):
    """One row of `TRAIL_DTYPE`."""

    at_ms: int
    x_m: float
    y_m: float
    cov_xx: float
    cov_xy: float
    cov_yy: float
    floor: int


class Stay(Protocol):
    """One slot of `STAY_DTYPE`."""

    zone: int
    phase: int
    reached: int
    reason: int
    is_late: int
    has_left: int
    has_walked: int
    entered_at_ms: int
    since_ms: int
    left_at_ms: int
    stepped_at_ms: int
    evidence_at_ms: int
    p: float
    p_best: float
    held_x_m: float
    held_y_m: float
    weight: float
    visit: Floats
    pending: Floats
    carried: Floats


class Rule(Protocol):
    """One row of `RULE_DTYPE`."""

    parent: int
    depth: int
    level: int
    n_thresholds: int
    halo: int
    p_enter: float
    p_hold: float
    p_exit: float
    p_dwell: float
    min_enter_ms: int
    exit_delay_ms: int
    reset_after_ms: int
    tolerance_timeout_ms: int
    grace_ms: float
    threshold_ms: Floats


class Row(Protocol):
    """One row of `ROW_DTYPE`."""

    tag: int
    zone: int
    what: int
    reason: int
    is_late: int
    at_ms: int
    decided_at_ms: int
    entered_at_ms: int
    evidence_at_ms: int
    threshold_ms: float
    dwell_ms: float
    dwell_ms_low: float
    dwell_ms_high: float
    probability: float
