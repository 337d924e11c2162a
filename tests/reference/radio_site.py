"""Small sites, readings and runs for tests of positioning.

Layer: tests. Takes: anchors and numbers. Gives: site maps, sorted reading arrays, fixes.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from rtls.model.reading import READING_DTYPE, ReadingKind
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.track import TRACK_DTYPE
from rtls.model.units import AnchorId, Metre, SiteId, UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.tracking import TrackingSettings, update_tracks

EPOCH_MS = 100


def site_with(
    places: Sequence[tuple[float, float, float]],
    *,
    floors: Sequence[int] | None = None,
    exponent: float = 2.0,
    range_bias_m: float = 0.0,
) -> SiteMap:
    on = list(floors) if floors else [0] * len(places)
    return SiteMap(
        site=SiteId("bench"),
        name="bench",
        floors=tuple(
            Floor(floor=floor, name=str(floor), width_m=Metre(50), height_m=Metre(50))
            for floor in sorted(set(on))
        ),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"a{index}"),
                radio=Radio.UWB,
                floor=floor,
                x_m=Metre(x),
                y_m=Metre(y),
                z_m=Metre(z),
                exponent=exponent,
                range_bias_m=Metre(range_bias_m),
            )
            for index, ((x, y, z), floor) in enumerate(zip(places, on, strict=True))
        ),
    )


SQUARE = ((0.0, 0.0, 3.0), (10.0, 0.0, 3.0), (10.0, 10.0, 3.0), (0.0, 10.0, 3.0))
OCTAGON = (
    *SQUARE,
    (5.0, -2.0, 3.0),
    (12.0, 5.0, 3.0),
    (5.0, 12.0, 3.0),
    (-2.0, 5.0, 3.0),
)


def true_ranges(site: SiteMap, place: tuple[float, float], height_m: float = 1.0) -> np.ndarray:
    return np.array(
        [
            np.sqrt((a.x_m - place[0]) ** 2 + (a.y_m - place[1]) ** 2 + (a.z_m - height_m) ** 2)
            for a in site.anchors
        ]
    )


def true_rssi(site: SiteMap, place: tuple[float, float], height_m: float = 1.0) -> np.ndarray:
    ranges = true_ranges(site, place, height_m)
    return np.array(
        [
            a.rssi_at_1m - 10.0 * a.exponent * np.log10(r)
            for a, r in zip(site.anchors, ranges, strict=True)
        ]
    )


def readings_of(
    values: Iterable[float],
    *,
    at_ms: int,
    kind: ReadingKind = ReadingKind.RANGE,
    tag: int = 0,
    anchors: Iterable[int] | None = None,
) -> np.ndarray:
    """One reading a value, of anchors 0, 1, … unless named; NaN values are left in."""
    value = np.array(list(values), dtype=np.float64)
    readings = np.zeros(value.size, READING_DTYPE)
    readings["heard_at_ms"] = at_ms
    readings["tag"] = tag
    readings["anchor"] = np.arange(value.size) if anchors is None else list(anchors)
    readings["kind"] = kind
    readings["value"] = value
    readings["value_2"] = readings["value_3"] = readings["sigma"] = np.nan
    readings["ref_anchor"] = -1
    return readings


def in_order(readings: np.ndarray) -> np.ndarray:
    keys = ("value", "kind", "anchor", "heard_at_ms", "tag")
    return readings[np.lexsort(tuple(readings[key] for key in keys))]


def run_epochs(
    readings: np.ndarray,
    *,
    anchors: AnchorTable,
    settings: TrackingSettings,
    tracks: np.ndarray | None = None,
    capacity: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drive `update_tracks` epoch by epoch; return epoch ends, fixes and the tracks."""
    tracks = np.zeros(capacity, TRACK_DTYPE) if tracks is None else tracks
    epoch = -(-readings["heard_at_ms"] // EPOCH_MS)
    order = np.lexsort(
        (
            readings["value"],
            readings["kind"],
            readings["anchor"],
            readings["heard_at_ms"],
            readings["tag"],
            epoch,
        )
    )
    readings, epoch = readings[order], epoch[order]
    starts = np.flatnonzero(np.r_[True, epoch[1:] != epoch[:-1]])
    ends = np.r_[starts[1:], epoch.size]
    at, fixes = [], []
    for start, end in zip(starts, ends, strict=True):
        end_ms = int(epoch[start]) * EPOCH_MS
        rows = update_tracks(
            tracks,
            readings[start:end],
            anchors=anchors,
            epoch_end_ms=UnixMs(end_ms),
            settings=settings,
        )
        at.append(np.full(rows.size, end_ms, np.int64))
        fixes.append(rows)
    return np.concatenate(at), np.concatenate(fixes), tracks


def inside_share(error_m: np.ndarray, fixes: np.ndarray, *, chi_square: float = 4.605) -> float:
    """Share of errors, (n, 2), inside the 90 % ellipse of their fixes."""
    xx, xy, yy = fixes["cov_xx"], fixes["cov_xy"], fixes["cov_yy"]
    form = yy * error_m[:, 0] ** 2 - 2.0 * xy * error_m[:, 0] * error_m[:, 1]
    form += xx * error_m[:, 1] ** 2
    return float(np.mean(form / (xx * yy - xy**2) <= chi_square))
