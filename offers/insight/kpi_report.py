"""Put the key figures of a window together.

Layer: rules. Takes: the columns that storage read, and what footfall tells.
Gives: `KpiReport` to the API and the review; nothing passes here that is of fewer than ten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from offers.insight.incremental_cost import Controlled, cost_per_incremental_euro
from offers.insight.kpi_groups import KpiGroup, kpi_groups
from offers.insight.lifetime_value import (
    HISTORY_WEEKS,
    WEEK,
    HoldoutError,
    LifetimeValue,
    lifetime_kpi,
    lifetime_value,
)
from offers.insight.offer_figures import funnels, redemption_rate
from offers.insight.site_figures import member_figures, receipt_figures
from offers.model.insight.funnel import Funnel
from offers.model.insight.kpi import Kpi, KpiName
from offers.model.insight.kpi_columns import OfferColumns, PurchaseColumns, StopCounts
from offers.model.insight.kpi_window import KpiWindow, day_number
from offers.model.insight.till_day import TillDay


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiInput:
    """What was read for a window."""

    window: KpiWindow
    receipts: PurchaseColumns
    """of the window, of the one before it, and of what came before that as far as it was read"""
    offers: OfferColumns
    """likewise"""
    is_long: bool
    """whether as much was read as the value of a member looks back"""
    controlled: Controlled | None = None
    """what campaigns brought and cost until the end of the window; None without a holdout"""
    totals: Mapping[int, TillDay] = field(default_factory=dict)
    """what the tills took in all, by days since 1970-01-01; likewise"""

    @property
    def is_empty(self) -> bool:
        """Say whether in the window nothing was bought and nothing offered."""
        first, end = self.days
        now, made = self.receipts.between(first, end), self.offers.between(first, end)
        return not len(now.shopper) and not len(made.shopper)

    @property
    def days(self) -> tuple[int, int]:
        """The first day of the window and that behind it, since 1970-01-01."""
        return day_number(self.window.from_day), day_number(self.window.until_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiReport:
    """The key figures of a site over a window."""

    window: KpiWindow
    currency: str
    receipts_left_out: int
    """in other currencies"""
    kpis: tuple[Kpi, ...]
    groups: tuple[KpiGroup, ...]
    funnel: Funnel
    """over all zones with offers"""
    zones: tuple[Funnel, ...]
    footfall_days_missing: int | None
    """None where footfall tells nothing"""
    holdout_weeks: int
    lifetime_errors: tuple[HoldoutError, ...]


def kpi_report(found: KpiInput, *, stops: StopCounts | None = None) -> KpiReport:
    """Return the report.

    Parameters
    ----------
    found
        What was read.
    stops
        What footfall tells of the zones, of the same days; None where it tells nothing.
    """
    first, end = found.days
    made = found.offers.between(first, end)
    totals = {day: total for day, total in found.totals.items() if first <= day < end}
    now = found.receipts.between(first, end)
    before = found.receipts.between(first - found.window.days, first)
    value = _value(found, end)
    funnel, zones = funnels(made, None if stops is None else stops.zones)
    kpis = (
        *member_figures(now, before),
        *receipt_figures(now, totals),
        lifetime_kpi(value),
        redemption_rate(made),
        cost_per_incremental_euro(found.controlled),
    )
    order = list(KpiName)
    return KpiReport(
        window=found.window,
        currency=found.receipts.currency,
        receipts_left_out=found.receipts.left_out,
        kpis=tuple(sorted(kpis, key=lambda kpi: order.index(kpi.name))),
        groups=kpi_groups(now, before, made),
        funnel=funnel,
        zones=zones,
        footfall_days_missing=None if stops is None else stops.days_missing,
        holdout_weeks=0 if value is None else value.holdout_weeks,
        lifetime_errors=() if value is None else value.errors,
    )


def _value(found: KpiInput, end: int) -> LifetimeValue | None:
    if not found.is_long:
        return None
    members = found.receipts.of_members().between(end - HISTORY_WEEKS * WEEK, end)
    return lifetime_value(members, until_day=end)
