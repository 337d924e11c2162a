"""Take locations from omlox providers over HTTP, as a hub does.

Layer: edges. Takes: the bodies of ``PUT /v2/providers/{id}/location`` and ``…/locations``.
Gives: them, as they are, to the queue of the locating loop, whose decoder reads them. So what is
wrong with a location is counted there, with its reason, and not answered here.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response, status

PREFIX: Final = "/v2/providers"
TOPIC: Final = "$omlox/location"
RETRY_AFTER_S: Final = 1
TakeMessage = Callable[[str, bytes], bool]


def omlox_router(take: TakeMessage, *, authorise: Callable[..., object]) -> APIRouter:
    """Return the routes.

    Parameters
    ----------
    take
        Puts topic and payload into the queue; False if there is no room. Never blocks.
    authorise
        A FastAPI dependency that raises for whoever is not an operator.
    """
    router = APIRouter(prefix=PREFIX, tags=["omlox"], dependencies=[Depends(authorise)])
    answers: dict[int | str, dict[str, object]] = {
        204: {"description": "on its way to locating"},
        503: {"description": "too many wait; send the next one"},
    }

    @router.put(
        "/locations",
        operation_id="put_locations",
        status_code=status.HTTP_204_NO_CONTENT,
        responses=answers,
    )
    async def put_locations(request: Request) -> Response:
        """Take a list of omlox locations."""
        return answer_to(take(TOPIC, await request.body()))

    @router.put(
        "/{provider}/location",
        operation_id="put_location",
        status_code=status.HTTP_204_NO_CONTENT,
        responses=answers,
    )
    async def put_location(
        request: Request,
        provider: Annotated[str, Path(max_length=128)],  # noqa: ARG001 # the body names it too
    ) -> Response:
        """Take one omlox location; the tag is its `provider_id`."""
        return answer_to(take(TOPIC, await request.body()))

    return router


def answer_to(is_taken: bool) -> Response:  # noqa: FBT001 # the word of the queue
    """Return 204, or a problem document (RFC 9457)."""
    if is_taken:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    problem = {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "code": "locating_away",
        "detail": "Too many messages wait for locating. Send the next location.",
    }
    return Response(
        msgspec.json.encode(problem),
        status_code=status.HTTP_503_SERVICE_UNAVAILABLE,
        headers={"Retry-After": str(RETRY_AFTER_S)},
        media_type="application/problem+json",
    )
