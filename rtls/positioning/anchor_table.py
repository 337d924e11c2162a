"""Lay the anchors of a site out as records, calibrated, for the kernels.

Layer: rules. Takes: `SiteMap` and `Calibration`. Gives: `AnchorTable` to multilateration and
tracking, which index it with the readings' anchor numbers.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import SiteMap
from rtls.model.track import FLOORS_A_SITE
from rtls.positioning.calibration import Calibration, LinkRange
from rtls.positioning.kernels.records import ANCHOR_DTYPE, LINK_DTYPE, AnchorRecords, Records
from rtls.positioning.measurement import MeasurementSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorTable:
    """Anchors of one site in the order of the site map; immutable, so threads may share it.

    Parameters
    ----------
    records
        Places and radio parameters, (n_anchors,), and link errors, (n_rows, n_anchors); row 0
        holds the anchors' own, the others belong to tags as `Calibration.row_of` says.
    """

    records: AnchorRecords

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
        for anchor in known.anchors:
            if anchor not in index:
                raise InvalidCalibration(
                    f"anchor {anchor} is calibrated but not on the map of {site_map.site}. "
                    "Check its id, or leave its row out."
                )
        records = AnchorRecords(
            own=anchor_records(site_map, known, settings),
            links=link_records(site_map, known, settings),
            floors=floors_of(site_map),
        )
        for array in records:
            array.flags.writeable = False
        return cls(records=records)

    def __len__(self) -> int:
        return int(self.records.own.size)


def anchor_records(site_map: SiteMap, known: Calibration, settings: MeasurementSettings) -> Records:
    """Return place and path loss of each anchor, the survey's before the map's."""
    records = np.zeros(len(site_map.anchors), ANCHOR_DTYPE)
    floors = floors_of(site_map).tolist()
    boxes = {floor: box_of_floor(site_map, floor) for floor in {a.floor for a in site_map.anchors}}
    for record, anchor in zip(records, site_map.anchors, strict=True):
        record["x_m"], record["y_m"], record["z_m"] = anchor.x_m, anchor.y_m, anchor.z_m
        record["floor"] = anchor.floor
        record["floor_index"] = floors.index(anchor.floor)
        record["is_placed"] = anchor.is_placed
        record["yaw_rad"] = math.radians(anchor.yaw_deg)
        record["box"] = boxes[anchor.floor]
        loss = known.losses.get(anchor.anchor)
        record["rssi_at_1m"] = loss.rssi_at_1m if loss else anchor.rssi_at_1m
        record["exponent"] = loss.exponent if loss else anchor.exponent
        record["rssi_sigma_db"] = loss.sigma_db if loss else settings.rssi_sigma_db
        record["rssi_bias_sd_db"] = loss.bias_sd_db if loss else settings.rssi_bias_sd_db
    return records


def floors_of(site_map: SiteMap) -> npt.NDArray[np.int64]:
    """Return the floors that have anchors, rising; one if there is no anchor.

    Raises
    ------
    InvalidCalibration
        If they are more than a track can weigh.
    """
    floors = sorted({anchor.floor for anchor in site_map.anchors}) or [site_map.floors[0].floor]
    if len(floors) > FLOORS_A_SITE:
        raise InvalidCalibration(
            f"{site_map.site} has anchors on {len(floors)} floors; expected at most "
            f"{FLOORS_A_SITE}. Split it into two sites."
        )
    return np.array(floors, dtype=np.int64)


def box_of_floor(site_map: SiteMap, floor: int) -> tuple[float, float, float, float]:
    """Return low x, high x, low y, high y of the anchors on a floor."""
    x = [anchor.x_m for anchor in site_map.anchors if anchor.floor == floor]
    y = [anchor.y_m for anchor in site_map.anchors if anchor.floor == floor]
    return min(x), max(x), min(y), max(y)


def link_records(site_map: SiteMap, known: Calibration, settings: MeasurementSettings) -> Records:
    """Return bias, slope and the sd of what bias remains, (n_rows, n_anchors)."""
    anchors = site_map.anchors
    records = np.zeros((1 + len(known.rows), len(anchors)), LINK_DTYPE)
    records["bias_m"] = [anchor.range_bias_m for anchor in anchors]
    records["slope"] = [anchor.range_slope for anchor in anchors]
    is_known = (records["bias_m"] != 0.0) | (records["slope"] != 0.0)
    records["bias_sd_m"] = np.where(
        is_known, settings.range_bias_sd_m, settings.range_bias_link_sd_m
    )
    records["common"] = np.where(is_known, 0.0, 1.0)
    index = site_map.anchor_index
    for anchor, error in known.ranges.items():
        for row in records:
            fill_link(row[index[anchor]], error, settings)
    for (tag, anchor), error in known.links.items():
        fill_link(records[known.rows[tag]][index[anchor]], error, settings)
    return records


def fill_link(record: np.void, error: LinkRange, settings: MeasurementSettings) -> None:
    """Write what was learnt of one link into its record."""
    record["bias_m"], record["slope"] = error.bias_m, error.slope
    record["common"] = 0.0
    sd_m = error.bias_sd_m
    record["bias_sd_m"] = settings.range_bias_sd_m if sd_m is None else sd_m
