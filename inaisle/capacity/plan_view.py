"""Print a plan, and the day that was played with it.

Layer: doors. Takes: a `CapacityPlan` and perhaps a `DayRun`. Gives: tables for people or JSON for a
machine on standard output.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.table import Table

from inaisle.capacity.day_run import DayRun, Lags
from inaisle.capacity.plan import CapacityPlan

NOT_MEASURED: Final = "not measured"
THOUSANDS: Final = ("", "k", "M", "G", "T", "P")
SHORT_FROM: Final = 10_000.0
WHOLE_FROM: Final = 100.0
STEP: Final = 1_000.0


def print_plan(plan: CapacityPlan, day: DayRun | None, *, as_json: bool) -> None:
    """Print the plan to standard output."""
    if as_json:
        json.dump(plan_document(plan, day), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(_lines_table(plan))
    for sentence in _sentences(plan):
        console.print(sentence)
    if day is not None:
        console.print(_day_table(day))
        console.print(verdict_of(day))


def plan_document(plan: CapacityPlan, day: DayRun | None) -> dict[str, object]:
    """Return the plan as JSON has it; what was not measured is null."""
    return {
        "needs": asdict(plan.needs),
        "lines": [asdict(line) for line in plan.lines],
        "drivers": [line.name for line in plan.drivers],
        "bounds": [asdict(bound) for bound in plan.bounds],
        "changes": list(plan.changes),
        "not_measured": [asdict(figure) for figure in plan.unmeasured],
        "day": None if day is None else asdict(day) | {"is_worked_off": day.is_worked_off},
    }


def amount(value: float | None, unit: str) -> str:
    """Return a number as people read it.

    Examples
    --------
    >>> amount(4_800_000, "1/s"), amount(12.0, ""), amount(None, "B")
    ('4.8 M 1/s', '12', 'not measured')
    """
    if value is None:
        return NOT_MEASURED
    power = 0
    while value >= (SHORT_FROM if power == 0 else STEP) and power < len(THOUSANDS) - 1:
        value, power = value / STEP, power + 1
    text = f"{value:,.0f}" if value == int(value) or value >= WHOLE_FROM else f"{value:.2g}"
    prefix = THOUSANDS[power] if unit.startswith("B") or not unit else THOUSANDS[power] + " "
    return f"{text} {prefix}{unit}".strip().replace("  ", " ")


def used(share: float | None) -> str:
    """Return how much of a limit is used as people read it.

    Examples
    --------
    >>> used(0.289), used(15.5), used(None)
    ('28.9 %', '15.5 times what can be done', 'not measured')
    """
    if share is None:
        return NOT_MEASURED
    return f"{share:.1f} times what can be done" if share > 1.0 else f"{100.0 * share:.1f} %"


def verdict_of(day: DayRun) -> str:
    """Return in one sentence whether the day is worked off, and what a failure costs."""
    if not day.is_worked_off:
        return (
            f"The day is NOT worked off: {day.left_s:,.0f} s of work wait at its end. More "
            "workers, longer epochs or fewer shards are needed."
        )
    failure = day.failure
    if failure is None:
        return "The day is worked off. There is nobody who could take over from a worker."
    if failure.caught_up_s is None:
        return (
            "The day is worked off, but not what waits after a worker's death at the peak: more "
            "workers are needed."
        )
    return (
        f"The day is worked off. A worker that dies at the peak costs its shards "
        f"{failure.after.max_s:.1f} s at most; after {failure.caught_up_s:.1f} s nothing waits "
        "over a second."
    )


def _lines_table(plan: CapacityPlan) -> Table:
    table = Table("", "needs", "value", "computed from")
    part = ""
    for line in plan.lines:
        shown = "" if line.part == part else line.part
        part = line.part
        table.add_row(shown, line.name, amount(line.value, line.unit), line.how)
    return table


def _sentences(plan: CapacityPlan) -> Iterator[str]:
    yield "What bounds first, by the share of it that is used:"
    for bound in plan.bounds:
        yield f"  {bound.what}: {used(bound.share)}. More: {bound.remedy}."
    yield "What costs most, each unit by itself:"
    yield "  " + "; ".join(f"{line.name} {amount(line.value, line.unit)}" for line in plan.drivers)
    yield "What would change it:"
    for change in plan.changes:
        yield f"  {change}."
    if plan.unmeasured:
        yield "Not measured, and so in no sum:"
        for figure in plan.unmeasured:
            yield f"  {figure.name}: {figure.source}"


def _day_table(day: DayRun) -> Table:
    table = Table("a simulated day", f"{day.workers} workers, {day.partitions} partitions")
    table.add_row("busy at the peak: mean, fullest", f"{day.busy_mean:.0%}, {day.busy_most:.0%}")
    table.add_row("work left over when a second ends", _lags_text(day.waiting_s))
    table.add_row("most frames waiting at a worker", f"{day.frames_waiting_max:,}")
    failure = day.failure
    if failure is not None:
        table.add_row("lag of frames before the death", _lags_text(failure.before))
        table.add_row("of the dead worker's shards, after", _lags_text(failure.after))
        table.add_row("of the shards of those who took over", _lags_text(failure.others))
        table.add_row("frames that waited, were done again",
                      f"{failure.frames_waiting:,}, {failure.frames_repeated:,}")  # fmt: skip
    return table


def _lags_text(lags: Lags) -> str:
    return f"p50 {lags.p50_s:.3f} s, p99 {lags.p99_s:.3f} s, most {lags.max_s:.3f} s"
