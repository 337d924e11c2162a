"""Let the staff of a site, and nobody else, read the reports of footfall.

Layer: doors. Takes: the table of roles of offers.api, and the site. Gives: a FastAPI dependency to
rtls.api.footfall, which knows no credentials.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request

from offers.api.auth import BearerDep, caller, enforce_role
from offers.api.problem import Problem, ProblemCode
from offers.api.services import ServicesDep
from rtls.model.units import SiteId

Authorise = Callable[[Request, ServicesDep, BearerDep], Awaitable[None]]


def authorise_reports(site: SiteId) -> Authorise:
    """Return what admits a request with a key of this site, else raises a problem.

    To a key of another site it answers 404: here is no report of its site.
    """

    async def admit(request: Request, services: ServicesDep, bearer: BearerDep) -> None:
        await enforce_role(request, services, bearer)
        credential = await caller(request)
        if credential.site != site:
            raise Problem(
                ProblemCode.NOT_FOUND, "no reports of the key's site; expected a key of this site."
            )

    return admit
