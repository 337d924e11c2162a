"""Run one epoch through the beliefs of all tags that were heard in it.

Layer: kernels. Takes: readings sorted by tag and time, tracks and beliefs, the model of a site.
Gives: updated beliefs and one fix row for each located tag to rtls.positioning.grid_tracking.

Readings wait in the belief until an update is due, so that a burst over many links costs one
update, and what it costs does not grow with how often an anchor speaks.
"""

import math

from numba import njit

from rtls.positioning.kernels.anchor_evidence import note_anchors_heard
from rtls.positioning.kernels.grid_links import note_link
from rtls.positioning.kernels.grid_records import (
    GridModel,
    GridParameters,
    Ranging,
    Scratch,
    Singles,
)
from rtls.positioning.kernels.grid_rows import note_carriers_of_grid, note_row
from rtls.positioning.kernels.grid_update import floor_of, update
from rtls.positioning.kernels.likelihood import RSSI_KIND
from rtls.positioning.kernels.records import Ints, Record, Records, wide

RSSI_DBM_MIN = -120.0
RSSI_DBM_MAX = 0.0
INTERVAL_MEMORY = 0.1
GRID_METHOD = 1
FRESH_MS = 1_500
ODDS_MAX = 500.0


@njit(cache=True, nogil=True, error_model="numpy")
def note_time(track: Record, heard_at_ms: int) -> None:
    """Keep the tag's own interval, as the timers of its visits know it from its track."""
    if track["heard_at_ms"] == 0 and track["first_heard_at_ms"] == 0:
        track["first_heard_at_ms"] = heard_at_ms
        return
    gap = float(max(heard_at_ms - track["heard_at_ms"], 0))
    if track["interval_ms"] <= 0.0:
        track["interval_ms"] = gap
    else:
        track["interval_ms"] += INTERVAL_MEMORY * (gap - track["interval_ms"])


@njit(cache=True, nogil=True, error_model="numpy")
def take_readings(
    readings: Records, begin: int, end: int, r: Ranging, belief: Record, track: Record
) -> None:
    """Put readings[begin:end], all of one tag, where they wait for the next update."""
    note_time(track, wide(readings[end - 1]["heard_at_ms"]))
    for i in range(begin, end):
        value = readings[i]["value"]
        heard_ms = wide(readings[i]["heard_at_ms"])
        if readings[i]["kind"] != RSSI_KIND:
            note_row(track, r, readings[i])
        elif RSSI_DBM_MIN <= value <= RSSI_DBM_MAX:
            note_link(belief, wide(readings[i]["anchor"]), heard_ms, value)
        else:
            continue
        belief["pending_ms"] = max(belief["pending_ms"], heard_ms)
        track["heard_at_ms"] = max(track["heard_at_ms"], heard_ms)


@njit(cache=True, nogil=True, error_model="numpy")
def run_tag(
    readings: Records,
    begin: int,
    end: int,
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    r: Ranging,
    health: Records,
    track: Record,
    belief: Record,
    states: Ints,
    masses: Singles,
    epoch_end_ms: int,
) -> None:
    """Take readings[begin:end], all of one tag, into its belief."""
    waits_since = wide(belief["pending_ms"])
    if waits_since > 0 and epoch_end_ms - waits_since > p.update_ms:
        # What was left of a burst before a silence belongs to its own time.
        then_ms = max(waits_since, belief["at_ms"] + 1)
        update(model, p, s, r, health, track, belief, states, masses, then_ms)
    take_readings(readings, begin, end, r, belief, track)
    if belief["pending_ms"] > 0 and epoch_end_ms - belief["at_ms"] >= p.update_ms:
        update(model, p, s, r, health, track, belief, states, masses, epoch_end_ms)
    if belief["used"] > 0:
        belief["floor"] = floor_of(model, belief, states, masses)
        note_carriers_of_grid(s, r, track, belief)
        track["is_located"] = 1
        track["floor"] = belief["floor"]
        track["state"][0] = belief["x_m"]
        track["state"][1] = belief["y_m"]
        track["p_standing"] = standing(belief, p)


@njit(cache=True, nogil=True, error_model="numpy")
def standing(belief: Record, p: GridParameters) -> float:
    """Return P(stands) by the velocity and how well it is known."""
    spread = belief["velocity_var"]
    spread += belief["pull"] ** 2 * 0.5 * (belief["cov"][0] + belief["cov"][2])
    rest = spread + p.standing_speed_sd_m_s**2
    walk = spread + p.speed_sd_m_s**2
    square = belief["velocity"][0] ** 2 + belief["velocity"][1] ** 2
    log_stand = -0.5 * square / rest - math.log(rest)
    log_walk = -0.5 * square / walk - math.log(walk)
    odds = (1.0 - p.standing_prior) / p.standing_prior
    return 1.0 / (1.0 + odds * math.exp(min(log_walk - log_stand, ODDS_MAX)))


