"""Count the key figures of each week.

Layer: rules. Takes: columns of many weeks. Gives: a `WeeklySeries` for each watched figure to the
drift rules, the API and the review. A week is told like any window, so that a week of few is a gap.
"""

from collections.abc import Mapping
from datetime import date

from offers.insight.offer_figures import redemption_rate
from offers.insight.site_figures import member_figures, receipt_figures
from offers.model.insight.drift import WATCHED, WeeklySeries
from offers.model.insight.kpi import Kpi
from offers.model.insight.kpi_columns import OfferColumns, PurchaseColumns
from offers.model.insight.kpi_window import WEEK_DAYS, day_number
from offers.model.insight.till_day import TillDay


def weekly_series(
    receipts: PurchaseColumns,
    offers: OfferColumns,
    totals: Mapping[int, TillDay],
    *,
    first_week: date,
    weeks: int,
) -> tuple[WeeklySeries, ...]:
    """Return the series of each watched figure.

    Parameters
    ----------
    receipts, offers, totals
        Of these weeks; receipts of the week before them as well, for retention.
    first_week, weeks
        The Monday of the first, and how many.
    """
    begin = day_number(first_week)
    found = [
        {kpi.name: kpi for kpi in _week(receipts, offers, totals, begin + place * WEEK_DAYS)}
        for place in range(weeks)
    ]
    return tuple(
        WeeklySeries(
            name=name, first_week=first_week, values=tuple(week[name].value for week in found)
        )
        for name in WATCHED
    )


def _week(
    receipts: PurchaseColumns,
    offers: OfferColumns,
    totals: Mapping[int, TillDay],
    begin: int,
) -> tuple[Kpi, ...]:
    end = begin + WEEK_DAYS
    now, before = receipts.between(begin, end), receipts.between(begin - WEEK_DAYS, begin)
    # As the week saw it: of older weeks more has been redeemed since, and that is no change.
    week_totals = {day: one for day, one in totals.items() if begin <= day < end}
    made = offers.between(begin, end).as_of(end)
    return (
        *member_figures(now, before),
        *receipt_figures(now, week_totals),
        redemption_rate(made),
    )
