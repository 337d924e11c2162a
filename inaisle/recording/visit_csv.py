"""Write the visits of a recording: who stayed at which shelf or shop for how long, and who passed.

Layer: doors. Takes: what the engine gave, and the recording's zones. Gives: a table to the user,
one row for each visit and pass in the order in which they were known.

`dwell_live_s` is what an offer could have rested on; `dwell_s` is counted in hindsight, ten seconds
of it, and so are the rows: one that begins with an instant is known by then and not before.

The zones are those of the recording, as an engine takes them: the outline of a shop, and of a shelf
what is within reach of it. Of outlines in several parts the largest counts.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TextIO

import shapely

from inaisle.recording.recording_zones import RecordingZones, load_zones
from rtls.engine import EngineOutput
from rtls.ingest.recording import Session
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import Ring, SiteMap, Zone, ZoneKind
from rtls.model.units import UnixMs, ZoneId
from rtls.model.visit import AnalysedVisit, Passed, VisitRecord
from rtls.model.zone_outline import FAR_M
from rtls.visit_analysis import VisitAnalysis

VISIT_COLUMNS: Final = (
    "session", "emitted_t_s", "what", "tag", "zone", "entered_t_s", "left_t_s", "dwell_live_s",
    "dwell_s", "p",
)  # fmt: skip
DETAIL_M: Final = 0.05
"""Corners of an outline that say less than this are left out."""


class VisitTable:
    """The table under construction.

    Parameters
    ----------
    site_map
        With the zones of `with_zones`.
    file
        Where rows go; the header is written at once.
    """

    def __init__(self, site_map: SiteMap, file: TextIO) -> None:
        self._names = {zone.zone: zone.name for zone in site_map.zones}
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(VISIT_COLUMNS)
        self._analysis = VisitAnalysis(site_map)
        self.rows = 0

    def begin(self) -> None:
        """Begin a session, which knows nothing of the one before."""
        self._analysis.begin_anew()

    def take(self, output: EngineOutput, session: Session) -> None:
        """Write what has become known by the end of one epoch."""
        at_ms = output.fixes.at_ms
        records: list[VisitRecord] = [*output.passes, *self._analysis.take(output)]
        for record in records:
            told = (session.name, _second(at_ms, session), *self._row(record, session))
            self._writer.writerow(told)
            self.rows += 1

    def _row(self, record: VisitRecord, session: Session) -> tuple[str, ...]:
        zone = self._names[record.zone]
        match record:
            case Passed():
                at_s = _second(record.at_ms, session)
                p = f"{record.probability:.4f}"
                return "passed", record.tag, zone, at_s, at_s, "0", "0", p
            case AnalysedVisit():
                what = "pass_by" if record.is_pass_by else "visit"
                instants = [
                    _second(at, session) for at in (record.entered_at_ms, record.left_at_ms)
                ]
                dwells = [f"{dwell:.3f}" for dwell in (record.dwell_s_live, record.dwell_s)]
                return what, record.tag, zone, *instants, *dwells, ""


def _second(at_ms: UnixMs, session: Session) -> str:
    return f"{(at_ms - session.starts_at_ms) / 1000.0:.3f}"


def with_zones(site_map: SiteMap, folder: Path) -> SiteMap:
    """Return the map of a recording with its shelves or shops as zones.

    A recording that has none is refused with `InvalidRecording`, as by `load_zones`.
    """
    zones = load_zones(folder)
    labels = zones.labels_of(site_map)
    found = [
        Zone(
            zone=ZoneId(f"z{floor}-{number}"), name=name, kind=_kind(zones), floor=floor, ring=ring
        )
        for floor, label in labels.items()
        for number, (name, ring) in enumerate(_outlines(zones, label))
    ]
    return replace(site_map, zones=tuple(found))


def _kind(zones: RecordingZones) -> ZoneKind:
    return ZoneKind.SHELF if zones.are_shelves else ZoneKind.DEPARTMENT


def _outlines(zones: RecordingZones, label: str) -> Iterator[tuple[str, Ring]]:
    own = zones.outlines[label]
    reach_m = float(FAR_M) if zones.are_shelves else 0.0
    for name, outline in zip(own.zones, own.shapes, strict=True):
        whole = shapely.buffer(outline, reach_m, join_style="mitre")
        parts = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]
        largest = max(parts, key=lambda part: float(part.area), default=None)
        if largest is None:
            continue
        ring = largest.simplify(DETAIL_M).exterior.coords[:-1]
        yield name, tuple((float(x), float(y)) for x, y, *_ in ring)


@contextmanager
def visit_table(path: Path, *, site_map: SiteMap) -> Iterator[VisitTable]:
    """Open a table for the visits of a recording.

    Parameters
    ----------
    path
        The file to write.
    site_map
        With the zones of `with_zones`.

    Raises
    ------
    InvalidRecording
        If the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield VisitTable(site_map, file)
    except OSError as error:
        raise InvalidRecording(f"{path}: cannot be written ({error}).") from error
