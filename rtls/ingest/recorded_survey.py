"""Read the survey walks of a recording whose anchors have no known place.

Layer: edge. Takes: `survey_scans.csv` (session,t_s,anchor,value) and `survey_truth.csv`
(session,t_s,[tag,]x,y,z,floor), each packed or not.
Gives: `Survey` and the floors by their labels to rtls.ingest.recording.

A scan stands where its walk was at that time: straight between the two places around it. A scan
before the first place or after the last one is left out: nobody knows where it was.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.ingest.recorded_table import AnchorNames, Names, lines_of, number_of, table_of
from rtls.model.errors import InvalidRecording
from rtls.model.survey import HEARD_DTYPE, HEARD_MAX, STOP_DTYPE, STOPS_MAX, Survey
from rtls.model.units import AnchorId

SCANS_HEADER: Final = ("session", "t_s", "anchor", "value")
TRUTH_HEADER: Final = ("session", "t_s", "x", "y", "z", "floor")
TAGGED_HEADER: Final = ("session", "t_s", "tag", "x", "y", "z", "floor")
RSSI_LIMITS: Final = (-120.0, 0.0)
ANCHORS_MAX: Final = 32_767  # a reading holds the number of its anchor in 16 bits
FLOOR_PATTERN: Final = re.compile(r"\A(?:([A-Za-z]?)(\d{1,2})|(-\d{1,2})|(G|EG))\Z")
PLACE_DTYPE: Final = np.dtype([("t_s", np.float64), ("xyz", np.float64, (3,)), ("floor", np.int32)])
Places = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSurvey:
    """A survey with the labels of its floors, the lowest first.

    Parameters
    ----------
    left_out
        Readings outside their walk's truth, or that no radio can have sent.
    """

    survey: Survey
    floor_labels: Mapping[int, str]
    left_out: int


def load_survey(folder: Path) -> RecordedSurvey | None:
    """Read the survey walks of a recording, or return None where there are none.

    Raises
    ------
    InvalidRecording
        If one of the two files is missing or a line is wrong; names file, line, value, remedy.
    """
    scans, truth = table_of(folder, "survey_scans"), table_of(folder, "survey_truth")
    if scans is None and truth is None:
        return None
    if scans is None or truth is None:
        there, missing = ("scans", "truth") if truth is None else ("truth", "scans")
        raise InvalidRecording(
            f"{folder}: survey_{there}.csv is there, survey_{missing}.csv is not; expected both."
        )
    walks, labels = _load_walks(truth)
    return _joined(scans, walks, labels)


def floor_number(label: str, where: str) -> int:
    """Return the number of a labelled floor, 0 being the ground.

    ``4`` is 4; ``F1`` and ``L1`` are the ground, 0; ``B1`` and ``U1`` are below it, -1.

    Raises
    ------
    InvalidRecording
        If the label is of no such form.

    Examples
    --------
    >>> [floor_number(label, "here") for label in ("B2", "B1", "F1", "F3", "6", "-1", "G")]
    [-2, -1, 0, 2, 6, -1, 0]
    """
    match = FLOOR_PATTERN.match(label)
    if match is None:
        raise InvalidRecording(
            f"{where}: floor is {label!r}; expected a number, G, or a letter and a number: "
            "B1 under the ground, F1 on it."
        )
    letter, storey, below, _ = match.groups()
    if storey is None:
        return int(below or 0)
    match letter.upper():
        case "":
            return int(storey)
        case "B" | "U":
            return -int(storey)
        case _:
            return int(storey) - 1


def _load_walks(path: Path) -> tuple[dict[str, Places], dict[int, str]]:
    """Return the places of each walk and the label of each floor.

    Raises
    ------
    InvalidRecording
        If a line is wrong, time goes back, or a floor has two labels.
    """
    rows: dict[str, list[tuple[float, tuple[float, float, float], int]]] = {}
    labels: dict[int, str] = {}
    for where, fields in lines_of(path, TRUTH_HEADER, TAGGED_HEADER):
        session, t_s, *_, label = fields
        x, y, z = (
            number_of(text, axis, where) for text, axis in zip(fields[-4:-1], "xyz", strict=True)
        )
        at_s = number_of(t_s, "t_s", where)
        walk = rows.setdefault(session, [])
        if walk and at_s < walk[-1][0]:
            raise InvalidRecording(f"{where}: t_s {at_s} after {walk[-1][0]}; expected rising.")
        floor = floor_number(label, where)
        if labels.setdefault(floor, label) != label:
            raise InvalidRecording(
                f"{where}: floor {label!r} is the same as {labels[floor]!r}; name it one way."
            )
        walk.append((at_s, (x, y, z), floor))
    if not rows:
        raise InvalidRecording(f"{path}: no place at all; expected one or more lines.")
    return (
        {session: np.array(walk, PLACE_DTYPE) for session, walk in rows.items()},
        dict(sorted(labels.items())),
    )


def _joined(path: Path, walks: Mapping[str, Places], labels: dict[int, str]) -> RecordedSurvey:
    """Put the scans where their walks were.

    Raises
    ------
    InvalidRecording
        If a scan's walk is not known, or no scan remains.
    """
    anchors, stops = AnchorNames(), Names()
    where_of: list[tuple[str, float]] = []
    heard: list[tuple[int, int, float, float, int]] = []
    left_out = 0
    for where, (session, t_s, anchor, value) in lines_of(path, SCANS_HEADER):
        walk = walks.get(session)
        if walk is None:
            raise InvalidRecording(
                f"{where}: session {session!r} is not in survey_truth; add its places."
            )
        rssi = number_of(value, "value", where)
        at_s = number_of(t_s, "t_s", where)
        is_heard = RSSI_LIMITS[0] <= rssi <= RSSI_LIMITS[1]
        if not (is_heard and walk["t_s"][0] <= at_s <= walk["t_s"][-1]):
            left_out += 1
            continue
        stop = stops.index_of(f"{session}\n{at_s}")
        if stop == len(where_of):
            where_of.append((session, at_s))
        heard.append((stop, anchors.index_of_spelling(anchor, where), rssi, np.nan, 1))
        _refuse_more(where, len(where_of), len(heard), len(anchors.names))
    if not heard:
        raise InvalidRecording(f"{path}: no scan with a known place; expected one or more.")
    return RecordedSurvey(
        survey=Survey(
            stops=_stops(where_of, walks),
            heard=np.array(heard, HEARD_DTYPE),
            anchors=tuple(AnchorId(name) for name in anchors.names),
            devices=("phone",),
        ),
        floor_labels=labels,
        left_out=left_out,
    )


def _refuse_more(where: str, stops: int, heard: int, anchors: int) -> None:
    if stops > STOPS_MAX or heard > HEARD_MAX or anchors > ANCHORS_MAX:
        raise InvalidRecording(
            f"{where}: {stops} scans, {heard} readings of {anchors} anchors; expected at most "
            f"{STOPS_MAX}, {HEARD_MAX} and {ANCHORS_MAX}. Thin the survey."
        )


def _stops(
    where_of: Sequence[tuple[str, float]], walks: Mapping[str, Places]
) -> npt.NDArray[np.void]:
    """Return where each scan was, by its walk's places around it in time."""
    stops = np.zeros(len(where_of), STOP_DTYPE)
    numbers = Names()
    stops["walk"] = [numbers.index_of(session) for session, _ in where_of]
    stops["t_s"] = at_s = np.array([at for _, at in where_of])
    for number, session in enumerate(numbers.names):
        own, walk = np.flatnonzero(stops["walk"] == number), walks[session]
        for axis, name in enumerate(("x_m", "y_m", "z_m")):
            stops[name][own] = np.interp(at_s[own], walk["t_s"], walk["xyz"][:, axis])
        # On the stairs the floor is that of the place left last.
        last = np.searchsorted(walk["t_s"], at_s[own], side="right") - 1
        stops["floor"][own] = walk["floor"][last]
    return stops
