"""Measure how many readings a second the filter takes on one core.

Layer: benchmarks. Takes: 2,000 simulated tags, each heard by eight anchors in every epoch.
Gives: readings a second, for ranges and for RSSI, and the time of an epoch.

Run `python -m benchmarks.tracking` from the repository root, or `inaisle bench tracking`.
"""

import json
import time

import numpy as np

from rtls.model.reading import READING_DTYPE, ReadingKind
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.track import TRACK_DTYPE
from rtls.model.units import AnchorId, Metre, SiteId, UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.tracking import TrackingSettings, update_tracks

TAGS = 2_000
ANCHORS_A_TAG = 8
EPOCHS = 40
EPOCH_MS = 100
WIDTH_M, DEPTH_M = 60.0, 40.0
RATE_MIN = 1_000_000.0


def store() -> SiteMap:
    """Return a store of 60 × 40 m with an anchor every 8 m."""
    places = [(x, y) for x in np.arange(2.0, WIDTH_M, 8.0) for y in np.arange(2.0, DEPTH_M, 8.0)]
    return SiteMap(
        site=SiteId("store"),
        name="store",
        floors=(Floor(floor=0, name="0", width_m=Metre(WIDTH_M), height_m=Metre(DEPTH_M)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"a{k}"),
                radio=Radio.UWB,
                floor=0,
                x_m=Metre(float(x)),
                y_m=Metre(float(y)),
                z_m=Metre(4.0),
            )
            for k, (x, y) in enumerate(places)
        ),
    )


def epochs(site: SiteMap, kind: ReadingKind) -> list[np.ndarray]:
    """Return readings of tags that walk, each heard by its eight nearest anchors."""
    draw = np.random.default_rng(3)
    anchor = np.array([(a.x_m, a.y_m) for a in site.anchors])
    place = draw.uniform((3.0, 3.0), (WIDTH_M - 3.0, DEPTH_M - 3.0), (TAGS, 2))
    velocity = draw.normal(0.0, 0.5, (TAGS, 2)) * (draw.random((TAGS, 1)) < 0.5)
    log = []
    for k in range(1, EPOCHS + 1):
        place = np.clip(place + velocity * EPOCH_MS / 1000.0, 1.0, (WIDTH_M - 1, DEPTH_M - 1))
        flat = np.linalg.norm(place[:, None] - anchor[None], axis=2)
        near = np.sort(np.argsort(flat, axis=1)[:, :ANCHORS_A_TAG], axis=1)
        distance = np.hypot(np.take_along_axis(flat, near, axis=1), 3.0)
        readings = np.zeros(near.size, READING_DTYPE)
        readings["heard_at_ms"] = k * EPOCH_MS
        readings["tag"] = np.repeat(np.arange(TAGS), ANCHORS_A_TAG)
        readings["anchor"] = near.ravel()
        readings["kind"] = kind
        readings["sigma"] = np.nan
        noise = draw.normal(0.0, 1.0, near.size)
        readings["value"] = (
            distance.ravel() + 0.07 * noise
            if kind == ReadingKind.RANGE
            else -61.0 - 20.0 * np.log10(distance.ravel()) + 4.0 * noise
        )
        log.append(readings)
    return log


def seconds_an_epoch(kind: ReadingKind) -> np.ndarray:
    """Return the CPU seconds of each epoch but the first, which holds the first fixes."""
    site = store()
    anchors = AnchorTable.build(site)
    settings = TrackingSettings()
    tracks = np.zeros(TAGS, TRACK_DTYPE)
    spent = []
    for k, readings in enumerate(epochs(site, kind), start=1):
        begin = time.process_time()
        update_tracks(
            tracks,
            readings,
            anchors=anchors,
            epoch_end_ms=UnixMs(k * EPOCH_MS),
            settings=settings,
        )
        spent.append(time.process_time() - begin)
    return np.array(spent[1:])


def run() -> list[dict[str, str | float | bool | None]]:
    """Return the figures; rates are of the mean epoch, so that rechecks are in them."""
    rows: list[dict[str, str | float | bool | None]] = []
    for kind, floor in ((ReadingKind.RANGE, RATE_MIN), (ReadingKind.RSSI, None)):
        spent = seconds_an_epoch(kind)
        name = kind.name.lower()
        rate = TAGS * ANCHORS_A_TAG / float(spent.mean())
        rows += [
            {"name": f"{name} readings a second", "value": rate, "unit": "1/s", "target": floor},
            {
                "name": f"{name} epoch of 2,000 tags, p50",
                "value": np.median(spent) * 1e3,
                "unit": "ms",
            },
            {"name": f"{name} epoch of 2,000 tags, max", "value": spent.max() * 1e3, "unit": "ms"},
        ]
    return [row | {"value": float(row["value"] or 0.0)} for row in rows]


def main() -> None:
    """Print the figures for people, then as JSON."""
    figures = run()
    for row in figures:
        print(f"{row['name']:40} {row['value']:14,.4g} {row['unit']}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
