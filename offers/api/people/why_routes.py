"""Serve the answer to "why did I get this, and why not that?", to the shopper it is about.

Layer: edges. Takes: requests of the app. Gives: the newest decisions about the shopper, in reasons
for the app and in sentences for the shopper. Whose data is meant follows from the token alone.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from offers.api.auth import ShopperDep
from offers.api.offering.offer_routes import locale_of
from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import PAGE_MAX, ServicesDep
from offers.decision.why import Reason, Told, sentences, told_of
from offers.model.ids import CampaignId
from offers.model.offering.decision import Decision
from offers.model.people.shopper import Locale
from offers.ports import UnitOfWork
from rtls.model.site_map import SiteMap

why_routes = APIRouter(tags=["app"])

LanguageQuery = Annotated[
    Locale | None, Query(description="the language of the sentences; left out: the shopper's own")
]
LimitQuery = Annotated[int, Query(ge=1, le=PAGE_MAX)]


class PassedOverBody(Body):
    """A campaign that was not chosen, or a reason that held for all."""

    campaign: str | None = Field(description="null: the reason is not about one campaign")
    reason: Reason = Field(examples=["frequency_cap"])

    @classmethod
    def of(cls, told: Told) -> "PassedOverBody":
        """Render a reason."""
        return cls(campaign=told.campaign, reason=told.reason)


class DecisionBody(Body):
    """What was decided at one moment."""

    at: Instant
    site: str
    occasion: str = Field(examples=["visit:0123456789abcdef0123456789abcdef"])
    zone: str | None
    chosen: str | None = Field(examples=["dowels-coupon"])
    not_pushed: str | None = Field(
        description="what stood against a push already then; the offer waited in the app. null: "
        "nothing did, or no offer was made",
        examples=["quiet_hours"],
    )
    passed_over: tuple[PassedOverBody, ...]
    in_words: tuple[str, ...] = Field(
        description="the same for people, the offer first",
        examples=[["You got “10 % off dowels” because you stood at Dowels for a while."]],
    )

    @classmethod
    def of(cls, decision: Decision, *, in_words: tuple[str, ...]) -> "DecisionBody":
        """Render a decision for the shopper it is about."""
        chosen = decision.chosen
        return cls(
            at=render_instant(decision.at_ms),
            site=decision.site,
            occasion=decision.occasion,
            zone=decision.zone,
            chosen=None if chosen is None else chosen.campaign,
            not_pushed=None if chosen is None else chosen.push_refusal,
            passed_over=tuple(map(PassedOverBody.of, told_of(decision))),
            in_words=in_words,
        )


class WhyBody(Body):
    """The newest decisions about the shopper, newest first."""

    decisions: tuple[DecisionBody, ...]


@why_routes.get("/me/why", operation_id="getWhy", responses=problems())
async def get_why(
    shopper: ShopperDep,
    services: ServicesDep,
    limit: LimitQuery = 20,
    locale: LanguageQuery = None,
) -> WhyBody:
    """Say why which offer was made, and why the others were not."""

    def look(work: UnitOfWork) -> WhyBody:
        language = locale or locale_of(shopper, work)
        found = work.decisions.of_shopper(shopper, limit=limit)
        return WhyBody(
            decisions=tuple(
                DecisionBody.of(
                    decision,
                    in_words=sentences(
                        decision,
                        titles=_titles(decision, work),
                        place=_place(decision, services.site_map),
                        locale=language,
                    ),
                )
                for decision in found
            )
        )

    return await services.read(look)


def _titles(decision: Decision, work: UnitOfWork) -> dict[CampaignId, dict[Locale, str]]:
    """Return what the offers are called that the shopper may hear of, as they were worded then."""
    revisions = {entry.campaign: entry.revision for entry in decision.passed_over}
    named = [told.campaign for told in told_of(decision) if told.campaign is not None]
    if decision.chosen is not None:
        revisions[decision.chosen.campaign] = decision.chosen.revision
        named.append(decision.chosen.campaign)
    return {
        campaign: {
            locale: text.title
            for locale, text in work.campaigns.revision(campaign, revisions[campaign]).texts.items()
        }
        for campaign in named
    }


def _place(decision: Decision, site_map: SiteMap) -> str | None:
    """Return what people call the zone; its id where the map of today does not know it."""
    names = {zone.zone: zone.name for zone in site_map.zones}
    is_here = decision.site == site_map.site
    zone = decision.zone
    return zone if zone is None or not is_here else names.get(zone, zone)
