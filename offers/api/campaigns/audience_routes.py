"""Serve who plans a campaign: how many shoppers it could reach, and how large the segments are.

Layer: edges. Takes: requests of campaign staff. Gives: sizes, and never a shopper. An audience is
counted as of now, with the shoppers who have granted `personalise`: no offer is made to others.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, JsonValue

from offers.api.auth import SiteDep
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.model.campaigns.audience import AudienceSize
from offers.model.conditions.condition_json import parse_condition
from offers.model.loyalty.segment import Segment

EXAMPLE: dict[str, JsonValue] = {
    "and": [
        {"kind": "segment", "in": ["at_risk", "occasional"]},
        {
            "kind": "count",
            "of": "purchase_line",
            "within_days": 90,
            "categories": ["dowels"],
            "at_least": 2,
        },
    ]
}

audience_routes = APIRouter(tags=["campaigns"])

Shoppers = Annotated[
    int | None, Field(description="to the nearest five; null below ten", examples=[125])
]
Shown = Annotated[str, Field(description="the same to be read", examples=["125", "<10"])]


class AudienceBody(Body):
    """Whom a campaign would mean."""

    conditions: dict[str, JsonValue] | None = Field(
        default=None,
        examples=[EXAMPLE],
        description="as in a campaign's document; null for everybody",
    )


class SizeBody(Body):
    """How many shoppers some situation could reach."""

    shoppers: Shoppers
    shown: Shown


class SegmentSizeBody(Body):
    """One segment and its size."""

    segment: Segment
    shoppers: Shoppers
    shown: Shown


class SegmentsBody(Body):
    """All segments of the site."""

    segments: tuple[SegmentSizeBody, ...]


@audience_routes.post("/audiences/size", operation_id="sizeAudience", responses=problems())
async def size_audience(body: AudienceBody, site: SiteDep, services: ServicesDep) -> SizeBody:
    """Count whom conditions could reach. Terms about zone, dwell, basket and time count as met."""
    condition = None if body.conditions is None else parse_condition(body.conditions)
    now_ms = services.now_ms()
    size = AudienceSize.of(
        await services.read(
            lambda work: work.facts.audience_size(condition, site=site, as_of_ms=now_ms)
        )
    )
    return SizeBody(shoppers=size.shoppers, shown=size.shown)


@audience_routes.get("/segments", operation_id="getSegments", responses=problems())
async def get_segments(site: SiteDep, services: ServicesDep) -> SegmentsBody:
    """Return the segments of the site with their sizes."""
    members = await services.read(lambda work: work.memberships.sizes(site))
    sizes = {segment: AudienceSize.of(members.get(segment, 0)) for segment in Segment}
    return SegmentsBody(
        segments=tuple(
            SegmentSizeBody(segment=segment, shoppers=size.shoppers, shown=size.shown)
            for segment, size in sizes.items()
        )
    )
