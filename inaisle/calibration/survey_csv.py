"""Make the radio map of a recording from what its surveyors heard.

Layer: doors. Takes: the survey walks of a `Recording`, or survey.csv (means by point).
Gives: a `RadioMap` to inaisle.calibration.calibration_csv.
"""

import math
from pathlib import Path
from typing import Final

import numpy as np

from inaisle.recording.csv_table import finite, read_table
from rtls.ingest.recorded_table import Names, anchor_id
from rtls.model.site_map import SiteMap
from rtls.model.survey import HEARD_DTYPE, STOP_DTYPE, Survey
from rtls.model.units import AnchorId, Metre
from rtls.positioning.radio_map import RadioMap
from rtls.positioning.radio_map_fit import fit_radio_map
from rtls.positioning.walk_grid import WalkGrid

POINT_COLUMNS: Final = ("point", "x", "y", "z", "anchor", "n", "mean", "std")
REACH_M: Final = Metre(2.5)
"""So far beside a survey walk people still walk: half of a wide corridor."""
CELL_M: Final = Metre(1.0)
CELLS_MAX: Final = 20_000_000
"""Anchors times nodes of the maps made here: 80 MB, and six times that while they are made."""


def radio_map_of(site_map: SiteMap, survey: Survey) -> RadioMap:
    """Fit the map over the plan of the site, or over what the survey walked where there is none."""
    return fit_radio_map(site_map, grid_of(site_map, survey), survey)


def grid_of(site_map: SiteMap, survey: Survey) -> WalkGrid:
    """Return the nodes for a site; their cells grow until the map of all anchors is not too large.

    Parameters
    ----------
    site_map
        With walls, furniture or walkable areas if there is a plan.
    survey
        Its stops stand for the plan where there is none.
    """
    if any(anchor.is_placed for anchor in site_map.anchors):
        return WalkGrid.of_plan(site_map)
    stops = survey.stops
    rows = np.column_stack([stops["floor"], stops["x_m"] // 1.0, stops["y_m"] // 1.0])
    walked = np.unique(rows.astype(np.int64), axis=0)  # one place for each square metre
    reach = range(-math.ceil(REACH_M), math.ceil(REACH_M) + 1)
    around = np.array([(0, x, y) for x in reach for y in reach if math.hypot(x, y) <= REACH_M])
    area_m2 = len(np.unique((walked[:, None, :] + around).reshape(-1, 3), axis=0))
    cell_m = max(CELL_M, math.sqrt(1.1 * area_m2 * len(site_map.anchors) / CELLS_MAX))
    return WalkGrid.around(
        walked[:, 1:].astype(np.float64) + 0.5,
        walked[:, 0].astype(np.int32),
        reach_m=REACH_M,
        cell_m=Metre(cell_m),
    )


def device_of(point: str) -> str:
    """Return what listened at a point: ``A5`` at ``A5_p01``, nothing at ``p01``."""
    return point.rpartition("_")[0]


def read_points(path: Path) -> Survey:
    """Read a survey of points: means over a stay, by point and anchor.

    A point's name is ``phone_point`` where several devices surveyed, else ``point``.
    `InvalidRecording` names a row that cannot be read.
    """
    points, anchors, devices = Names(), Names(), Names()
    stops: list[tuple[float, float, float, int, int, int, float]] = []
    heard: list[tuple[int, int, float, float, int]] = []
    for line, row in read_table(path, POINT_COLUMNS):
        where = f"{path}:{line}"
        x, y, z, mean = (finite(row, name, where=where) for name in ("x", "y", "z", "mean"))
        stop = points.index_of(row["point"])
        if stop == len(stops):
            device = devices.index_of(device_of(row["point"]))
            stops.append((x, y, z, 0, device, stop, math.nan))
        # A point heard once has no spread; the column is empty there.
        spread = finite(row, "std", where=where) if row["std"] else math.nan
        anchor = anchors.index_of(anchor_id(row["anchor"], where))
        heard.append((stop, anchor, mean, spread, max(int(finite(row, "n", where=where)), 1)))
    return Survey(
        stops=np.array(stops, STOP_DTYPE),
        heard=np.array(heard, HEARD_DTYPE),
        anchors=tuple(AnchorId(name) for name in anchors.names),
        devices=tuple(devices.names),
    )
