"""Keep what tills did while they had no line.

Layer: ports. Takes: nouns. Gives: `OfflineItems` to storage. An item is never changed.
"""

from typing import Protocol

from offers.model.ids import CouponId, TillId
from offers.model.till.offline_coupon import FirstUse, OfflineItem, OfflineOutcome
from rtls.model.units import SiteId, UnixMs


class OfflineItems(Protocol):
    """What became of each coupon that a till took without asking."""

    def add(
        self,
        item: OfflineItem,
        outcome: OfflineOutcome,
        *,
        site: SiteId,
        till: TillId,
        now_ms: UnixMs,
    ) -> None:
        """Write an item and its outcome; the till has used the reference for no other."""
        ...

    def find(self, site: SiteId, till: TillId, reference: str) -> OfflineOutcome | None:
        """Return what became of the item that the till calls so, or None."""
        ...

    def first_use(self, coupon: CouponId) -> FirstUse | None:
        """Return the newest redemption of the coupon, or None."""
        ...

    def conflicts(
        self, site: SiteId, *, after: int, limit: int
    ) -> tuple[tuple[int, TillId, OfflineOutcome], ...]:
        """Return the items of a site with a reason, behind the cursor, oldest first."""
        ...
