"""Say what a map filter expects to hear at each node: from a survey, or from path-loss laws.

Layer: rules. Takes: a `RadioMap`, or the grid and the anchors of a site that nobody surveyed.
Gives: `SignalMap` to rtls.positioning.grid_tracking, with hypotheses of what kind a tag is.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.belief import HYPOTHESES_MAX
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.grid_settings import GridSettings
from rtls.positioning.kernels.hearing import OFFSET_ZERO, OFFSETS, fill_hearing
from rtls.positioning.kernels.likelihood import NEAR_FIELD_M
from rtls.positioning.radio_map import UNHEARD_CDB, RadioMap
from rtls.positioning.walk_grid import WalkGrid

UNHEARD_AS_CDB: Final = -10_000
"""what an anchor is taken for where the survey cannot say: below what any receiver hears"""
SENSITIVITY_DBM: Final = -93.0
"""what most receivers can just hear, where the survey has nothing fainter"""
FAINT_SHARE: Final = 0.01
CDBM_MIN: Final = -30_000
SLAB_DB: Final = 15.0
"""that a floor slab takes: what tells the floors apart where nobody surveyed them"""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignalMap:
    """What is expected at each node of a grid, packed as a `RadioMap` is.

    Parameters
    ----------
    grid
        Where tags can be.
    strength_cdb, spread_ddb, rarity
        (n_anchors, n_nodes): hundredths of a dBm, tenths of a dB, sixteenths of a nat.
    hearing
        (n_tables, n_nodes, n_offsets): what cannot be told from the strengths heard, nats; see
        rtls.positioning.kernels.hearing. Hypothesis k has table k, further ones the last.
    kinds
        (n_hypotheses, 4): mean and sd of the offset, dB, prior weight, gain.
    bias_sd_m
        What places found by it err by, and keep erring by, along each axis.
    lag_s
        How old readings are when they are delivered.
    """

    grid: WalkGrid
    strength_cdb: npt.NDArray[np.int16]
    spread_ddb: npt.NDArray[np.uint8]
    rarity: npt.NDArray[np.uint8]
    hearing: npt.NDArray[np.float32]
    kinds: Floats
    bias_sd_m: float = 0.0
    lag_s: float = 0.0


@lru_cache(maxsize=1)
def signal_of_survey(radio_map: RadioMap, settings: GridSettings) -> SignalMap:
    """Return what a survey found."""
    strength = radio_map.strength_cdb
    return SignalMap(
        grid=radio_map.grid,
        strength_cdb=np.where(strength == UNHEARD_CDB, UNHEARD_AS_CDB, strength).astype(np.int16),
        spread_ddb=radio_map.spread_ddb,
        rarity=radio_map.rarity,
        hearing=hearing_of_survey(radio_map),
        kinds=kinds_of_survey(np.array(radio_map.device_offsets_db), settings),
        bias_sd_m=radio_map.bias_sd_m,
        lag_s=radio_map.lag_s,
    )


def signal_of_laws(
    grid: WalkGrid, anchors: AnchorTable, *, tag_height_m: float, settings: GridSettings
) -> SignalMap:
    """Return what the path-loss laws of the anchors say, where no radio map was made.

    A law that no survey has confirmed has an exponent that is only usual: it is one of several
    hypotheses, and the readings of each tag decide between them.
    """
    own = anchors.records.own
    x, y = grid.node_xy.T
    squared = (own["x_m"][:, None] - x) ** 2 + (own["y_m"][:, None] - y) ** 2
    squared += (own["z_m"][:, None] - tag_height_m) ** 2
    decades = np.log10(np.sqrt(np.maximum(squared, NEAR_FIELD_M**2)))
    expected = own["rssi_at_1m"][:, None] - 10.0 * own["exponent"][:, None] * decades
    expected -= SLAB_DB * np.abs(own["floor"][:, None] - grid.node_floor)
    gains = np.array(settings.gains[:HYPOTHESES_MAX])
    kinds = np.zeros((gains.size, 4))
    kinds[:, 1] = settings.offset_sd_db
    kinds[:, 2] = 1.0 / gains.size
    kinds[:, 3] = gains
    strength = np.clip(np.rint(100.0 * expected), CDBM_MIN, 0).astype(np.int16)
    spread = np.full(expected.shape, round(10.0 * settings.law_sd_db), np.uint8)
    return SignalMap(
        grid=grid,
        strength_cdb=strength,
        spread_ddb=spread,
        rarity=np.zeros(expected.shape, np.uint8),
        hearing=np.stack([hearing(strength, spread, SENSITIVITY_DBM, gain) for gain in gains]),
        kinds=kinds,
        bias_sd_m=settings.law_bias_m,
    )


def hearing_of_survey(radio_map: RadioMap) -> npt.NDArray[np.float32]:
    """Return how the shares that the survey found change with the offset of a tag."""
    strength = radio_map.strength_cdb
    known = strength[strength != UNHEARD_CDB]
    faintest = 0.01 * float(np.quantile(known, FAINT_SHARE)) if known.size else SENSITIVITY_DBM
    table = hearing(strength, radio_map.spread_ddb, min(faintest, SENSITIVITY_DBM), 1.0)
    return (table - table[:, OFFSET_ZERO, None])[None]


def hearing(
    strength: npt.NDArray[np.int16], spread: npt.NDArray[np.uint8], least_dbm: float, gain: float
) -> npt.NDArray[np.float32]:
    """Return (n_nodes, n_offsets) float32, as `fill_hearing` fills it."""
    table = np.empty((strength.shape[1], OFFSETS), np.float32)
    fill_hearing(
        np.array(strength, order="C"),
        np.array(spread, order="C"),
        int(UNHEARD_CDB),
        float(gain),
        float(least_dbm),
        table,
    )
    return table


def kinds_of_survey(offsets_db: Floats, settings: GridSettings) -> Floats:
    """Return the hypotheses of a surveyed site: a kind that surveyed it, or any other.

    Parameters
    ----------
    offsets_db
        Of the kinds of devices that the survey was made with; the first ones count.
    settings
        How usual known kinds are, and how tags of one kind differ.
    """
    known = np.asarray(offsets_db, dtype=np.float64)[: HYPOTHESES_MAX - 1]
    kinds = np.ones((known.size + 1, 4))
    kinds[:-1, 0] = known
    kinds[:-1, 1] = settings.known_kind_sd_db
    kinds[:-1, 2] = settings.known_kind_share / max(known.size, 1)
    kinds[-1, :3] = (
        float(known.mean()) if known.size else 0.0,
        settings.offset_sd_db,
        1.0 - settings.known_kind_share if known.size else 1.0,
    )
    return kinds
