"""Add up the mass of beliefs on a grid over the zones.

Layer: kernels. Takes: nodes with their mass, and for each node how much of it counts for each zone.
Gives: P(zone) as CSR to rtls.geofence.grid_containment.
"""

import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.gaussian_in_zone import ZONES_A_FIX_MAX, Floats, Ints


@njit(cache=True, nogil=True)
def zones_of_masses(
    slots: Ints,
    used: Ints,
    states: Ints,
    masses: npt.NDArray,  # type: ignore[type-arg]
    node_start: Ints,
    node_zone: Ints,
    node_share: Floats,
    sums: Floats,
    p_listed: float,
    given_start: Ints,
    given_zone: Ints,
    given_probability: Floats,
    row_start: Ints,
    zone: Ints,
    probability: Floats,
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
    node_start, node_zone, node_share
        CSR over the nodes.
    sums
        (n_zones,) zeros; zeros again afterwards.
    p_listed
        Zones less probable than this are left out.
    given_start, given_zone, given_probability
        CSR of the other fixes.
    row_start, zone, probability
        Written; must hold n × `ZONES_A_FIX_MAX`.
    """
    nodes = node_start.size - 1
    end = 0
    lost = 0
    row_start[0] = 0
    for row in range(slots.size):
        slot = slots[row]
        if slot < 0:
            for k in range(given_start[row], given_start[row + 1]):
                zone[end] = given_zone[k]
                probability[end] = given_probability[k]
                end += 1
            row_start[row + 1] = end
            continue
        low = sums.size
        high = -1
        for k in range(used[row]):
            node = states[slot, k] % nodes
            for j in range(node_start[node], node_start[node + 1]):
                which = node_zone[j]
                sums[which] += masses[slot, k] * node_share[j]
                low = min(low, which)
                high = max(high, which)
        begun = end
        for which in range(low, high + 1):
            if sums[which] >= p_listed:
                if end - begun < ZONES_A_FIX_MAX:
                    zone[end] = which
                    probability[end] = min(sums[which], 1.0)
                    end += 1
                else:
                    lost += 1
            sums[which] = 0.0
        row_start[row + 1] = end
    return lost
