"""Read what key figures are counted from.

Layer: ports. Takes: spans of time. Gives: `KeyFigures` and `KpiAlerts` to storage,
`ZoneStopsSource` to the door, which knows where people stood. Columns are not yet fit to be shown;
of stops footfall itself has withheld what is of few.
"""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from offers.model.insight.drift import Change, Direction, DriftAlert
from offers.model.insight.kpi import KpiName
from offers.model.insight.kpi_columns import OfferColumns, PurchaseColumns, StopCounts
from offers.model.insight.kpi_window import KpiWindow
from offers.model.insight.till_day import TillDay
from rtls.model.units import SiteId, UnixMs


class KeyFigures(Protocol):
    """Receipts and offers as columns."""

    def currency(self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs) -> str:
        """Return the currency of most receipts; empty where there are none."""
        ...

    def receipts(
        self,
        site: SiteId,
        *,
        from_ms: UnixMs,
        until_ms: UnixMs,
        currency: str,
        time_zone: str,
        limit: int,
    ) -> PurchaseColumns:
        """Return the receipts between the instants as they stood at the second one.

        Parameters
        ----------
        site, from_ms, until_ms, currency
            Which receipts.
        time_zone
            Of the site, for the days.
        limit
            How many at most.

        Raises
        ------
        InvalidReport
            If there are more than ``limit``.
        """
        ...

    def offers(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, time_zone: str, limit: int
    ) -> OfferColumns:
        """Return the offers issued between the instants, as they stood at the second one.

        Raises
        ------
        InvalidReport
            If there are more than ``limit``.
        """
        ...

    def totals(
        self, site: SiteId, *, from_day: date, until_day: date, currency: str
    ) -> Mapping[int, TillDay]:
        """Return what the tills took in all, by days since 1970-01-01."""
        ...

    def note_total(self, total: TillDay, *, at_ms: UnixMs) -> bool:
        """Write a day's total behind all earlier ones of it; False where another came between.

        It raises `InvalidReport` if the day has been corrected too often.
        """
        ...


class KpiAlerts(Protocol):
    """What was told about figures that have changed; rows are added and never changed."""

    def last_week(self, site: SiteId, name: KpiName, direction: Direction) -> date | None:
        """Return the week in which such a change was found last, or None."""
        ...

    def add(self, site: SiteId, change: Change, *, at_ms: UnixMs) -> bool:
        """Write an alert; False where the same one stands there."""
        ...

    def after(self, site: SiteId, *, after: int, limit: int) -> tuple[DriftAlert, ...]:
        """Return the alerts behind a number, the oldest first."""
        ...

    def forget_before(self, before_ms: UnixMs) -> int:
        """Delete what is older; return how many."""
        ...


class ZoneStopsSource(Protocol):
    """Who came by the zones of a site and who stopped, as footfall may tell it."""

    def zone_stops(self, window: KpiWindow) -> StopCounts | None:
        """Return the counts of the days of the window; None where nothing can be told."""
        ...
