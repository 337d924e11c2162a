"""Print how well a site is covered: a table, a map in the terminal, JSON, GeoJSON.

Layer: doors. Takes: a `CoverageReport`. Gives: text on standard output, and a file of cells.
"""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from inaisle.errors import ExitStatus, Unavailable
from inaisle.settings import Settings
from inaisle.site.coverage_report import CoverageOptions, CoverageReport, report_coverage
from rtls.positioning.coverage import (
    ZONE_P_MIN,
    ZONE_SIZES_M,
    BestPlace,
    CoverageSettings,
    FloorCoverage,
)

COLUMNS_OF_MAP: Final = 40
# Bounds (m) at which the colour of the map changes, and the colours: blue is good, red is not.
STEPS_M: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
GLYPHS: Final = "·░▒▓█X"  # for a terminal without colours
COLOURS: Final = ("#2166ac", "#67a9cf", "#d1e5f0", "#fddbc7", "#ef8a62", "#b2182b")


def run_coverage(
    settings: Settings, options: CoverageOptions, *, coverage: CoverageSettings
) -> ExitStatus:
    """Work out the coverage of the site of the settings and show it."""
    report = report_coverage(settings, options, coverage=coverage)
    print_coverage(report, as_json=options.as_json, has_map=options.has_heat_map)
    if options.geojson is not None:
        write_geojson(report, options.geojson)
    return ExitStatus.DONE


