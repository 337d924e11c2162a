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
LINKS_A_LOGARITHM = 16  # as many factors of at most 1e6 stay far below the largest number
PADE_MAX = 2.0
RARITY = 1.0 / 16.0  # nats
FROZEN_SHARE = 0.4  # of the variance of a reading: no mean over time saves it


@njit(cache=True, nogil=True, error_model="numpy")
def variance_at(model: GridModel, s: Scratch, j: int, node: int, anchor: int) -> float:
    """Return the variance of link j at a node: that of one reading less what a mean saves."""
    sd = 0.1 * model.spread[anchor, node]
    single = sd * sd
    return float(max(single - s.links[j, SAVED], FROZEN_SHARE * single) * s.links[j, DOUBT])


@njit(cache=True, nogil=True, error_model="numpy")
def residual_at(model: GridModel, s: Scratch, j: int, node: int, gain: float) -> float:
    """Return by how much link j is louder than a tag without offset would be at a node."""
    expected = 0.01 * model.expected[int(s.links[j, ANCHOR]), node]
    return float(s.links[j, VALUE] - REFERENCE_DBM - gain * (expected - REFERENCE_DBM))


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_links(model: GridModel, s: Scratch, n: int, links: int, dof: float) -> None:
    """Fill cost, precision and push of the list by all links, about the offsets in ``s.at``.

    This is most of what the map filter costs. Links are outside and states inside, what is looked
    up first and what is reckoned after, so that the processor takes several states at a time; of
    factors whose logarithm is wanted there is only the product. The width of a mean or of a
    doubted anchor differs by a constant that no node changes.
    """
    scale = 0.01 * (dof - 2.0)  # nu times the squared scale of Student's t, of tenths of a dB
    for k in range(n):
        s.cost[k] = 0.0
        s.precision[k] = 0.0
        s.push[k] = 0.0
        s.tails[k] = 1.0
        s.widths[k] = 1.0
    for j in range(links):
        look_up(model, s, n, int(s.links[j, ANCHOR]))
        value = s.links[j, VALUE] - REFERENCE_DBM
        saved = (dof - 2.0) * s.links[j, SAVED]
        doubt = s.links[j, DOUBT]
        for k in range(n):
            away = value - s.at[k] - s.gain[k] * (0.01 * s.strength[k] - REFERENCE_DBM)
            single = scale * s.spread[k] * s.spread[k]
            heavy = max(single - saved, FROZEN_SHARE * single) * doubt
            tail = heavy + away * away
            weight = (dof + 1.0) / tail
            s.precision[k] += weight
            s.push[k] += weight * away
            s.tails[k] *= tail * s.power[k]
            s.widths[k] *= heavy
        if j % LINKS_A_LOGARITHM == LINKS_A_LOGARITHM - 1 or j == links - 1:
            for k in range(n):
                s.cost[k] += 0.5 * (dof + 1.0) * math.log(s.tails[k] / s.widths[k])
                s.tails[k] = 1.0
                s.widths[k] = 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def look_up(model: GridModel, s: Scratch, n: int, anchor: int) -> None:
    """Bring what one anchor is expected to be heard with into columns beside the list."""
    expected = model.expected[anchor]
    spread = model.spread[anchor]
    rarity = model.rarity[anchor]
    for k in range(n):
        node = s.node[k]
        s.strength[k] = expected[node]
        s.spread[k] = spread[node]
        s.power[k] = s.powers[spread[node]]
        s.cost[k] += RARITY * rarity[node]


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_list(
    model: GridModel, p: GridParameters, s: Scratch, n: int, links: int, belief: Record
) -> float:
    """Fill cost, offset and precision of all states of the list; return the lowest cost.

    At each state the offset is integrated out as by Laplace: the cost at its best, its distance
    from what was believed, and how much narrower it has become. Where it is known well, one Newton
    step from what was believed is as good as all of them.
    """
    is_vague = False
    for k in range(n):
        kind = s.kind[k]
        s.at[k] = belief["offset"][kind]
        s.gain[k] = model.kinds[kind, KIND_GAIN]
        is_vague = is_vague or belief["offset_var"][kind] > VAGUE_DB2
    if is_vague:
        for _ in range(VAGUE_ROUNDS):
            weigh_links(model, s, n, links, p.student_dof)
            for k in range(n):
                if belief["offset_var"][s.kind[k]] > VAGUE_DB2:
                    s.at[k] += newton_step(model, s, k, links, belief)[0]
    weigh_links(model, s, n, links, p.student_dof)
    lowest = math.inf
    for k in range(n):
        kind = s.kind[k]
        variance = belief["offset_var"][kind]
        away = s.at[k] - belief["offset"][kind]
        gained = variance * s.precision[k]
        if gained < PADE_MAX:  # log1p by Padé's approximation, within a hundredth
            narrowed = gained * (6.0 + gained) / (6.0 + 4.0 * gained)
        else:
            narrowed = math.log1p(gained)
        step, slope, share = newton_step(model, s, k, links, belief)
        s.cost[k] += links * share + 0.5 * away * away / variance + 0.5 * narrowed
        s.cost[k] -= 0.5 * slope * step
        s.offset[k] = s.at[k] + step
        lowest = min(lowest, s.cost[k])
    return lowest


@njit(cache=True, nogil=True, error_model="numpy")
def newton_step(
    model: GridModel, s: Scratch, k: int, links: int, belief: Record
) -> tuple[float, float, float]:
    """Return the step to a likelier offset of state k, the slope there, and its share per link."""
    kind = s.kind[k]
    variance = belief["offset_var"][kind]
    row = model.hearing[min(kind, model.hearing.shape[0] - 1), s.node[k]]
    share, steep = hearing_at(row, s.at[k])
    slope = s.push[k] - links * steep - (s.at[k] - belief["offset"][kind]) / variance
    return slope / (s.precision[k] + 1.0 / variance), slope, share


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
