"""Which readings of an epoch are taken, and by which filter, in whole columns at a time."""

import numpy as np

from rtls.model.belief import BELIEF_DTYPE
from rtls.model.reading import ReadingKind
from rtls.positioning.grid_choice import PRECISE_FOR_MS
from rtls.positioning.kernels.filter_choice import COARSE_M
from rtls.positioning.known_readings import NEVER, LeftOut


def known_by_columns(readings, heard_ms, *, n_anchors, oldest_ms, end_ms):
    """Return what `known_readings` must return; the times of ``heard_ms`` are set."""
    tag, anchor = readings["tag"], readings["anchor"]
    has_tag = (tag >= 0) & (tag < heard_ms.size)
    has_tag[has_tag] = heard_ms[tag[has_tag]] != NEVER
    has_anchor = (anchor >= 0) & (anchor < n_anchors) & (readings["ref_anchor"] < n_anchors)
    is_old = np.zeros(readings.size, np.bool_)
    if oldest_ms is not None:
        is_old = readings["heard_at_ms"] < oldest_ms
    is_young = readings["heard_at_ms"] > end_ms
    known = readings[has_tag & has_anchor & ~is_old & ~is_young]
    heard_ms[known["tag"]] = end_ms
    reasons = (~has_tag, ~has_anchor, is_old, is_young)
    return known, LeftOut(*(int(np.count_nonzero(reason)) for reason in reasons))


def coarse_by_columns(state, readings, *, usual, epoch_end_ms):
    """Return (n,) whether the grid takes each reading; the state is changed."""
    rows = state.beliefs.rows
    kind, sigma = readings["kind"], readings["sigma"]
    is_stated = np.isfinite(sigma) & (sigma > 0.0)
    stated = np.where(is_stated, sigma, 1.0)  # infinity times nothing would be no number
    spread_m = np.where(is_stated, stated * usual[kind, 1], usual[kind, 0])
    is_precise = (kind != ReadingKind.RSSI) & (spread_m < COARSE_M)
    tags = np.unique(readings["tag"][is_precise])
    leaving = tags[rows["used"][tags] > 0]
    rows[leaving] = np.zeros((), BELIEF_DTYPE)
    state.tracks["is_located"][leaving] = 0
    rows["precise_ms"][tags] = epoch_end_ms
    precise_ms = rows["precise_ms"][readings["tag"]]
    return (precise_ms == 0) | (epoch_end_ms - precise_ms > PRECISE_FOR_MS)
