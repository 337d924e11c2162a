"""The compiled filter and its plain twin: the same numbers, instant by instant."""

import math

import numpy as np
import pytest

from rtls.model.reading import ReadingKind
from rtls.model.track import TRACK_DTYPE
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.tracking import TrackingSettings, update_tracks
from tests.reference.radio_site import OCTAGON, readings_of, site_with, true_ranges, true_rssi
from tests.reference.tracking import PlainReading, PlainTrack

SITE = site_with(OCTAGON)
TABLE = AnchorTable.build(SITE)
SETTINGS = TrackingSettings()
LOWER = np.tril_indices(5)


def full(packed: np.ndarray) -> np.ndarray:
    square = np.zeros((5, 5))
    square[LOWER] = packed
    return square + np.tril(square, -1).T


def credit(gap_s: float | None, memory_s: float) -> float:
    """(1 - ρ) / (1 + ρ) with ρ = exp(-gap / τ), not below half a per cent."""
    if gap_s is None:
        return 1.0
    rho = math.exp(-gap_s / memory_s)
    return max((1.0 - rho) / (1.0 + rho), 0.005)


def plain(anchor: int, value: float, kind: ReadingKind, gap_s: float | None) -> PlainReading:
    noise = SETTINGS.measurement
    at = SITE.anchors[anchor]
    if kind == ReadingKind.RANGE:
        return PlainReading(
            is_range=True,
            x=at.x_m,
            y=at.y_m,
            rise=at.z_m - noise.tag_height_m,
            value=value,
            sigma=math.hypot(noise.range_sigma_m, noise.range_bias_sd_uncalibrated_m),
            credit=credit(gap_s, noise.range_correlation_s),
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
        update_tracks(
            tracks,
            readings_of(values, at_ms=at_ms, kind=kind, anchors=anchors),
            anchors=TABLE,
            epoch_end_ms=UnixMs(at_ms),
            settings=SETTINGS,
        )
        if twin is None:
            assert tracks["is_located"][0]
            twin = PlainTrack(SETTINGS, tracks["state"][0].copy(), full(tracks["cov"][0]))
        else:
            gaps = [(at_ms - last[a]) / 1000.0 if a in last else None for a in anchors]
            twin.predict(0.3)
            twin.update(
                [plain(a, v, kind, g) for a, v, g in zip(anchors, values, gaps, strict=True)]
            )
            assert tracks["state"][0] == pytest.approx(twin.state, rel=1e-8, abs=1e-9)
            assert full(tracks["cov"][0]) == pytest.approx(twin.cov, rel=1e-7, abs=1e-10)
        last |= dict.fromkeys(anchors.tolist(), at_ms)


def test_one_long_prediction_is_many_short_ones() -> None:
    """The epoch length is a setting; it may not change how far a tag is believed to go."""
    rest = np.array([1.0, 2.0, 0.7, -0.4, 3.0])
    cov = np.diag([0.2, 0.3, 0.1, 0.2, 4.0])
    once = PlainTrack(SETTINGS, rest.copy(), cov.copy())
    often = PlainTrack(SETTINGS, rest.copy(), cov.copy())
    once.predict(2.0)
    for _ in range(400):
        often.predict(0.005)
    assert often.state == pytest.approx(once.state, rel=1e-9)
    assert often.cov == pytest.approx(once.cov, rel=1e-6, abs=1e-9)
