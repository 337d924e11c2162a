"""Weigh the mass of one tag by what it was heard with.

Layer: kernels. Takes: the list of states and the links of one update in the scratch.
Gives: posterior mass and offsets to rtls.positioning.kernels.grid_epoch.

RSSI stays in dB: Student's t about what the radio map expects. How much louder or weaker the tag
is than the surveyor's is estimated with the place: at each node by itself (two re-weighted steps
from the offset believed so far), and then over all nodes of a hypothesis by their mass.
"""

import math

from numba import njit

from rtls.positioning.kernels.grid_records import (
    ANCHOR,
    KIND_GAIN,
    KIND_SD,
    KIND_WEIGHT,
    REFERENCE_DBM,
    SAVED,
    TRUST,
    VALUE,
    GridModel,
    GridParameters,
    Scratch,
)
from rtls.positioning.kernels.records import Record

VAGUE_DB2 = 9.0  # an offset known less well than this needs more rounds
KIND_MASS_MIN = 1e-6
PRODUCT_MAX = 1e200
RARITY = 1.0 / 16.0  # nats
FROZEN_SHARE = 0.4  # of the variance of a reading: no mean over time saves it


@njit(cache=True, nogil=True, error_model="numpy")
def variance_at(model: GridModel, s: Scratch, j: int, node: int, anchor: int) -> float:
    """Return the variance of link j at a node: that of one reading less what a mean saves."""
    sd = 0.1 * model.spread[node, anchor]
    single = sd * sd
    return float(max(single - s.links[j, SAVED], FROZEN_SHARE * single) / s.links[j, TRUST])


@njit(cache=True, nogil=True, error_model="numpy")
def residual_at(model: GridModel, s: Scratch, j: int, node: int, gain: float) -> float:
    """Return by how much link j is louder than a tag without offset would be at a node."""
    expected = 0.01 * model.expected[node, int(s.links[j, ANCHOR])]
    return float(s.links[j, VALUE] - REFERENCE_DBM - gain * (expected - REFERENCE_DBM))


@njit(cache=True, nogil=True, error_model="numpy")
def pull_of_links(
    model: GridModel, p: GridParameters, s: Scratch, links: int, node: int, gain: float, at: float
) -> tuple[float, float]:
    """Return precision and weighted residual of the links at ``node``, about the offset ``at``."""
    precision = 0.0
    push = 0.0
    dof = p.student_dof
    scale = 1.0 - 2.0 / dof  # Student's t with scale s has the variance s² ν / (ν - 2)
    for j in range(links):
        anchor = int(s.links[j, ANCHOR])
        away = residual_at(model, s, j, node, gain) - at
        variance = scale * variance_at(model, s, j, node, anchor)
        weight = (dof + 1.0) / (dof * variance + away * away)
        precision += weight
        push += weight * away
    return precision, push


