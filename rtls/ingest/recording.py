"""Read a recorded data set: anchors and readings, as a folder of CSV files.

Layer: edge. Takes: `readings.csv` or `readings.csv.gz` (session,t_s,tag,anchor,kind,value), and
`anchors.csv` (anchor,x,y,z) or, where the places of the anchors are unknown, a survey of walks.
Gives: `Recording` to rtls.ingest.recorded_source, and the site map that it implies to the door.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.ingest.formats.identifiers import are_tag_ids
from rtls.ingest.recorded_survey import ANCHORS_MAX, RecordedSurvey, load_survey
from rtls.ingest.recorded_table import AnchorNames, Names, anchor_id, lines_of, number_of, table_of
from rtls.model.errors import InvalidRecording
from rtls.model.reading import ReadingKind
from rtls.model.site_map import COORDINATE_M_MAX, Anchor, Floor, Radio, SiteMap
from rtls.model.survey import Survey
from rtls.model.units import AnchorId, Metre, SiteId, TagId, UnixMs

ORIGIN_MS: Final = UnixMs(1_700_000_000_000)
"""where the first session begins: a fixed instant, so that a replay gives the same bytes"""
SESSION_GAP_MS: Final = 300_000
"""no track, timer or dwell outlives five minutes of silence"""
SECOND_MS: Final = 1_000
SESSION_S_MAX: Final = 86_400.0
READINGS_HEADER: Final = ["session", "t_s", "tag", "anchor", "kind", "value"]
ANCHORS_HEADER: Final = ["anchor", "x", "y", "z"]
ONE_FLOOR: Final = {0: "0"}
Place = tuple[float, float, float]
KINDS: Final = {"rssi": ReadingKind.RSSI, "range": ReadingKind.RANGE}
LIMITS: Final = {ReadingKind.RSSI: (-120.0, 0.0), ReadingKind.RANGE: (0.0, 300.0)}

RECORDED_DTYPE: Final = np.dtype(
    [
        ("session", np.int32),
        ("t_ms", np.int64),
        ("tag", np.int32),
        ("anchor", np.int32),
        ("kind", np.uint8),
        ("value", np.float64),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One stretch of a recording, laid out on the common time line."""

    name: str
    starts_at_ms: UnixMs
    ends_at_ms: UnixMs
    """the last reading"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One data set, whole.

    Parameters
    ----------
    rows
        `RECORDED_DTYPE`, sorted by session and time; `tag` and `anchor` point into the tuples.
    left_out
        Readings that no radio can have sent (rssi above 0 dBm, range above 300 m): a gateway would
        not send them either.
    survey
        The survey walks of a recording whose anchors have no known place; else None.
    """

    site_map: SiteMap
    sessions: tuple[Session, ...]
    tags: tuple[TagId, ...]
    anchors: tuple[AnchorId, ...]
    rows: npt.NDArray[np.void]
    left_out: int
    survey: Survey | None = None

    def heard_at_ms(self) -> npt.NDArray[np.int64]:
        """Return the instant of each row on the common time line."""
        starts = np.array([session.starts_at_ms for session in self.sessions], np.int64)
        return np.asarray(starts[self.rows["session"]] + self.rows["t_ms"])


def load_recording(folder: Path) -> Recording:
    """Read a recording and refuse one that cannot be replayed.

    Without `anchors.csv` the anchors are those that the survey walks and the readings name, none of
    them placed; the floors are those of the walks, and a floor's name is its label there.

    `InvalidRecording` names what is missing or wrong: file, line, value and remedy.
    """
    places = _load_anchors(folder)
    sessions, tags, anchors = Names(), Names(), AnchorNames()
    rows, left_out = _load_rows(_readings_file(folder), sessions, tags, anchors)
    found = load_survey(folder) if places is None else None
    if places is None:
        own = _unplaced(folder, anchors, found)
    else:
        has_ranges = bool((rows["kind"] == ReadingKind.RANGE).any())
        own = _placed(places, Radio.UWB if has_ranges else Radio.BLE)
    return Recording(
        site_map=_site_map(folder, own, found.floor_labels if found else ONE_FLOOR),
        sessions=_lay_out(sessions.names, rows),
        tags=tuple(TagId(name) for name in tags.names),
        anchors=tuple(AnchorId(name) for name in anchors.names),
        rows=rows,
        left_out=left_out,
        survey=found.survey if found else None,
    )


def _load_rows(
    path: Path, sessions: Names, tags: Names, anchors: AnchorNames
) -> tuple[npt.NDArray[np.void], int]:
    """Return the rows by session and time, and how many no radio can have sent.

    Raises
    ------
    InvalidRecording
        If a line is wrong or there is none.
    """
    lines: list[tuple[int, int, int, int, int, float]] = []
    left_out = 0
    for where, fields in lines_of(path, READINGS_HEADER):
        kind = _kind(fields[4], where)
        value = number_of(fields[5], "value", where)
        low, high = LIMITS[kind]
        if not low <= value <= high:
            left_out += 1
            continue
        time_s = number_of(fields[1], "t_s", where)
        if not 0.0 <= time_s <= SESSION_S_MAX:
            raise InvalidRecording(
                f"{where}: t_s is {time_s}; expected 0 to {SESSION_S_MAX:.0f} seconds from the "
                "session's start. Subtract the start of the session."
            )
        lines.append(
            (
                sessions.index_of(fields[0]),
                round(time_s * SECOND_MS),
                tags.index_of(_tag(fields[2], where)),
                anchors.index_of_spelling(fields[3], where),
                kind,
                value,
            )
        )
    if not lines:
        raise InvalidRecording(f"{path.parent}: no reading at all; expected one or more lines.")
    rows = np.array(lines, RECORDED_DTYPE)
    return rows[np.lexsort((rows["t_ms"], rows["session"]))], left_out


