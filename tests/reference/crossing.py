"""The zones on the way between two fixes, tag by tag and point by point.

The way is laid out as fixes, so that P(zone) comes from where it comes for every fix.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ContainmentSettings, zone_probabilities
from rtls.geofence.crossing import TRAIL_DTYPE
from rtls.geofence.dwell import ROW_DTYPE
from rtls.geofence.kernels.stay_slots import (
    BETWEEN_FIXES,
    CANDIDATE,
    LEAVING,
    PASSED,
    StepRules,
)
from rtls.geofence.kernels.way_between import GAP_MS_MAX, SPEED_SD_M_S, STEP_M, STEPS_MAX
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.units import UnixMs

Rows = npt.NDArray[np.void]
Fixes = npt.NDArray[np.void]
PLACE: Final = ("x_m", "y_m", "cov_xx", "cov_xy", "cov_yy")
NO_ROWS: Final = np.empty(0, ROW_DTYPE)


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
    """Return what `rtls.geofence.crossing.crossed_zones` must return; keep the fixes as last."""
    last = trails[fixes["tag"]]
    moved_m = np.hypot(fixes["x_m"] - last["x_m"], fixes["y_m"] - last["y_m"])
    is_walk = (moved_m > STEP_M) & (at_ms - last["at_ms"] <= GAP_MS_MAX)
    is_walk &= (last["floor"] == fixes["floor"]) & (fixes["p_standing"] < rules.p_standing_min)
    _keep(trails, fixes, at_ms)
    found: list[Rows] = []
    for k in np.flatnonzero(is_walk).tolist():
        way = between(last[k : k + 1], fixes[k : k + 1], float(moved_m[k]), at_ms=at_ms)
        places = zone_probabilities(index, way, settings)
        known = _known(stays[int(fixes["tag"][k])], places.of(way.size - 1), rules)
        best: dict[int, tuple[float, int]] = {}
        for number, then_ms in enumerate(way["evidence_at_ms"].tolist()[:-1]):
            for zone, p in places.of(number).items():
                if zone not in known and p >= rules.zones[zone]["p_enter"]:
                    best[zone] = max(best.get(zone, (0.0, 0)), (p, then_ms))
        tag = int(fixes["tag"][k])
        found += [_row(tag, zone, p, then_ms, at_ms) for zone, (p, then_ms) in sorted(best.items())]
    return np.concatenate(found) if found else NO_ROWS


def _known(own: Rows, here: dict[int, float], rules: StepRules) -> set[int]:
    """Return the zones that a tag is in, or about to be: the state machine tells of those."""
    is_open = (own["phase"] >= CANDIDATE) & (own["phase"] <= LEAVING)
    about = {zone for zone, p in here.items() if p >= rules.zones[zone]["p_hold"]}
    return about | set(own["zone"][is_open].tolist())


def _keep(trails: Rows, fixes: Fixes, at_ms: UnixMs) -> None:
    rows = np.zeros(fixes.size, TRAIL_DTYPE)  # filled side by side, then scattered once
    rows["at_ms"] = at_ms
    for name in (*PLACE, "floor"):
        rows[name] = fixes[name]
    trails[fixes["tag"]] = rows


def between(before: Rows, fix: Fixes, length_m: float, *, at_ms: UnixMs) -> Fixes:
    """Return fixes on the straight line between two, every half metre, and the second one.

    `evidence_at_ms` says when it was.
    """
    steps = min(math.ceil(length_m / STEP_M), STEPS_MAX)
    share = np.arange(1, steps + 1) / steps
    gap_ms = int(at_ms) - int(before["at_ms"][0])
    way = np.repeat(fix, steps)
    for name in ("x_m", "y_m"):
        way[name] = (1.0 - share) * before[name] + share * fix[name]
    for name in ("cov_xx", "cov_xy", "cov_yy"):
        way[name] = (1.0 - share) ** 2 * before[name] + share**2 * fix[name]
    bend_m = SPEED_SD_M_S * gap_ms / 1e3
    bend_m2 = bend_m * bend_m * share * (1.0 - share)
    way["cov_xx"] += bend_m2
    way["cov_yy"] += bend_m2
    way["evidence_at_ms"] = int(before["at_ms"][0]) + np.rint(share * gap_ms).astype(np.int64)
    return way


def _row(tag: int, zone: int, p: float, then_ms: int, at_ms: UnixMs) -> Rows:
    row = np.zeros(1, ROW_DTYPE)
    row["tag"], row["zone"], row["what"], row["reason"] = tag, zone, PASSED, BETWEEN_FIXES
    row["at_ms"] = row["entered_at_ms"] = then_ms
    row["decided_at_ms"] = row["evidence_at_ms"] = at_ms
    row["probability"] = p
    return row
