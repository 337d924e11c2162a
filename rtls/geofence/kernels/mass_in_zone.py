"""Add up the mass of beliefs on a grid over the zones.

Layer: kernels. Takes: nodes with their mass, and for each node how much of it counts for each zone.
Gives: P(zone) as CSR to rtls.geofence.grid_containment.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.gaussian_in_zone import ZONES_A_FIX_MAX, Floats, Ints

Singles = npt.NDArray[np.float32]
Csr = tuple[Ints, Ints, Floats]


@njit(cache=True, nogil=True, error_model="numpy")
def zones_of_masses(
    slots: Ints,
    used: Ints,
    states: Ints,
    masses: Singles,
    of_nodes: Csr,
    given: Csr,
    sums: Floats,
    p_listed: float,
    out: Csr,
) -> int:
    """Write P(zone) of each fix as CSR, rising by zone; return how many zones did not fit.

    Parameters
    ----------
    slots
        (n,) rows of ``states`` and ``masses``; -1 where a fix is no belief: what was given holds.
    used
        (n,) how many states of that row count.
    states, masses
        (capacity, k): hypothesis times number of nodes plus node, and its mass.
    of_nodes, given
        Of the nodes, and of the other fixes.
    sums
        (n_zones,) zeros; zeros again afterwards.
    p_listed
        Zones less probable than this are left out.
    out
        Written; must hold n × `ZONES_A_FIX_MAX`.
    """
    row_start, zone, probability = out
    end = 0
    lost = 0
    row_start[0] = 0
    for row in range(slots.size):
        if slots[row] < 0:
            for k in range(given[0][row], given[0][row + 1]):
                zone[end] = given[1][k]
                probability[end] = given[2][k]
                end += 1
        else:
            slot = slots[row]
            low, high = add_up(used[row], states[slot], masses[slot], of_nodes, sums)
            end, more = list_sums(low, high, sums, p_listed, zone, probability, end)
            lost += more
        row_start[row + 1] = end
    return lost


@njit(cache=True, nogil=True, error_model="numpy")
def add_up(
    used: int, states: Ints, masses: Singles, of_nodes: Csr, sums: Floats
) -> tuple[int, int]:
    """Add the mass of one belief to the sums of its zones; return the first and last of them."""
    start, zone, share = of_nodes
    nodes = start.size - 1
    low = sums.size
    high = -1
    for k in range(used):
        node = states[k] % nodes
        for j in range(start[node], start[node + 1]):
            which = zone[j]
            sums[which] += masses[k] * share[j]
            low = min(low, which)
            high = max(high, which)
    return low, high


@njit(cache=True, nogil=True, error_model="numpy")
def list_sums(
    low: int, high: int, sums: Floats, p_listed: float, zone: Ints, probability: Floats, end: int
) -> tuple[int, int]:
    """List the zones that are probable, and clear the sums; return the new end and what is lost."""
    begun = end
    lost = 0
    for which in range(low, high + 1):
        if sums[which] >= p_listed:
            if end - begun < ZONES_A_FIX_MAX:
                zone[end] = which
                probability[end] = min(sums[which], 1.0)
                end += 1
            else:
                lost += 1
        sums[which] = 0.0
    return end, lost
