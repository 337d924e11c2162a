"""Fix batches for tests of live state."""

import numpy as np

from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import TagId, UnixMs

NOW_MS = UnixMs(1_760_000_000_000)


def fixes_at(at_ms: int, *x_m: float) -> FixBatch:
    """One row a number; its other columns are told apart by it, so that a mix-up shows."""
    rows = np.zeros(len(x_m), FIX_DTYPE)
    rows["tag"] = np.arange(len(x_m))
    rows["x_m"] = x_m
    rows["y_m"] = rows["x_m"] + 0.25
    rows["z_m"] = 1.2
    rows["floor"] = 1
    rows["cov_xx"], rows["cov_xy"], rows["cov_yy"] = 0.04, 0.01, 0.09
    rows["vx_m_s"], rows["vy_m_s"] = 0.3, -0.4
    rows["p_standing"] = 0.875
    rows["evidence_at_ms"] = at_ms - 40
    rows["kinds"] = 2
    return FixBatch(at_ms=UnixMs(at_ms), rows=rows)


def tag_names(*numbers: int) -> tuple[TagId, ...]:
    return tuple(TagId(f"tag-{number}") for number in numbers)
