"""Count who was shown what, and who opened it.

Layer: ports. Takes: a span of time. Gives: `Contents` to storage.
"""

from typing import Protocol

from offers.model.insight.content import ContentCounts
from rtls.model.units import SiteId, UnixMs


class Contents(Protocol):
    """What became of the contents of campaigns."""

    def counts(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs
    ) -> tuple[ContentCounts, ...]:
        """Return the counts of each campaign whose offers reached somebody between the instants."""
        ...
