"""Let operators, and nobody else, see live fixes, also over a WebSocket.

Layer: doors. Takes: the Authorization header. Gives: a FastAPI dependency to rtls.api, which knows
no credentials, from offers.api, which does.
"""

from typing import Final

from fastapi import WebSocketException
from starlette.requests import HTTPConnection

from offers.api.auth import sign_in
from offers.api.problem import Problem, ProblemCode
from offers.api.services import services_of
from offers.model.people.shopper import Role

CLOSE_POLICY: Final = 1008


async def authorise_operator(connection: HTTPConnection) -> None:
    """Admit a connection with an operator's key, else raise a problem (401 or 403).

    Raises
    ------
    WebSocketException
        The same for a WebSocket, which is closed with 1008.
    """
    problem = await _refusal(connection)
    if problem is None:
        return
    if connection.scope["type"] == "websocket":
        raise WebSocketException(CLOSE_POLICY, problem.code.value)
    raise problem


async def _refusal(connection: HTTPConnection) -> Problem | None:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        return Problem(
            ProblemCode.CREDENTIAL_MISSING,
            "The route is for operators; expected Authorization: Bearer with an operator's key.",
        )
    credential = await sign_in(key.strip(), services_of(connection))
    if credential is None:
        return Problem(ProblemCode.CREDENTIAL_INVALID, "The key is unknown or has been revoked.")
    if credential.role is not Role.OPERATOR:
        return Problem(
            ProblemCode.ROLE_FORBIDDEN,
            f"The key has the role {credential.role}; expected operator.",
        )
    return None
