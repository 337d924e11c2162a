"""Say how many were shown a content, how many opened it, and what may be told of that.

Layer: nouns. Takes: counts of storage. Gives: `ContentCounts` to offers.insight, `ContentInterest`
to the API. A content is what one campaign shows: an offer, or advice without a coupon.
"""

from dataclasses import dataclass

from offers.model.campaigns.audience import AudienceSize
from offers.model.experiments.estimate import Interval
from offers.model.ids import CampaignId
from offers.model.insight.kpi import Withheld
from rtls.model.errors import InvalidReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCounts:
    """Different shoppers who granted `analytics`, of one campaign over a window."""

    campaign: CampaignId
    shown: int
    opened: int
    """of those, who opened it or used it at the till"""

    def __post_init__(self) -> None:
        if not 0 <= self.opened <= self.shown:
            raise InvalidReport(
                f"{self.campaign}: opened by {self.opened} of {self.shown} to whom it was shown; "
                "expected no more than those."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentInterest:
    """Which share opened a content, as far as it may be told."""

    campaign: CampaignId
    shown: AudienceSize
    share: float | None
    interval: Interval | None
    withheld: Withheld | None
