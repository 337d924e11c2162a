"""Score a file of fixes and print the figures.

Layer: doors. Takes: a recording and the table of emitted fixes. Gives: a table for people or JSON
for machines.
"""

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from inaisle.fix_csv import read_fixes
from inaisle.instants import Instants
from inaisle.score import Score, ScoreReport, score_fixes
from inaisle.score_instants import instants_of
from inaisle.truth_csv import read_truth


def score_files(recording: Path, fixes: Path, *, instants: Instants = Instants.AUTO) -> ScoreReport:
    """Read truth and fixes and score them; errors of either file surface as they are."""
    truths = read_truth(recording)
    at_ms = instants_of(recording, truths, choice=instants)
    return score_fixes(truths, read_fixes(fixes), instants_ms=at_ms)


def print_score(report: ScoreReport, *, as_json: bool) -> None:
    """Print the figures to standard output; in JSON an infinite error is null."""
    if as_json:
        json.dump(score_document(report), sys.stdout, indent=2, allow_nan=False)
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
