"""Serve who runs the shop's campaigns: list, read, add a revision, pause.

Layer: edges. Takes: requests of an operator. Gives: the campaigns of the operator's own site. A
revision is added against the one that the operator has read (If-Match), so that two people who edit
at once cannot overwrite each other unseen.
"""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Body, Header, Path, Response, status
from pydantic import JsonValue

from offers.api.auth import CallerDep, SiteDep
from offers.api.operator_schema import EXAMPLE, CampaignBody, CampaignsBody
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.handlers.campaigns.start_campaign import pause_campaign, start_campaign
from offers.handlers.note_audit import note_audit
from offers.model.audit import Actor, AuditAction
from offers.model.campaigns.campaign import Campaign, CampaignRevision
from offers.model.campaigns.campaign_json import parse_campaign
from offers.model.errors import InvalidCampaign, NotFound
from offers.model.ids import CampaignId
from offers.model.people.shopper import Credential
from offers.ports import UnitOfWork
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId, UnixMs

NEW: Final = "*"

operator_routes = APIRouter(prefix="/operator", tags=["operator"])

CampaignPath = Annotated[CampaignId, Path(max_length=63)]
IfMatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='ETag of the revision that was edited, e.g. "3"; * for a new campaign.',
        examples=['"3"'],
    ),
]
DocumentBody = Annotated[dict[str, JsonValue], Body(examples=[EXAMPLE])]


@operator_routes.get("/campaigns", operation_id="getCampaigns", responses=problems())
async def get_campaigns(site: SiteDep, services: ServicesDep) -> CampaignsBody:
    """Return all campaigns of the site, by id."""
    found = await services.read(lambda work: work.campaigns.of_site(site))
    return CampaignsBody(campaigns=tuple(CampaignBody.of(campaign) for campaign in found))


@operator_routes.get(
    "/campaigns/{campaign}",
    operation_id="getCampaign",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_campaign(
    campaign: CampaignPath, site: SiteDep, services: ServicesDep, response: Response
) -> CampaignBody:
    """Return a campaign with its current revision; the ETag is for If-Match."""
    found = await services.read(partial(own_campaign, campaign, site))
    response.headers["ETag"] = _etag(found)
    return CampaignBody.of(found)


@operator_routes.post(
    "/campaigns/{campaign}/revisions",
    operation_id="addCampaignRevision",
    status_code=status.HTTP_201_CREATED,
    responses=problems(
        ProblemCode.NOT_FOUND,
        ProblemCode.PRECONDITION_FAILED,
        ProblemCode.PRECONDITION_REQUIRED,
    ),
)
async def add_revision(
    campaign: CampaignPath,
    document: DocumentBody,
    staff: CallerDep,
    site: SiteDep,
    services: ServicesDep,
    response: Response,
    if_match: IfMatchHeader = None,
) -> CampaignBody:
    """Put a new wording into force; offers already made keep the old one."""
    revision = parsed_document(document, campaign=campaign, site=site)
    started = await services.write(
        partial(
            _start,
            revision,
            if_match=if_match,
            staff=staff,
            site_map=services.site_map,
            now_ms=services.now_ms(),
        )
    )
    response.headers["ETag"] = _etag(started)
    return CampaignBody.of(started)


@operator_routes.post(
    "/campaigns/{campaign}/pause",
    operation_id="pauseCampaign",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def pause(campaign: CampaignPath, staff: CallerDep, services: ServicesDep) -> CampaignBody:
    """Make no more offers of it; coupons that are out stay good. A revision resumes it."""
    now_ms = services.now_ms()
    return CampaignBody.of(await services.write(partial(_pause, campaign, staff, now_ms)))


def parsed_document(
    document: dict[str, JsonValue], *, campaign: CampaignId, site: SiteId
) -> CampaignRevision:
    """Read a document that must be of the path's campaign and the key's site.

    Raises
    ------
    InvalidCampaign
        If it cannot work, or is of another campaign or site.
    """
    revision = parse_campaign(document)
    if revision.campaign != campaign or revision.site != site:
        raise InvalidCampaign(
            f"the document is of campaign {revision.campaign!r} at site {revision.site!r}; "
            f"expected {campaign!r} at {site!r}, as the path and the key say."
        )
    return revision


def _start(
    revision: CampaignRevision,
    work: UnitOfWork,
    *,
    if_match: str | None,
    staff: Credential,
    site_map: SiteMap,
    now_ms: UnixMs,
) -> Campaign:
    found = work.campaigns.find(revision.campaign)
    if found is not None and found.site != staff.site:
        raise NotFound("no such campaign; expected one of the key's own site.")
    _check_if_match(if_match, found)
    started = start_campaign(revision, site_map=site_map, work=work, now_ms=now_ms)
    note_audit(
        AuditAction.CAMPAIGN_STARTED,
        subject=started.campaign,
        by=Actor.of(staff),
        details={"revision": started.revision.revision},
        work=work,
        now_ms=now_ms,
    )
    return started


def _check_if_match(if_match: str | None, found: Campaign | None) -> None:
    if if_match is None:
        raise Problem(
            ProblemCode.PRECONDITION_REQUIRED,
            'If-Match is missing; expected the ETag of the revision you edited, e.g. "3", '
            f"or {NEW} for a new campaign.",
        )
    current = NEW if found is None else _etag(found)
    if if_match.strip().removeprefix("W/") != current:
        raise Problem(
            ProblemCode.PRECONDITION_FAILED,
            f"If-Match does not name the current revision; expected {current}.",
        )


def _pause(campaign: CampaignId, staff: Credential, now_ms: UnixMs, work: UnitOfWork) -> Campaign:
    assert staff.site is not None
    own_campaign(campaign, staff.site, work)
    pause_campaign(campaign, work=work)
    note_audit(
        AuditAction.CAMPAIGN_PAUSED,
        subject=campaign,
        by=Actor.of(staff),
        work=work,
        now_ms=now_ms,
    )
    return own_campaign(campaign, staff.site, work)


def own_campaign(campaign: CampaignId, site: SiteId, work: UnitOfWork) -> Campaign:
    """Return a campaign of the site; to every other it answers as to an unknown one.

    Raises
    ------
    NotFound
        If there is none.
    """
    found = work.campaigns.find(campaign)
    if found is None or found.site != site:
        raise NotFound("no such campaign; expected one of the key's own site.")
    return found


def _etag(campaign: Campaign) -> str:
    return f'"{campaign.revision.revision}"'
