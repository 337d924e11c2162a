"""Say how probable it is that a tag is in each zone, where the tag is a belief on a grid.

Layer: rules. Takes: the beliefs of a map filter, as arrays. Gives: P(zone) to dwell, in one table
with that of the fixes that are Gaussian.

A belief has several peaks and stops at walls; its Gaussian would put a part of it into the next
aisle. What each node counts for each zone is worked out once a site: the part of a Gaussian around
the node that lies in the zone, as wide as the error of the map filter and the frozen bias together.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ContainmentSettings, ZoneProbabilities, zone_probabilities
from rtls.geofence.kernels.gaussian_in_zone import ZONES_A_FIX_MAX
from rtls.geofence.kernels.mass_in_zone import zones_of_masses
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.fix import FIX_DTYPE

GRID_METHOD: Final = 1
RSSI_BIT: Final = 1
Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]
BeliefArrays = tuple[Ints, Ints, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeZones:
    """How much of a tag at each node of a grid counts for each zone.

    Parameters
    ----------
    index
        The zones, for fixes that are no beliefs.
    settings
        Bias, and from which probability a zone is listed.
    shares
        P(zone) of a tag at each node.
    sums
        (n_zones,) zeros, room for the sums of one tag.
    """

    index: ZoneIndex
    settings: ContainmentSettings
    shares: ZoneProbabilities
    sums: Floats

    @classmethod
    def build(
        cls,
        index: ZoneIndex,
        nodes: tuple[Floats, Ints, float],
        settings: ContainmentSettings,
    ) -> "NodeZones":
        """Work out the shares of nodes: (n, 2) m, (n,) floors and their error, m; n may be 0.

        A site without a grid has no nodes, and all its fixes are Gaussian.
        """
        node_xy, node_floor, node_sd_m = nodes
        rows = np.zeros(len(node_xy), FIX_DTYPE)
        rows["x_m"], rows["y_m"] = node_xy.T
        rows["floor"] = node_floor
        rows["cov_xx"] = rows["cov_yy"] = node_sd_m * node_sd_m
        rows["kinds"] = RSSI_BIT
        shares = zone_probabilities(index, rows, settings)
        n_zones = int(shares.zone[: shares.row_start[-1]].max(initial=-1)) + 1
        return cls(index=index, settings=settings, shares=shares, sums=np.zeros(n_zones))

    def probabilities(self, fixes: Rows, beliefs: BeliefArrays | None) -> ZoneProbabilities:
        """Return P(zone) of all fixes, those on the grid by their mass.

        Parameters
        ----------
        fixes
            (n,) `FIX_DTYPE`.
        beliefs
            (n,) how many states the belief of each fix has; (capacity, k) states and masses by tag
            slot. None where none of the fixes is a belief.
        """
        if beliefs is None or not self._has_grid:
            return zone_probabilities(self.index, fixes, self.settings)
        return self._by_mass(fixes, beliefs)

    def warm_up(self, beliefs: BeliefArrays) -> None:
        """Compile the kernels, or load them, with the dtypes of ``beliefs`` of no fix."""
        if self._has_grid:
            self._by_mass(np.zeros(0, FIX_DTYPE), beliefs)

    @property
    def _has_grid(self) -> bool:
        return self.shares.row_start.size > 1

    def _by_mass(self, fixes: Rows, beliefs: BeliefArrays) -> ZoneProbabilities:
        used, states, masses = beliefs
        is_belief = (fixes["method"] == GRID_METHOD) & (used > 0)
        others = fixes.copy()
        others["x_m"][is_belief] = np.nan  # is in no zone, and costs nothing
        given = zone_probabilities(self.index, others, self.settings)
        row_start = np.empty(fixes.size + 1, np.int32)
        zone = np.empty(fixes.size * ZONES_A_FIX_MAX, np.int32)
        probability = np.empty(fixes.size * ZONES_A_FIX_MAX, np.float64)
        lost = zones_of_masses(
            np.where(is_belief, fixes["tag"], -1).astype(np.int32),
            used,
            states,
            masses,
            (self.shares.row_start, self.shares.zone, self.shares.probability),
            (given.row_start, given.zone, given.probability),
            self.sums,
            self.settings.p_listed,
            (row_start, zone, probability),
        )
        return ZoneProbabilities(
            row_start=row_start,
            zone=zone,
            probability=probability,
            left_out=given.left_out + int(lost),
            n_zones=given.n_zones,
        )
