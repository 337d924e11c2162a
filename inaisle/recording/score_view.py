"""Score a file of fixes and print the figures.

Layer: doors. Takes: a recording and the tables of emitted fixes and zones. Gives: a table for
people or JSON for machines.
"""

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from inaisle.recording.fix_csv import read_fixes
from inaisle.recording.instants import Instants
from inaisle.recording.recording_zones import load_zones
from inaisle.recording.score import Score, ScoreReport, score_fixes
from inaisle.recording.score_instants import instants_of
from inaisle.recording.score_zones import ZoneScore, score_zones
from inaisle.recording.truth_csv import read_truth
from inaisle.recording.zone_csv import read_zones


def score_files(recording: Path, fixes: Path, *, instants: Instants = Instants.AUTO) -> ScoreReport:
    """Read truth and fixes and score them; errors of either file surface as they are."""
    truths = read_truth(recording)
    at_ms = instants_of(recording, truths, choice=instants)
    return score_fixes(truths, read_fixes(fixes), instants_ms=at_ms)


def score_zone_file(
    recording: Path, zones: Path, *, instants: Instants = Instants.AUTO
) -> ZoneScore:
    """Read truth and zones and score them; errors of either file surface as they are."""
    truths = read_truth(recording)
    at_ms = instants_of(recording, truths, choice=instants)
    return score_zones(truths, read_zones(zones), zones=load_zones(recording), instants_ms=at_ms)


def print_score(report: ScoreReport, zones: ZoneScore | None = None, *, as_json: bool) -> None:
    """Print the figures to standard output; in JSON an infinite error is null."""
    if as_json:
        document = score_document(report)
        if zones is not None:
            document["zones"] = asdict(zones)
        json.dump(document, sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
        return
    table = Table(
        "group", "n", "located", "p50 m", "p75 m", "p90 m", "p95 m", "cell", "ellipse",
        "floor",
        title="position error, causal",
        caption="cell: in the true 1.5 m cell; ellipse: truth inside the 90 % ellipse; floor: on "
        "the true floor",
    )  # fmt: skip
    for score in (*report.groups, report.overall):
        table.add_row(*_cells(score))
    console = Console()
    console.print(table)
    worst = report.worst_session
    console.print(f"worst session by p90: {worst.name} ({worst.p90_m:.3f} m)")
    if zones is not None:
        print_zones(zones, console)


def print_zones(zones: ZoneScore, console: Console) -> None:
    """Print how often the most probable zone was right, and how honest its probability was."""
    table = Table(
        "best p", "n", "mean p", "right",
        title="zones: claimed and kept",
        caption="honest where mean p and right agree",
    )  # fmt: skip
    for row in zones.reliability:
        if row.instants:
            table.add_row(
                f"{row.p_low:.1f} to {row.p_high:.1f}",
                str(row.instants),
                f"{row.p_mean:.3f}",
                f"{row.hit_rate:.3f}",
            )
    console.print(table)
    console.print(
        f"right zone at {zones.hit_rate:.3f} of {zones.instants} instants, named at "
        f"{zones.named_share:.3f}; p ≥ 0.8 at {zones.sure_share:.3f}, right there "
        f"{zones.sure_hit_rate:.3f}; calibration error (ECE) {zones.ece:.3f}",
        highlight=False,
    )
    if zones.tied_share > 0.0:
        console.print(
            f"at {zones.tied_share:.3f} of the instants the truth is as near to another zone, but "
            f"for 5 cm; with any of these as right the share is {zones.hit_rate_tied:.3f}",
            highlight=False,
        )


def score_document(report: ScoreReport) -> dict[str, object]:
    """Return the report as plain values."""
    return {
        "overall": _plain(report.overall),
        "groups": {score.name: _plain(score) for score in report.groups},
        "worst_session": _plain(report.worst_session),
        "sessions": {score.name: _plain(score) for score in report.sessions},
    }


def _plain(score: Score) -> dict[str, object]:
    return {
        key: None if isinstance(value, float) and math.isinf(value) else value
        for key, value in asdict(score).items()
    }


def _cells(score: Score) -> tuple[str, ...]:
    lengths = (score.p50_m, score.p75_m, score.p90_m, score.p95_m)
    shares = (score.cell_hit, score.inside_ellipse_90)
    return (
        score.name,
        str(score.instants),
        f"{score.located_share:.3f}",
        *(f"{length:.3f}" for length in lengths),
        *(f"{share:.3f}" for share in shares),
        "" if score.floor_hit is None else f"{score.floor_hit:.3f}",
    )
