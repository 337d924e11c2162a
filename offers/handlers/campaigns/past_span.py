"""Hold the days of the past that a campaign is tried on.

Layer: flow. Takes: a site, two instants, the transaction. Gives: `Past` to the modules that find
moments in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from offers.model.ids import ShopperId
from offers.model.offering.occasion import Occasion
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

MOMENTS_MAX: Final = 20_000
Found = Iterator[tuple[ShopperId, Occasion, UnixMs]]
"""to whom what happened when"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A site between two instants."""

    site: SiteId
    zone: ZoneInfo
    since_ms: UnixMs
    until_ms: UnixMs
    work: UnitOfWork

    def days(self) -> Iterator[date]:
        """Yield the days of the site's calendar that it touches, oldest first."""
        day, last = (
            datetime.fromtimestamp(at_ms // 1_000, tz=UTC).astimezone(self.zone).date()
            for at_ms in (self.since_ms, self.until_ms)
        )
        while day <= last:
            yield day
            day += timedelta(days=1)
