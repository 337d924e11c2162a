"""Carry the belief of one tag into the scratch, and what matters of it back.

Layer: kernels. Takes: a belief, the model of a site. Gives: the list of states in the scratch to
rtls.positioning.kernels.grid_update, and the belief as it is kept.
"""

import math

import numpy as np
from numba import njit

from rtls.positioning.kernels.grid_records import (
    KIND_MEAN,
    KIND_SD,
    KIND_WEIGHT,
    GridModel,
    GridParameters,
    Scratch,
    Singles,
)
from rtls.positioning.kernels.records import Ints, Record, wide

LOOKS = 512  # places all over a site, 2 to 3 m apart in a store
BINS = 64  # of the mass, by powers of two


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
def forget_offsets(model: GridModel, belief: Record) -> None:
    """Set the offset of each kind of tag to what is usual before anything was heard."""
    for kind in range(model.kinds.shape[0]):
        belief["offset"][kind] = model.kinds[kind, KIND_MEAN]
        belief["offset_var"][kind] = model.kinds[kind, KIND_SD] ** 2


@njit(cache=True, nogil=True, error_model="numpy")
def load_all(model: GridModel, s: Scratch, belief: Record) -> int:
    """Bring all states into the list, as likely as their kind; return its length."""
    nodes = model.xy.shape[0]
    kinds = model.kinds.shape[0]
    forget_offsets(model, belief)
    for kind in range(kinds):
        for node in range(nodes):
            k = kind * nodes + node
            s.state[k] = k
            s.node[k] = node
            s.kind[k] = kind
            s.mass[k] = model.kinds[kind, KIND_WEIGHT] / nodes
            s.place[k] = k
    return wide(kinds * nodes)


@njit(cache=True, nogil=True, error_model="numpy")
def load_some(model: GridModel, s: Scratch, belief: Record, here: int) -> int:
    """Bring state ``here`` and `LOOKS` more from all over the site into the list, to be weighed.

    No more than weighed: the list cannot be predicted or stored. For sites of more than `LOOKS`
    states, so that there is room. Returns its length.
    """
    nodes = model.xy.shape[0]
    kinds = model.kinds.shape[0]
    forget_offsets(model, belief)
    stride = 1 + nodes * kinds // LOOKS
    n = wide(1)
    s.kind[0] = here // nodes
    s.node[0] = here - s.kind[0] * nodes
    # Every seventeenth node, say, of a lattice laid row by row: rows are met at other columns.
    for state in range(stride // 2, nodes * kinds, stride):
        s.kind[n] = state // nodes
        s.node[n] = state - s.kind[n] * nodes
        n += 1
    return n


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
