"""Put the API together; everything it works with comes from outside.

Layer: edges. Takes: database, secrets, clock, app channel and further routers from the door.
Gives: the ASGI application. Nothing is read from the environment and nothing is started here but
the tie between the app channel and the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Depends, FastAPI
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse
from typing_extensions import override

from offers.api.auth import enforce_role
from offers.api.body_limit import BODY_BYTES_MAX, BodyLimit
from offers.api.campaigns.audience_routes import audience_routes
from offers.api.campaigns.budget_routes import budget_routes
from offers.api.campaigns.by_hand_routes import by_hand_routes
from offers.api.campaigns.campaign_routes import campaign_routes
from offers.api.campaigns.draft_routes import draft_routes
from offers.api.campaigns.partner_routes import partner_routes
from offers.api.error_handlers import install_error_handlers
from offers.api.experiments.experiment_routes import experiment_routes
from offers.api.experiments.ranking_routes import ranking_routes
from offers.api.experiments.report_routes import experiment_report_routes
from offers.api.insight.content_routes import content_routes
from offers.api.insight.kpi_routes import kpi_routes
from offers.api.insight.till_day_routes import till_day_routes
from offers.api.loyalty.points_routes import points_routes
from offers.api.loyalty.programme_routes import programme_routes
from offers.api.loyalty.referral_routes import referral_routes
from offers.api.loyalty.reward_routes import reward_routes
from offers.api.loyalty.statement_routes import statement_routes
from offers.api.loyalty.tier_routes import tier_routes
from offers.api.messages.brand_routes import brand_routes
from offers.api.messages.contact_routes import contact_routes
from offers.api.messages.pause_routes import pause_routes
from offers.api.messages.unsubscribe_routes import unsubscribe_routes
from offers.api.messages.webhook_routes import webhook_routes
from offers.api.offering.offer_routes import offer_routes
from offers.api.offering.stream_routes import stream_routes
from offers.api.operator_routes import operator_routes
from offers.api.people.attribute_routes import attribute_routes
from offers.api.people.audit_routes import audit_routes
from offers.api.people.card_ahead_routes import card_ahead_routes
from offers.api.people.case_routes import case_routes
from offers.api.people.consent_text_routes import consent_text_routes
from offers.api.people.privacy_overview_routes import privacy_overview_routes
from offers.api.people.privacy_routes import privacy_routes
from offers.api.people.shopper_lookup_routes import shopper_lookup_routes
from offers.api.people.shopper_routes import shopper_routes
from offers.api.people.staff_request_routes import staff_request_routes
from offers.api.people.staff_session_routes import staff_session_routes
from offers.api.people.survey_routes import survey_routes
from offers.api.people.suspension_routes import suspension_routes
from offers.api.people.use_routes import use_routes
from offers.api.people.why_routes import why_routes
from offers.api.problem_docs import problem_routes, problem_schemas
from offers.api.products.catalogue_routes import CATALOGUE_PATH, catalogue_routes
from offers.api.products.plan_routes import plan_routes
from offers.api.products.product_routes import product_routes
from offers.api.products.route_routes import route_routes
from offers.api.services import Channel, Services
from offers.api.till.goodwill_routes import goodwill_routes
from offers.api.till.handed_card_routes import handed_card_routes
from offers.api.till.offline_routes import offline_routes
from offers.api.till.purchase_routes import purchase_routes
from offers.api.till.till_product_routes import till_product_routes
from offers.api.till.till_routes import till_routes
from offers.api.visits.scan_routes import scan_routes
from offers.model.catalogue.catalogue_file import BYTES_MAX as FILE_BYTES_MAX

PREFIX: Final = "/v1"
VERSION: Final = "1"
# Routes are looked through in this order; nobody waits for an answer as a queue at a till does.
NO_LARGER: Final[Mapping[str, int]] = MappingProxyType({})
_GUARDED: Final = (
    till_routes,
    shopper_routes,
    card_ahead_routes,
    consent_text_routes,
    why_routes,
    privacy_routes,
    scan_routes,
    use_routes,
    offer_routes,
    points_routes,
    purchase_routes,
    till_product_routes,
    tier_routes,
    statement_routes,
    reward_routes,
    offline_routes,
    budget_routes,
    operator_routes,
    campaign_routes,
    draft_routes,
    by_hand_routes,
    experiment_routes,
    experiment_report_routes,
    ranking_routes,
    programme_routes,
    partner_routes,
    contact_routes,
    pause_routes,
    brand_routes,
    unsubscribe_routes,
    webhook_routes,
    survey_routes,
    case_routes,
    suspension_routes,
    audience_routes,
    attribute_routes,
    referral_routes,
    staff_request_routes,
    staff_session_routes,
    shopper_lookup_routes,
    privacy_overview_routes,
    audit_routes,
    goodwill_routes,
    handed_card_routes,
    product_routes,
    route_routes,
    plan_routes,
    catalogue_routes,
    kpi_routes,
    content_routes,
    till_day_routes,
    problem_routes,
)


def create_app(
    services: Services,
    *,
    open_routers: Sequence[APIRouter] = (),
    larger_bodies: Mapping[str, int] = NO_LARGER,
) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    services
        What the routes work with.
    open_routers
        Routers of other packages, with full paths: open to all (health), or with a guard of
        their own (live fixes).
    larger_bodies
        How many bytes those of their paths take that take more than others.
    """
    app = _DocumentedApi(
        title="Inaisle",
        version=VERSION,
        description="Offers at the shelf: for the shopper's app, the till and the operator.",
        openapi_url=None,  # see `_tell_document`
        docs_url=None,  # the page would load its scripts from somebody else's server
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.services = services
    _include(app, open_routers)
    install_error_handlers(app)
    app.add_middleware(
        BodyLimit,
        bytes_max=BODY_BYTES_MAX,
        larger={f"{PREFIX}{CATALOGUE_PATH}": FILE_BYTES_MAX, **larger_bodies},
    )
    app.add_route(f"{PREFIX}/openapi.json", _tell_document, include_in_schema=False)
    return app


def _include(app: FastAPI, open_routers: Sequence[APIRouter]) -> None:
    for router in _GUARDED:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(enforce_role)])
    app.include_router(stream_routes, prefix=PREFIX)  # signs in by itself, see there
    for router in open_routers:
        app.include_router(router)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    channel: Channel = app.state.services.channel
    channel.attach(asyncio.get_running_loop())
    try:
        yield
    finally:
        channel.detach()


class _DocumentedApi(FastAPI):
    """An application that writes its document when it is first asked for.

    That takes most of a second, which no start and no test should wait for.
    """

    @override
    def openapi(self) -> dict[str, JsonValue]:
        """Return the OpenAPI document, with our problems among its schemas."""
        if self.openapi_schema is None:
            document = super().openapi()
            document.setdefault("components", {}).setdefault("schemas", {}).update(
                problem_schemas()
            )
        assert self.openapi_schema is not None
        return self.openapi_schema


def _tell_document(request: Request) -> JSONResponse:
    # No coroutine, so that a thread of the pool writes it and nobody else waits meanwhile.
    return JSONResponse(request.app.openapi())
