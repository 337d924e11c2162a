"""Update the belief of one tag: predict it, weigh it, leave out what carries no mass.

Layer: kernels. Takes: a belief with the links that wait in it, and the model of a site.
Gives: the posterior to rtls.positioning.kernels.grid_epoch.
"""

import math

from numba import njit

from rtls.positioning.kernels.frozen_bias import kinds_heard
from rtls.positioning.kernels.grid_likelihood import (
    residual_at,
    take_evidence,
    take_offsets,
    variance_at,
    weigh_list,
)
from rtls.positioning.kernels.grid_links import gather_links, settle_links
from rtls.positioning.kernels.grid_list import LOOKS, load, load_all, load_some, store
from rtls.positioning.kernels.grid_motion import note_moments, predict
from rtls.positioning.kernels.grid_records import (
    ANCHOR,
    DOUBT,
    KIND_GAIN,
    KIND_SD,
    GridModel,
    GridParameters,
    Ranging,
    Scratch,
    Singles,
)
from rtls.positioning.kernels.grid_rows import fit_of_rows, weigh_rows
from rtls.positioning.kernels.likelihood import RSSI_KIND
from rtls.positioning.kernels.records import Floats, Ints, Record, Records, wide

MISFIT_MAX = 2.0  # of squared residuals over what is expected; 1 is an honest fit
BETWEEN_LOOKS_NATS = 4.0  # by which the best place may beat the best one looked at
DOUBTS = 8  # parts of its age after which a belief is compared with the whole site again
MISFIT_MEMORY = 0.1
INNOVATION_MAX = 5.0
SQUARE_MAX = 9.0
STEP_S_MAX = 5.0
FIRST_TIME_S = -1.0  # since a link was heard that was never heard before
WALKS_M_S = 0.3
RSSI_ALONE = 1 << RSSI_KIND


