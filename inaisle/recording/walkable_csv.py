"""Read where people can walk on a recorded site: a table of points, each free or not.

Layer: doors. Takes: walkable.csv (x,y,walkable; gzipped or not) of a recording's folder.
Gives: `Walkable` ground to inaisle.recording.recording_site. Each free point stands for the square
around it that reaches half-way to its neighbours.
"""

from pathlib import Path
from typing import Final

import numpy as np
import shapely

from inaisle.recording.csv_table import find_table, finite, read_table
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import Ring, Walkable

POINTS_MAX: Final = 1_000_000


def read_walkable(folder: Path) -> tuple[Walkable, ...]:
    """Return the ground of a recording, of no piece where it has no such table.

    Raises
    ------
    InvalidRecording
        If a line cannot be read, or no point is free.
    """
    path = find_table(folder, "walkable")
    if path is None:
        return ()
    points = [
        (finite(row, "x", where=f"{path}:{line}"), finite(row, "y", where=f"{path}:{line}"))
        for line, row in read_table(path, ("x", "y", "walkable"))
        if row["walkable"] == "1"
    ]
    if not 0 < len(points) <= POINTS_MAX:
        raise InvalidRecording(
            f"{path}: {len(points)} points are free; expected 1 to {POINTS_MAX}. The column "
            "walkable holds 1 for free ground and 0 for all other."
        )
    return tuple(_grounds(np.array(points)))


def _grounds(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[Walkable]:
    x, y = points.T
    half = min(_spacing(x), _spacing(y)) / 2.0
    ground = shapely.union_all(shapely.box(x - half, y - half, x + half, y + half), grid_size=1e-6)
    parts = ground.geoms if isinstance(ground, shapely.MultiPolygon) else [ground]
    return [
        Walkable(floor=0, ring=_ring(part.exterior), holes=tuple(_ring(r) for r in part.interiors))
        for part in parts
        if isinstance(part, shapely.Polygon)
    ]


def _spacing(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the distance of neighbouring columns or rows; 1 m where there is one only."""
    steps = np.diff(np.unique(values.round(6)))
    return float(steps.min()) if steps.size else 1.0


def _ring(line: shapely.LinearRing) -> Ring:
    return tuple((float(x), float(y)) for x, y in line.coords[:-1])
