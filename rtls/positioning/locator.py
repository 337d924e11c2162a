"""Locate the tags of one site: readings in, fixes out, whatever filter follows a tag.

Layer: rules. Takes: readings of one epoch from the engine, the site map, its calibration.
Gives: `FIX_DTYPE` rows to the engine, which passes them to geofence.

The engine knows no filter: it holds a `LocatorState` and hands it to the `Locator` of the site.
"""

import numpy as np
import numpy.typing as npt

from rtls.model.anchor_alarm import AnchorAlarm
from rtls.model.fix import FIX_DTYPE
from rtls.model.reading import ReadingArray
from rtls.model.site_map import SiteMap
from rtls.model.units import TagId, UnixMs
from rtls.positioning.anchor_health import (
    AnchorPlaces,
    new_places,
    review_anchors,
    standing_alarms,
)
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.calibration import Calibration
from rtls.positioning.grid_choice import (
    by_tag,
    choose_filter,
    grid_filter_of,
    is_by_grid,
    usual_spreads,
)
from rtls.positioning.locator_state import LocatorState
from rtls.positioning.stale_values import without_stale
from rtls.positioning.tracking import FixArray, TrackingSettings, coast_tracks, update_tracks
from rtls.positioning.warm_up import readings_at, warm_up

Floats = npt.NDArray[np.float64]
Slots = npt.NDArray[np.int32]
Nodes = tuple[Floats, Slots, float]


class Locator:
    """The filters of one site; the state of the tags is passed in. One engine each.

    Tags that are heard by coarse readings alone are followed on the walkable grid where the site
    has one; all others by the Gaussian filter.

    Parameters
    ----------
    site_map
        Anchors, floors, walls and furniture.
    calibration
        What is known of links beyond the map.
    settings
        Noise and movement.

    Raises
    ------
    InvalidCalibration
        If the calibration names an anchor that the map does not have.
    """

    def __init__(
        self,
        site_map: SiteMap,
        *,
        calibration: Calibration | None = None,
        settings: TrackingSettings | None = None,
    ) -> None:
        self._settings = settings or TrackingSettings()
        self._calibration = calibration or Calibration()
        self._anchors = AnchorTable.build(
            site_map, self._calibration, measurement=self._settings.measurement
        )
        self._places = AnchorPlaces.of(site_map.anchors)
        self._grid = grid_filter_of(
            site_map,
            self._calibration,
            anchors=self._anchors,
            tracking=self._settings,
        )
        self._usual = usual_spreads(self._settings.measurement)

    @property
    def n_anchors(self) -> int:
        """Anchors that readings may index."""
        return len(self._anchors)

    @property
    def nodes(self) -> Nodes:
        """The nodes that beliefs are stated over: (n, 2) m, (n,) floors, and the error of each, m.

        The error is that of a tag which a belief puts at a node, one sigma an axis.
        """
        if self._grid is None:
            return np.empty((0, 2)), np.empty(0, np.int32), 0.0
        grid = self._grid.grid
        return grid.node_xy, grid.node_floor, self._grid.node_sd_m

    def empty_state(self, capacity: int) -> LocatorState:
        """Return the state of ``capacity`` free slots."""
        return LocatorState.empty(
            capacity, anchors=self._places.names, has_grid=self._grid is not None
        )

    def follow(self, state: LocatorState, slot: int, tag: TagId) -> None:
        """Give a cleared slot to a tag, or bind a restored one to this site's calibration."""
        state.tracks[slot]["tag_id"] = tag.encode("ascii")
        state.tracks[slot]["calibration_row"] = self._calibration.row_of(tag)

    def update(
        self, state: LocatorState, readings: ReadingArray, *, epoch_end_ms: UnixMs
    ) -> FixArray:
        """Take the readings of one epoch into the state, in place.

        Parameters
        ----------
        state
            Of this site's tags.
        readings
            `READING_DTYPE`, sorted by (tag, heard_at_ms, anchor, kind, value).
        epoch_end_ms
            The instant that the fixes are stated for.

        Returns
        -------
        FixArray
            `FIX_DTYPE`, one row for each tag heard that is located, sorted by tag slot.
        """
        news = without_stale(readings, repeats=state.repeats, watch=state.watch)
        if self._grid is None:
            return self._update_tracks(state, news, epoch_end_ms)
        is_coarse, taken = choose_filter(state, news, usual=self._usual, epoch_end_ms=epoch_end_ms)
        if not taken:
            return self._update_tracks(state, news, epoch_end_ms)
        on_grid = self._grid.update(
            state.beliefs,
            state.tracks,
            news[is_coarse],
            epoch_end_ms=epoch_end_ms,
            health=state.health,
        )
        if taken == news.size:
            return on_grid
        return by_tag(on_grid, self._update_tracks(state, news[~is_coarse], epoch_end_ms))

    def _update_tracks(
        self, state: LocatorState, readings: ReadingArray, epoch_end_ms: UnixMs
    ) -> FixArray:
        return update_tracks(
            state.tracks,
            readings,
            anchors=self._anchors,
            epoch_end_ms=epoch_end_ms,
            settings=self._settings,
            health=state.health,
        )

    def review(
        self, state: LocatorState, fixes: FixArray, *, at_ms: UnixMs, judges_anchors: bool = True
    ) -> tuple[AnchorAlarm, ...]:
        """Judge the anchors by the last second, in place; return the alarms that began or ended.

        Parameters
        ----------
        state
            Weights are set, sums begin anew.
        fixes
            Of the tags heard in this second.
        at_ms
            A whole second.
        judges_anchors
            False only notes where the tags are, for a run that repeats some tags of others.
        """
        new = new_places(fixes, state.repeats, at_ms=at_ms)
        if not judges_anchors:
            return ()
        return review_anchors(
            state.health, state.watch, fixes=fixes, places=self._places, new=new, at_ms=at_ms
        )

    def alarms(self, state: LocatorState) -> tuple[AnchorAlarm, ...]:
        """Return the alarms that stand."""
        return standing_alarms(state.watch, self._places)

    def coast(self, state: LocatorState, slots: Slots, *, at_ms: UnixMs) -> FixArray:
        """Predict the fixes of the located ones of ``slots``; the state stays as it is."""
        if self._grid is None:
            return coast_tracks(state.tracks, slots, at_ms=at_ms, settings=self._settings)
        is_coarse = is_by_grid(state.beliefs, slots, at_ms=at_ms)
        on_grid = self._grid.coast(state.beliefs, state.tracks, slots[is_coarse], at_ms=at_ms)
        others = coast_tracks(state.tracks, slots[~is_coarse], at_ms=at_ms, settings=self._settings)
        return by_tag(on_grid, others)

    def warm_up_grid(self) -> None:
        """Compile the map filter's kernels alone: half of all, so that another process may."""
        if self._grid is not None:
            self._grid.warm_up(self.empty_state(1).tracks)

    def warm_up(self) -> None:
        """Compile every kernel, or load it from the cache, with the dtypes of real batches."""
        warm_up(self._settings)
        state = self.empty_state(1)
        if self._grid is not None:
            self.warm_up_grid()
            choose_filter(
                state,
                readings_at(UnixMs(100)),
                usual=self._usual,
                epoch_end_ms=UnixMs(100),
            )
        without_stale(readings_at(UnixMs(100)), repeats=state.repeats, watch=state.watch)
        new_places(np.zeros(0, FIX_DTYPE), state.repeats, at_ms=UnixMs(100))
