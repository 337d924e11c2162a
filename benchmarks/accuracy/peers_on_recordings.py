"""The usual ways of locating on the same recordings, scored by the same rules in the same run.

Layer: benchmarks. Takes: the recordings beside the checkout. Gives: rows for the table; the plain
implementations are in tests/reference/peers.py. Calibration and survey are those that our own
replay is given. One control: the centre of the floor, which a real method must beat.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.recordings import DATA
from benchmarks.accuracy.row import Row
from inaisle.calibration.calibration_csv import read_calibration
from inaisle.recording.fix_csv import EmittedFixes, SessionTag
from inaisle.recording.recording_site import site_map_of
from inaisle.recording.score import Score, score_fixes
from inaisle.recording.score_instants import instants_of
from inaisle.recording.truth_csv import read_truth
from rtls.ingest.recording import Recording, load_recording
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.positioning.calibration import Calibration
from rtls.positioning.measurement import MeasurementSettings
from tests.reference.peers import (
    HeardTag,
    Method,
    TextbookFilter,
    at_instants,
    least_squares_of_log_distance,
    least_squares_of_ranges,
    nearest_neighbours,
    nelder_mead_in_metres,
    weighted_centroid,
)

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Follow = Callable[[HeardTag, Longs], Floats]
TAG_Z_M = MeasurementSettings().tag_height_m
RANGE_SIGMA_M = 0.1
RSSI_SIGMA_DB = 5.0
WINDOW_OF_RANGES_MS = 100
WINDOW_OF_RSSI_MS = 4_000
SETS = ("uwb_trolley", "ble_office", "ble_flat", "ble_library", "wifi_floors", "mall_walks")
INSTANTS_A_TAG_MAX = 600  # slow peers are asked at most this often a tag, evenly spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One recording as the peers see it."""

    folder: Path
    recording: Recording
    site_map: SiteMap
    calibration: Calibration

    @property
    def anchor_m(self) -> Floats:
        """Places of the anchors, (n, 3)."""
        return np.array([(a.x_m, a.y_m, a.z_m) for a in self.site_map.anchors], np.float64)

    @property
    def law(self) -> Floats:
        """Strength at one metre and exponent of each anchor, (n, 2)."""
        losses = self.calibration.losses
        return np.array([
            (losses[a.anchor].rssi_at_1m, losses[a.anchor].exponent)
            if a.anchor in losses
            else (a.rssi_at_1m, a.exponent)
            for a in self.site_map.anchors
        ])  # fmt: skip


def scene_of(folder: Path) -> Scene:
    """Load one recording with its map and calibration."""
    recording = load_recording(folder)
    site_map = site_map_of(recording, folder)
    calibration = read_calibration(folder, site_map) or Calibration()
    return Scene(folder=folder, recording=recording, site_map=site_map, calibration=calibration)


def heard_tags(scene: Scene) -> Iterator[tuple[SessionTag, HeardTag]]:
    """Yield each tag of each session with its readings, ranges calibrated link by link."""
    rows, recording = scene.recording.rows, scene.recording
    index = scene.site_map.anchor_index
    number = np.array([index[name] for name in recording.anchors])
    for session_number, session in enumerate(recording.sessions):
        own = rows[rows["session"] == session_number]
        for tag_number in np.unique(own["tag"]).tolist():
            tag = own[own["tag"] == tag_number]
            value = tag["value"].astype(np.float64)
            for (of_tag, of_anchor), link in scene.calibration.links.items():
                if of_tag == recording.tags[tag_number]:
                    is_link = number[tag["anchor"]] == index[of_anchor]
                    is_link &= tag["kind"] == ReadingKind.RANGE
                    value[is_link] = (value[is_link] - link.bias_m) / (1.0 + link.slope)
            yield (
                (session.name, str(recording.tags[tag_number])),
                HeardTag(
                    at_ms=tag["t_ms"],
                    anchor=number[tag["anchor"]].astype(np.int32),
                    value=value,
                    anchors=len(index),
                ),
            )


