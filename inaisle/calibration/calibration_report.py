"""Calibrate a site from a survey, and say how good it is.

Layer: doors. Takes: settings and the folder of a survey. Gives: a `CalibrationReport` to
inaisle.calibration.calibration_view, and the file calibration.json.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np

from inaisle.calibration.calibration_check import ZONE_SIZES_M, HeldBack, Tested, hold_back
from inaisle.calibration.calibration_file import MadeFrom, save_calibration
from inaisle.calibration.calibration_fit import Fitted, fit_material, place_by_ranges
from inaisle.calibration.calibration_in_force import CALIBRATION_NAME
from inaisle.calibration.calibration_input import Material, read_material
from inaisle.recording.recording_site import site_map_of
from inaisle.settings import Settings
from inaisle.site.site_loading import load_site_map
from rtls.geofence.site_map_check import check_site_map
from rtls.ingest.recording import load_recording
from rtls.model.errors import InvalidRecording
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.positioning.anchor_check import AnchorState, AnchorVerdict, check_anchors
from rtls.positioning.placed_readings import PlacedReadings

GUESS_SHARE_MAX: Final = 0.6  # a survey that helps little over guessing was mixed up
LOCATED_MIN: Final = 0.9
WRONG_ANCHORS_MAX: Final = 1.0 / 3.0
NAMES: Final = {ReadingKind.RANGE: "Ranges", ReadingKind.RSSI: "Signal strength"}
SITE_MAP_NAME: Final = "site.geojson"
"""beside the readings: the map that a recording was made on"""


class Verdict(StrEnum):
    """What the report says of the whole."""

    GOOD = "good"
    FAIR = "fair"
    """usable, with something to mend"""
    BAD = "bad"
    """not to be used"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions:
    """What the command line asks for."""

    folder: Path
    out: Path | None = None
    """<site.data>/calibration.json if None"""
    tag_height_m: float = 1.0
    is_forced: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """What was learnt, and what it is worth.

    Parameters
    ----------
    known, unknown
        Errors at places held back: with the surveyor's tag, and as if it had never been seen.
        By kind of reading; empty where there was no place to hold back.
    reasons
        Why it is not better, each with what to do.
    written
        The file, if it was written.
    """

    folder: str
    site_map: SiteMap
    material: Material
    fitted: Fitted
    anchors: tuple[AnchorVerdict, ...]
    known: Mapping[ReadingKind, HeldBack]
    unknown: Mapping[ReadingKind, HeldBack]
    verdict: Verdict
    reasons: tuple[str, ...]
    written: Path | None = None

    @property
    def held(self) -> Mapping[ReadingKind, HeldBack]:
        """Return the errors that a shopper will meet, by kind of reading."""
        return {**self.known, **self.unknown}

    @property
    def ranged_tags(self) -> int:
        """Return how many tags were ranged at known places."""
        return len({tag for tag, _ in self.fitted.calibration.links})


def calibrate(settings: Settings, options: CalibrationOptions) -> CalibrationReport:
    """Calibrate, test and write the file unless the verdict is bad."""
    site_map = survey_site_map(settings, options.folder)
    material = read_material(options.folder, site_map, tag_height_m=options.tag_height_m)
    if material.kind == "none" and not len(material.links.rows):
        material = place_by_ranges(
            site_map, material, folder=options.folder, tag_height_m=options.tag_height_m
        )
    report = report_on(site_map, material, folder=options.folder.resolve().name)
    if report.verdict is Verdict.BAD and not options.is_forced:
        return report
    out = options.out or settings.site.data / CALIBRATION_NAME
    save_calibration(
        out,
        report.fitted.calibration,
        site_map=site_map,
        made_from=made_from(report),
        offset_db=report.fitted.offset_db,
    )
    return replace(report, written=out)


def report_on(site_map: SiteMap, material: Material, *, folder: str) -> CalibrationReport:
    """Fit, judge the anchors, hold back, and come to a verdict."""
    fitted = fit_material(site_map, material)
    has_places = bool(len(material.placed.rows))
    levelled = levelled_by(material.placed, fitted.offset_db)
    anchors = check_anchors(site_map, levelled, fitted.calibration) if has_places else ()
    tested = hold_back(site_map, material) if has_places else Tested()
    known, unknown = tested.known, tested.unknown
    held = {**known, **unknown}
    faults, remarks = list(faults_of(held, anchors)), list(remarks_on(held, anchors))
    verdict = Verdict.BAD if faults else Verdict.FAIR if remarks or not held else Verdict.GOOD
    return CalibrationReport(
        folder=folder,
        site_map=site_map,
        material=material,
        fitted=fitted,
        anchors=anchors,
        known=known,
        unknown=unknown,
        verdict=verdict,
        reasons=(*faults, *remarks),
    )


