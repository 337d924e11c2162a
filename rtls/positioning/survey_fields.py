"""State what a survey heard as fields over places: strength, spread and share of each anchor.

Layer: rules. Takes: `Survey`, levelled for the devices that made it.
Gives: fields at the nodes of a grid, or at places held back, to rtls.positioning.radio_map_fit and
radio_map_choice.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import SiteMap
from rtls.model.survey import Survey
from rtls.positioning.kernels.survey_smoothing import smooth
from rtls.positioning.survey_bins import bins_of

STRENGTH: Final = 0
SPREAD: Final = 1
SHARE: Final = 2
"""columns of fields"""
Floats = npt.NDArray[np.float64]
Fields = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSurvey:
    """A survey as devices of one loudness would have made it, on the site's numbers of anchors.

    Parameters
    ----------
    survey
        What was heard.
    n_anchors
        Of the site.
    anchor_of
        (n_survey_anchors,) index on the site map.
    offsets_db
        (n_devices,) how much louder each hears than the mean of them.
    """

    survey: Survey
    n_anchors: int
    anchor_of: npt.NDArray[np.int64]
    offsets_db: Floats

    @property
    def level_db(self) -> Floats:
        """Return (n_stops,) how much louder the device of each stop hears."""
        return np.asarray(self.offsets_db[self.survey.stops["device"]])


def fields_at(
    level: LevelSurvey,
    places: Floats,
    *,
    node_xy: Floats,
    node_floor: npt.NDArray[np.int32],
    width_m: float,
    chosen: npt.NDArray[np.bool_] | None = None,
) -> Fields:
    """Return strength, spread and share, (n_anchors, n_nodes, 3), smoothed over the survey.

    Parameters
    ----------
    level
        The survey.
    places
        (n_stops, 2) m, where its readings speak of.
    node_xy, node_floor
        (n, 2) m and (n,): where to state the fields.
    width_m
        Of the kernel.
    chosen
        (n_stops,) the stops to use; all if not given.
    """
    if chosen is None:
        chosen = np.ones(len(places), np.bool_)
    bins = bins_of(
        level.survey, places, anchor_of=level.anchor_of, level_db=level.level_db, chosen=chosen
    )
    out = np.empty((level.n_anchors, len(node_xy), 3), np.float32)
    smooth(
        np.ascontiguousarray(node_xy, np.float64),
        node_floor.astype(np.int64),
        bins.xy,
        bins.floor,
        bins.starts,
        bins.anchor,
        bins.sums,
        width_m,
        out,
    )
    return out


def anchor_numbers(site_map: SiteMap, survey: Survey) -> npt.NDArray[np.int64]:
    """Return (n_survey_anchors,) the index of each on the site map.

    Raises
    ------
    InvalidCalibration
        If one is not there.
    """
    index = site_map.anchor_index
    for anchor in survey.anchors:
        if anchor not in index:
            raise InvalidCalibration(
                f"the survey names anchor {anchor}, which is not on the map of {site_map.site}. "
                "Add it to the map, or leave it out of the survey."
            )
    return np.array([index[anchor] for anchor in survey.anchors], np.int64)
