"""What tests of recordings with shelves share: the command line, and a shelf on their plan.

Layer: tests. Takes: arguments and places. Gives: an exit status, and a GeoJSON feature.
"""

from pathlib import Path

from inaisle.cli import app, run_guarded


def run(*arguments: str | Path) -> int:
    """Call `inaisle` with ``arguments``."""
    return run_guarded(lambda: app([str(argument) for argument in arguments], prog_name="inaisle"))


def shelf(name: str, x0: float) -> dict[str, object]:
    """Return a shelf 1 m deep and 6 m long, whose left face is at ``x0``."""
    ring = [[x0, 2], [x0 + 1, 2], [x0 + 1, 8], [x0, 8], [x0, 2]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"id": name, "kind": "shelf"}, "geometry": geometry}
