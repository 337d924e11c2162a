"""anchor_evidence: what the filter keeps of each anchor, and how it weighs it."""

import numpy as np
import pytest

from rtls.model.track import TRACK_DTYPE
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.tracking import TrackingSettings, full_trust, update_tracks
from tests.reference.radio_site import OCTAGON, readings_of, site_with, true_ranges

SITE = site_with(OCTAGON, range_bias_m=1e-9)
TABLE = AnchorTable.build(SITE)
SETTINGS = TrackingSettings()
PLACE = (4.0, 6.0)


def stand(
    health: np.ndarray, *, wrong_m: float, epochs: int = 20, speed_m_s: float = 0.0
) -> np.ndarray:
    """Anchor 3 reports ranges that are off; everything else is exact."""
    tracks = np.zeros(1, TRACK_DTYPE)
    fixes = np.zeros(0)
    for k in range(1, epochs + 1):
        ranges = true_ranges(SITE, (PLACE[0] + 0.2 * k * speed_m_s, PLACE[1]))
        ranges[3] += wrong_m
        fixes = update_tracks(
            tracks,
            readings_of(ranges, at_ms=k * 200),
            anchors=TABLE,
            health=health,
            epoch_end_ms=UnixMs(k * 200),
            settings=SETTINGS,
        )
    return fixes


def test_an_anchor_that_ranges_wrongly_shows_in_its_sums() -> None:
    """The rule of anchor health judges by them; the others must not look guilty."""
    health = full_trust(8)
    stand(health, wrong_m=-0.4, speed_m_s=0.8)
    mean = health["residual_sum"] / health["count"]
    # The first epoch has no prediction to compare, and who may be standing says nothing.
    assert 15 <= health["count"].min() == health["count"].max() <= 19
    assert mean[3] < -1.5
    assert np.abs(np.delete(mean, 3)).max() < 0.5 * abs(mean[3])


def test_an_anchor_of_weight_nothing_moves_no_track() -> None:
    """A distrusted anchor is as one that is not there, from the first fix on."""
    health = full_trust(8)
    health["weight"][3] = 0.0
    fixes = stand(health, wrong_m=-3.0)
    assert np.hypot(fixes["x_m"] - PLACE[0], fixes["y_m"] - PLACE[1])[0] < 0.01
    assert health["count"][3] == 0


def test_an_anchor_of_little_weight_moves_a_track_little() -> None:
    """The weight divides its information; nothing is cut off."""
    errors = []
    for weight in (1.0, 0.1):
        health = full_trust(8)
        health["weight"][3] = weight
        fixes = stand(health, wrong_m=-0.2)
        errors.append(np.hypot(fixes["x_m"] - PLACE[0], fixes["y_m"] - PLACE[1])[0])
    assert errors[1] < 0.4 * errors[0]


def test_an_anchor_knows_its_own_interval() -> None:
    """Silence is judged by what is usual for that anchor."""
    health = full_trust(8)
    stand(health, wrong_m=0.0)
    assert health["heard_at_ms"].tolist() == [4_000] * 8
    assert health["interval_ms"] == pytest.approx([200.0] * 8)
