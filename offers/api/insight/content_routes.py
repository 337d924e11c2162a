"""Serve to merchandisers which contents interest most.

Layer: edges. Takes: requests of campaign staff. Gives: what the campaigns of the key's own site
showed, ranked by the share of shoppers who opened it.
"""

from fastapi import APIRouter
from pydantic import Field

from offers.api.auth import SiteDep
from offers.api.insight.kpi_routes import FromDay, UntilDay
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.handlers.insight.rank_contents import RankedContent, rank_contents
from offers.handlers.insight.read_kpis import window_of
from offers.model.insight.kpi import Withheld
from offers.ports import UnitOfWork

FORMULA = (
    "shoppers who opened it or used it at the till / shoppers to whom it was shown, each once; "
    "ranked by the lower end of Wilson's interval of 95 %"
)

content_routes = APIRouter(prefix="/operator/contents", tags=["key figures"])


class ContentBody(Body):
    """One content."""

    campaign: str = Field(examples=["dowels-2-off"])
    name: str = Field(examples=["Dowels at the shelf"])
    is_information: bool = Field(description="advice without a coupon")
    shown_to: int | None = Field(description="shoppers, to the nearest five; null below ten")
    share: float | None = Field(description="0 to 1; null where it is withheld", examples=[0.42])
    low: float | None = Field(description="the true share is hardly below, …")
    high: float | None = Field(description="… and hardly above")
    withheld: Withheld | None = Field(description="why there is no share")

    @classmethod
    def of(cls, content: RankedContent) -> "ContentBody":
        """Render a content."""
        interest = content.interest
        interval = interest.interval
        return cls(
            campaign=interest.campaign,
            name=content.name,
            is_information=content.is_information,
            shown_to=interest.shown.shoppers,
            share=interest.share,
            low=None if interval is None else round(interval.low, 2),
            high=None if interval is None else round(interval.high, 2),
            withheld=interest.withheld,
        )


class ContentsBody(Body):
    """The contents of a window, the most interesting first."""

    formula: str = FORMULA
    contents: tuple[ContentBody, ...]


@content_routes.get("", operation_id="getContents", responses=problems())
async def get_contents(
    site: SiteDep, services: ServicesDep, from_: FromDay, until: UntilDay
) -> ContentsBody:
    """Return what was shown to shoppers, ranked by how many of them opened it."""
    now_ms = services.now_ms()

    def read(work: UnitOfWork) -> tuple[RankedContent, ...]:
        window = window_of(site, from_, until, work=work)
        return rank_contents(window, work=work, now_ms=now_ms)

    found = await services.read(read)
    return ContentsBody(contents=tuple(map(ContentBody.of, found)))
