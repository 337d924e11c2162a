"""Name what the kernels of the map filter share: the model of a site and the numbers of settings.

Layer: kernels. Takes: nothing. Gives: types to the other grid kernels and to grid_tracking.

A *state* is a node under one hypothesis of the tag's kind (which phone, which gain): number
``hypothesis * n_nodes + node``. All that is true of nodes, as where one can step, is looked up by
node; hypotheses never mix.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rtls.positioning.kernels.records import AnchorRecords, Floats, Ints, Parameters

Shorts = npt.NDArray[np.int16]
Bytes = npt.NDArray[np.uint8]
Singles = npt.NDArray[np.float32]


class GridModel(NamedTuple):
    """One site as the map filter sees it.

    Parameters
    ----------
    xy
        (n_nodes, 2) m.
    floor
        (n_nodes,)
    neighbours
        (n_nodes, 8), -1 where one cannot step.
    between
        (n_nodes, 2), the node below and above, -1 where there is none.
    expected
        (n_anchors, n_nodes) hundredths of a dBm.
    spread
        (n_anchors, n_nodes) tenths of a dB: how far one reading may be from it.
    rarity
        (n_anchors, n_nodes) sixteenths of a nat: how little it says of a node that the anchor was
        heard at all.
    hearing
        (n_tables, n_nodes, n_offsets) what `rtls.positioning.kernels.hearing` says of each offset;
        hypothesis k has table k, and the last table serves all further ones.
    kinds
        (n_hypotheses, 4): mean and sd of the offset, dB, prior weight, and gain about `REFERENCE`.
    cell_m
        Distance of nodes.
    """

    xy: Floats
    floor: Ints
    neighbours: Ints
    between: Ints
    expected: Shorts
    spread: Bytes
    rarity: Bytes
    hearing: Singles
    kinds: Floats
    cell_m: float


class GridParameters(NamedTuple):
    """Numbers of `GridSettings`, where they are explained."""

    update_ms: float
    settle_ms: float
    recheck_ms: float
    recheck_cost: float
    lost_after_ms: float
    credit_s: float
    forget_s: float
    speed_sd_m_s: float
    speed_memory_s: float
    standing_speed_sd_m_s: float
    standing_prior: float
    diffusion_m2_s: float
    floor_change_s: float
    student_dof: float
    noise_db: float
    offset_drift_db2_s: float
    offset_sd_db_min: float
    link_mean_s: float
    kind_memory_s: float
    bias_m: float
    standing_bias_m: float
    pruned_mass: float
    lag_s: float


class Ranging(NamedTuple):
    """What is known of readings of other kinds than RSSI.

    Parameters
    ----------
    anchors
        Places and link errors.
    noise
        Numbers of `MeasurementSettings` and `TrackingSettings`.
    """

    anchors: AnchorRecords
    noise: Parameters


class Scratch(NamedTuple):
    """Room to reckon in, for all states of a site.

    Parameters
    ----------
    place
        (n_states,) where a state stands in the list, -1 where it does not.
    state, node, kind
        (n_states,) the list of states that carry mass, and what each is a state of.
    mass, other, cost, offset, precision, push
        (n_states,) columns of the list.
    at, gain, strength, spread, power, tails, widths
        (n_states,) columns to reckon with while links are weighed.
    powers
        (256,) spreads in tenths of a dB, as a factor of Student's tail.
    links
        (n_links, 4): anchor, dBm, variance (dB²) that a mean saves, factor of its doubt.
    offsets
        (2 * n_hypotheses,), to put offsets aside.
    rows, credits
        (`ROWS_MAX`, `ROW_WIDTH`) readings of other kinds, and what each counts for.
    """

    place: Ints
    state: Ints
    node: Ints
    kind: Ints
    mass: Floats
    other: Floats
    cost: Floats
    offset: Floats
    precision: Floats
    push: Floats
    at: Floats
    gain: Floats
    strength: Floats
    spread: Floats
    power: Floats
    tails: Floats
    widths: Floats
    powers: Floats
    links: Floats
    offsets: Floats
    rows: Floats
    credits: Floats


REFERENCE_DBM = -70.0
ANCHOR, VALUE, SAVED, DOUBT = 0, 1, 2, 3
KIND_MEAN, KIND_SD, KIND_WEIGHT, KIND_GAIN = 0, 1, 2, 3
EAST, NORTH, WEST, SOUTH = 0, 2, 4, 6  # columns of `neighbours`; between two is their diagonal
