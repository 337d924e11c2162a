"""Show a report over many sites: a table, CSV, or JSON.

Layer: doors. Takes: a `ChainReport`. Gives: text on standard output, or a file.
"""

import json
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from inaisle.errors import Unavailable
from inaisle.reports.chain_report import ChainReport, ChainRow
from rtls.api.footfall.report_table import ReportTable, Value, render_csv

COLUMNS: Final = {
    "group": str, "from": str, "until": str, "sites": int, "visitors": int, "change": float,
    "passers": int, "stoppers": int, "stop_rate": float, "dwell_s_mean": float, "offered": int,
    "seen": int, "redeemed": int, "redemption_rate": float, "bought": int, "purchase_rate": float,
}  # fmt: skip
SHOWN: Final = {
    "group": "", "from": "from", "sites": "sites", "visitors": "visitors", "change": "±",
    "stop_rate": "stop", "dwell_s_mean": "s each", "redemption_rate": "redeem",
    "purchase_rate": "buy",
}  # fmt: skip
"""what a terminal has room for; all columns are in CSV and JSON"""
RATES: Final = frozenset({"stop_rate", "redemption_rate", "purchase_rate"})


def print_chain_report(report: ChainReport, *, as_json: bool) -> None:
    """Print the report to standard output."""
    if as_json:
        json.dump(chain_document(report), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
        return
    table = Table(*SHOWN.values())
    for row in report.rows:
        values = values_of(row)
        table.add_row(*(_shown(name, values[name]) for name in SHOWN))
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    days = sum(len({gap.day for gap in gaps}) for gaps in report.gaps.values())
    console.print(
        f"{report.sites} sites; of {len(report.gaps)} of them {days} days are missing, wholly or "
        "in part. Empty: not told. Who was in two zones, or on two days, counts twice."
    )


def write_chain_csv(report: ChainReport, path: Path) -> None:
    """Write the rows as CSV.

    Raises
    ------
    Unavailable
        If the file cannot be written.
    """
    rows = [list(values_of(row).values()) for row in report.rows]
    try:
        path.write_bytes(render_csv(ReportTable(columns=COLUMNS, rows=rows)))
    except OSError as error:
        raise Unavailable(f"{path} cannot be written ({error}). Name another --out.") from error


def chain_document(report: ChainReport) -> dict[str, object]:
    """Return the report as JSON has it; what is not told is null."""
    asked = report.asked
    return {
        "from": asked.from_day.isoformat(),
        "until": asked.until_day.isoformat(),
        "by": asked.by.value,
        "level": asked.level.value,
        "sites": report.sites,
        "rows": [values_of(row) for row in report.rows],
        "gaps": {
            site: [f"{gap.day}: {gap.reason.value} {gap.file}".strip() for gap in gaps]
            for site, gaps in report.gaps.items()
        },
    }


def values_of(row: ChainRow) -> dict[str, Value]:
    """Return the columns of a row by their names."""
    own: dict[str, Value] = {
        "group": row.group,
        "from": row.from_day.isoformat(),
        "until": row.until_day.isoformat(),
        "sites": row.sites,
        "change": row.change,
    }
    return {name: own[name] if name in own else getattr(row.sums, name) for name in COLUMNS}


def _shown(name: str, value: Value) -> str:
    if value is None:
        return ""
    if name == "change":
        return f"{value:+.1%}"
    if name in RATES:
        return f"{value:.1%}"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
