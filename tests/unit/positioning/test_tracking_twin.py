"""The compiled filter and its plain twin: the same numbers, instant by instant."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rtls.model.reading import ReadingKind
from rtls.model.track import TRACK_DTYPE
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.tracking import TrackingSettings, update_tracks
from tests.reference.radio_site import OCTAGON, readings_of, site_with, true_ranges, true_rssi
from tests.reference.tracking import PlainMode, PlainReading, PlainTrack

# As good as no bias, so that none is learnt: the twin of that is elsewhere.
SITE = site_with(OCTAGON, range_bias_m=1e-12)
DEFAULT = TrackingSettings()
SETTINGS = replace(
    DEFAULT, measurement=replace(DEFAULT.measurement, range_bias_sd_m=1e-9, bias_step_m=1e9)
)
TABLE = AnchorTable.build(SITE, measurement=SETTINGS.measurement)
LOWER = np.tril_indices(5)
STAND = [0, 1, 4]


def full(packed: np.ndarray) -> np.ndarray:
    square = np.zeros((5, 5))
    square[LOWER] = packed
    return square + np.tril(square, -1).T


def modes_of(track: np.void) -> tuple[PlainMode, PlainMode]:
    p_standing = float(track["p_standing"])
    state, cov = np.zeros(5), np.zeros((5, 5))
    state[STAND] = track["stand_state"]
    small = np.zeros((3, 3))
    small[np.tril_indices(3)] = track["stand_cov"]
    cov[np.ix_(STAND, STAND)] = small + np.tril(small, -1).T
    walk = PlainMode(track["walk_state"].copy(), full(track["walk_cov"]), 1.0 - p_standing)
    return PlainMode(state, cov, p_standing), walk


def credit(gap_s: float | None, memory_s: float) -> float:
    """(1 - ρ) / (1 + ρ) with ρ = exp(-gap / τ), not below half a per cent."""
    if gap_s is None:
        return 1.0
    rho = math.exp(-gap_s / memory_s)
    return max((1.0 - rho) / (1.0 + rho), 0.005)


def plain(
    anchor: int, value: float, kind: ReadingKind, gap_s: float | None, was_blocked: float
) -> PlainReading:
    noise = SETTINGS.measurement
    at = SITE.anchors[anchor]
    if kind == ReadingKind.RANGE:
        share = noise.long_share
        if gap_s is not None:
            relaxation = noise.blocked_stay_s * (1.0 - noise.long_share)
            share += (was_blocked - noise.long_share) * math.exp(-gap_s / relaxation)
            share = max(share, noise.blocked_share_min)
        return PlainReading(
            is_range=True,
            x=at.x_m,
            y=at.y_m,
            rise=at.z_m - noise.tag_height_m,
            value=value,
            sigma=math.hypot(noise.range_sigma_m, noise.range_bias_place_sd_m),
            credit=credit(gap_s, noise.range_correlation_s),
            long_share=share,
        )
    return PlainReading(
        is_range=False,
        x=at.x_m,
        y=at.y_m,
        rise=at.z_m - noise.tag_height_m,
        value=value - at.rssi_at_1m,
        sigma=noise.rssi_sigma_db * math.sqrt((noise.student_dof - 2.0) / noise.student_dof),
        exponent=at.exponent,
        credit=credit(gap_s, noise.rssi_correlation_s),
    )


def blocked_of(track: np.void, anchor: int) -> float:
    held = np.flatnonzero(track["link_anchor"] == anchor + 1)
    return float(track["link_blocked"][held[0]]) if held.size else 0.0


@pytest.mark.parametrize("kind", [ReadingKind.RANGE, ReadingKind.RSSI])
@pytest.mark.parametrize("seed", range(4))
def test_the_filter_is_its_plain_twin(kind: ReadingKind, seed: int) -> None:
    """Full 5 × 5 matrices and no packing: an index slip in 15 numbers would show here."""
    draw = np.random.default_rng(seed)
    tracks = np.zeros(1, TRACK_DTYPE)
    exact = true_ranges if kind == ReadingKind.RANGE else true_rssi
    spread = 0.2 if kind == ReadingKind.RANGE else 3.0
    last: dict[int, int] = {}
    twin: PlainTrack | None = None
    for at_ms in range(300, 1900, 300):  # shorter than the recheck of RSSI, which the twin lacks
        place = (3.0 + at_ms / 1000.0, 5.0 + 0.3 * math.sin(at_ms / 700.0))
        anchors = np.sort(draw.choice(8, 6, replace=False))
        values = exact(SITE, place)[anchors] + draw.normal(0.0, spread, 6)
        blocked = [blocked_of(tracks[0], a) for a in anchors]
        update_tracks(
            tracks,
            readings_of(values, at_ms=at_ms, kind=kind, anchors=anchors),
            anchors=TABLE,
            epoch_end_ms=UnixMs(at_ms),
            settings=SETTINGS,
        )
        if twin is None:
            assert tracks["is_located"][0]
            stand, walk = modes_of(tracks[0])
            twin = PlainTrack(SETTINGS, stand=stand, walk=walk)
        else:
            gaps = [(at_ms - last[a]) / 1000.0 if a in last else None for a in anchors]
            twin.predict(0.3)
            twin.update(
                [
                    plain(a, v, kind, g, b)
                    for a, v, g, b in zip(anchors, values, gaps, blocked, strict=True)
                ]
            )
            # A path's memory is a short float, and a learnt bias is never known to nothing.
            near = 1e-8 if kind == ReadingKind.RSSI else 2e-3
            for name, expected in (
                ("state", twin.both.state),
                ("cov", twin.both.cov[LOWER]),
                ("p_standing", twin.stand.weight),
                ("walk_state", twin.walk.state),
            ):
                found = tracks[name][0]
                assert found == pytest.approx(expected, rel=near, abs=0.01 * near)
        last |= dict.fromkeys(anchors.tolist(), at_ms)
