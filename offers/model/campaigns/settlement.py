"""Hold the document by which a partner is asked for its share of what campaigns cost.

Layer: nouns. Takes: sums of the ledger over a period. Gives: `Settlement` to the handler
settle_partner, storage and the API. Its lines are money by campaign; it counts no shoppers and
knows no time of day, so that nobody is told who was there.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from offers.model.campaigns.funding import PartnerId
from offers.model.errors import InvalidCampaign
from offers.model.ids import CampaignId, check_name
from rtls.model.units import SiteId, UnixMs

DAYS_MAX: Final = 366
LINES_MAX: Final = 100


class SettlementKind(StrEnum):
    """What a document is for."""

    PERIOD = "period"
    """all that a period brought"""
    SUPPLEMENT = "supplement"
    """what was posted late into a period that is settled"""
    CORRECTION = "correction"
    """money that both agreed on, since an earlier document was wrong"""


class SettlementRefusal(StrEnum):
    """Why there is no document."""

    PERIOD_OPEN = "period_open"
    """its last day is not over by the calendar of the site"""
    PERIOD_OVERLAPS = "period_overlaps"
    """another document counts a part of it"""
    NOTHING_NEW = "nothing_new"
    """it is settled, and nothing was posted late"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole days of a site: from the first until just before the other."""

    from_day: date
    until_day: date

    def __post_init__(self) -> None:
        if not timedelta(0) < self.until_day - self.from_day <= timedelta(days=DAYS_MAX):
            raise InvalidCampaign(
                f"the period is from {self.from_day} until {self.until_day}; expected 1 to "
                f"{DAYS_MAX} days, the second being the first day that is not in it."
            )

    def bounds_ms(self, time_zone: str) -> tuple[UnixMs, UnixMs]:
        """Return when it begins and ends by the clocks of the site.

        Examples
        --------
        >>> spring = Period(from_day=date(2026, 3, 29), until_day=date(2026, 3, 30))
        >>> first, end = spring.bounds_ms("Europe/Berlin")
        >>> (end - first) // 3_600_000
        23
        """
        zone = ZoneInfo(time_zone)
        first, end = (
            UnixMs(int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000)
            for day in (self.from_day, self.until_day)
        )
        return first, end


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """What a campaign cost the partner."""

    campaign: CampaignId
    currency: str
    charged_minor: int
    taken_back_minor: int
    """for goods that were returned, or to the partner's credit; 0 or more"""

    def __post_init__(self) -> None:
        if self.charged_minor < 0 or self.taken_back_minor < 0:
            raise InvalidCampaign(
                f"campaign {self.campaign}: charged {self.charged_minor}, taken back "
                f"{self.taken_back_minor}; expected neither below zero."
            )

    @property
    def amount_minor(self) -> int:
        """Return what the partner owes; below zero, what it is owed."""
        return self.charged_minor - self.taken_back_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """One document, numbered for site and partner without a gap. Never changed."""

    site: SiteId
    partner: PartnerId
    number: int
    kind: SettlementKind
    corrects: int | None
    period: Period
    from_ms: UnixMs
    until_ms: UnixMs
    after_sequence: int
    through_sequence: int
    """it counts entries of the ledger behind the one, up to the other"""
    made_at_ms: UnixMs
    lines: tuple[SettlementLine, ...]

    def __post_init__(self) -> None:
        check_name("partner", self.partner, error=InvalidCampaign)
        is_first = self.kind is SettlementKind.PERIOD
        if self.number < 1 or is_first != (self.corrects is None):
            raise InvalidCampaign(
                f"settlement {self.number} is a {self.kind} of {self.corrects}; expected a number "
                "from 1, and that of an earlier one for all but the first of a period."
            )

    @property
    def totals_minor(self) -> dict[str, int]:
        """Return what the partner owes in each currency."""
        totals: dict[str, int] = {}
        for line in self.lines:
            totals[line.currency] = totals.get(line.currency, 0) + line.amount_minor
        return totals


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionLine:
    """Money that a correction moves between the partner and the retailer."""

    campaign: CampaignId
    currency: str
    amount_minor: int
    """above zero the partner owes more, below zero less"""

    def __post_init__(self) -> None:
        check_name("campaign", self.campaign, error=InvalidCampaign)
        if type(self.amount_minor) is not int or self.amount_minor == 0:
            raise InvalidCampaign(
                f"campaign {self.campaign}: amount_minor is {self.amount_minor!r}; expected an "
                "integer that is not 0. Leave the line out where nothing changes."
            )
