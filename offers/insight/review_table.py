"""Write the review as one table for a spreadsheet.

Layer: rules. Takes: a `Review`. Gives: CSV (RFC 4180) to the API, the review writer and the command
line; a row for each figure, step, week and change. A name that a spreadsheet would take for a
formula is led by an apostrophe.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from offers.insight.kpi_report import KpiReport
from offers.insight.lifetime_value import HoldoutError
from offers.insight.review import Review
from offers.model.insight.drift import Change, WeeklySeries
from offers.model.insight.funnel import FORMULAS, Funnel
from offers.model.insight.kpi import DEFINITIONS, Kpi, KpiUnit

COLUMNS: Final = (
    "part",
    "group",
    "figure",
    "week",
    "value",
    "low",
    "high",
    "unit",
    "shoppers",
    "withheld",
    "formula",
    "source",
)
FORMULA_SIGNS: Final = ("=", "+", "-", "@")
Row = dict[str, object]


def review_table(review: Review) -> str:
    """Return the table; the first row names the columns."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(_rows(review))
    return written.getvalue()


def _rows(review: Review) -> Iterator[Row]:
    report = review.report
    for kpi in report.kpis:
        yield _kpi_row("figures", "all", kpi, report)
    for group in report.groups:
        for kpi in group.kpis:
            yield _kpi_row("segments", group.segment or "none", kpi, report)
    for funnel in (report.funnel, *report.zones):
        yield from _steps(funnel)
    for series in review.weeks:
        yield from _weeks(series)
    yield from map(_change, review.changes)
    yield from (_error(error, report.holdout_weeks) for error in report.lifetime_errors)


def _weeks(series: WeeklySeries) -> Iterator[Row]:
    definition = DEFINITIONS[series.name]
    for place, value in enumerate(series.values):
        yield {
            "part": "weeks",
            "figure": series.name,
            "week": series.week(place).isoformat(),
            "value": "" if value is None else value,
            "unit": definition.unit,
            "formula": definition.formula,
            "source": definition.source,
        }


def _change(change: Change) -> Row:
    return {
        "part": "changes",
        "group": change.direction,
        "figure": change.name,
        "week": change.since_week.isoformat(),
        "low": change.before,
        "high": change.after,
        "formula": "median of the weeks before it (low) and since (high)",
    }


def _error(error: HoldoutError, weeks: int) -> Row:
    return {
        "part": "holdout",
        "figure": error.name,
        "value": round(error.weighted_error, 3),
        "formula": f"sum of |forecast - truth| / sum of truth, {weeks} weeks kept apart",
    }


def _kpi_row(part: str, group: str, kpi: Kpi, report: KpiReport) -> Row:
    definition = kpi.definition
    is_money = definition.unit is KpiUnit.MINOR
    row: Row = {
        "part": part,
        "group": group,
        "figure": kpi.name,
        "value": "" if kpi.value is None else kpi.value,
        "unit": f"{definition.unit} {report.currency}" if is_money else definition.unit,
        "shoppers": "" if kpi.shoppers is None else kpi.shoppers,
        "withheld": kpi.withheld or "",
        "formula": definition.formula,
        "source": definition.source,
    }
    if kpi.interval is not None:
        row |= {"low": kpi.interval.low, "high": kpi.interval.high}
    return row


def _steps(funnel: Funnel) -> Iterator[Row]:
    for one in funnel.steps:
        yield {
            "part": "funnel",
            "group": _harmless(funnel.zone or "all"),
            "figure": one.step,
            "value": "" if one.count is None else one.count,
            "unit": "shoppers by zone and day",
            "withheld": one.withheld or "",
            "formula": FORMULAS[one.step],
        }


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in FORMULA_SIGNS else text
