"""Say one measured figure beside its target and beside what others reach.

Layer: benchmarks. Takes: numbers of a scene. Gives: `Row`s to the table of `benchmarks.accuracy`.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    measure
        M1 to M9, as the design counts its targets, or "control" and "peer".
    scene
        What was measured on.
    figure
        Which number.
    value
        What came out; NaN where the scene could not run.
    target, is_floor
        What is aimed at: at least (floor) or at most; None where the row only informs.
    note
        What a reader must know to read the value.
    """

    measure: str
    scene: str
    figure: str
    value: float
    unit: str
    target: float | None = None
    is_floor: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Return whether the target holds at the digits that are shown; NaN never does."""
        if self.target is None:
            return True
        if math.isnan(self.value):
            return False
        shown = float(self.shown)
        return shown >= self.target if self.is_floor else shown <= self.target

    @property
    def shown(self) -> str:
        """Return the value with the digits that mean something."""
        return f"{self.value:.3f}" if abs(self.value) < 10.0 else f"{self.value:.1f}"

    @property
    def verdict(self) -> str:
        """Return met, MISSED, or nothing where nothing is aimed at."""
        if self.target is None:
            return ""
        return "met" if self.is_met else "MISSED"

    def as_json(self) -> dict[str, str | float | bool | None]:
        """Return the row for machines."""
        return asdict(self) | {"is_met": self.is_met}


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, as the README shows it."""
    lines = ["| | scene | figure | value | target | |", "|---|---|---|--:|--:|---|"]
    for row in rows:
        bound = "≥" if row.is_floor else "≤"
        target = "" if row.target is None else f"{bound} {row.target:g}"
        value = f"{row.shown} {row.unit}".strip()
        cells = (row.measure, row.scene, row.figure, value, target, row.verdict or row.note)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_summary(rows: Sequence[Row]) -> str:
    """Return one line a scene: each figure with its target, and which were missed."""
    scenes: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.target is not None and row.measure not in {"peer", "control"}:
            scenes.setdefault((row.measure, row.scene), []).append(row)
    lines = ["| | scene | measured (target) | |", "|---|---|---|---|"]
    for (measure, scene), own in scenes.items():
        told = ", ".join(
            f"{row.figure} {row.shown} ({'≥' if row.is_floor else '≤'} {row.target:g})"
            for row in own
        )
        missed = [row.figure for row in own if not row.is_met]
        verdict = f"missed: {', '.join(missed)}" if missed else "met"
        lines.append(f"| {measure} | {scene} | {told} | {verdict} |")
    return "\n".join(lines)
