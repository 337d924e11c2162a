"""Keep who is in which segment, where segments part, and when to look again.

Layer: ports. Takes: nouns. Gives: `Memberships`, `SegmentBook` to storage.
"""

from collections.abc import Mapping
from typing import Protocol

from offers.model.ids import ShopperId
from offers.model.loyalty.segment import (
    Membership,
    PurchaseHistory,
    Segment,
    SegmentLevels,
    SegmentReview,
)
from rtls.model.units import SiteId, UnixMs


class Memberships(Protocol):
    """Who is in which segment of a site. A shopper is in one at most."""

    def current(self, shopper: ShopperId, site: SiteId) -> Membership | None:
        """Return the open membership, or None."""
        ...

    def enter(self, membership: Membership) -> bool:
        """Write a new one; False where another is open."""
        ...

    def leave(self, membership: Membership, *, at_ms: UnixMs) -> bool:
        """End an open one; False where there is none like it."""
        ...

    def history_of(self, shopper: ShopperId) -> tuple[Membership, ...]:
        """Return every membership of a shopper, oldest first."""
        ...

    def sizes(self, site: SiteId) -> Mapping[Segment, int]:
        """Count the members of each segment of a site that has any."""
        ...

    def erase(self, shopper: ShopperId) -> None:
        """Delete all memberships of a shopper, open and ended."""
        ...


class SegmentBook(Protocol):
    """What segments are made of, and when each shopper's is to be looked at again."""

    def purchases_of(
        self, shopper: ShopperId, site: SiteId, *, currency: str, as_of_ms: UnixMs
    ) -> PurchaseHistory:
        """Sum up what the shopper bought within the year before ``as_of_ms``."""
        ...

    def spend_at_share(
        self, site: SiteId, *, currency: str, percent: int, buyers_min: int, as_of_ms: UnixMs
    ) -> int | None:
        """Return the spend that ``percent`` of the year's buyers do not exceed.

        None where there are fewer buyers than ``buyers_min``.
        """
        ...

    def levels(self, site: SiteId, number: int) -> SegmentLevels | None:
        """Return the levels with this number, or None."""
        ...

    def newest_levels(self, site: SiteId) -> SegmentLevels | None:
        """Return the levels that hold now, or None where none were ever set."""
        ...

    def add_levels(self, levels: SegmentLevels) -> bool:
        """Write new levels; False where the number is taken."""
        ...

    def take_look(self, site: SiteId, *, now_ms: UnixMs, after_ms: int) -> bool:
        """Mark that it is asked whether the newest levels still fit; once in ``after_ms``."""
        ...

    def review_of(self, shopper: ShopperId, site: SiteId) -> SegmentReview | None:
        """Return when to look at the shopper again, or None where that was never asked."""
        ...

    def put_review(self, review: SegmentReview) -> None:
        """Write when to look again, in place of what was written before."""
        ...

    def mark_due(self, review: SegmentReview) -> None:
        """Write when to look again, unless an earlier instant is written already."""
        ...

    def due(self, *, now_ms: UnixMs, limit: int) -> tuple[SegmentReview, ...]:
        """Return reviews whose time has come or that have not seen the newest levels."""
        ...

    def sites(self) -> tuple[SiteId, ...]:
        """Return the sites that have levels."""
        ...

    def erase(self, shopper: ShopperId) -> None:
        """Delete a shopper's reviews."""
        ...
