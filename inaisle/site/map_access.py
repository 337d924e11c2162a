"""Let those who draw the map of a site, and nobody else, change and publish it.

Layer: doors. Takes: the table of roles of offers.api, and the site. Gives: a FastAPI dependency to
rtls.api.site_map, which knows no credentials: it raises, or returns by what name somebody acts.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request

from inaisle.reports.report_access import authorise_reports
from offers.api.auth import BearerDep, caller
from offers.api.services import ServicesDep
from rtls.model.units import SiteId

Authorise = Callable[[Request, ServicesDep, BearerDep], Awaitable[str]]


def authorise_planners(site: SiteId) -> Authorise:
    """Return what admits a request with a key of this site, and names the credential."""
    admit_staff = authorise_reports(site)

    async def admit(request: Request, services: ServicesDep, bearer: BearerDep) -> str:
        await admit_staff(request, services, bearer)
        credential = await caller(request)
        return credential.credential

    return admit
