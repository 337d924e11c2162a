"""Hand what a surveyor heard to the fit of the radio map.

Layer: doors. Takes: `PlacedReadings`. Gives: a `RadioMap` to inaisle.calibration.calibration_fit,
or None where no strength was heard at enough places.
"""

from typing import Final

import numpy as np

from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.survey import HEARD_DTYPE, STOP_DTYPE, Survey
from rtls.positioning.placed_readings import PlacedReadings, groups_of
from rtls.positioning.radio_map import RadioMap
from rtls.positioning.radio_map_fit import fit_radio_map
from rtls.positioning.walk_grid import WalkGrid

STOPS_MIN: Final = 8
"""fewer places say less about walls than the path-loss law does"""


def radio_map_from(site_map: SiteMap, placed: PlacedReadings) -> RadioMap | None:
    """Fit the radio map of a site to the strengths of a survey."""
    survey = survey_of(site_map, placed)
    if survey is None or len(survey.stops) < STOPS_MIN:
        return None
    return fit_radio_map(site_map, WalkGrid.of_plan(site_map), survey)


def survey_of(site_map: SiteMap, placed: PlacedReadings) -> Survey | None:
    """Return the strengths as a survey: a stop for each place and tag."""
    rows = placed.of_kind(ReadingKind.RSSI).rows
    rows = rows[np.lexsort((rows["anchor"], rows["tag"], rows["stop"]))]
    stops: list[tuple[float, ...]] = []
    heard: list[tuple[float, ...]] = []
    for own in groups_of(rows, ("stop", "tag")):
        place = [float(own[axis].mean()) for axis in ("x_m", "y_m", "z_m")]
        stop, tag = len(stops), int(own["tag"][0])
        stops.append((*place, int(own["floor"][0]), tag, stop, np.nan))
        for values in groups_of(own, ("anchor",)):
            spread = float(np.sqrt(np.mean(values["spread"] ** 2) + np.var(values["value"])))
            heard.append((
                stop, int(values["anchor"][0]), float(values["value"].mean()),
                spread if spread > 0.0 else np.nan, len(values),
            ))  # fmt: skip
    if not heard:
        return None
    return Survey(
        stops=np.array(stops, STOP_DTYPE),
        heard=np.array(heard, HEARD_DTYPE),
        anchors=tuple(anchor.anchor for anchor in site_map.anchors),
        devices=placed.tags,
    )
