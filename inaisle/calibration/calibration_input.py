"""Read what a survey recorded: who stood where when, and what was heard meanwhile.

Layer: doors. Takes: the folder of a recording with points.csv (x,y,floor,from,to) or waypoints.csv
(x,y,floor,at), or survey.csv (means), and the site map. Gives: `Material` to
inaisle.calibration.calibration_fit. Times are seconds of a session. The columns session, tag, z and
point may be left out.

Readings whose tag is an anchor of the map are anchors that hear each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.calibration.survey_places import Known, Stretch, read_stays, read_walks
from inaisle.recording.csv_table import find_table, finite, read_table
from rtls.ingest.recorded_table import anchor_id
from rtls.ingest.recording import Recording, load_recording
from rtls.model.errors import InaisleError, InvalidCalibration, InvalidRecording
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.units import TagId
from rtls.positioning.placed_readings import LINK_DTYPE, PLACED_DTYPE, AnchorLinks, PlacedReadings

Rows = npt.NDArray[np.void]
MEANS_TAG: Final = "survey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that calibration can be made from.

    Parameters
    ----------
    placed
        Readings with a known place; a stop of means (survey.csv) has no stretch.
    stretches
        Where in `recording` they stand, for the test through the filter.
    """

    recording: Recording | None
    placed: PlacedReadings
    links: AnchorLinks
    stretches: tuple[Stretch, ...]
    kind: str
    """points, waypoints, means, or none"""


def read_material(folder: Path, site_map: SiteMap, *, tag_height_m: float) -> Material:
    """Read the folder of a survey.

    Raises
    ------
    InvalidRecording
        If nothing in it can calibrate; other errors name file, line, value and remedy.
    """
    means = find_table(folder, "survey")
    has_places = find_table(folder, "points") or find_table(folder, "waypoints")
    if means is not None and not has_places:
        placed = read_means(means, site_map)
        empty = AnchorLinks(rows=np.empty(0, LINK_DTYPE))
        return Material(recording=None, placed=placed, links=empty, stretches=(), kind="means")
    recording = load_recording(folder)
    index = map_index(recording, site_map)
    stays = read_stays(folder, recording, site_map)
    walks = read_walks(folder, recording, site_map)
    links = links_of(recording, site_map, index)
    if not (stays or walks or len(links.rows)):
        if (recording.rows["kind"] == ReadingKind.RANGE).any():
            return Material(
                recording=recording, placed=nothing_placed(), links=links, stretches=(),
                kind="none",
            )  # fmt: skip
        raise InvalidRecording(
            f"{folder}: no points.csv, no waypoints.csv, no survey.csv and no anchors that hear "
            "each other; expected one of them, for signal strengths alone do not tell where one "
            "walked. Write down where you stood and when."
        )
    rows, stretches = placed_rows(
        recording, (*stays, *walks), index=index, tag_height_m=tag_height_m
    )
    return Material(
        recording=recording,
        placed=PlacedReadings(rows=rows, tags=recording.tags),
        links=links,
        stretches=stretches,
        kind="points" if stays else "waypoints" if walks else "none",
    )


def nothing_placed() -> PlacedReadings:
    """Return readings of no known place."""
    return PlacedReadings(rows=np.empty(0, PLACED_DTYPE), tags=())


def map_index(recording: Recording, site_map: SiteMap) -> npt.NDArray[np.int32]:
    """Return the site map's index of each anchor of a recording.

    Raises
    ------
    InvalidCalibration
        If a recorded anchor is not on the map.
    """
    index = site_map.anchor_index
    for at, anchor in enumerate(recording.anchors):
        if anchor not in index:
            count = int((recording.rows["anchor"] == at).sum())
            raise InvalidCalibration(
                f"anchor {anchor} is heard {count} times but not on the map of {site_map.site}; "
                "expected anchors of the map only. Draw it into the map where it hangs, or leave "
                "its readings out."
            )
    return np.array([index[anchor] for anchor in recording.anchors], np.int32)


