"""Say what an anchor measures of a tag.

Layer: rules. Takes: links (who, where, when) from firmware_sim.scenario. Gives: measured values,
NaN where nothing was heard.

Three channels: `ExactChannel` tells the truth (for tests that count milliseconds), `WhiteChannel`
adds independent Gaussian noise (a negative control: every filter looks good on it), and
`firmware_sim.measured_channel` behaves like recordings of real radios.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from rtls.model.site_map import SiteMap

Column = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

NEAR_FIELD_M: Final = 0.3  # closer than this the antenna pattern decides, not the distance
SENSITIVITY_DBM: Final = -95.0
WHITE_RANGE_SD_M: Final = 0.1
WHITE_RSSI_SD_DB: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Meetings of tags with anchors; all columns (n,). A pair occurs at most once.

    Parameters
    ----------
    slot, anchor
        The tag's slot and the anchor's index in the site map.
    x_m, y_m, heading_rad
        Where the tag is and which way its shopper faces.
    distance_m
        From antenna to antenna.
    at_ms
        When.
    """

    slot: Index
    anchor: Index
    x_m: Column
    y_m: Column
    heading_rad: Column
    distance_m: Column
    at_ms: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AnchorColumns:
    """What the map says of all anchors, as (n_anchors,) columns."""

    x_m: Column
    y_m: Column
    z_m: Column
    rssi_at_1m: Column
    exponent: Column
    range_bias_m: Column
    range_slope: Column

    @classmethod
    def of(cls, site_map: SiteMap) -> "AnchorColumns":
        """Return the columns in the order of the map."""
        anchors = site_map.anchors
        return cls(
            np.array([anchor.x_m for anchor in anchors]),
            np.array([anchor.y_m for anchor in anchors]),
            np.array([anchor.z_m for anchor in anchors]),
            np.array([anchor.rssi_at_1m for anchor in anchors]),
            np.array([anchor.exponent for anchor in anchors]),
            np.array([anchor.range_bias_m for anchor in anchors]),
            np.array([anchor.range_slope for anchor in anchors]),
        )


class RadioChannel(Protocol):
    """What lies between tag and anchor."""

    def ranges(self, links: Links) -> Column:
        """Return the measured range of each link in metres, NaN where the exchange failed."""
        ...

    def strengths(self, links: Links) -> Column:
        """Return the RSSI of each link in dBm, NaN where the advert was not heard."""
        ...

    def replace_tag(self, slot: int) -> None:
        """Forget what is frozen for a tag: another one has its slot from now on."""
        ...


def path_loss_dbm(
    distance_m: Column, *, rssi_at_1m: Column | float, exponent: Column | float
) -> Column:
    """Apply the log-distance law (Rappaport, Wireless Communications, ch. 4).

    Examples
    --------
    >>> path_loss_dbm(np.array([10.0]), rssi_at_1m=-59.0, exponent=2.0).tolist()
    [-79.0]
    """
    loss: Column = 10.0 * exponent * np.log10(np.maximum(distance_m, NEAR_FIELD_M))
    return rssi_at_1m - loss


class ExactChannel:
    """A radio without noise: what it says is what the calibration in the map makes of the truth."""

    def __init__(self, site_map: SiteMap) -> None:
        self._anchors = AnchorColumns.of(site_map)

    def ranges(self, links: Links) -> Column:
        """Return distance × (1 + slope) + bias as the map states them."""
        slope = self._anchors.range_slope[links.anchor]
        exact: Column = links.distance_m * (1.0 + slope) + self._anchors.range_bias_m[links.anchor]
        return exact

    def strengths(self, links: Links) -> Column:
        """Return what the path-loss law of the map says, NaN below the sensitivity."""
        exact = path_loss_dbm(
            links.distance_m,
            rssi_at_1m=self._anchors.rssi_at_1m[links.anchor],
            exponent=self._anchors.exponent[links.anchor],
        )
        return np.where(exact >= SENSITIVITY_DBM, exact, np.nan)

    def replace_tag(self, slot: int) -> None:
        """Do nothing: nothing is frozen."""


class WhiteChannel:
    """Independent Gaussian noise on the exact values: flatters every filter."""

    def __init__(self, site_map: SiteMap, *, rng: np.random.Generator) -> None:
        self._exact = ExactChannel(site_map)
        self._rng = rng

    def ranges(self, links: Links) -> Column:
        """Return exact ranges with a standard deviation of 0.1 m."""
        return self._exact.ranges(links) + self._rng.normal(0, WHITE_RANGE_SD_M, len(links.slot))

    def strengths(self, links: Links) -> Column:
        """Return exact strengths with a standard deviation of 4 dB."""
        noise = self._rng.normal(0, WHITE_RSSI_SD_DB, len(links.slot))
        return self._exact.strengths(links) + noise

    def replace_tag(self, slot: int) -> None:
        """Do nothing: nothing is frozen."""
