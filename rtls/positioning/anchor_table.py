"""Lay the anchors of a site out as columns, calibrated, for the kernels.

Layer: rules. Takes: `SiteMap` and `Calibration`. Gives: `AnchorTable` to multilateration and
tracking, which index it with the readings' anchor numbers.
"""

from dataclasses import dataclass

import numpy as np

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import SiteMap
from rtls.positioning.calibration import Calibration
from rtls.positioning.kernels.columns import AnchorColumns
from rtls.positioning.measurement import MeasurementSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorTable:
    """Anchors of one site in the order of the site map; immutable, so threads may share it.

    Parameters
    ----------
    columns
        Places and radio parameters, (n_anchors,), and link errors, (n_rows, n_anchors); row 0
        holds the anchors' own, the others belong to tags as `Calibration.row_of` says.
    """

    columns: AnchorColumns

    @classmethod
    def build(
        cls,
        site_map: SiteMap,
        calibration: Calibration | None = None,
        *,
        measurement: MeasurementSettings | None = None,
    ) -> "AnchorTable":
        """Join map and calibration.

        Raises
        ------
        InvalidCalibration
            If the calibration names an anchor that the map does not have.
        """
        known = calibration or Calibration()
        settings = measurement or MeasurementSettings()
        index = site_map.anchor_index
        for anchor in (*known.losses, *(anchor for _, anchor in known.links)):
            if anchor not in index:
                raise InvalidCalibration(
                    f"anchor {anchor} is calibrated but not on the map of {site_map.site}. "
                    "Check its id, or leave its row out."
                )
        columns = AnchorColumns(
            *place_columns(site_map),
            *loss_columns(site_map, known, settings),
            *link_columns(site_map, known, settings),
        )
        for column in columns:
            column.flags.writeable = False
        return cls(columns=columns)

    def __len__(self) -> int:
        return int(self.columns.x_m.size)


def place_columns(site_map: SiteMap) -> tuple[np.ndarray, ...]:
    """Return x, y, z, floor and the box of the floor of the anchors."""
    anchors = site_map.anchors
    return (
        np.array([anchor.x_m for anchor in anchors], dtype=np.float64),
        np.array([anchor.y_m for anchor in anchors], dtype=np.float64),
        np.array([anchor.z_m for anchor in anchors], dtype=np.float64),
        np.array([anchor.floor for anchor in anchors], dtype=np.int32),
        np.array([box_of_floor(site_map, anchor.floor) for anchor in anchors]).reshape(-1, 4),
    )


def box_of_floor(site_map: SiteMap, floor: int) -> tuple[float, float, float, float]:
    """Return low x, high x, low y, high y of the anchors of a floor."""
    x = [anchor.x_m for anchor in site_map.anchors if anchor.floor == floor]
    y = [anchor.y_m for anchor in site_map.anchors if anchor.floor == floor]
    return min(x), max(x), min(y), max(y)


def loss_columns(
    site_map: SiteMap, known: Calibration, settings: MeasurementSettings
) -> tuple[np.ndarray, ...]:
    """Return rssi_at_1m, exponent, sigma and frozen bias in dB: the survey's, else the map's."""
    rows = np.array(
        [
            (anchor.rssi_at_1m, anchor.exponent, settings.rssi_sigma_db, settings.rssi_bias_sd_db)
            for anchor in site_map.anchors
        ],
        dtype=np.float64,
    ).reshape(-1, 4)
    for anchor, loss in known.losses.items():
        rows[site_map.anchor_index[anchor]] = (
            loss.rssi_at_1m,
            loss.exponent,
            loss.sigma_db,
            loss.bias_sd_db,
        )
    return tuple(np.ascontiguousarray(column) for column in rows.T)


def link_columns(
    site_map: SiteMap, known: Calibration, settings: MeasurementSettings
) -> tuple[np.ndarray, ...]:
    """Return bias, slope and the sd of what bias remains, each (n_rows, n_anchors)."""
    anchors = site_map.anchors
    shape = (1 + len(known.rows), len(anchors))
    bias_m = np.tile(np.array([anchor.range_bias_m for anchor in anchors]), (shape[0], 1))
    slope = np.tile(np.array([anchor.range_slope for anchor in anchors]), (shape[0], 1))
    is_known = (bias_m != 0.0) | (slope != 0.0)
    remaining = np.where(is_known, settings.range_bias_sd_m, settings.range_bias_sd_uncalibrated_m)
    for (tag, anchor), link in known.links.items():
        place = known.rows[tag], site_map.anchor_index[anchor]
        bias_m[place] = link.bias_m
        slope[place] = link.slope
        remaining[place] = settings.range_bias_sd_m
    return bias_m, slope, remaining
