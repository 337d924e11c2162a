"""Complete the site of a recording with what lies beside the readings.

Layer: doors. Takes: a `Recording`, and from its folder where they exist walls.csv, shelves.geojson,
walkable.csv (each table gzipped or not). Gives: a `SiteMap` to inaisle.recording.replay. A
recording has no zones: it is about places, not offers.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from inaisle.recording.csv_table import find_table, finite, read_table
from inaisle.recording.walkable_csv import read_walkable
from rtls.ingest.recording import Recording
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import COORDINATE_M_MAX, Fixture, Ring, SiteMap, Wall
from rtls.model.units import Metre

MARGIN_M: Final = 1.0


def site_map_of(recording: Recording, folder: Path) -> SiteMap:
    """Return the recording's map with walls, shelves and the size of its floors.

    `InvalidRecording` names a row or a polygon that cannot be read.
    """
    site_map = recording.site_map
    walls = tuple(_walls(folder))
    fixtures = tuple(_fixtures(folder))
    walkable = read_walkable(folder)
    points = [
        *(
            (float(anchor.x_m), float(anchor.y_m))
            for anchor in site_map.anchors
            if anchor.is_placed
        ),
        *(point for wall in walls for point in wall.line),
        *(point for fixture in fixtures for point in fixture.ring),
        *(point for ground in walkable for point in ground.ring),
        *_surveyed_corners(recording),
    ]
    width_m, height_m = _extent([x for x, _ in points]), _extent([y for _, y in points])
    floors = tuple(replace(floor, width_m=width_m, height_m=height_m) for floor in site_map.floors)
    return replace(site_map, floors=floors, walls=walls, fixtures=fixtures, walkable=walkable)


def _extent(values: list[float]) -> Metre:
    size_m = max(values) - min(values) + 2.0 * MARGIN_M
    return Metre(min(size_m, COORDINATE_M_MAX))


def _surveyed_corners(recording: Recording) -> Iterator[tuple[float, float]]:
    """Yield two corners of the box around the survey: its floors have one size for all."""
    if recording.survey is not None:
        stops = recording.survey.stops
        yield float(stops["x_m"].min()), float(stops["y_m"].min())
        yield float(stops["x_m"].max()), float(stops["y_m"].max())


def _walls(folder: Path) -> Iterator[Wall]:
    path = find_table(folder, "walls")
    if path is not None:
        rows = read_table(path, ("x", "y"))
        line = tuple(
            (finite(row, "x", where=f"{path}:{number}"), finite(row, "y", where=f"{path}:{number}"))
            for number, row in rows
        )
        yield Wall(floor=0, line=line)


def _fixtures(folder: Path) -> Iterator[Fixture]:
    path = folder / "shelves.geojson"
    if not path.is_file():
        return
    try:
        for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
            outline = feature["geometry"]["coordinates"][0]
            ring: Ring = tuple((float(x), float(y)) for x, y in outline)
            yield Fixture(fixture=str(feature["properties"]["id"]), floor=0, ring=ring[:-1])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InvalidRecording(
            f"{path}: cannot be read as polygons with an id ({error!r})."
        ) from error