def _lay_out(names: Sequence[str], rows: npt.NDArray[np.void]) -> tuple[Session, ...]:
    """Put the sessions one after the other, each beginning at a whole second."""
    sessions = []
    start_ms = int(ORIGIN_MS)
    for index, name in enumerate(names):
        end_ms = start_ms + int(rows["t_ms"][rows["session"] == index].max())
        sessions.append(
            Session(name=name, starts_at_ms=UnixMs(start_ms), ends_at_ms=UnixMs(end_ms))
        )
        start_ms = -(-end_ms // SECOND_MS) * SECOND_MS + SESSION_GAP_MS
    return tuple(sessions)


def _readings_file(folder: Path) -> Path:
    path = table_of(folder, "readings")
    if path is None:
        raise InvalidRecording(
            f"{folder}: neither readings.csv.gz nor readings.csv is there; expected one of them "
            f"with the columns {','.join(READINGS_HEADER)}."
        )
    return path


def _load_anchors(folder: Path) -> dict[AnchorId, Place] | None:
    path = folder / "anchors.csv"
    if not path.is_file():
        return None
    places: dict[AnchorId, Place] = {}
    for where, fields in lines_of(path, ANCHORS_HEADER):
        name = anchor_id(fields[0], where)
        if name in places:
            raise InvalidRecording(
                f"{where}: anchor {name} is there twice (letters count as lower case); rename one."
            )
        x_m, y_m, z_m = (
            number_of(text, axis, where) for text, axis in zip(fields[1:], "xyz", strict=True)
        )
        if max(abs(x_m), abs(y_m), abs(z_m)) > COORDINATE_M_MAX:
            raise InvalidRecording(
                f"{where}: anchor {name} is at ({x_m}, {y_m}, {z_m}); expected local metres within "
                f"±{COORDINATE_M_MAX:.0f}."
            )
        places[name] = (x_m, y_m, z_m)
    if not places:
        raise InvalidRecording(f"{path}: no anchor; expected one line for each.")
    return places


def _site_map(folder: Path, anchors: tuple[Anchor, ...], labels: Mapping[int, str]) -> SiteMap:
    """Return a map of the floors with the anchors and nothing else."""
    size_m = max(1.0, *(2.0 * max(abs(anchor.x_m), abs(anchor.y_m)) for anchor in anchors))
    site = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:63]
    return SiteMap(
        site=SiteId(site or "recording"),
        name=folder.resolve().name or "recording",
        floors=tuple(
            Floor(
                floor=floor,
                name=label,
                width_m=Metre(min(size_m, COORDINATE_M_MAX)),
                height_m=Metre(min(size_m, COORDINATE_M_MAX)),
            )
            for floor, label in labels.items()
        ),
        zones=(),
        anchors=anchors,
    )


def _placed(places: Mapping[AnchorId, Place], radio: Radio) -> tuple[Anchor, ...]:
    return tuple(
        Anchor(anchor=name, radio=radio, floor=0, x_m=Metre(x), y_m=Metre(y), z_m=Metre(z))
        for name, (x, y, z) in places.items()
    )


def _unplaced(folder: Path, heard: Names, found: RecordedSurvey | None) -> tuple[Anchor, ...]:
    """Return the anchors that a survey heard, and those that only the readings name.

    Raises
    ------
    InvalidRecording
        If there is no survey either, or there are too many anchors.
    """
    if found is None:
        raise InvalidRecording(
            f"{folder}: neither anchors.csv ({','.join(ANCHORS_HEADER)}) nor survey_scans.csv and "
            "survey_truth.csv are there; expected the places of the anchors or a survey."
        )
    names = sorted({*found.survey.anchors, *heard.names})
    if len(names) > ANCHORS_MAX:
        raise InvalidRecording(
            f"{folder}: {len(names)} anchors; expected at most {ANCHORS_MAX}. Leave out those "
            "that the survey did not hear."
        )
    floor = min(found.floor_labels)
    return tuple(
        Anchor(
            anchor=AnchorId(name),
            radio=Radio.BLE,
            floor=floor,
            x_m=Metre(0.0),
            y_m=Metre(0.0),
            z_m=Metre(0.0),
            is_placed=False,
        )
        for name in names
    )


def _kind(text: str, where: str) -> ReadingKind:
    kind = KINDS.get(text)
    if kind is None:
        raise InvalidRecording(f"{where}: kind is {text!r}; expected one of {sorted(KINDS)}.")
    return kind


def _tag(text: str, where: str) -> str:
    if not are_tag_ids([text]):
        raise InvalidRecording(
            f"{where}: tag is {text!r}; expected 1 to 64 of letters, digits and ':._-', beginning "
            "with a letter or digit. Rename the tag here and in the truth."
        )
    return text
