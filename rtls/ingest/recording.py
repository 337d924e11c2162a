"""Read a recorded data set: anchors and readings, as a folder of CSV files.

Layer: edge. Takes: `anchors.csv` (anchor,x,y,z) and `readings.csv` or `readings.csv.gz`
(session,t_s,tag,anchor,kind,value). Gives: `Recording` to rtls.ingest.recorded_source, and the site
map that the recording implies to the door.
"""

import csv
import gzip
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
import numpy.typing as npt

from rtls.ingest.formats.identifiers import are_tag_ids
from rtls.model.errors import InvalidRecording
from rtls.model.reading import ReadingKind
from rtls.model.site_map import COORDINATE_M_MAX, ID_PATTERN, Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, Metre, SiteId, TagId, UnixMs

ORIGIN_MS: Final = UnixMs(1_700_000_000_000)
"""where the first session begins: a fixed instant, so that a replay gives the same bytes"""
SESSION_GAP_MS: Final = 300_000
"""no track, timer or dwell outlives five minutes of silence"""
SECOND_MS: Final = 1_000
ROWS_MAX: Final = 20_000_000
SESSION_S_MAX: Final = 86_400.0
READINGS_HEADER: Final = ["session", "t_s", "tag", "anchor", "kind", "value"]
ANCHORS_HEADER: Final = ["anchor", "x", "y", "z"]
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
    """

    site_map: SiteMap
    sessions: tuple[Session, ...]
    tags: tuple[TagId, ...]
    anchors: tuple[AnchorId, ...]
    rows: npt.NDArray[np.void]
    left_out: int

    def heard_at_ms(self) -> npt.NDArray[np.int64]:
        """Return the instant of each row on the common time line."""
        starts = np.array([session.starts_at_ms for session in self.sessions], np.int64)
        return np.asarray(starts[self.rows["session"]] + self.rows["t_ms"])


def load_recording(folder: Path) -> Recording:
    """Read a recording and refuse one that cannot be replayed.

    Raises
    ------
    InvalidRecording
        If a file is missing or a line is wrong; names file, line, value and remedy.
    """
    places = _load_anchors(folder)
    sessions = Names()
    tags = Names()
    anchors = Names()
    lines: list[tuple[int, int, int, int, int, float]] = []
    left_out = 0
    for where, fields in _lines(_readings_file(folder), READINGS_HEADER):
        kind = _kind(fields[4], where)
        value = _number(fields[5], "value", where)
        low, high = LIMITS[kind]
        if not low <= value <= high:
            left_out += 1
            continue
        time_s = _number(fields[1], "t_s", where)
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
                anchors.index_of(anchor_id(fields[3], where)),
                kind,
                value,
            )
        )
    if not lines:
        raise InvalidRecording(f"{folder}: no reading at all; expected one or more lines.")
    rows = np.array(lines, RECORDED_DTYPE)
    rows = rows[np.lexsort((rows["t_ms"], rows["session"]))]
    radio = Radio.UWB if (rows["kind"] == ReadingKind.RANGE).any() else Radio.BLE
    return Recording(
        site_map=_site_map(folder, places, radio),
        sessions=_lay_out(sessions.names, rows),
        tags=tuple(TagId(name) for name in tags.names),
        anchors=tuple(AnchorId(name) for name in anchors.names),
        rows=rows,
        left_out=left_out,
    )


def anchor_id(name: str, where: str) -> AnchorId:
    """Return a recorded anchor's name as an anchor id: in lower case, ``_`` as ``-``.

    Raises
    ------
    InvalidRecording
        If the name is no id even then.
    """
    anchor = name.lower().replace("_", "-")
    if not ID_PATTERN.match(anchor):
        raise InvalidRecording(
            f"{where}: anchor is {name!r}; expected 1 to 63 letters, digits, '-' or '_'. "
            "Rename the anchor here and in anchors.csv."
        )
    return AnchorId(anchor)


class Names:
    """Numbers for names, in order of first appearance."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._index: dict[str, int] = {}

    def index_of(self, name: str) -> int:
        """Return the number of a name."""
        index = self._index.setdefault(name, len(self.names))
        if index == len(self.names):
            self.names.append(name)
        return index


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
    for name in ("readings.csv.gz", "readings.csv"):
        if (folder / name).is_file():
            return folder / name
    raise InvalidRecording(
        f"{folder}: neither readings.csv.gz nor readings.csv is there; expected one of them with "
        f"the columns {','.join(READINGS_HEADER)}."
    )


def _load_anchors(folder: Path) -> dict[AnchorId, tuple[float, float, float]]:
    path = folder / "anchors.csv"
    if not path.is_file():
        raise InvalidRecording(
            f"{path} is not there; expected {','.join(ANCHORS_HEADER)}. Where the places of the "
            "anchors are unknown a recording serves fingerprinting only and cannot be replayed."
        )
    places: dict[AnchorId, tuple[float, float, float]] = {}
    for where, fields in _lines(path, ANCHORS_HEADER):
        name = anchor_id(fields[0], where)
        if name in places:
            raise InvalidRecording(
                f"{where}: anchor {name} is there twice (letters count as lower case); rename one."
            )
        x_m, y_m, z_m = (
            _number(text, axis, where) for text, axis in zip(fields[1:], "xyz", strict=True)
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


def _site_map(
    folder: Path, places: dict[AnchorId, tuple[float, float, float]], radio: Radio
) -> SiteMap:
    """Return a map of one floor with the anchors and nothing else."""
    size_m = max(1.0, *(2.0 * max(abs(x), abs(y)) for x, y, _ in places.values()))
    floor = Floor(
        floor=0,
        name="recorded",
        width_m=Metre(min(size_m, COORDINATE_M_MAX)),
        height_m=Metre(min(size_m, COORDINATE_M_MAX)),
    )
    site = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:63]
    return SiteMap(
        site=SiteId(site or "recording"),
        name=folder.resolve().name or "recording",
        floors=(floor,),
        zones=(),
        anchors=tuple(
            Anchor(anchor=name, radio=radio, floor=0, x_m=Metre(x), y_m=Metre(y), z_m=Metre(z))
            for name, (x, y, z) in places.items()
        ),
    )


def _lines(path: Path, header: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Give (file and line, fields) for each line under the header.

    Raises
    ------
    InvalidRecording
        If the file cannot be read as CSV, or its columns are others.
    """
    try:
        with _opened(path) as text:
            yield from _checked_lines(text, header, path)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRecording(
            f"{path}: cannot be read ({error}); expected CSV in UTF-8, packed by gzip if the name "
            "ends in .gz. Fetch the file again."
        ) from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _checked_lines(
    text: TextIO, header: Sequence[str], path: Path
) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(text)
    given = next(reader, [])
    if given != list(header):
        raise InvalidRecording(
            f"{path}, line 1: the columns are {','.join(given)[:200]!r}; expected "
            f"{','.join(header)!r}."
        )
    for fields in reader:
        where = f"{path}, line {reader.line_num}"
        if len(fields) != len(header):
            raise InvalidRecording(
                f"{where}: {len(fields)} fields; expected {len(header)}: {','.join(header)}."
            )
        if reader.line_num > ROWS_MAX:
            raise InvalidRecording(f"{where}: expected at most {ROWS_MAX} lines. Split it.")
        yield where, fields


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


def _number(text: str, name: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidRecording(f"{where}: {name} is {text!r}; expected a finite number.")
    return number
