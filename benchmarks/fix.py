"""Measure the robust fix of eight ranges against scipy, paired in one run.

Layer: benchmarks. Takes: simulated ranges with a tenth of the paths blocked. Gives: the ratio of
times at equal error, and a control: the fix without Huber's loss must fail the equality.

Run `python -m benchmarks.fix` from the repository root, or `inaisle bench fix`.
"""

import json
import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, Metre, SiteId
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.multilateration import multilaterate_ranges

ANCHORS = 8
TAGS = 20_000
TAGS_OF_PEER = 300
ROUNDS = 7
ROUNDS_OF_PEER = 3
SIGMA_M = 0.5
HUBER_SIGMAS = 1.345  # 95 % efficient where there is no outlier
BLOCKED_SHARE = 0.10
RATIO_MIN = 5_000.0
EQUAL_WITHIN = 0.05

ROBUST = MeasurementSettings(
    range_sigma_m=SIGMA_M,
    range_bias_sd_m=1e-6,
    range_bias_place_sd_m=1e-6,
    huber_long_sigmas=HUBER_SIGMAS,
    huber_short_sigmas=HUBER_SIGMAS,
)
# The control: with thresholds nobody reaches, Huber's loss is the plain square.
PLAIN = replace(ROBUST, huber_long_sigmas=1e9, huber_short_sigmas=1e9)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Ranges with their truth."""

    anchors: AnchorTable
    place_m: np.ndarray
    range_m: np.ndarray


def scene(seed: int = 1) -> Scene:
    """Draw tags in a hall of 40 × 30 m with anchors around it."""
    draw = np.random.default_rng(seed)
    angle = np.linspace(0.0, 2.0 * np.pi, ANCHORS, endpoint=False) + 0.2
    x, y = 20.0 + 20.0 * np.cos(angle), 15.0 + 15.0 * np.sin(angle)
    site = SiteMap(
        site=SiteId("hall"),
        name="hall",
        floors=(Floor(floor=0, name="0", width_m=Metre(40), height_m=Metre(30)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"a{k}"),
                radio=Radio.UWB,
                floor=0,
                x_m=Metre(float(x[k])),
                y_m=Metre(float(y[k])),
                z_m=Metre(4.0),
            )
            for k in range(ANCHORS)
        ),
    )
    place = draw.uniform((5.0, 5.0), (35.0, 25.0), (TAGS, 2))
    rise = 4.0 - ROBUST.tag_height_m
    flat = np.hypot(place[:, :1] - x, place[:, 1:] - y)
    ranges = np.hypot(flat, rise) + draw.normal(0.0, SIGMA_M, (TAGS, ANCHORS))
    is_blocked = draw.random(ranges.shape) < BLOCKED_SHARE
    ranges += np.where(is_blocked, draw.uniform(1.0, 6.0, ranges.shape), 0.0)
    return Scene(anchors=AnchorTable.build(site), place_m=place, range_m=ranges)


def fix_by_scipy(anchor_m: np.ndarray, range_m: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the place that scipy's trf finds under Huber's loss."""

    def residual(place: np.ndarray) -> np.ndarray:
        flat = np.hypot(place[0] - anchor_m[:, 0], place[1] - anchor_m[:, 1])
        return (np.hypot(flat, anchor_m[:, 2]) - range_m) / SIGMA_M

    return least_squares(residual, start, method="trf", loss="huber", f_scale=HUBER_SIGMAS).x


def time_ours(hall: Scene, settings: MeasurementSettings) -> tuple[float, np.ndarray]:
    """Return seconds a fix and the errors of all tags."""
    begin = time.process_time()
    fixes = multilaterate_ranges(hall.range_m, anchors=hall.anchors, settings=settings)
    seconds = (time.process_time() - begin) / TAGS
    return seconds, np.linalg.norm(fixes.place_m - hall.place_m, axis=1)


def time_scipy(hall: Scene) -> tuple[float, np.ndarray]:
    """Return seconds a fix and the errors of the first tags."""
    own = hall.anchors.records.own
    anchor_m = np.stack([own["x_m"], own["y_m"], own["z_m"] - ROBUST.tag_height_m], axis=1)
    start = np.array([20.0, 15.0])
    begin = time.process_time()
    places = [fix_by_scipy(anchor_m, row, start) for row in hall.range_m[:TAGS_OF_PEER]]
    seconds = (time.process_time() - begin) / TAGS_OF_PEER
    return seconds, np.linalg.norm(np.array(places) - hall.place_m[:TAGS_OF_PEER], axis=1)


def disagreement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the larger relative difference of median and p95 over the same tags."""
    same = ours[: theirs.size]
    shares = [np.percentile(same, q) / np.percentile(theirs, q) - 1.0 for q in (50, 95)]
    return float(max(abs(share) for share in shares))


def run() -> list[dict[str, str | float | bool | None]]:
    """Return the figures, times as medians of interleaved rounds of CPU time."""
    hall = scene()
    multilaterate_ranges(hall.range_m[:1], anchors=hall.anchors, settings=ROBUST)
    ours, theirs = [], []
    ours_error = theirs_error = np.empty(0)
    for index in range(ROUNDS):
        seconds, ours_error = time_ours(hall, ROBUST)
        ours.append(seconds)
        if index < ROUNDS_OF_PEER:
            seconds, theirs_error = time_scipy(hall)
            theirs.append(seconds)
    _, control_error = time_ours(hall, PLAIN)
    fix_s, peer_s = float(np.median(ours)), float(np.median(theirs))
    equal = disagreement(ours_error, theirs_error)
    control = disagreement(control_error, theirs_error)
    return [
        figure("times faster than scipy trf huber", peer_s / fix_s, "×", RATIO_MIN),
        figure("robust fix of 8 ranges", fix_s * 1e9, "ns"),
        figure("scipy's fix", peer_s * 1e6, "us"),
        figure("difference of the errors", equal, "of 1", EQUAL_WITHIN, is_floor=False),
        figure("control without Huber differs", control, "of 1", EQUAL_WITHIN),
        figure("median error", float(np.median(ours_error)), "m"),
        figure("p95 error", float(np.percentile(ours_error, 95)), "m"),
    ]


def figure(
    name: str, value: float, unit: str, target: float | None = None, *, is_floor: bool = True
) -> dict[str, str | float | bool | None]:
    """Return one row as `inaisle bench` takes it."""
    return {"name": name, "value": value, "unit": unit, "target": target, "is_floor": is_floor}


def main() -> None:
    """Print the figures for people, then as JSON."""
    figures = run()
    for row in figures:
        print(f"{row['name']:40} {row['value']:12,.4g} {row['unit']}")
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
