"""M2: how near single fixes and the filter come to the Cramér-Rao bound.

Layer: benchmarks. Takes: the scenes of tests/reference/bounded_scene.py, whose noise is known.
Gives: rows for the table.
"""

from collections.abc import Iterator

from benchmarks.accuracy.row import Row
from rtls.model.reading import ReadingKind
from tests.reference.bounded_scene import filter_over_bound, fix_over_bound

FIX_MAX = 1.25
FILTER_MAX = 1.30
FILTERED = (ReadingKind.RANGE, ReadingKind.TDOA, ReadingKind.POSITION)


def run() -> Iterator[Row]:
    """Yield the ratio of each kind, and how often the filter's 95 % ellipse holds the truth."""
    for kind in ReadingKind:
        name = kind.name.lower()
        yield Row(
            measure="M2",
            scene=f"eight anchors, {name}",
            figure="single fix, RMSE over bound",
            value=fix_over_bound(kind),
            unit="",
            target=FIX_MAX,
        )
    for kind in FILTERED:
        scene = f"eight anchors, {kind.name.lower()}"
        ratio, inside = filter_over_bound(kind)
        yield Row(
            measure="M2",
            scene=scene,
            figure="filter, RMSE over posterior bound",
            value=ratio,
            unit="",
            target=FILTER_MAX,
        )
        for target, is_floor in ((0.93, True), (0.97, False)):
            yield Row(
                measure="M2",
                scene=scene,
                figure="filter, truth in 95 % ellipse",
                value=inside,
                unit="",
                target=target,
                is_floor=is_floor,
            )
