"""Update the belief of one tag: predict it, weigh it, leave out what carries no mass.

Layer: kernels. Takes: a belief with the links that wait in it, and the model of a site.
Gives: the posterior to rtls.positioning.kernels.grid_epoch.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.grid_likelihood import (
    residual_at,
    take_evidence,
    take_offsets,
    variance_at,
    weigh_list,
)
from rtls.positioning.kernels.grid_links import gather_links, settle_links
from rtls.positioning.kernels.grid_motion import note_moments, predict
from rtls.positioning.kernels.grid_records import (
    ANCHOR,
    DOUBT,
    KIND_GAIN,
    KIND_MEAN,
    KIND_SD,
    KIND_WEIGHT,
    GridModel,
    GridParameters,
    Scratch,
    Singles,
)
from rtls.positioning.kernels.records import Floats, Ints, Record, Records, wide

MISFIT_MAX = 2.0  # of squared residuals over what is expected; 1 is an honest fit
DOUBTS = 8  # parts of its age after which a belief is compared with the whole site again
MISFIT_MEMORY = 0.1
INNOVATION_MAX = 5.0
SQUARE_MAX = 9.0
BINS = 64  # of the mass, by powers of two
STEP_S_MAX = 5.0
WALKS_M_S = 0.3


@njit(cache=True, nogil=True, error_model="numpy")
def load(model: GridModel, s: Scratch, belief: Record, states: Ints, masses: Singles) -> int:
    """Bring the belief's states into the list; return its length."""
    nodes = model.xy.shape[0]
    n = wide(belief["used"])
    for k in range(n):
        s.state[k] = states[k]
        s.kind[k] = states[k] // nodes
        s.node[k] = states[k] - s.kind[k] * nodes
        s.mass[k] = masses[k]
        s.place[states[k]] = k
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def load_all(model: GridModel, s: Scratch, belief: Record) -> int:
    """Bring all states into the list, as likely as their kind; return its length."""
    nodes = model.xy.shape[0]
    kinds = model.kinds.shape[0]
    for kind in range(kinds):
        belief["offset"][kind] = model.kinds[kind, KIND_MEAN]
        belief["offset_var"][kind] = model.kinds[kind, KIND_SD] ** 2
        for node in range(nodes):
            k = kind * nodes + node
            s.state[k] = k
            s.node[k] = node
            s.kind[k] = kind
            s.mass[k] = model.kinds[kind, KIND_WEIGHT] / nodes
            s.place[k] = k
    return wide(kinds * nodes)


@njit(cache=True, nogil=True, error_model="numpy")
def store(
    p: GridParameters, s: Scratch, n: int, belief: Record, states: Ints, masses: Singles
) -> None:
    """Write back what carries mass, in the order of the list, and leave the scratch clean.

    Left out are states so unlikely that all of them together were not `pruned_mass`. Where there
    is no room for the rest, one of several alike stands for all of them.
    """
    total = 0.0
    for k in range(n):
        s.place[s.state[k]] = -1
        total += s.mass[k]
    least = p.pruned_mass / n * total
    count = wide(0)
    for k in range(n):
        count += s.mass[k] >= least
    if count > states.size:
        kept = store_thinned(s, n, total, states, masses)
    else:
        kept = wide(0)
        for k in range(n):
            if s.mass[k] >= least:
                states[kept] = s.state[k]
                masses[kept] = s.mass[k]
                kept += 1
    total = 0.0
    for k in range(kept):
        total += masses[k]
    for k in range(kept):
        masses[k] /= total
    belief["used"] = kept


@njit(cache=True, nogil=True, error_model="numpy")
def store_thinned(s: Scratch, n: int, total: float, states: Ints, masses: Singles) -> int:
    """Write back as many of the likeliest states as there is room for; return how many."""
    last, stride = threshold(s, n, total, states.size)
    kept = wide(0)
    alike = wide(0)
    for k in range(n):
        power = power_of(s.mass[k], total)
        if power > last:
            continue
        mass = s.mass[k] / total
        if power == last:
            alike += 1
            if (alike - 1) % stride != 0:
                continue
            mass *= stride
        if kept < states.size:
            states[kept] = s.state[k]
            masses[kept] = mass
            kept += 1
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def power_of(mass: float, total: float) -> int:
    """Return how many times the total must be halved to come down to the mass."""
    if not mass > 0.0:
        return BINS
    return int(min(max(math.floor(-math.log2(mass / total)), 0), BINS - 1))


@njit(cache=True, nogil=True, error_model="numpy")
def threshold(s: Scratch, n: int, total: float, room: int) -> tuple[int, int]:
    """Return the last power of two that is kept, and which part of it: one state of how many."""
    count = np.zeros(BINS + 1, np.int64)
    for k in range(n):
        count[power_of(s.mass[k], total)] += 1
    kept = wide(0)
    for power in range(BINS):
        if kept + count[power] > room:
            if kept == room:
                return wide(power - 1), wide(1)
            return wide(power), wide(1) + (count[power] - 1) // (room - kept)
        kept += count[power]
    return wide(BINS - 1), wide(1)


@njit(cache=True, nogil=True, error_model="numpy")
def start(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    links: int,
    belief: Record,
    states: Ints,
    masses: Singles,
) -> None:
    """Believe what the links say, and nothing from before: the posterior over the whole site."""
    n = load_all(model, s, belief)
    lowest = weigh_list(model, p, s, n, links, belief)
    begin_with(model, p, s, n, lowest, belief, states, masses)


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
    links: int,
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
    note_fit(model, s, n, links, belief, health)
    lowest = weigh_list(model, p, s, n, links, belief)
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
    n: int,
    links: int,
    belief: Record,
    health: Records,
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
    belief["misfit"] += MISFIT_MEMORY * (squares / links - belief["misfit"])


@njit(cache=True, nogil=True, error_model="numpy")
def is_recheck_due(p: GridParameters, belief: Record, at_ms: int) -> bool:
    """Return whether the tag is to be sought on the whole site: it fits badly, or has grown old.

    A wrong first place may fit well for minutes, so every belief is doubted again whenever it has
    lived twice as long as at the last time; that costs next to nothing in a long visit.
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
    links: int,
    belief: Record,
    states: Ints,
    masses: Singles,
    offsets: Floats,
) -> None:
    """Seek the tag on the whole site, and begin anew where another place is decidedly better.

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
    n = load_all(model, s, belief)
    lowest = weigh_list(model, p, s, n, links, belief)
    if s.cost[here] - lowest > p.recheck_cost:
        begin_with(model, p, s, n, lowest, belief, states, masses)
        return
    for kind in range(kinds):
        belief["offset"][kind] = offsets[kind]
        belief["offset_var"][kind] = offsets[kinds + kind]
    for k in range(n):
        s.place[k] = -1


@njit(cache=True, nogil=True, error_model="numpy")
def update(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    health: Records,
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
        links = gather_links(s, belief, p, health, at_ms - int(p.settle_ms), False)
        if links > 0:
            start(model, p, s, links, belief, states, masses)
    else:
        links = gather_links(s, belief, p, health, wide(0), True)
        if links > 0:
            dt_s = min(0.001 * gap_ms, STEP_S_MAX)
            move_on(model, p, s, links, belief, states, masses, health, dt_s)
        if is_recheck_due(p, belief, at_ms):
            belief["rechecked_ms"] = at_ms
            links = gather_links(s, belief, p, health, at_ms - int(p.recheck_ms), False)
            recheck(model, p, s, links, belief, states, masses, s.offsets)
    for k in range(belief["link_count"].size):
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
