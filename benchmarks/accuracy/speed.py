"""M7: how fast, beside the accuracy that it is had at.

Layer: benchmarks. Takes: the figures of benchmarks.engine, tracking, map_filter and fix. Gives:
rows for the table. M8 (the same events whatever the order, and after a kill) and M9 (every payload
of every format, a million of them damaged) are tests; `make test test-long` runs them.
"""

from collections.abc import Iterator

from benchmarks import engine, fix, map_filter, tracking
from benchmarks.accuracy.row import Row

PARTS = {
    "engine": engine.run,
    "filter alone": tracking.run,
    "map filter": map_filter.run,
    "fix": fix.run,
}


def run() -> Iterator[Row]:
    """Yield the figures of each part."""
    for part, figures in PARTS.items():
        for figure in figures():
            target = figure.get("target")
            yield Row(
                measure="M7",
                scene=part,
                figure=str(figure["name"]),
                value=float(figure["value"] or 0.0),
                unit=str(figure["unit"]),
                target=None if target is None else float(target),
                is_floor=bool(figure.get("is_floor", True)),
            )
