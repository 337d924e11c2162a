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
    DOUBT,
    KIND_GAIN,
    KIND_SD,
    KIND_WEIGHT,
    REFERENCE_DBM,
    SAVED,
    VALUE,
    GridModel,
    GridParameters,
    Scratch,
)
from rtls.positioning.kernels.hearing import hearing_at
from rtls.positioning.kernels.records import Record

VAGUE_DB2 = 9.0  # an offset known less well than this needs more rounds
VAGUE_ROUNDS = 3
KIND_MASS_MIN = 1e-6
PRODUCT_MAX = 1e200
PADE_MAX = 2.0
RARITY = 1.0 / 16.0  # nats
FROZEN_SHARE = 0.4  # of the variance of a reading: no mean over time saves it


@njit(cache=True, nogil=True, error_model="numpy")
def variance_at(model: GridModel, s: Scratch, j: int, node: int, anchor: int) -> float:
    """Return the variance of link j at a node: that of one reading less what a mean saves."""
    sd = 0.1 * model.spread[node, anchor]
    single = sd * sd
    return float(max(single - s.links[j, SAVED], FROZEN_SHARE * single) * s.links[j, DOUBT])


@njit(cache=True, nogil=True, error_model="numpy")
def residual_at(model: GridModel, s: Scratch, j: int, node: int, gain: float) -> float:
    """Return by how much link j is louder than a tag without offset would be at a node."""
    expected = 0.01 * model.expected[node, int(s.links[j, ANCHOR])]
    return float(s.links[j, VALUE] - REFERENCE_DBM - gain * (expected - REFERENCE_DBM))


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_links(
    model: GridModel, p: GridParameters, s: Scratch, links: int, node: int, gain: float, at: float
) -> tuple[float, float, float]:
    """Return cost, precision and weighted residual of the links at ``node``, all about ``at``."""
    dof = p.student_dof
    scale = 1.0 - 2.0 / dof
    tails = 1.0
    cost = 0.0
    precision = 0.0
    push = 0.0
    for j in range(links):
        anchor = int(s.links[j, ANCHOR])
        away = residual_at(model, s, j, node, gain) - at
        heavy = dof * scale * variance_at(model, s, j, node, anchor)
        tail = heavy + away * away
        weight = (dof + 1.0) / tail
        precision += weight
        push += weight * away
        # The width of a mean or of a doubted anchor differs by a constant that no node changes.
        cost += model.log_spread[model.spread[node, anchor]]
        cost += RARITY * model.rarity[node, anchor]
        tails *= tail / heavy
        if tails > PRODUCT_MAX:  # one logarithm for many links
            cost += 0.5 * (dof + 1.0) * math.log(tails)
            tails = 1.0
    return cost + 0.5 * (dof + 1.0) * math.log(tails), precision, push


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_state(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    links: int,
    node: int,
    kind: int,
    offset: tuple[float, float],
) -> tuple[float, float, float]:
    """Return cost, offset and precision of the links at one node, given mean and var of the offset.

    The offset is integrated out as by Laplace: the cost at its best, its distance from what was
    believed, and how much narrower it has become. Where it is known well, one Newton step from
    what was believed is as good as all of them.
    """
    mean, variance = offset
    gain = model.kinds[kind, KIND_GAIN]
    heard = model.hearing[min(kind, model.hearing.shape[0] - 1), node]
    best = mean
    if variance > VAGUE_DB2:
        for _ in range(VAGUE_ROUNDS):
            _, precision, push = weigh_links(model, p, s, links, node, gain, best)
            push -= links * hearing_at(heard, best)[1]
            best += (push - (best - mean) / variance) / (precision + 1.0 / variance)
    cost, precision, push = weigh_links(model, p, s, links, node, gain, best)
    share, steep = hearing_at(heard, best)
    cost += links * share
    push -= links * steep
    away = best - mean
    gained = variance * precision
    if gained < PADE_MAX:  # log1p by Padé's approximation, within a hundredth
        narrowed = gained * (6.0 + gained) / (6.0 + 4.0 * gained)
    else:
        narrowed = math.log1p(gained)
    cost += 0.5 * away * away / variance + 0.5 * narrowed
    slope = push - away / variance
    step = slope / (precision + 1.0 / variance)
    return cost - 0.5 * slope * step, best + step, precision


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_list(
    model: GridModel, p: GridParameters, s: Scratch, n: int, links: int, belief: Record
) -> float:
    """Fill cost, offset and precision of all states of the list; return the lowest cost."""
    lowest = math.inf
    for k in range(n):
        kind = s.kind[k]
        cost, best, precision = weigh_state(
            model,
            p,
            s,
            links,
            s.node[k],
            kind,
            (belief["offset"][kind], belief["offset_var"][kind]),
        )
        s.cost[k] = cost
        s.offset[k] = best
        s.precision[k] = precision
        lowest = min(lowest, cost)
    return lowest


@njit(cache=True, nogil=True, error_model="numpy")
def take_evidence(s: Scratch, n: int, lowest: float, credit: float, keep: float) -> None:
    """Multiply the mass by the likelihood to the power ``credit``, and make it one.

    The mass itself goes in to the power ``keep``, so that old evidence fades: the errors of a tag
    that stands are frozen, and no repetition averages them out.
    """
    total = 0.0
    for k in range(n):
        evidence = credit * (lowest - s.cost[k])
        if keep >= 1.0:
            s.mass[k] *= math.exp(evidence)
        elif s.mass[k] > 0.0:
            s.mass[k] = math.exp(keep * math.log(s.mass[k]) + evidence)
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
    keep = math.exp(-dt_s / p.kind_memory_s)
    for kind in range(model.kinds.shape[0]):
        mean = belief["offset"][kind]
        prior = 1.0 / belief["offset_var"][kind]
        total = 0.0
        shift = 0.0
        square = 0.0
        own = 0.0
        for k in range(n):
            if s.kind[k] != kind:
                continue
            # The best offset belongs to all evidence of the update; only a part is credited.
            part = 1.0 / (credit * s.precision[k] + prior)
            step = (s.offset[k] - mean) * credit * (s.precision[k] + prior) * part
            mass = s.mass[k]
            total += mass
            shift += mass * step
            square += mass * step * step
            own += mass * part
        if total > KIND_MASS_MIN:
            shift /= total
            spread = own / total + max(square / total - shift * shift, 0.0)
            belief["offset"][kind] = mean + shift
            least = p.offset_sd_db_min * p.offset_sd_db_min
            belief["offset_var"][kind] = min(max(spread, least), model.kinds[kind, KIND_SD] ** 2)
        if total > 0.0 and keep < 1.0 and model.kinds.shape[0] > 1:
            held = max(total, KIND_MASS_MIN)
            factor = (model.kinds[kind, KIND_WEIGHT] / held) ** (1.0 - keep)
            for k in range(n):
                if s.kind[k] == kind:
                    s.mass[k] *= factor
