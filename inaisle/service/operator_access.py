"""Let some of the staff, and nobody else, see live fixes and health, also over a WebSocket.

Layer: doors. Takes: the Authorization header, or the token of a first message. Gives: FastAPI
dependencies to rtls.api, which knows no credentials, from offers.api, which does. A key of another
site is answered as if there were nothing here.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import WebSocket, WebSocketException
from starlette.requests import HTTPConnection

from offers.api.auth import sign_in
from offers.api.problem import Problem, ProblemCode
from offers.api.roles import OPERATOR, PROGRAMME_STAFF, Roles
from offers.api.services import Services, services_of
from offers.model.audit import Actor
from offers.model.people.shopper import Credential

CLOSE_POLICY: Final = 1008
LOOKERS: Final = PROGRAMME_STAFF
"""who looks after a site: its map, its anchors, its health, and dots without names"""

Authorise = Callable[[HTTPConnection], Awaitable[None]]


def authorise_staff(roles: Roles) -> Authorise:
    """Return what admits a connection with a key of one of the roles, else raises.

    It raises a `Problem` (401, 403 or 404); for a WebSocket, which is closed with 1008, a
    `WebSocketException`.
    """

    async def authorise(connection: HTTPConnection) -> None:
        found = await _holder(connection, roles)
        if isinstance(found, Credential):
            connection.state.credential = found
            return
        if connection.scope["type"] == "websocket":
            raise WebSocketException(CLOSE_POLICY, found.code.value)
        raise found

    return authorise


authorise_operator: Final = authorise_staff(OPERATOR)
"""for what names tags: whoever sees the same tag twice follows somebody"""
authorise_looker: Final = authorise_staff(LOOKERS)


async def admit_looker(websocket: WebSocket, token: str) -> str | None:
    """Return None for a token of who may look, else the code of what stands against it."""
    found = await _known(token, services_of(websocket), LOOKERS)
    return None if isinstance(found, Credential) else found.code.value


def acting(connection: HTTPConnection) -> Actor:
    """Return for the audit who has been admitted to a connection."""
    credential = connection.state.credential
    assert isinstance(credential, Credential)
    return Actor.of(credential)


async def _holder(connection: HTTPConnection, roles: Roles) -> Credential | Problem:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        return Problem(
            ProblemCode.CREDENTIAL_MISSING,
            f"The route is for the role {_named(roles)}; expected Authorization: Bearer with its "
            "key or the token of a session.",
        )
    return await _known(key, services_of(connection), roles)


async def _known(key: str, services: Services, roles: Roles) -> Credential | Problem:
    credential = await sign_in(key.strip(), services)
    if credential is None:
        return Problem(
            ProblemCode.CREDENTIAL_INVALID, "The key is unknown, has expired or has been revoked."
        )
    if credential.role not in roles:
        return Problem(
            ProblemCode.ROLE_FORBIDDEN,
            f"The key has the role {credential.role}; expected {_named(roles)}.",
        )
    if credential.site != services.site_map.site:
        return Problem(
            ProblemCode.NOT_FOUND, "nothing here is of the key's site; expected a key of this site."
        )
    return credential


def _named(roles: Roles) -> str:
    return " or ".join(sorted(roles))
