"""Put together what a merchandiser looks through once a week, a quarter or a year.

Layer: rules. Takes: a `KpiReport` and the weeks before its end. Gives: `Review` to the page and the
table that are made of it; words for numbers to both.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from offers.insight.kpi_report import KpiReport
from offers.model.insight.drift import Change, WeeklySeries
from offers.model.insight.kpi import KpiUnit, Withheld
from offers.model.money import decimals_of

REASONS: Final = {
    Withheld.FEW_SHOPPERS: "fewer than ten shoppers",
    Withheld.COMPLEMENT: "would tell of fewer than ten",
    Withheld.NOTHING_HAPPENED: "nothing happened",
    Withheld.SHORT_HISTORY: "history too short",
    Withheld.NO_TILL_TOTALS: "no totals of the tills",
    Withheld.NO_EXPERIMENT: "no holdout in force",
    Withheld.SPLIT_IS_OFF: "the holdout has lost shoppers",
    Withheld.NO_CLEAR_LIFT: "no clear lift yet",
    Withheld.NO_FOOTFALL: "no footfall",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything that one page is about."""

    site_name: str
    made_on: date
    report: KpiReport
    weeks: tuple[WeeklySeries, ...]
    """of the last half year; nothing where nobody asked for them"""
    changes: tuple[Change, ...]
    """that these weeks show"""


def words_for(value: float, unit: KpiUnit, currency: str) -> str:
    """Return a figure as people read it.

    Examples
    --------
    >>> words_for(0.417, KpiUnit.SHARE, ""), words_for(1230.0, KpiUnit.MINOR, "EUR")
    ('41.7 %', '12.30 EUR')
    >>> words_for(1.16, KpiUnit.EACH, "")
    '1.16'
    """
    match unit:
        case KpiUnit.SHARE:
            return f"{100 * value:.1f} %"
        case KpiUnit.MINOR:
            digits = decimals_of(currency)
            return f"{value / 10**digits:,.{digits}f} {currency}"
        case KpiUnit.EACH:
            return f"{value:.3g}"


def days_in_words(from_day: date, until_day: date) -> str:
    """Return the days of a window as people name them.

    Examples
    --------
    >>> days_in_words(date(2026, 11, 2), date(2026, 11, 30))
    '2 to 29 November 2026'
    >>> days_in_words(date(2025, 12, 1), date(2026, 3, 1))
    '1 December 2025 to 28 February 2026'
    """
    last = date.fromordinal(until_day.toordinal() - 1)
    end = f"{last.day} {last:%B %Y}"
    if (from_day.year, from_day.month) == (last.year, last.month):
        return f"{from_day.day} to {end}"
    if from_day.year == last.year:
        return f"{from_day.day} {from_day:%B} to {end}"
    return f"{from_day.day} {from_day:%B %Y} to {end}"