@njit(cache=True, nogil=True, error_model="numpy")
def start(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    r: Ranging,
    links: int,
    track: Record,
    health: Records,
    since_ms: int,
    belief: Record,
    states: Ints,
    masses: Singles,
) -> None:
    """Believe what the links say, and nothing from before: the posterior over the whole site."""
    n = load_all(model, s, belief)
    lowest = weigh_all(model, p, s, r, n, links, track, health, since_ms, belief)
    begin_with(model, p, s, n, lowest, belief, states, masses)


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_all(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    r: Ranging,
    n: int,
    links: int,
    track: Record,
    health: Records,
    since_ms: int,
    belief: Record,
) -> float:
    """Fill the costs of the list by all kinds, each link counted in full; return the lowest."""
    weigh_list(model, p, s, n, links, belief)
    return float(weigh_rows(model, s, r, track, health, n, since_ms, FIRST_TIME_S, 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def begin_with(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    n: int,
    lowest: float,
    belief: Record,
    states: Ints,
    masses: Singles,
) -> None:
    """Believe the weighed list of all states; nothing is known of the velocity."""
    take_evidence(s, n, lowest, 1.0, 1.0)
    take_offsets(model, p, s, n, belief, 1.0, 0.0)
    belief["velocity"][0] = 0.0
    belief["velocity"][1] = 0.0
    belief["pull"] = 0.0
    belief["velocity_var"] = p.speed_sd_m_s * p.speed_sd_m_s
    belief["misfit"] = 1.0
    note_moments(model, s, n, belief)
    store(p, s, n, belief, states, masses)


@njit(cache=True, nogil=True, error_model="numpy")
def move_on(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    r: Ranging,
    links: int,
    track: Record,
    belief: Record,
    states: Ints,
    masses: Singles,
    health: Records,
    dt_s: float,
) -> None:
    """Predict by ``dt_s`` and take the links in."""
    n = load(model, s, belief, states, masses)
    n = predict(model, p, s, n, belief, dt_s)
    for kind in range(model.kinds.shape[0]):
        belief["offset_var"][kind] = min(
            belief["offset_var"][kind] + p.offset_drift_db2_s * dt_s,
            model.kinds[kind, KIND_SD] ** 2,
        )
    credit = 1.0 - math.exp(-dt_s / p.credit_s)
    note_fit(model, s, r, n, links, track, belief, health, dt_s)
    weigh_list(model, p, s, n, links, belief)
    lowest = weigh_rows(model, s, r, track, health, n, belief["at_ms"], dt_s, credit)
    keep = math.exp(-dt_s / p.forget_s) if p.forget_s > 0.0 else 1.0
    take_evidence(s, n, lowest, credit, keep)
    take_offsets(model, p, s, n, belief, credit, dt_s)
    note_moments(model, s, n, belief)
    store(p, s, n, belief, states, masses)


@njit(cache=True, nogil=True, error_model="numpy")
def likeliest(s: Scratch, n: int) -> int:
    """Return which of the list carries most mass."""
    best = wide(0)
    for k in range(n):
        if s.mass[k] > s.mass[best]:
            best = wide(k)
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def note_fit(
    model: GridModel,
    s: Scratch,
    r: Ranging,
    n: int,
    links: int,
    track: Record,
    belief: Record,
    health: Records,
    dt_s: float,
) -> None:
    """Tell the belief and the anchors how the links fit the likeliest place foretold."""
    best = likeliest(s, n)
    node = s.node[best]
    kind = s.kind[best]
    squares = 0.0
    speed_square = belief["velocity"][0] ** 2 + belief["velocity"][1] ** 2
    is_walking = speed_square > WALKS_M_S * WALKS_M_S
    for j in range(links):
        anchor = int(s.links[j, ANCHOR])
        gain = model.kinds[kind, KIND_GAIN]
        away = residual_at(model, s, j, node, gain) - belief["offset"][kind]
        z = away / math.sqrt(variance_at(model, s, j, node, anchor))
        z = min(max(z, -INNOVATION_MAX), INNOVATION_MAX)
        squares += min(z * z, SQUARE_MAX)
        if not is_walking:
            continue  # frozen multipath speaks against an anchor for as long as somebody stands
        # By the noise of a trusted anchor: else one of little weight would seem to fit again.
        z = min(max(z * math.sqrt(s.links[j, DOUBT]), -INNOVATION_MAX), INNOVATION_MAX)
        health[anchor]["residual_sum"] += z
        health[anchor]["residual_sq_sum"] += z * z
        health[anchor]["count"] += 1
    more, rows = fit_of_rows(model, s, r, track, health, node, belief["at_ms"], dt_s, is_walking)
    if links + rows > 0:
        belief["misfit"] += MISFIT_MEMORY * ((squares + more) / (links + rows) - belief["misfit"])


@njit(cache=True, nogil=True, error_model="numpy")
def is_recheck_due(p: GridParameters, belief: Record, at_ms: int) -> bool:
    """Return whether the tag is to be sought on the whole site: it fits badly, or has grown old.

    A wrong first place may fit well for minutes, so every belief is doubted again whenever an
    eighth of its age has passed; that costs next to nothing in a long visit.
    """
    since_ms = at_ms - belief["rechecked_ms"]
    if since_ms < p.recheck_ms:
        return False
    age_ms = at_ms - belief["first_heard_ms"]
    return bool(belief["misfit"] > MISFIT_MAX or DOUBTS * since_ms >= age_ms)


@njit(cache=True, nogil=True, error_model="numpy")
def recheck(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    r: Ranging,
    links: int,
    track: Record,
    health: Records,
    since_ms: int,
    belief: Record,
    states: Ints,
    masses: Singles,
    offsets: Floats,
) -> None:
    """Seek the tag on the whole site, and begin anew where another place is decidedly better.

    Where the tag fits, a few places all over the site are looked at first, and all others only if
    one of those is better.
    ``offsets`` is room for what is put back where none is.
    """
    kinds = model.kinds.shape[0]
    best = wide(0)
    for k in range(belief["used"]):
        if masses[k] > masses[best]:
            best = wide(k)
    here = states[best]
    for kind in range(kinds):
        offsets[kind] = belief["offset"][kind]
        offsets[kinds + kind] = belief["offset_var"][kind]
    is_small = model.xy.shape[0] * kinds <= LOOKS
    is_doubtful = is_small or belief["misfit"] > MISFIT_MAX
    if not is_doubtful:
        n = load_some(model, s, belief, here)
        lowest = weigh_all(model, p, s, r, n, links, track, health, since_ms, belief)
        is_doubtful = s.cost[0] - lowest > p.recheck_cost - BETWEEN_LOOKS_NATS
    if is_doubtful:
        n = load_all(model, s, belief)
        lowest = weigh_all(model, p, s, r, n, links, track, health, since_ms, belief)
        if s.cost[here] - lowest > p.recheck_cost:
            begin_with(model, p, s, n, lowest, belief, states, masses)
            return
        for k in range(n):
            s.place[k] = -1
    for kind in range(kinds):
        belief["offset"][kind] = offsets[kind]
        belief["offset_var"][kind] = offsets[kinds + kind]


@njit(cache=True, nogil=True, error_model="numpy")
def update(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    r: Ranging,
    health: Records,
    track: Record,
    belief: Record,
    states: Ints,
    masses: Singles,
    at_ms: int,
) -> None:
    """Take what waits into the belief, as of ``at_ms``."""
    gap_ms = at_ms - belief["at_ms"]
    is_new = belief["at_ms"] == 0 or belief["used"] == 0 or gap_ms > p.lost_after_ms
    if is_new:
        belief["first_heard_ms"] = at_ms
        belief["rechecked_ms"] = at_ms
    settle_links(belief, p, at_ms)
    if is_new or at_ms - belief["first_heard_ms"] <= p.settle_ms:
        since_ms = at_ms - int(p.settle_ms)
        links = gather_links(s, belief, p, health, since_ms, False)
        if links > 0 or kinds_heard(track, since_ms) > RSSI_ALONE:
            start(model, p, s, r, links, track, health, since_ms, belief, states, masses)
    else:
        links = gather_links(s, belief, p, health, wide(0), True)
        if links > 0 or kinds_heard(track, belief["at_ms"]) > RSSI_ALONE:
            dt_s = min(0.001 * gap_ms, STEP_S_MAX)
            move_on(model, p, s, r, links, track, belief, states, masses, health, dt_s)
        if is_recheck_due(p, belief, at_ms):
            belief["rechecked_ms"] = at_ms
            since_ms = at_ms - int(p.recheck_ms)
            links = gather_links(s, belief, p, health, since_ms, False)
            recheck(
                model, p, s, r, links, track, health, since_ms, belief, states, masses, s.offsets
            )
    for k in range(belief["link_count"].size):
        if belief["link_anchor"][k] == 0:
            break
        belief["link_count"][k] = 0
    belief["at_ms"] = at_ms
    belief["pending_ms"] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def floor_of(model: GridModel, belief: Record, states: Ints, masses: Singles) -> int:
    """Return the floor that carries most of the mass."""
    nodes = model.xy.shape[0]
    best = wide(belief["floor"])
    most = 0.0
    k = wide(0)
    n = wide(belief["used"])
    for first in range(n):
        floor = model.floor[states[first] % nodes]
        is_seen = False
        for earlier in range(first):
            if model.floor[states[earlier] % nodes] == floor:
                is_seen = True
                break
        if is_seen:
            continue
        total = 0.0
        for k in range(first, n):
            if model.floor[states[k] % nodes] == floor:
                total += masses[k]
        if total > most:
            most = total
            best = wide(floor)
        if most > 0.5:  # noqa: PLR2004
            break
    return best
