"""Find the zones that a tag walked through between two fixes.

Layer: rules. Takes: fixes of an epoch, and the last fix of each tag before. Gives: rows that say
PASSED to rtls.geofence.zone_events.

A phone that scans every few seconds may be before a shelf at one fix and behind it at the next.
Between them it is taken to have walked straight; P(zone) there is that of the two fixes mixed, and
the wider the longer nothing was heard. A zone that reaches `p_enter` there, in which the tag is not
and was not, has been passed. This is for analytics alone.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ContainmentSettings, zone_probabilities
from rtls.geofence.dwell import ROW_DTYPE
from rtls.geofence.kernels.stay_slots import (
    BETWEEN_FIXES,
    CANDIDATE,
    LEAVING,
    PASSED,
    StepRules,
)
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
PLACE: Final = ("x_m", "y_m", "cov_xx", "cov_xy", "cov_yy")
GAP_MS_MAX: Final = 10_000
"""Who is silent for longer may have been anywhere."""
STEP_M: Final = 0.5
"""A shorter step crosses no zone that the fixes at its ends do not see."""
STEPS_MAX: Final = 32
SPEED_SD_M_S: Final = 0.5
"""How far the walk may bend away from the straight line."""
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

    The ends are independent to first order, so their covariances mix by the squares of their
    shares; a Brownian bridge adds what nobody has seen. `evidence_at_ms` says when it was.

    Parameters
    ----------
    before
        (1,) `TRAIL_DTYPE`.
    fix
        (1,) `FIX_DTYPE`.
    length_m
        From the one to the other.
    at_ms
        Instant of the second.
    """
    steps = min(math.ceil(length_m / STEP_M), STEPS_MAX)
    share = np.arange(1, steps + 1) / steps
    gap_ms = int(at_ms) - int(before["at_ms"][0])
    way = np.repeat(fix, steps)
    for name in ("x_m", "y_m"):
        way[name] = (1.0 - share) * before[name] + share * fix[name]
    for name in ("cov_xx", "cov_xy", "cov_yy"):
        way[name] = (1.0 - share) ** 2 * before[name] + share**2 * fix[name]
    bend_m2 = (SPEED_SD_M_S * gap_ms / 1e3) ** 2 * share * (1.0 - share)
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