def print_coverage(report: CoverageReport, *, as_json: bool, has_map: bool) -> None:
    """Print the report to standard output."""
    if as_json:
        json.dump(coverage_document(report), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
        return
    console = Console()
    console.print(coverage_table(report))
    for floor in report.floors:
        if has_map:
            print_heat_map(console, floor)
    for place in report.best:
        console.print(sentence_of(place), highlight=False, soft_wrap=True)


def coverage_table(report: CoverageReport) -> Table:
    """Return a column for each floor and kind of reading."""
    table = Table(
        "", title=f"{report.site_map.name}: what the anchors can do at best",
        caption="bound: no method errs less on average, with one reading of each anchor heard "
        f"(Cramér-Rao). A zone can be named where P(the right one) ≥ {ZONE_P_MIN}.",
    )  # fmt: skip
    for floor in report.floors:
        table.add_column(f"floor {floor.floor}, {floor.kind.name.lower()}", justify="right")
    rows: dict[str, list[str]] = {}
    for floor in report.floors:
        for name, value in figures_of(floor):
            rows.setdefault(name, []).append(value)
    for name, values in rows.items():
        table.add_row(name, *values)
    return table


def figures_of(floor: FloorCoverage) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each figure of one floor."""
    yield "anchors", str(floor.anchors)
    yield "dilution of precision, half of the floor", metres(floor.gdop_at(0.5))
    yield "bound, half of the floor, m", metres(floor.bound_at(0.5))
    yield "bound, 95 % of the floor, m", metres(floor.bound_at(0.95))
    yield "heard by fewer than 3 anchors", f"{floor.share_under_three:.0%}"
    for size, share in zip(ZONE_SIZES_M, floor.shares_nameable, strict=True):
        yield f"zones of {size:g} m can be named", f"{share:.0%}"


def metres(value: float) -> str:
    """Return a number for a table; an infinite one as "none"."""
    return f"{value:.2f}" if math.isfinite(value) else "none"


def sentence_of(place: BestPlace) -> str:
    """Return what one more anchor would bring, in words."""
    gain = 1.0 - place.mean_after_m / place.mean_before_m
    return (
        f"One more anchor on floor {place.floor} helps {place.kind.name.lower()} most at "
        f"({place.x_m:.1f}, {place.y_m:.1f}), {place.z_m:.1f} m high: mean bound "
        f"{place.mean_before_m:.2f} → {place.mean_after_m:.2f} m ({gain:.0%} less), 95 % of the "
        f"floor {place.p95_before_m:.2f} → {place.p95_after_m:.2f} m."
    )


def print_heat_map(console: Console, floor: FloorCoverage) -> None:
    """Paint the bound over the floor, y up, a block for each cell or group of cells."""
    columns, rows = np.round(floor.place_m / floor.cell_m - 0.5).astype(int).T
    group = max(1, math.ceil((int(columns.max()) + 1) / COLUMNS_OF_MAP))
    worst: dict[tuple[int, int], float] = {}
    for column, row, bound in zip(columns // group, rows // group, floor.bound_m, strict=True):
        worst[row, column] = max(worst.get((row, column), 0.0), float(bound))
    console.print(
        f"floor {floor.floor}, {floor.kind.name.lower()}: bound in m, "
        f"a block is {group * floor.cell_m:g} m wide",
        highlight=False,
    )
    for row in range(max(r for r, _ in worst), -1, -1):
        line = Text()
        for column in range(max(c for _, c in worst) + 1):
            line.append_text(block_of(worst.get((row, column))))
        console.print(line)
    legend = Text()
    for step in (*STEPS_M, math.inf):
        legend.append_text(block_of(step))
        legend.append(f" ≤ {step:g}   " if math.isfinite(step) else " more")
    console.print(legend)


def block_of(bound_m: float | None) -> Text:
    """Return one block of the map: two characters, empty where nobody stands."""
    if bound_m is None:
        return Text("  ")
    index = int(np.searchsorted(STEPS_M, bound_m))
    return Text(2 * GLYPHS[index], style=COLOURS[index])


def coverage_document(report: CoverageReport) -> dict[str, object]:
    """Return the report as plain values; an infinite bound is null."""
    return {
        "site": report.site_map.site,
        "floors": [
            {
                "floor": floor.floor,
                "kind": floor.kind.name.lower(),
                "anchors": floor.anchors,
                "cell_m": floor.cell_m,
                "gdop_p50": finite(floor.gdop_at(0.5)),
                "bound_p50_m": finite(floor.bound_at(0.5)),
                "bound_p95_m": finite(floor.bound_at(0.95)),
                "share_under_three_anchors": floor.share_under_three,
                "share_nameable": dict(
                    zip((f"{size:g}" for size in ZONE_SIZES_M), floor.shares_nameable, strict=True)
                ),
            }
            for floor in report.floors
        ],
        "one_more_anchor": [
            {
                "floor": place.floor,
                "kind": place.kind.name.lower(),
                "x_m": place.x_m,
                "y_m": place.y_m,
                "z_m": place.z_m,
                "mean_before_m": place.mean_before_m,
                "mean_after_m": place.mean_after_m,
                "p95_before_m": place.p95_before_m,
                "p95_after_m": place.p95_after_m,
            }
            for place in report.best
        ],
    }


def finite(value: float) -> float | None:
    """Return a number as JSON can hold it."""
    return value if math.isfinite(value) else None


def write_geojson(report: CoverageReport, path: Path) -> int:
    """Write a square with its bound for each cell, in the local metres of the map.

    Raises
    ------
    Unavailable
        If the file cannot be written.
    """
    features = [feature for floor in report.floors for feature in cells_of(floor)]
    document = {
        "type": "FeatureCollection",
        "inaisle": {"version": 1, "crs": "local", "site": report.site_map.site},
        "features": features,
    }
    try:
        path.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be written ({error.strerror}). Give --geojson a writable path."
        ) from error
    return len(features)


def cells_of(floor: FloorCoverage) -> list[dict[str, object]]:
    """Return the cells of one floor as features."""
    half = floor.cell_m / 2.0
    corners = ((-half, -half), (half, -half), (half, half), (-half, half), (-half, -half))
    return [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[round(x + dx, 3), round(y + dy, 3)] for dx, dy in corners]],
            },
            "properties": {
                "floor": floor.floor,
                "kind": floor.kind.name.lower(),
                "bound_m": finite(round(float(bound), 3)),
                "gdop": finite(round(float(gdop), 3)),
                "anchors_heard": int(heard),
            },
        }
        for (x, y), bound, gdop, heard in zip(
            floor.place_m.tolist(), floor.bound_m, floor.gdop, floor.heard, strict=True
        )
    ]
