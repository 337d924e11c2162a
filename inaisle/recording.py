"""Describe the site of a recording from the tables beside it.

Layer: doors. Takes: a folder with anchors.csv and readings.csv, where they exist also walls.csv,
shelves.geojson and walkable.csv, each gzipped or not. Gives: a `SiteMap` to inaisle.replay. A
recording has no zones: it is about places, not offers.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from inaisle.csv_table import find_table, finite, read_table
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import Anchor, Fixture, Floor, Radio, Ring, SiteMap, Wall
from rtls.model.units import AnchorId, Metre, SiteId

SITE: Final = SiteId("recording")
READING_COLUMNS: Final = ("session", "t_s", "tag", "anchor", "kind", "value")
KINDS_SEEN_IN: Final = 1_000  # the first rows tell what the anchors speak
MARGIN_M: Final = 1.0


def read_site_map(folder: Path) -> SiteMap:
    """Build the map of a recording.

    Raises
    ------
    InvalidRecording
        If the folder is none, has no readings, or does not say where its anchors are.
    """
    if not folder.is_dir():
        raise InvalidRecording(f"{folder}: no such folder; give the folder of a recording.")
    radio = _radio(folder)
    anchors = tuple(_anchors(folder, radio))
    walls = tuple(_walls(folder))
    fixtures = tuple(_fixtures(folder))
    points = [
        *((float(anchor.x_m), float(anchor.y_m)) for anchor in anchors),
        *(point for wall in walls for point in wall.line),
        *(point for fixture in fixtures for point in fixture.ring),
        *_walkable_corners(folder),
    ]
    return SiteMap(
        site=SITE,
        name=folder.name,
        floors=(_floor(points),),
        zones=(),
        anchors=anchors,
        walls=walls,
        fixtures=fixtures,
    )


def _radio(folder: Path) -> Radio:
    path = find_table(folder, "readings")
    if path is None:
        raise InvalidRecording(f"{folder}: no readings.csv or readings.csv.gz; nothing to replay.")
    kinds = {row["kind"] for _, row in islice(read_table(path, READING_COLUMNS), KINDS_SEEN_IN)}
    return Radio.UWB if "range" in kinds else Radio.BLE


def _anchors(folder: Path, radio: Radio) -> Iterator[Anchor]:
    path = find_table(folder, "anchors")
    if path is None:
        raise InvalidRecording(
            f"{folder}: no anchors.csv, so nobody knows where its anchors are. Such a recording "
            "is for fingerprinting, which this version does not do; replay one with anchor places."
        )
    for line, row in read_table(path, ("anchor", "x", "y", "z")):
        x, y, z = (finite(row, name, where=f"{path}:{line}") for name in ("x", "y", "z"))
        yield Anchor(
            anchor=AnchorId(row["anchor"]),
            radio=radio,
            floor=0,
            x_m=Metre(x),
            y_m=Metre(y),
            z_m=Metre(z),
        )


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
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        for feature in features:
            ring: Ring = tuple(
                (float(x), float(y)) for x, y in feature["geometry"]["coordinates"][0]
            )
            yield Fixture(fixture=str(feature["properties"]["id"]), floor=0, ring=ring[:-1])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InvalidRecording(
            f"{path}: cannot be read as polygons with an id ({error!r})."
        ) from error


def _walkable_corners(folder: Path) -> Iterator[tuple[float, float]]:
    path = find_table(folder, "walkable")
    if path is None:
        return
    xs, ys = [], []
    for line, row in read_table(path, ("x", "y", "walkable")):
        if row["walkable"] == "1":
            xs.append(finite(row, "x", where=f"{path}:{line}"))
            ys.append(finite(row, "y", where=f"{path}:{line}"))
    if xs:
        yield min(xs), min(ys)
        yield max(xs), max(ys)


def _floor(points: list[tuple[float, float]]) -> Floor:
    if not points:
        raise InvalidRecording("the recording names no anchor; expected three or more.")
    width_m = max(x for x, _ in points) - min(x for x, _ in points) + 2.0 * MARGIN_M
    height_m = max(y for _, y in points) - min(y for _, y in points) + 2.0 * MARGIN_M
    return Floor(floor=0, name="0", width_m=Metre(width_m), height_m=Metre(height_m))
