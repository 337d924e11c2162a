"""Put the key figures of a window together.

Layer: rules. Takes: the columns that storage read, and what footfall tells.
Gives: `KpiReport` to the API and the review; nothing passes here that is of fewer than ten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from offers.insight.incremental_cost import Controlled, cost_per_incremental_euro
from offers.insight.kpi_groups import KpiGroup, kpi_groups
from offers.insight.lifetime_value import (
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
    """of the window and of the one before it"""
    history: PurchaseColumns | None
    """of members, as far back as the value of a member looks; None where that is too much"""
    offers: OfferColumns
    controlled: Controlled | None = None
    """what campaigns brought and cost until the end of the window; None without a holdout"""
    totals: Mapping[int, TillDay] = field(default_factory=dict)
    """what the tills took in all, by the days of the window since 1970-01-01"""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was bought and nothing offered."""
        return not len(self.receipts.shopper) and not len(self.offers.shopper)


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
    first, end = day_number(found.window.from_day), day_number(found.window.until_day)
    now = found.receipts.between(first, end)
    before = found.receipts.between(first - found.window.days, first)
    value = _value(found, end)
    funnel, zones = funnels(found.offers, None if stops is None else stops.zones)
    kpis = (
        *member_figures(now, before),
        *receipt_figures(now, found.totals),
        lifetime_kpi(value),
        redemption_rate(found.offers),
        cost_per_incremental_euro(found.controlled),
    )
    order = list(KpiName)
    return KpiReport(
        window=found.window,
        currency=found.receipts.currency,
        receipts_left_out=found.receipts.left_out,
        kpis=tuple(sorted(kpis, key=lambda kpi: order.index(kpi.name))),
        groups=kpi_groups(now, before, found.offers),
        funnel=funnel,
        zones=zones,
        footfall_days_missing=None if stops is None else stops.days_missing,
        holdout_weeks=0 if value is None else value.holdout_weeks,
        lifetime_errors=() if value is None else value.errors,
    )


def _value(found: KpiInput, end: int) -> LifetimeValue | None:
    return None if found.history is None else lifetime_value(found.history, until_day=end)
