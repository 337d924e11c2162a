"""Ask a survey itself how wide its kernel should be, how old its readings were, how wrong it is.

Layer: rules. Takes: a levelled survey. Gives: `MapReading` and the frozen error to
rtls.positioning.radio_map_fit.

A fifth of the walks (or points) is held back, and what was heard there must be foretold by the
rest. The lag is found in the same way: a Wi-Fi scan takes seconds and is handed over when it is
done, so on some phones readings fit the place of five seconds ago far better than that of now.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.survey import Survey
from rtls.positioning.radio_map import BIAS_SD_M_MAX
from rtls.positioning.survey_bins import places_before
from rtls.positioning.survey_fields import SHARE, SPREAD, STRENGTH, Fields, LevelSurvey, fields_at
from rtls.positioning.walk_grid import WalkGrid

WIDTHS_M: Final = (1.0, 1.5, 2.0, 3.0, 4.0)
WIDTH_USUAL_M: Final = 2.0
LAGS_S: Final = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
FOLDS: Final = 5
ASKED_MAX: Final = 400
LOCATED_MAX: Final = 200
WALKS_MIN: Final = 5
STUDENT_DOF: Final = 4.0
MAP_SD_DB: Final = 2.0
"""of single readings about a kernel mean, beside their spread"""
UNHEARD_DBM: Final = -100.0
LOG_STRANGE: Final = -10.0
"""A phone's own hotspot, a moved beacon: what no map foretells must not choose the map."""
TEMPER: Final = 0.5
WINDOW_S: Final = 2.0
RAYLEIGH_75: Final = 1.6651092223153954
"""third quartile of the error, over its standard deviation along an axis: sqrt(2 ln 4)"""
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Stops = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapReading:
    """How a survey is best read: width of the kernel, age of the readings."""

    width_m: float
    lag_s: float


def chosen_reading(level: LevelSurvey) -> MapReading:
    """Return the width and the lag with which the held-back part is foretold best."""
    held = held_back(level)
    if not held.any() or held.all():
        return MapReading(width_m=WIDTH_USUAL_M, lag_s=0.0)
    stops = level.survey.stops
    lag_s = 0.0
    # Too narrow a kernel foretells badly whatever the lag, so the first width comes first.
    width_m = max(WIDTHS_M, key=lambda width: _foretold(level, held, width, lag_s))
    if np.isfinite(stops["t_s"]).all() and len(np.unique(stops["walk"])) >= WALKS_MIN:
        lag_s = max(LAGS_S, key=lambda lag: _foretold(level, held, width_m, lag))
        width_m = max(WIDTHS_M, key=lambda width: _foretold(level, held, width, lag_s))
    return MapReading(width_m=width_m, lag_s=lag_s)


def held_back(level: LevelSurvey) -> Bools:
    """Return (n_stops,) which are held back: whole walks, or points with all devices' stays."""
    stops = level.survey.stops
    places = np.column_stack([stops["floor"], stops["x_m"], stops["y_m"]])
    if np.isfinite(stops["t_s"]).all():
        places = stops["walk"].reshape(-1, 1)
    _, group = np.unique(places, axis=0, return_inverse=True)
    return np.asarray(group.ravel() % FOLDS == 0)


def _foretold(level: LevelSurvey, held: Bools, width_m: float, lag_s: float) -> float:
    """Return the mean log density of the held-back readings."""
    survey = level.survey
    places = places_before(survey, lag_s)
    asked = np.flatnonzero(held)
    asked = asked[:: len(asked) // ASKED_MAX + 1]
    fields = fields_at(
        level,
        places,
        node_xy=places[asked],
        node_floor=survey.stops["floor"][asked],
        width_m=width_m,
        chosen=~held,
    )
    column = np.full(len(held), -1)
    column[asked] = np.arange(len(asked))
    heard = survey.heard[column[survey.heard["stop"]] >= 0]
    if not len(heard):
        return 0.0
    strength = heard["rssi"] - level.level_db[heard["stop"]]
    own = fields[level.anchor_of[heard["anchor"]], column[heard["stop"]]]
    return float(np.mean(np.logaddexp(log_evidence(own, strength), LOG_STRANGE)))


def log_evidence(fields: Fields, rssi: npt.NDArray[np.floating]) -> Floats:
    """Return the log density of readings, by their (..., 3) fields."""
    mean = np.where(np.isnan(fields[..., STRENGTH]), UNHEARD_DBM, fields[..., STRENGTH])
    spread = np.hypot(fields[..., SPREAD], MAP_SD_DB)
    off = (rssi - mean) / spread
    student = -0.5 * (STUDENT_DOF + 1.0) * np.log1p(off * off / STUDENT_DOF)
    return np.asarray(student - np.log(spread) + np.log(fields[..., SHARE]), np.float64)


def bias_sd_of(level: LevelSurvey, reading: MapReading, grid: WalkGrid) -> float:
    """Return how far, m along each axis, held-back places are found wrong by one scan alone.

    What one scan errs by hardly differs from what the next one errs by: the map and the walls stay
    as they are. From the third quartile, so that neither luck nor the worst walk decides. 0 for a
    survey of points: the place between two of them is too far from both to speak for the map.
    """
    held = held_back(level)
    survey = level.survey
    if not held.any() or held.all() or np.isnan(survey.stops["t_s"]).any():
        return 0.0
    places = places_before(survey, reading.lag_s)
    fields = fields_at(
        level,
        places,
        node_xy=grid.node_xy,
        node_floor=grid.node_floor,
        width_m=reading.width_m,
        chosen=~held,
    )
    order = np.argsort(survey.heard["stop"], kind="stable")
    sorted_stops = survey.heard["stop"][order]
    errors = []
    for stops in _windows(survey, np.flatnonzero(held)):
        first, last = np.searchsorted(sorted_stops, stops), np.searchsorted(sorted_stops, stops + 1)
        rows = [order[begin:end] for begin, end in zip(first, last, strict=True)]
        readings = survey.heard[np.concatenate(rows)]
        if len(readings):
            rssi = readings["rssi"] - level.level_db[readings["stop"]]
            found = _located(fields[level.anchor_of[readings["anchor"]]], rssi, grid)
            errors.append(float(np.hypot(*(found - places[stops].mean(axis=0)))))
    if not errors:
        return 0.0
    return min(float(np.quantile(errors, 0.75)) / RAYLEIGH_75, BIAS_SD_M_MAX)


def _windows(survey: Survey, held: Stops) -> list[Stops]:
    """Return the held-back stops window by window, evenly thinned to `LOCATED_MAX` of them."""
    stops = survey.stops[held]
    window = np.floor(stops["t_s"] / WINDOW_S)
    _, group = np.unique(
        np.column_stack([stops["walk"], stops["device"], window]), axis=0, return_inverse=True
    )
    order = np.argsort(group.ravel(), kind="stable")
    parts = np.split(held[order], np.flatnonzero(np.diff(group.ravel()[order])) + 1)
    return parts[:: len(parts) // LOCATED_MAX + 1]


def _located(fields: Fields, rssi: npt.NDArray[np.floating], grid: WalkGrid) -> Floats:
    """Return where, (2,) m, some readings alone place their phone, on the likeliest floor."""
    evidence = TEMPER * log_evidence(fields, rssi[:, None]).sum(axis=0)
    mass = np.exp(evidence - evidence.max())
    floors, floor = np.unique(grid.node_floor, return_inverse=True)
    mass = np.where(floor == np.bincount(floor, mass, len(floors)).argmax(), mass, 0.0)
    return np.asarray(mass @ grid.node_xy / mass.sum())
