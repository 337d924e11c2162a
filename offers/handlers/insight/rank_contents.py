"""Rank what campaigns showed by how many wanted to know more.

Layer: flow. Takes: days of a site. Gives: contents with their campaigns to the API.
"""

from dataclasses import dataclass

from offers.handlers.insight.read_kpis import check_is_over
from offers.insight.content_interest import rank_interest
from offers.model.campaigns.benefit import Information
from offers.model.insight.content import ContentInterest
from offers.model.insight.kpi_window import KpiWindow
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedContent:
    """A content with what merchandisers call it."""

    interest: ContentInterest
    name: str
    is_information: bool
    """advice without a coupon"""


def rank_contents(
    window: KpiWindow, *, work: UnitOfWork, now_ms: UnixMs
) -> tuple[RankedContent, ...]:
    """Return the contents that reached somebody, the most interesting first.

    It raises `InvalidReport` if the window holds a day that is not over.
    """
    check_is_over(window, now_ms)
    counts = work.contents.counts(window.site, from_ms=window.from_ms, until_ms=window.until_ms)
    campaigns = {one.campaign: one.revision for one in work.campaigns.of_site(window.site)}
    return tuple(
        RankedContent(
            interest=interest,
            name=campaigns[interest.campaign].name,
            is_information=isinstance(campaigns[interest.campaign].benefit, Information),
        )
        for interest in rank_interest(counts)
    )
