"""Look back at what happened at a site, as far as it is kept.

Layer: ports. Takes: spans of time. Gives: `History` to storage. Each question is answered oldest
first and has a limit; it does not care what was decided at the time.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.campaigns.history import Happened, PastBasket, PastPurchase
from offers.model.campaigns.trigger import Movement
from offers.model.ids import ShopperId, SurveyId
from offers.model.loyalty.segment import Segment
from offers.model.visits.trip import Trip
from rtls.model.units import SiteId, UnixMs


class History(Protocol):
    """What happened, whoever was told of it."""

    def purchases(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[PastPurchase, ...]:
        """Return purchases with a card between the instants."""
        ...

    def baskets(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[PastBasket, ...]:
        """Return baskets that were held for a card between the instants."""
        ...

    def trips_begun(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Trip, ...]:
        """Return trips that began between the instants."""
        ...

    def trips_ended(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Trip, ...]:
        """Return trips in which something was seen last between the instants."""
        ...

    def trips_of(self, shopper: ShopperId, site: SiteId) -> tuple[Trip, ...]:
        """Return all trips of a shopper to the site that are kept."""
        ...

    def segment_moves(
        self,
        site: SiteId,
        segment: Segment,
        movement: Movement,
        *,
        from_ms: UnixMs,
        until_ms: UnixMs,
        limit: int,
    ) -> tuple[Happened, ...]:
        """Return who entered, or left, the segment between the instants."""
        ...

    def birthdays(
        self, days: Sequence[str], *, until_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return who said before an instant that the birthday is one of these, and when."""
        ...

    def expiring_lots(
        self, *, from_ms: UnixMs, until_ms: UnixMs, seen_at_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return lots of points that expire between the instants, as they were at ``seen_at_ms``.

        One that was earned later that day, but within a day of it, is told with that instant.
        """
        ...

    def survey_answers(
        self, survey: SurveyId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return who answered the survey between the instants."""
        ...

    def conversions(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return whose friends bought for the first time between the instants."""
        ...