@njit(cache=True, nogil=True, error_model="numpy")
def cost_of_links(
    model: GridModel, p: GridParameters, s: Scratch, links: int, node: int, gain: float, at: float
) -> float:
    """Return minus the log likelihood of the links at ``node`` for an offset ``at``."""
    dof = p.student_dof
    scale = 1.0 - 2.0 / dof
    tails = 1.0
    widths = 1.0
    cost = 0.0
    for j in range(links):
        anchor = int(s.links[j, ANCHOR])
        away = residual_at(model, s, j, node, gain) - at
        variance = scale * variance_at(model, s, j, node, anchor)
        cost += RARITY * model.rarity[node, anchor]
        tails *= 1.0 + away * away / (dof * variance)
        widths *= variance
        if tails > PRODUCT_MAX or widths > PRODUCT_MAX:  # one logarithm for many links
            cost += 0.5 * (dof + 1.0) * math.log(tails) + 0.5 * math.log(widths)
            tails = 1.0
            widths = 1.0
    return cost + 0.5 * (dof + 1.0) * math.log(tails) + 0.5 * math.log(widths)


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_state(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    links: int,
    node: int,
    gain: float,
    offset: tuple[float, float],
) -> tuple[float, float, float]:
    """Return cost, offset and precision of the links at one node, given mean and var of the offset.

    The offset is integrated out as by Laplace: the cost at its best, its distance from what was
    believed, and how much narrower it has become.
    """
    mean, variance = offset
    best = mean
    precision = 0.0
    rounds = 4 if variance > VAGUE_DB2 else 1
    for _ in range(rounds):
        precision, push = pull_of_links(model, p, s, links, node, gain, best)
        step = (push - (best - mean) / variance) / (precision + 1.0 / variance)
        best += step
    cost = cost_of_links(model, p, s, links, node, gain, best)
    away = best - mean
    cost += 0.5 * away * away / variance + 0.5 * math.log1p(variance * precision)
    return cost, best, precision


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_list(
    model: GridModel, p: GridParameters, s: Scratch, n: int, links: int, belief: Record
) -> float:
    """Fill cost, offset and precision of all states of the list; return the lowest cost."""
    nodes = model.xy.shape[0]
    lowest = math.inf
    for k in range(n):
        state = s.state[k]
        node = state % nodes
        kind = state // nodes
        cost, best, precision = weigh_state(
            model,
            p,
            s,
            links,
            node,
            model.kinds[kind, KIND_GAIN],
            (belief["offset"][kind], belief["offset_var"][kind]),
        )
        s.cost[k] = cost
        s.offset[k] = best
        s.precision[k] = precision
        lowest = min(lowest, cost)
    return lowest


@njit(cache=True, nogil=True, error_model="numpy")
def take_evidence(s: Scratch, n: int, lowest: float, credit: float) -> None:
    """Multiply the mass by the likelihood to the power ``credit``, and make it one."""
    total = 0.0
    for k in range(n):
        s.mass[k] *= math.exp(credit * (lowest - s.cost[k]))
        total += s.mass[k]
    for k in range(n):
        s.mass[k] /= total


@njit(cache=True, nogil=True, error_model="numpy")
def take_offsets(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    n: int,
    belief: Record,
    credit: float,
    dt_s: float,
) -> None:
    """Update the offset of each hypothesis by its nodes, and let old evidence for kinds fade."""
    nodes = model.xy.shape[0]
    keep = math.exp(-dt_s / p.kind_memory_s)
    for kind in range(model.kinds.shape[0]):
        mean = belief["offset"][kind]
        variance = belief["offset_var"][kind]
        total = 0.0
        shift = 0.0
        square = 0.0
        own = 0.0
        for k in range(n):
            if s.state[k] // nodes != kind:
                continue
            # The best offset belongs to all evidence of the update; only a part is credited.
            full = s.precision[k] + 1.0 / variance
            part = credit * s.precision[k] + 1.0 / variance
            step = (s.offset[k] - mean) * credit * full / part
            total += s.mass[k]
            shift += s.mass[k] * step
            square += s.mass[k] * step * step
            own += s.mass[k] / part
        if total > KIND_MASS_MIN:
            shift /= total
            spread = own / total + max(square / total - shift * shift, 0.0)
            belief["offset"][kind] = mean + shift
            least = p.offset_sd_db_min * p.offset_sd_db_min
            belief["offset_var"][kind] = min(max(spread, least), model.kinds[kind, KIND_SD] ** 2)
        if total > 0.0:
            prior = model.kinds[kind, KIND_WEIGHT]
            held = max(total, KIND_MASS_MIN)
            factor = held**keep * prior ** (1.0 - keep) / held
            for k in range(n):
                if s.state[k] // nodes == kind:
                    s.mass[k] *= factor


@njit(cache=True, nogil=True, error_model="numpy")
def flatten(s: Scratch, n: int, keep: float) -> None:
    """Let old evidence fade: the errors of links that stand still are frozen, not averaged out."""
    before = 0.0
    after = 0.0
    for k in range(n):
        before += s.mass[k]
        if s.mass[k] > 0.0:
            s.mass[k] = s.mass[k] ** keep
        after += s.mass[k]
    for k in range(n):
        s.mass[k] *= before / after
