"""Choose which tags are followed on the walkable grid, and whether a site has one.

Layer: rules. Takes: the site map with its calibration, readings. Gives: the map filter of the site
and, for each reading, which filter takes it, to rtls.positioning.locator.

The choice is a tag's, and it is sticky: a tag that was ranged is not for a lattice of half a metre,
also while its ranges stay away for some seconds.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.belief import BELIEF_DTYPE
from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingArray
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.beliefs import Beliefs
from rtls.positioning.calibration import Calibration
from rtls.positioning.grid_settings import GridSettings
from rtls.positioning.grid_tracking import GridFilter
from rtls.positioning.kernels.filter_choice import mark_coarse
from rtls.positioning.locator_state import LocatorState
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.signal_map import signal_of_laws, signal_of_survey
from rtls.positioning.tracking import FixArray, TrackingSettings
from rtls.positioning.walk_grid import WalkGrid

ANGLE_REACH_M: Final = 6.0
PRECISE_FOR_MS: Final = 30_000
Floats = npt.NDArray[np.float64]
BLANK: Final = np.zeros(1, BELIEF_DTYPE)


def grid_filter_of(
    site_map: SiteMap,
    calibration: Calibration,
    *,
    anchors: AnchorTable,
    tracking: TrackingSettings,
    settings: GridSettings | None = None,
) -> GridFilter | None:
    """Return the map filter of a site, or None where nobody is heard by strength.

    A plan that leaves no ground to walk on has none either: its tags keep the Gaussian filter.
    """
    chosen = settings or GridSettings()
    if calibration.radio_map is not None:
        signal = signal_of_survey(calibration.radio_map, chosen)
        return GridFilter(signal, anchors=anchors, settings=chosen, tracking=tracking)
    if not any(anchor.radio is Radio.BLE and anchor.is_placed for anchor in site_map.anchors):
        return None
    try:
        grid = WalkGrid.of_plan(site_map)
    except InvalidGeometry:
        return None
    height_m = tracking.measurement.tag_height_m
    signal = signal_of_laws(grid, anchors, tag_height_m=height_m, settings=chosen)
    return GridFilter(signal, anchors=anchors, settings=chosen, tracking=tracking)


def usual_spreads(noise: MeasurementSettings) -> Floats:
    """Return (kinds, 2): the usual spread of each kind in metres, and metres for a unit of sigma.

    An angle is a length at the distance where tags usually are from an anchor. RSSI is never
    precise; a ready-made position always is, as its sender has weighed what it heard already.
    """
    return np.array([
        (math.inf, math.inf),
        (noise.range_sigma_m, 1.0),
        (noise.tdoa_sigma_m, 1.0),
        (noise.aoa_sigma_rad * ANGLE_REACH_M, ANGLE_REACH_M),
        (0.0, 0.0),
    ])  # fmt: skip


def choose_filter(
    state: LocatorState, readings: ReadingArray, *, usual: Floats, epoch_end_ms: UnixMs
) -> tuple[npt.NDArray[np.bool_], int]:
    """Return (n,) whether the grid takes each reading, and how many it takes.

    Which tags were ranged is kept; one that has left the grid by that begins anew.

    Parameters
    ----------
    state
        Of a site with a grid.
    readings
        `READING_DTYPE`, writable, sorted by tag.
    usual
        As `usual_spreads` gives it.
    epoch_end_ms
        When the epoch ends.
    """
    marks = np.empty(readings.size, np.uint8)
    beliefs = state.beliefs.rows
    taken = mark_coarse(
        readings, beliefs, state.tracks, BLANK, usual, int(epoch_end_ms), PRECISE_FOR_MS, marks
    )
    return marks.view(np.bool_), taken


def is_by_grid(
    beliefs: Beliefs, tags: npt.NDArray[np.int32], *, at_ms: UnixMs
) -> npt.NDArray[np.bool_]:
    """Return (n,) whether each of ``tags`` is followed on the grid."""
    precise_ms = beliefs.rows["precise_ms"][tags]
    is_coarse: npt.NDArray[np.bool_] = (precise_ms == 0) | (at_ms - precise_ms > PRECISE_FOR_MS)
    return is_coarse


def by_tag(fixes: FixArray, others: FixArray) -> FixArray:
    """Return the fixes of both filters, sorted by tag."""
    if not (fixes.size and others.size):
        return fixes if fixes.size else others
    joined = np.concatenate((fixes, others))
    return joined[np.argsort(joined["tag"], kind="stable")]
