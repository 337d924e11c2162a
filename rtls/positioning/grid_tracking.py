"""Follow tags over the walkable grid of a site: a discrete Bayes filter on what one can walk on.

Layer: rules. Takes: readings of one epoch, the grid and the radio map or path-loss laws of a site.
Gives: `FIX_DTYPE` rows to rtls.positioning.locator; updates beliefs in place.

Coarse readings leave beliefs with many peaks, and walls between them: no covariance can hold that,
a list of nodes with their mass can. Only nodes that carry mass are kept and reckoned with.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rtls.model.belief import HYPOTHESES_MAX, LINKS_A_BELIEF
from rtls.model.fix import FIX_DTYPE
from rtls.model.reading import READING_DTYPE, ReadingArray, ReadingKind
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.beliefs import Beliefs
from rtls.positioning.grid_settings import GridSettings
from rtls.positioning.kernels.grid_epoch import coast_grid, grid_epoch
from rtls.positioning.kernels.grid_records import GridModel, GridParameters, Ranging, Scratch
from rtls.positioning.kernels.rows import ROW_WIDTH, ROWS_MAX
from rtls.positioning.signal_map import SignalMap
from rtls.positioning.tracking import (
    FixArray,
    TrackingSettings,
    full_trust,
    tags_in,
)
from rtls.positioning.tracking import parameters_of as noise_of

Rows = npt.NDArray[np.void]


class GridFilter:
    """The map filter of one site. One engine each: it has room to reckon in.

    Parameters
    ----------
    signal
        Where tags can be, and what is heard there.
    anchors
        Where the anchors are, for readings of other kinds.
    settings
        Movement, and noise of RSSI.
    tracking
        Noise of other kinds.
    """

    def __init__(
        self,
        signal: SignalMap,
        *,
        anchors: AnchorTable,
        settings: GridSettings | None = None,
        tracking: TrackingSettings | None = None,
    ) -> None:
        chosen = settings or GridSettings()
        self.grid = signal.grid
        self.parameters = parameters_of(chosen, signal)
        self.model = model_of(signal)
        self.ranging = Ranging(
            anchors=anchors.records, noise=noise_of(tracking or TrackingSettings())
        )
        self.scratch = scratch_for(
            len(signal.grid) * len(signal.kinds), student_dof=chosen.student_dof
        )

    @property
    def node_sd_m(self) -> float:
        """How far a standing tag may be from the node that a belief puts it at, m an axis.

        A part is the cell; the other is frozen, and on a site with a survey the survey tells it.
        """
        own = self.parameters
        cell_m2 = self.model.cell_m**2 / 12.0
        return math.sqrt(cell_m2 + own.bias_m**2 + own.standing_bias_m**2)

    def update(
        self,
        beliefs: Beliefs,
        tracks: Rows,
        readings: ReadingArray,
        *,
        epoch_end_ms: UnixMs,
        health: Rows,
    ) -> FixArray:
        """Take the readings of one epoch into beliefs and tracks, in place.

        Parameters
        ----------
        beliefs
            Of the tags, by slot.
        tracks
            `TRACK_DTYPE`, for what every filter says of a tag: when heard, whether located.
        readings
            `READING_DTYPE`, sorted by (tag, heard_at_ms, anchor, kind, value).
        epoch_end_ms
            The instant that the fixes are stated for.
        health
            `HEALTH_DTYPE`, how far each anchor is trusted.

        Returns
        -------
        FixArray
            `FIX_DTYPE`, one row for each tag heard that is located, sorted by tag slot.
        """
        fixes = np.zeros(tags_in(readings), FIX_DTYPE)
        writable = readings if readings.flags.writeable else readings.copy()
        written = grid_epoch(
            writable,
            tracks,
            beliefs.rows,
            beliefs.states,
            beliefs.masses,
            health,
            self.model,
            self.parameters,
            self.scratch,
            self.ranging,
            int(epoch_end_ms),
            fixes,
        )
        return fixes[:written]

    def coast(
        self, beliefs: Beliefs, tracks: Rows, slots: npt.NDArray[np.int32], *, at_ms: UnixMs
    ) -> FixArray:
        """Predict the fixes of located ``slots``; the beliefs stay as they are."""
        fixes = np.zeros(slots.size, FIX_DTYPE)
        own = np.array(slots, dtype=np.int32)
        written = coast_grid(own, tracks, beliefs.rows, self.parameters, int(at_ms), fixes)
        return fixes[:written]

    def warm_up(self, tracks: Rows) -> None:
        """Compile the kernels with the dtypes of real batches; ``tracks`` is one blank row."""
        beliefs = Beliefs.empty(1)
        readings = np.zeros(1, READING_DTYPE)
        readings["kind"] = ReadingKind.RSSI
        readings["value"] = -60.0
        trust = full_trust(self.model.expected.shape[0])
        for at_ms in (UnixMs(60_000), UnixMs(61_000), UnixMs(65_000)):
            readings["heard_at_ms"] = at_ms
            self.update(beliefs, tracks, readings, epoch_end_ms=at_ms, health=trust)
        self.coast(beliefs, tracks, np.zeros(1, np.int32), at_ms=UnixMs(66_000))


@lru_cache(maxsize=1)
def model_of(signal: SignalMap) -> GridModel:
    """Lay grid and signal out as the kernels take them.

    Kept for the next engine of the same site: kernels only read it, and thousands of access points
    at thousands of nodes are hundreds of megabytes.
    """
    grid = signal.grid
    return GridModel(
        xy=np.array(grid.node_xy, dtype=np.float64, order="C"),
        floor=np.array(grid.node_floor, dtype=np.int32),
        neighbours=np.array(grid.neighbours, dtype=np.int32, order="C"),
        between=np.array(grid.between_floors, dtype=np.int32, order="C"),
        expected=np.array(signal.strength_cdb, dtype=np.int16, order="C"),
        spread=np.array(signal.spread_ddb, dtype=np.uint8, order="C"),
        rarity=np.array(signal.rarity, dtype=np.uint8, order="C"),
        hearing=signal.hearing,
        kinds=np.array(signal.kinds, dtype=np.float64, order="C"),
        cell_m=float(grid.cell_m),
    )


def scratch_for(states: int, *, student_dof: float) -> Scratch:
    """Return clean room for a site of so many states."""
    tenths = np.maximum(np.arange(256.0), 1.0)
    return Scratch(
        place=np.full(states, -1, np.int32),
        state=np.zeros(states, np.int32),
        node=np.zeros(states, np.int32),
        kind=np.zeros(states, np.int32),
        mass=np.zeros(states),
        other=np.zeros(states),
        cost=np.zeros(states),
        offset=np.zeros(states),
        precision=np.zeros(states),
        push=np.zeros(states),
        at=np.zeros(states),
        gain=np.zeros(states),
        strength=np.zeros(states),
        spread=np.zeros(states),
        power=np.zeros(states),
        tails=np.zeros(states),
        widths=np.zeros(states),
        powers=tenths ** (2.0 / (student_dof + 1.0)),
        links=np.zeros((LINKS_A_BELIEF, 4)),
        offsets=np.zeros(2 * HYPOTHESES_MAX),
        rows=np.zeros((ROWS_MAX, ROW_WIDTH)),
        credits=np.zeros(ROWS_MAX),
    )


def parameters_of(settings: GridSettings, signal: SignalMap) -> GridParameters:
    """Return the settings as the kernels take them, and what the site's survey says of itself."""
    own = {"lag_s": signal.lag_s, "bias_m": max(settings.bias_m, signal.bias_sd_m)}
    if (signal.grid.between_floors < 0).all():
        own["floor_change_s"] = 0.0
    names = GridParameters._fields
    return GridParameters(
        **{name: float(own[name] if name in own else getattr(settings, name)) for name in names}
    )
