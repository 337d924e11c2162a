"""Smoothing on recorded radio: ten seconds later, a walk is better known than it was live."""

import math
from pathlib import Path

import numpy as np
import pytest

from rtls.engine import Engine
from rtls.model.fix import FIX_DTYPE
from rtls.model.site_map import Radio
from rtls.positioning.smoothing import FixedLagSmoother
from tests.reference.recordings import Session, sessions_of, site_of
from tests.reference.shelf_site import make_batch

EPOCH_MS = 500


def a_walk(sessions: tuple[Session, ...]) -> Session:
    """Return the first session in which the tag moved."""
    return next(
        session
        for session in sessions
        if any(np.ptp(truth[:, 1:], axis=0).max() > 3.0 for truth in session.truth.values())
    )


def test_a_recorded_walk_is_known_better_by_looking_back(shared_data: Path) -> None:
    """On the BLE office, moving: the error of all fixes, as stated live and as stated anew."""
    folder = shared_data / "ble_office"
    if not folder.is_dir():
        pytest.skip(f"no recording at {folder}: put it there to run this test")
    site = site_of(folder, Radio.BLE)
    tags, sessions = sessions_of(folder, site)
    live: list[float] = []
    later: list[float] = []
    session = a_walk(sessions)
    for slot, truth in session.truth.items():
        found = fixes_of(site, session, slot, tags[slot])
        live += errors(found, truth)
        later += errors(looked_back(found), truth)
    assert len(live) > 100
    assert math.sqrt(np.mean(np.square(later))) < 0.9 * math.sqrt(np.mean(np.square(live)))


Fixes = dict[int, np.void]


def fixes_of(site, session: Session, slot: int, tag: str) -> Fixes:
    """Return the fixes of one tag by their instant."""
    own = session.readings[session.readings["tag"] == slot].copy()
    own["tag"] = 0
    engine = Engine(site)
    ends = -(-own["heard_at_ms"] // EPOCH_MS) * EPOCH_MS
    found: Fixes = {}
    for number, end in enumerate(np.unique(ends).tolist()):
        introduced = [(0, tag)] if number == 0 else []
        batch = make_batch(site, number, end, own[ends == end], introduced=introduced)
        for fix in engine.process(batch).fixes.rows:
            found[end] = fix.copy()
    return found


def looked_back(fixes: Fixes) -> Fixes:
    smoother = FixedLagSmoother()
    batches = [
        smoother.take(np.array([fix], FIX_DTYPE), at_ms=at_ms) for at_ms, fix in fixes.items()
    ]
    batches.append(smoother.flush(np.array([0], np.int32)))
    return {
        int(at_ms): row
        for batch in batches
        for at_ms, row in zip(batch.at_ms, batch.rows, strict=True)
    }


def errors(fixes: Fixes, truth: np.ndarray) -> list[float]:
    within = [at for at in fixes if truth[0, 0] <= at <= truth[-1, 0]]
    return [
        math.dist(
            (fixes[at]["x_m"], fixes[at]["y_m"]),
            [np.interp(at, truth[:, 0], truth[:, axis]) for axis in (1, 2)],
        )
        for at in within
    ]