@njit(cache=True, nogil=True, error_model="numpy")
def write_fix(
    fix: Record, slot: int, track: Record, belief: Record, p: GridParameters, at_ms: int
) -> None:
    """Write the belief as of ``at_ms``: moments of the mass, carried on, and the frozen bias."""
    dt_s = max(0.001 * (at_ms - belief["at_ms"]), 0.0)
    memory = p.speed_memory_s
    keep = math.exp(-dt_s / memory)
    reach = memory * (1.0 - keep)
    variance = p.speed_sd_m_s * p.speed_sd_m_s
    # Where nothing is heard the tag may be anywhere that it could have walked to.
    walked = 2.0 * variance * memory * (dt_s - reach) + reach * reach * belief["velocity_var"]
    p_standing = standing(belief, p)
    frozen = p.bias_m * p.bias_m + p_standing * p.standing_bias_m * p.standing_bias_m
    bias = (frozen, 0.0, frozen)
    if track["kinds"] > 1 << RSSI_KIND:  # ranges and angles know better what they err by
        own = track["bias_cov"]
        bias = (own[0], own[1], own[2])
    fix["tag"] = slot
    fix["floor"] = belief["floor"]
    lead = memory * (1.0 - math.exp(-p.lag_s / memory))
    # A noisy velocity leads astray: only what stands out from its own error counts.
    speed_2 = belief["velocity"][0] ** 2 + belief["velocity"][1] ** 2
    error_2 = 2.0 * belief["velocity_var"]
    error_2 += belief["pull"] ** 2 * (belief["cov"][0] + belief["cov"][2])
    walked += 0.5 * lead * lead * error_2
    lead *= speed_2 / (speed_2 + error_2 + 1e-9)
    fix["x_m"] = belief["x_m"] + lead * belief["velocity"][0]
    fix["y_m"] = belief["y_m"] + lead * belief["velocity"][1]
    fix["z_m"] = track["z_m"]
    fix["cov_xx"] = belief["cov"][0] + walked + bias[0]
    fix["cov_xy"] = belief["cov"][1] + bias[1]
    fix["cov_yy"] = belief["cov"][2] + walked + bias[2]
    fix["vx_m_s"] = belief["velocity"][0] * keep
    fix["vy_m_s"] = belief["velocity"][1] * keep
    fix["p_standing"] = p_standing
    fix["evidence_at_ms"] = track["heard_at_ms"]
    fix["kinds"] = track["kinds"]
    # Of a tag not heard for a while the mass says no more where it is: its moments do.
    fix["method"] = GRID_METHOD if at_ms - belief["at_ms"] <= FRESH_MS else 0


@njit(cache=True, nogil=True, error_model="numpy")
def grid_epoch(
    readings: Records,
    tracks: Records,
    beliefs: Records,
    states: Ints,
    masses: Singles,
    health: Records,
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    r: Ranging,
    epoch_end_ms: int,
    fixes: Records,
) -> int:
    """Take a whole epoch into the beliefs; return the number of fixes written."""
    note_anchors_heard(readings, health)
    written = 0
    begin = wide(0)
    n = readings.size
    while begin < n:
        slot = readings[begin]["tag"]
        end = begin + 1
        while end < n and readings[end]["tag"] == slot:
            end += 1
        if 0 <= slot < beliefs.size:
            track = tracks[slot]
            belief = beliefs[slot]
            run_tag(
                readings, begin, end, model, p, s, r, health, track, belief,
                states[slot], masses[slot], epoch_end_ms,
            )  # fmt: skip
            if belief["used"] > 0:
                write_fix(fixes[written], slot, track, belief, p, epoch_end_ms)
                written += 1
        begin = end
    return written


@njit(cache=True, nogil=True, error_model="numpy")
def coast_grid(
    slots: Ints, tracks: Records, beliefs: Records, p: GridParameters, at_ms: int, fixes: Records
) -> int:
    """Write the predicted fix of each located slot; the beliefs stay as they are."""
    written = 0
    for i in range(slots.size):
        slot = slots[i]
        if 0 <= slot < beliefs.size and beliefs[slot]["used"] > 0:
            write_fix(fixes[written], slot, tracks[slot], beliefs[slot], p, at_ms)
            written += 1
    return written
