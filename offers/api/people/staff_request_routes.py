"""Serve calls for staff: the shopper asks at a shelf, staff say who goes.

Layer: edges. Takes: requests of app and staff. Gives: what request_staff answers. Staff see zones
and waiting times, never whose request it is.
"""

from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import Field, StrictStr

from offers.api.auth import ShopperDep, SiteDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Id, Instant, render_instant
from offers.api.services import PAGE_MAX, ServicesDep
from offers.handlers.profile.request_staff import answer_request, request_staff, withdraw_request
from offers.model.ids import StaffRequestId
from offers.model.people.staff_request import StaffRequest, StaffRequestState
from rtls.model.units import ZoneId

staff_request_routes = APIRouter(tags=["staff requests"])

RequestPath = Annotated[StaffRequestId, Path(max_length=128)]


class StaffWishBody(Body):
    """Where somebody is wanted."""

    zone: StrictStr = Field(min_length=1, max_length=63, examples=["dowels"])


class StaffRequestBody(Body):
    """Somebody is wanted at a zone."""

    request: Id
    zone: str
    state: StaffRequestState
    at: Instant

    @classmethod
    def of(cls, request: StaffRequest) -> "StaffRequestBody":
        """Render a request without saying whose it is."""
        return cls(
            request=request.request,
            zone=request.zone,
            state=request.state,
            at=render_instant(request.at_ms),
        )


class StaffRequestsBody(Body):
    """Who waits, longest first."""

    requests: tuple[StaffRequestBody, ...]


@staff_request_routes.post(
    "/me/staff-request",
    operation_id="requestStaff",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.NOT_FOUND),
)
async def request(
    body: StaffWishBody, shopper: ShopperDep, services: ServicesDep
) -> StaffRequestBody:
    """Ask for somebody to come to a shelf; asking again while waiting changes nothing."""
    return StaffRequestBody.of(
        await services.write(
            lambda work: request_staff(
                shopper,
                ZoneId(body.zone),
                site_map=services.site_map,
                work=work,
                now_ms=services.now_ms(),
                secrets=services.secrets,
            )
        )
    )


@staff_request_routes.delete(
    "/me/staff-request",
    operation_id="withdrawStaffRequest",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(),
)
async def withdraw(shopper: ShopperDep, services: ServicesDep) -> None:
    """Wait no longer."""
    await services.write(
        lambda work: withdraw_request(shopper, work=work, now_ms=services.now_ms())
    )


@staff_request_routes.get("/staff-requests", operation_id="getStaffRequests", responses=problems())
async def get_requests(site: SiteDep, services: ServicesDep) -> StaffRequestsBody:
    """Return where somebody is wanted, longest waiting first."""
    found = await services.read(lambda work: work.staff_requests.open_of_site(site, limit=PAGE_MAX))
    return StaffRequestsBody(requests=tuple(StaffRequestBody.of(entry) for entry in found))


@staff_request_routes.post(
    "/staff-requests/{request}/take",
    operation_id="takeStaffRequest",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def take(request: RequestPath, site: SiteDep, services: ServicesDep) -> StaffRequestBody:
    """Say that somebody goes."""
    return await _answer(request, StaffRequestState.TAKEN, site, services)


@staff_request_routes.post(
    "/staff-requests/{request}/done",
    operation_id="finishStaffRequest",
    responses=problems(ProblemCode.NOT_FOUND, ProblemCode.STATE_CONFLICT),
)
async def finish(request: RequestPath, site: SiteDep, services: ServicesDep) -> StaffRequestBody:
    """Say that somebody has been there."""
    return await _answer(request, StaffRequestState.DONE, site, services)


async def _answer(
    request: StaffRequestId, state: StaffRequestState, site: SiteDep, services: ServicesDep
) -> StaffRequestBody:
    return StaffRequestBody.of(
        await services.write(
            lambda work: answer_request(
                request, state, site=site, work=work, now_ms=services.now_ms()
            )
        )
    )
