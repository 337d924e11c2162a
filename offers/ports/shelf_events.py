"""Look up what offers came to and what was sold, for reports of shelves.

Layer: ports. Takes: spans of time. Gives: `ShelfEvents` to storage.
"""

from collections.abc import Iterator
from typing import Protocol

from offers.model.offering.shelf_event import ShelfOffer, ShelfSale
from rtls.model.units import SiteId, UnixMs


class ShelfEvents(Protocol):
    """Of shoppers alone who had agreed to `analytics` at that moment: others are in no report."""

    def offers_made(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs
    ) -> Iterator[ShelfOffer]:
        """Yield the offers that were made for a zone between the instants."""
        ...

    def sold(self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs) -> Iterator[ShelfSale]:
        """Yield what was bought with a card between the instants."""
        ...