def faults_of(
    held: Mapping[ReadingKind, HeldBack], anchors: tuple[AnchorVerdict, ...]
) -> Iterator[str]:
    """Yield what makes a calibration useless."""
    for kind, errors in held.items():
        if errors.at(0.5) > GUESS_SHARE_MAX * errors.guess_m:
            yield (
                f"{NAMES[kind]}: half of the test errors are above {errors.at(0.5):.2f} m; always "
                f"answering the middle of the survey would give {errors.guess_m:.2f} m. The places "
                "do not fit the readings: check that points and times belong together, and the "
                "corner that x and y start from."
            )
        if errors.located_share < LOCATED_MIN:
            yield (
                f"{NAMES[kind]}: only {errors.located_share:.0%} of the test instants were "
                f"located; expected {LOCATED_MIN:.0%}. Too few anchors hear the tag: see inaisle "
                "coverage."
            )
    judged = [verdict for verdict in anchors if verdict.stops]
    wrong = [v for v in judged if v.state in {AnchorState.ERRATIC, AnchorState.MISPLACED}]
    if judged and len(wrong) > WRONG_ANCHORS_MAX * len(judged):
        yield (
            f"{len(wrong)} of {len(judged)} anchors are erratic or elsewhere than the map says. "
            "So many at once mean that points, times or the map are mixed up."
        )


def remarks_on(
    held: Mapping[ReadingKind, HeldBack], anchors: tuple[AnchorVerdict, ...]
) -> Iterator[str]:
    """Yield what is to be mended."""
    for kind, errors in held.items():
        if errors.zone_size_m is None:
            yield (
                f"{NAMES[kind]}: no zone of {ZONE_SIZES_M[-1]:g} m or less is named right four "
                "times of five. Tie offers to whole departments, or hang more anchors: inaisle "
                "coverage says where."
            )
    silent = [verdict.anchor for verdict in anchors if verdict.state is AnchorState.SILENT]
    if silent:
        yield (
            f"Not heard at all: {', '.join(silent)}. Did the survey come near them? Are they "
            "powered, and is the map right?"
        )
    erratic = [
        f"{verdict.anchor} ({verdict.spread:.1f} {unit_of(verdict)})"
        for verdict in anchors
        if verdict.state is AnchorState.ERRATIC
    ]
    if erratic:
        yield f"Scatter more than usual: {', '.join(erratic)}. Look at what hangs before them."
    for verdict in anchors:
        if verdict.better_m is not None:
            x, y = verdict.better_m
            yield (
                f"{verdict.anchor} fits better at ({x:.1f}, {y:.1f}) than where the map has it: "
                "measure its place again."
            )


def levelled_by(placed: PlacedReadings, offset_db: Mapping[str, float]) -> PlacedReadings:
    """Return the strengths as the mean of the devices would have heard them."""
    rows = placed.rows.copy()
    offsets = np.array([offset_db.get(tag, 0.0) for tag in placed.tags])
    is_rssi = rows["kind"] == ReadingKind.RSSI
    rows["value"][is_rssi] -= offsets[rows["tag"][is_rssi]]
    return replace(placed, rows=rows)


def unit_of(verdict: AnchorVerdict) -> str:
    """Return the unit of an anchor's residuals."""
    return "m" if verdict.kind.name == "RANGE" else "dB"


def survey_site_map(settings: Settings, folder: Path) -> SiteMap:
    """Return the map of a survey: the settings', else the one beside it, else the demo's.

    Raises
    ------
    InvalidRecording
        If the map beside the readings cannot be read.
    """
    if settings.site.map is not None:
        return load_site_map(settings.site)
    beside = folder / SITE_MAP_NAME
    if beside.is_file():
        try:
            content = beside.read_bytes()
        except OSError as error:
            raise InvalidRecording(f"{beside}: cannot be read ({error.strerror}).") from error
        site_map = parse_site_map(content, source=str(beside))
        check_site_map(site_map, source=str(beside))
        return site_map
    if (folder / "anchors.csv").is_file():
        return site_map_of(load_recording(folder), folder)
    return load_site_map(settings.site)


def made_from(report: CalibrationReport) -> MadeFrom:
    """Return what the file says of its own making."""
    best = min(report.held.values(), key=lambda held: held.at(0.5), default=None)
    return MadeFrom(
        recording=report.folder,
        points=len(report.material.placed.stops),
        readings=len(report.material.placed.rows),
        anchor_links=len(report.material.links.rows),
        verdict=report.verdict.value,
        p50_m=None if best is None else finite_or_none(best.at(0.5)),
        p90_m=None if best is None else finite_or_none(best.at(0.9)),
    )


def finite_or_none(value: float) -> float | None:
    """Return a length in millimetres' precision, None where it is infinite."""
    return round(value, 3) if math.isfinite(value) else None