def peers_of(scene: Scene) -> dict[str, Follow]:
    """Return the peers that can work with what the recording has, by name."""
    if scene.recording.survey is not None:
        return {"kNN, 5 of the survey, 4 s": windowed(knn_of_scans(scene), WINDOW_OF_RSSI_MS)}
    middle = scene.anchor_m[:, :2].mean(axis=0)
    control = {"control: the middle of the anchors": lambda _, at: np.tile(middle, (len(at), 1))}
    if (scene.recording.rows["kind"] == ReadingKind.RANGE).any():
        fit = least_squares_of_ranges(scene.anchor_m, tag_z_m=TAG_Z_M, loss="linear")
        robust = least_squares_of_ranges(scene.anchor_m, tag_z_m=TAG_Z_M, loss="huber")
        plain = TextbookFilter(anchor_m=scene.anchor_m, tag_z_m=TAG_Z_M, sigma=RANGE_SIGMA_M)
        return control | {
            "scipy trf": windowed(fit, WINDOW_OF_RANGES_MS),
            "scipy trf huber": windowed(robust, WINDOW_OF_RANGES_MS),
            "EKF with a gate": from_first_fix(plain, fit, WINDOW_OF_RANGES_MS, otherwise=middle),
        }
    law = scene.law
    fit = least_squares_of_log_distance(scene.anchor_m, law, tag_z_m=TAG_Z_M)
    plain = TextbookFilter(anchor_m=scene.anchor_m, tag_z_m=TAG_Z_M, sigma=RSSI_SIGMA_DB, law=law)
    metres = nelder_mead_in_metres(scene.anchor_m, law)
    return control | {
        "weighted centroid, 4 s": windowed(weighted_centroid(scene.anchor_m), WINDOW_OF_RSSI_MS),
        "scipy soft_l1 in dB, 4 s": windowed(fit, WINDOW_OF_RSSI_MS),
        "Nelder-Mead on metres, 4 s": windowed(metres, WINDOW_OF_RSSI_MS),
        "EKF with a gate": from_first_fix(plain, fit, WINDOW_OF_RSSI_MS, otherwise=middle),
    }


def windowed(method: Method, window_ms: int) -> Follow:
    """Return a peer that looks at the last ``window_ms`` before each instant."""
    return lambda tag, at: at_instants(tag, at, window_ms=window_ms, method=method)


def from_first_fix(
    plain: TextbookFilter, fit: Method, window_ms: int, *, otherwise: Floats
) -> Follow:
    """Return the filter, begun at a fix of its first readings: its gate needs a good start."""

    def follow(tag: HeardTag, at: Longs) -> Floats:
        start = fit(tag.window(int(tag.at_ms[0]) + window_ms, window_ms))
        return plain.follow(tag, otherwise if start is None else start, at)

    return follow


def knn_of_scans(scene: Scene) -> Method:
    """Return the nearest neighbours among the scans of the survey walks."""
    survey = scene.recording.survey
    assert survey is not None
    index = scene.site_map.anchor_index
    fingerprints = np.full((len(survey.stops), len(index)), np.nan, np.float32)
    columns = np.array([index[name] for name in survey.anchors])
    fingerprints[survey.heard["stop"], columns[survey.heard["anchor"]]] = survey.heard["rssi"]
    places = np.column_stack([survey.stops["x_m"], survey.stops["y_m"]])
    return nearest_neighbours(fingerprints, places)


def run(data: Path = DATA) -> Iterator[Row]:
    """Yield the errors of every peer on every recording that is there."""
    for name in SETS:
        if (data / name).is_dir():
            scene = scene_of(data / name)
            for peer, follow in peers_of(scene).items():
                yield from rows_of_peer(scene, peer, follow)


def rows_of_peer(scene: Scene, peer: str, follow: Follow) -> Iterator[Row]:
    """Yield p50 and p90 of one peer, by moving and standing where the recording has both."""
    truths = read_truth(scene.folder)
    instants = instants_of(scene.folder, truths)
    thinned = {name: thin(at_ms) for name, at_ms in instants.items()}
    fixes = {
        name: as_fixes(thinned[name], follow(tag, thinned[name]))
        for name, tag in heard_tags(scene)
        if name in truths
    }
    report = score_fixes(truths, fixes, instants_ms=thinned)
    groups = report.groups if len(report.groups) > 1 else (report.overall,)
    for score in groups:
        yield from rows_of_score(scene.folder.name, peer, score)


def rows_of_score(recording: str, peer: str, score: Score) -> Iterator[Row]:
    """Yield the two figures that the eye compares."""
    for figure, value in (("p50", score.p50_m), ("p90", score.p90_m)):
        yield Row(
            measure="peer",
            scene=f"{recording} {score.name}",
            figure=f"{figure}, {peer}",
            value=value,
            unit="m",
            note=f"located {score.located_share:.2f}",
        )


def thin(instants_ms: Longs) -> Longs:
    """Return at most `INSTANTS_A_TAG_MAX` of the instants, evenly spread."""
    step = max(1, math.ceil(len(instants_ms) / INSTANTS_A_TAG_MAX))
    return instants_ms[::step]


def as_fixes(at_ms: Longs, places: Floats) -> EmittedFixes:
    """Return places as fixes; where there is no place there is no fix."""
    is_there = np.isfinite(places[:, 0])
    return EmittedFixes(
        t_ms=at_ms[is_there],
        emitted_ms=at_ms[is_there],
        xy=places[is_there],
        cov=np.tile([1.0, 0.0, 1.0], (int(is_there.sum()), 1)),
        floors=np.full(int(is_there.sum()), "", object),
    )
