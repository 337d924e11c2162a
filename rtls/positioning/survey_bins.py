"""Lay the readings of a survey out by place, as the smoothing kernel takes them.

Layer: rules. Takes: `Survey` and the order of the site's anchors. Gives: `Bins` of places a metre
apart, and the places of moving surveyors some seconds before, to rtls.positioning.radio_map_fit.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.survey import Survey

BIN_M: Final = 1.0
"""Fine beside the width of any kernel; the scans of a slow walk share a bin."""
COUNT_MAX: Final = 30.0
"""A stay of half an hour is not 3,000 witnesses: its readings share one place's multipath."""
Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Sums of readings by place and anchor.

    Parameters
    ----------
    xy, floor
        (n_bins, 2) m, (n_bins,).
    starts
        (n_bins + 1,) rows of each bin.
    anchor, sums
        (n_rows,) index, (n_rows, 3): count, sum dB, sum of squares.
    """

    xy: Floats
    floor: Whole
    starts: Whole
    anchor: Whole
    sums: Floats


def places_before(survey: Survey, lag_s: float) -> Floats:
    """Return (n_stops, 2) m where the surveyor was ``lag_s`` before each stop of a walk.

    Before the first stop of a walk it counts as the place; a stay has no before.
    """
    stops = survey.stops
    places = np.stack([stops["x_m"], stops["y_m"]], axis=1)
    if lag_s == 0.0:
        return places
    order = np.lexsort((stops["t_s"], stops["walk"]))
    order = order[np.isfinite(stops["t_s"][order])]
    before = places.copy()
    cuts = np.flatnonzero(np.diff(stops["walk"][order])) + 1
    for own in np.split(order, cuts):
        at_s = stops["t_s"][own]
        for axis in (0, 1):
            before[own, axis] = np.interp(at_s - lag_s, at_s, places[own, axis])
    return before


def bins_of(
    survey: Survey,
    places: Floats,
    *,
    anchor_of: Whole,
    level_db: Floats,
    chosen: npt.NDArray[np.bool_],
    bin_m: float = BIN_M,
) -> Bins:
    """Sum up the readings of the chosen stops.

    Parameters
    ----------
    survey
        What was heard.
    places
        (n_stops, 2) m.
    anchor_of
        (n_survey_anchors,) index of each on the site map.
    level_db
        (n_stops,) to subtract: how much louder the device of a stop hears.
    chosen
        (n_stops,)
    bin_m
        Side of a bin.
    """
    heard = survey.heard[chosen[survey.heard["stop"]]]
    stop = heard["stop"].astype(np.int64)
    cell = np.floor(places / bin_m)
    keys = np.column_stack([survey.stops["floor"], cell])
    used = np.unique(stop)
    _, place = np.unique(keys[used], axis=0, return_inverse=True)
    bin_of_stop = np.zeros(len(places), np.int64)
    bin_of_stop[used] = place.ravel()
    n_bins = int(bin_of_stop.max()) + 1 if len(used) else 0
    xy = np.zeros((n_bins, 2))
    floor = np.zeros(n_bins, np.int64)
    weight = np.bincount(bin_of_stop[used], minlength=n_bins)
    for axis in (0, 1):
        xy[:, axis] = np.bincount(bin_of_stop[used], places[used, axis], n_bins) / weight
    floor[bin_of_stop[used]] = survey.stops["floor"][used]
    anchor = anchor_of[heard["anchor"]]
    n_anchors = int(anchor_of.max()) + 1
    pairs, row = np.unique(bin_of_stop[stop] * n_anchors + anchor, return_inverse=True)
    count = np.minimum(heard["count"], COUNT_MAX)
    rssi = heard["rssi"].astype(np.float64) - level_db[stop]
    spread = np.nan_to_num(heard["spread_db"].astype(np.float64))
    sums = np.column_stack([
        np.bincount(row.ravel(), weights).astype(np.float64)
        for weights in (count, count * rssi, count * (rssi * rssi + spread * spread))
    ])  # fmt: skip
    return Bins(
        xy=xy,
        floor=floor,
        starts=np.searchsorted(pairs // n_anchors, np.arange(n_bins + 1)),
        anchor=pairs % n_anchors,
        sums=sums,
    )
