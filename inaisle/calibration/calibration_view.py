"""Print what a calibration taught and what it is worth, in words a shop manager can act on.

Layer: doors. Takes: a `CalibrationReport`. Gives: text or JSON on standard output, and a status.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console
from rich.table import Table

from inaisle.calibration.calibration_check import ZONE_SIZES_M, HeldBack
from inaisle.calibration.calibration_report import (
    NAMES,
    CalibrationOptions,
    CalibrationReport,
    Verdict,
    calibrate,
    unit_of,
)
from inaisle.errors import ExitStatus
from inaisle.settings import Settings
from rtls.model.reading import ReadingKind
from rtls.positioning.anchor_check import AnchorState, AnchorVerdict

WORDS: Final = {
    Verdict.GOOD: "Good: use it.",
    Verdict.FAIR: "Fair: usable, with something to mend.",
    Verdict.BAD: "Bad: do not use it.",
}
NOT_TESTED: Final = (
    "There was no known place to test with. Stand at a few points (20 s each) to find out how good "
    "it is."
)
KINDS: Final = {
    "points": "points",
    "waypoints": "places of a walk with waypoints",
    "walk": "places of a walk without waypoints",
    "means": "points (means only)",
    "none": "places",
}


def run_calibrate(settings: Settings, options: CalibrationOptions) -> ExitStatus:
    """Calibrate and print the report; a calibration that is bad is refused, unless forced."""
    report = calibrate(settings, options)
    if options.as_json:
        json.dump(calibration_document(report), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        print_calibration(report)
    return ExitStatus.REFUSED if report.written is None else ExitStatus.DONE


def print_calibration(report: CalibrationReport) -> None:
    """Print the report for people."""
    console = Console(highlight=False, soft_wrap=True)
    material = report.material
    console.print(
        f"{report.site_map.name}: {len(material.placed.rows):,} readings at "
        f"{len(material.placed.stops)} {KINDS[material.kind]}, {len(material.links.rows):,} "
        "between anchors."
    )
    if report.anchors:
        console.print(anchor_table(report))
    for sentence in sentences_on(report):
        console.print(sentence)
    console.print(f"[bold]{WORDS[report.verdict]}[/]")
    for reason in report.reasons:
        console.print(f"- {reason}")
    if report.written is not None:
        console.print(f"Written to {report.written}. Restart inaisle serve to use it.")
    else:
        console.print("Nothing was written. Mend it and calibrate again, or use --force.")


def anchor_table(report: CalibrationReport) -> Table:
    """Return a row for each anchor."""
    table = Table("anchor", "state", "places", "readings", "off by", "spread", "learnt")
    for verdict in report.anchors:
        unit = unit_of(verdict)
        colour = "green" if verdict.state is AnchorState.GOOD else "red"
        colour = "yellow" if verdict.state is AnchorState.FEW else colour
        table.add_row(
            verdict.anchor,
            f"[{colour}]{verdict.state.value}[/]",
            str(verdict.stops),
            str(verdict.readings),
            number(verdict.bias, unit),
            number(verdict.spread, unit).lstrip("+"),
            learnt_of(report, verdict),
        )
    return table


def number(value: float, unit: str) -> str:
    """Return a residual for the table."""
    digits = 2 if unit == "m" else 1
    return "" if math.isnan(value) else f"{value:+.{digits}f} {unit}"


def learnt_of(report: CalibrationReport, verdict: AnchorVerdict) -> str:
    """Return what was learnt of an anchor."""
    known = report.fitted.calibration
    loss, error = known.losses.get(verdict.anchor), known.ranges.get(verdict.anchor)
    words = []
    if loss is not None:
        words.append(f"{loss.rssi_at_1m:.0f} dBm at 1 m, exponent {loss.exponent:.1f}")
    if error is not None:
        words.append(f"bias {error.bias_m:+.2f} m, slope {error.slope:+.1%}")
    return "; ".join(words)


def sentences_on(report: CalibrationReport) -> Iterator[str]:
    """Yield what the test through the filter says, and what zones it supports."""
    if not report.held:
        yield NOT_TESTED
    for kind, held in report.held.items():
        whom = whom_of(report, kind)
        yield (
            f"{NAMES[kind]}, tested on places held back, through the filter of the shop ({whom}): "
            f"half of the errors are below {held.at(0.5):.2f} m, nine of ten below "
            f"{held.at(0.9):.2f} m; the truth is in the stated 90 % ellipse in "
            f"{held.inside_90:.0%}."
        )
        own = report.known.get(kind)
        if own is not None and kind in report.unknown:
            yield (f"With the surveyor's own tag: {own.at(0.5):.2f} and {own.at(0.9):.2f} m.")
        size = held.zone_size_m
        hits = ", ".join(f"{s:g} m {held.zone_hit(s):.0%}" for s in ZONE_SIZES_M)
        can = f"Zones of {size:g} m and more can be named" if size else "No zone can be named"
        yield f"{can} (right at least four times of five). By size of a square zone: {hits}."
    if report.fitted.calibration.radio_map is not None:
        yield "A radio map was made of what was heard where; it is part of the calibration."
    if len(report.fitted.offset_db) > 1:
        offsets = report.fitted.offset_db.items()
        yield f"Devices hear differently: {', '.join(f'{t} {o:+.1f} dB' for t, o in offsets)}."


def whom_of(report: CalibrationReport, kind: ReadingKind) -> str:
    """Return whose errors those of the test are."""
    whom = "a phone or tag that hears as the surveyor's does"
    if kind in report.unknown:
        whom = "a tag never seen before"
        if report.ranged_tags == 1:
            whom += ", if others err like the surveyor's"
    if report.material.kind == "walk":
        whom += "; against the walk's own smoothed path: how well it repeats, not how true it is"
    return whom


def calibration_document(report: CalibrationReport) -> dict[str, object]:
    """Return the report as plain values."""
    return {
        "site": report.site_map.site,
        "verdict": report.verdict.value,
        "reasons": list(report.reasons),
        "kind": report.material.kind,
        "places": len(report.material.placed.stops),
        "readings": len(report.material.placed.rows),
        "anchor_links": len(report.material.links.rows),
        "surveyors_tag": errors_document(report.known),
        "tag_never_seen": errors_document(report.unknown),
        "anchors": [
            {
                "anchor": verdict.anchor,
                "kind": verdict.kind.name.lower(),
                "state": verdict.state.value,
                "places": verdict.stops,
                "readings": verdict.readings,
                "bias": plain(verdict.bias),
                "spread": plain(verdict.spread),
                "better_m": verdict.better_m,
            }
            for verdict in report.anchors
        ],
        "offset_db": dict(report.fitted.offset_db),
        "written": None if report.written is None else str(report.written),
    }


def errors_document(tested: Mapping[ReadingKind, HeldBack]) -> dict[str, object]:
    """Return the errors at held places as plain values, by kind of reading."""
    return {
        kind.name.lower(): {
            "p50_m": plain(held.at(0.5)),
            "p90_m": plain(held.at(0.9)),
            "located_share": held.located_share,
            "inside_ellipse_90": held.inside_90,
            "guess_p50_m": held.guess_m,
            "zone_hit": {f"{size:g}": held.zone_hit(size) for size in ZONE_SIZES_M},
            "zone_size_m": held.zone_size_m,
        }
        for kind, held in tested.items()
    }


def plain(value: float) -> float | None:
    """Return a number as JSON can hold it."""
    return value if math.isfinite(value) else None