def links_of(recording: Recording, site_map: SiteMap, index: npt.NDArray[np.int32]) -> AnchorLinks:
    """Return the readings of anchors that hear anchors."""
    known = {str(anchor): at for anchor, at in site_map.anchor_index.items()}
    tags = [known.get(name, -1) for name in map(as_anchor, recording.tags)]
    rows = recording.rows
    heard = np.array(tags, np.int32)[rows["tag"]]
    hearer = index[rows["anchor"]]
    is_link = (heard >= 0) & (heard != hearer)
    links = np.empty(int(is_link.sum()), LINK_DTYPE)
    links["hearer"], links["heard"] = hearer[is_link], heard[is_link]
    links["kind"], links["value"] = rows["kind"][is_link], rows["value"][is_link]
    return AnchorLinks(rows=links)


def as_anchor(tag: str) -> str:
    """Return a tag's name as an anchor id, empty where it can be none."""
    try:
        return anchor_id(tag, "tag")
    except InaisleError:
        return ""


def placed_rows(
    recording: Recording,
    times: Sequence[Known],
    *,
    index: npt.NDArray[np.int32],
    tag_height_m: float,
) -> tuple[Rows, tuple[Stretch, ...]]:
    """Put each reading of a known time where its tag was.

    Raises
    ------
    InvalidCalibration
        If nothing was heard at a point.
    """
    anchors = {as_anchor(anchor) for anchor in recording.anchors}
    is_tag = np.array([as_anchor(tag) not in anchors for tag in recording.tags])
    pieces: list[Rows] = []
    stretches: list[Stretch] = []
    next_stop = 0
    for known in times:
        chosen = known.rows_of(recording)
        chosen = chosen[is_tag[chosen["tag"]]]
        if not len(chosen):
            raise InvalidCalibration(
                f"{known.where}: nothing was heard of a tag from {known.from_ms / 1000:g} to "
                f"{known.to_ms / 1000:g} s; expected readings. Correct the times, or switch the "
                "tag on and stand there again."
            )
        step = (chosen["t_ms"] - known.from_ms) // known.step_ms
        stops = next_stop + np.unique(step, return_inverse=True)[1].astype(np.int32)
        placed = np.empty(len(chosen), PLACED_DTYPE)
        placed["stop"], placed["tag"], placed["kind"] = stops, chosen["tag"], chosen["kind"]
        placed["anchor"], placed["value"] = index[chosen["anchor"]], chosen["value"]
        placed["x_m"], placed["y_m"], placed["floor"] = known.places_at(chosen["t_ms"])
        placed["z_m"] = known.z_m if known.z_m is not None else tag_height_m
        placed["spread"] = 0.0
        pieces.append(placed)
        stretches += known.stretches(stops, step * known.step_ms + known.from_ms)
        next_stop = int(stops.max()) + 1
    rows = np.concatenate(pieces) if pieces else np.empty(0, PLACED_DTYPE)
    return rows, tuple(stretches)


def read_means(path: Path, site_map: SiteMap) -> PlacedReadings:
    """Read survey.csv: the mean strength of each anchor at each point.

    A point named ``phone_point`` says which phone listened.

    Raises
    ------
    InvalidCalibration
        If it names an anchor that is not on the map.
    """
    index = site_map.anchor_index
    points: dict[str, int] = {}
    tags: dict[str, int] = {}
    rows = []
    for line, row in read_table(path, ("point", "x", "y", "z", "anchor", "mean", "std")):
        where = f"{path}:{line}"
        anchor = anchor_id(row["anchor"], where)
        if anchor not in index:
            raise InvalidCalibration(
                f"{where}: anchor is {anchor!r}; expected one of the map of {site_map.site}. Draw "
                "it into the map, or leave its rows out."
            )
        device = row["point"].partition("_")[0] if "_" in row["point"] else MEANS_TAG
        x, y, z, mean = (finite(row, name, where=where) for name in ("x", "y", "z", "mean"))
        spread = finite(row, "std", where=where) if row["std"] else 0.0
        stop = points.setdefault(row["point"], len(points))
        tag = tags.setdefault(device, len(tags))
        floor = site_map.anchors[index[anchor]].floor
        rows.append((stop, tag, index[anchor], ReadingKind.RSSI, floor, x, y, z, mean, spread))
    return PlacedReadings(
        rows=np.array(rows, PLACED_DTYPE), tags=tuple(TagId(name) for name in tags)
    )
