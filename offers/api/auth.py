"""Know who calls, and let each role do what the table in roles says, and nothing else.

Layer: edges. Takes: the Authorization header. Gives: the `Credential` to the routes. Secrets are
looked up by a keyed fingerprint, so that neither the database nor the time of an answer tells
anything about them.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.routing import BaseRoute

from offers.api.problem import Problem, ProblemCode
from offers.api.roles import EVERYBODY, ROLES, Roles
from offers.api.services import Services, ServicesDep
from offers.handlers.people.issue_credential import caller_of, fingerprint_of
from offers.model.ids import ShopperId
from offers.model.people.shopper import Credential, Role
from rtls.model.units import SiteId

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="A shopper's token from enrolment, or the key of a till or of one of the staff.",
)
BearerDep = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def operation_of(route: BaseRoute | None) -> str:
    """Return the operationId of a route, empty where it has none."""
    return str(getattr(route, "operation_id", None) or "")


async def enforce_role(request: Request, services: ServicesDep, bearer: BearerDep) -> None:
    """Let the request through if its role may call the operation; the default is no.

    Raises
    ------
    Problem
        401 without a valid credential, 403 with one of another role.
    """
    operation = operation_of(request.scope.get("route"))
    if operation not in ROLES:
        raise Problem(ProblemCode.ROLE_FORBIDDEN, f"operation {operation!r} has no declared role.")
    required = ROLES[operation]
    if required is not EVERYBODY:
        credential = await _admit(bearer, required, services)
        request.state.credential = credential


async def _admit(
    bearer: HTTPAuthorizationCredentials | None, required: Roles, services: Services
) -> Credential:
    wanted = " or ".join(sorted(required))
    if bearer is None:
        raise Problem(
            ProblemCode.CREDENTIAL_MISSING,
            f"The route is for the role {wanted}; expected Authorization: Bearer with its key.",
        )
    credential = await sign_in(bearer.credentials, services)
    if credential is None:
        raise Problem(
            ProblemCode.CREDENTIAL_INVALID, "The key is unknown, has expired or has been revoked."
        )
    if credential.role not in required:
        raise Problem(
            ProblemCode.ROLE_FORBIDDEN,
            f"The key has the role {credential.role}; expected {wanted}.",
        )
    return credential


async def sign_in(secret: str, services: Services) -> Credential | None:
    """Return whose secret this is, or None."""
    fingerprint = fingerprint_of(secret, secrets=services.secrets)
    found = await services.read(
        lambda work: caller_of(fingerprint, work=work, now_ms=services.now_ms())
    )
    if found is not None and fingerprint is not None and found.role is Role.TILL:
        services.callers.note(fingerprint, found)
    return found


def known_caller(authorization: str, services: Services) -> tuple[str, Credential] | None:
    """Return fingerprint and owner of the key in the header, if it has been looked up before.

    Who acts upon it looks again in the transaction of the deed (`caller_of`).
    """
    scheme, _, secret = authorization.partition(" ")
    fingerprint = fingerprint_of(secret, secrets=services.secrets)
    if scheme != "Bearer" or fingerprint is None:
        return None
    found = services.callers.find(fingerprint)
    return None if found is None else (fingerprint, found)


def _admitted(request: Request) -> Credential:
    credential = request.state.credential
    assert isinstance(credential, Credential)
    return credential


# Coroutines that wait for nothing, since FastAPI gives each plain function a thread of its own.
async def caller(request: Request) -> Credential:
    """Return the credential that `enforce_role` has admitted."""
    return _admitted(request)


async def calling_shopper(request: Request) -> ShopperId:
    """Return the shopper who calls; never taken from path or body."""
    shopper = _admitted(request).shopper
    assert shopper is not None
    return shopper


async def calling_site(request: Request) -> SiteId:
    """Return the site of the calling till or staff; never taken from path or body."""
    site = _admitted(request).site
    assert site is not None
    return site


CallerDep = Annotated[Credential, Depends(caller)]
ShopperDep = Annotated[ShopperId, Depends(calling_shopper)]
SiteDep = Annotated[SiteId, Depends(calling_site)]
