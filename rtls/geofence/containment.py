"""Say how probable it is that a tag is in each zone near it.

Layer: rules. Takes: fixes with their covariance from rtls.positioning. Gives: P(zone) to dwell.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.kernels.gaussian_in_zone import ZONES_A_FIX_MAX, zones_of_fixes
from rtls.geofence.records import as_records
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.errors import InvalidGeometry
from rtls.model.units import Metre

BIAS_M_MAX: Final = Metre(100.0)
P_LISTED_MAX: Final = 0.01  # the error that P(zone) may have


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainmentSettings:
    """How far a fix may be trusted beyond its own covariance.

    Multipath moves a fix by the same amount for as long as the tag stands there, so that error
    does not average out: each kind of reading has a bias, one sigma per axis, that is added to the
    covariance however small that has become. The sharpest kind used decides.
    """

    bias_rssi_m: Metre = Metre(1.0)
    bias_range_m: Metre = Metre(0.05)
    bias_tdoa_m: Metre = Metre(0.1)
    bias_aoa_m: Metre = Metre(0.2)
    bias_position_m: Metre = Metre(0.2)
    p_listed: float = 0.005
    """zones less probable than this count as 0"""

    def __post_init__(self) -> None:
        for bias in self.bias_m:
            if not 0.0 <= bias <= BIAS_M_MAX:
                raise InvalidGeometry(f"a frozen bias is {bias} m; expected 0 to {BIAS_M_MAX}.")
        if not 0.0 < self.p_listed <= P_LISTED_MAX:
            raise InvalidGeometry(
                f"p_listed is {self.p_listed}; expected above 0, at most {P_LISTED_MAX}."
            )

    @property
    def bias_m(self) -> tuple[Metre, ...]:
        """The biases in the order of ReadingKind."""
        return (
            self.bias_rssi_m,
            self.bias_range_m,
            self.bias_tdoa_m,
            self.bias_aoa_m,
            self.bias_position_m,
        )

    @property
    def bias_by_kind(self) -> npt.NDArray[np.float64]:
        """The same, as the kernels take them."""
        return np.array(self.bias_m, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneProbabilities:
    """P(zone) of n fixes as CSR, rising by zone within a fix.

    Parameters
    ----------
    row_start
        (n + 1,) into `zone` and `probability`.
    zone
        Indices of zones in the site map.
    probability
        P(the tag is in that zone).
    left_out
        Zones that did not fit in the list of a fix.
    n_zones
        Of the site map; what is listed beyond are halos, for leaving alone.
    """

    row_start: npt.NDArray[np.int32]
    zone: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float64]
    left_out: int
    n_zones: int = np.iinfo(np.int32).max

    def of(self, row: int) -> dict[int, float]:
        """Return the probabilities of one fix by zone."""
        part = slice(self.row_start[row], self.row_start[row + 1])
        listed = zip(self.zone[part].tolist(), self.probability[part].tolist(), strict=True)
        return {zone: p for zone, p in listed if zone < self.n_zones}


def zone_probabilities(
    index: ZoneIndex,
    fixes: npt.NDArray[np.void],
    settings: ContainmentSettings = ContainmentSettings(),
) -> ZoneProbabilities:
    """Integrate each fix's Gaussian over the zones within its reach.

    Parameters
    ----------
    index
        The zones of the site.
    fixes
        (n,) `FIX_DTYPE`. One that is not finite, or on an unknown floor, is in no zone.
    settings
        The bias per kind of reading.
    """
    row_start = np.empty(fixes.size + 1, np.int32)
    zone = np.empty(fixes.size * ZONES_A_FIX_MAX, np.int32)
    probability = np.empty(fixes.size * ZONES_A_FIX_MAX, np.float64)
    left_out = zones_of_fixes(
        index.coarse,
        index.shapes,
        as_records(fixes),
        settings.bias_by_kind,
        settings.p_listed,
        row_start,
        zone,
        probability,
    )
    return ZoneProbabilities(
        row_start=row_start,
        zone=zone,
        probability=probability,
        left_out=left_out,
        n_zones=len(index.zones),
    )
