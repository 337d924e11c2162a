"""Fit the radio map of a site to its survey.

Layer: rules. Takes: `SiteMap`, the nodes of a `WalkGrid`, a `Survey`.
Gives: `RadioMap` to the calibration.

An anchor whose place is known gets its path-loss law and, over it, a Gaussian process of what walls
and people's habits add (rtls.positioning.residual_field). An anchor of unknown place gets what was
heard around (kernel regression). How wide, and how old readings are, is asked of the survey itself:
parts held back must be foretold as well as can be (rtls.positioning.radio_map_choice).
"""

from typing import Final

import numpy as np

from rtls.model.site_map import SiteMap
from rtls.model.survey import Survey
from rtls.positioning.radio_map import RadioMap, refuse_size
from rtls.positioning.radio_map_choice import bias_sd_of, chosen_reading
from rtls.positioning.residual_field import placed_fields
from rtls.positioning.survey_bins import places_before
from rtls.positioning.survey_fields import SHARE, SPREAD, STRENGTH, fields_at
from rtls.positioning.survey_level import level_survey
from rtls.positioning.walk_grid import WalkGrid

DRIFT_SD_DB: Final = 2.0
"""Maps age: furniture moves, access points change their power. Half a year makes 2 to 3 dB."""


def fit_radio_map(site_map: SiteMap, grid: WalkGrid, survey: Survey) -> RadioMap:
    """Fit the map over the nodes of the grid; the same survey gives the same map, to the bit.

    Parameters
    ----------
    site_map
        Names and places of the anchors.
    grid
        Where a tag may be.
    survey
        Points or walks, of one device or several.

    `InvalidCalibration` names an anchor that is not on the map, or a map that would be too large.
    """
    refuse_size(len(site_map.anchors), len(grid))
    level, losses = level_survey(site_map, survey)
    reading = chosen_reading(level)
    bias_sd_m = bias_sd_of(level, reading, grid)  # first: its fields are as large as the map's
    places = places_before(survey, reading.lag_s)
    fields = fields_at(
        level,
        places,
        node_xy=grid.node_xy,
        node_floor=grid.node_floor,
        width_m=reading.width_m,
    )
    placed_fields(site_map, level, losses=losses, grid=grid, out=fields)
    spread_db = np.hypot(fields[:, :, SPREAD], DRIFT_SD_DB, out=fields[:, :, SPREAD])
    return RadioMap.of_fields(
        grid,
        strength_dbm=fields[:, :, STRENGTH],
        spread_db=spread_db,
        share=fields[:, :, SHARE],
        lag_s=reading.lag_s,
        bias_sd_m=bias_sd_m,
        device_offsets_db=tuple(level.offsets_db.tolist()),
    )
