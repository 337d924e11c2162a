"""Bring a till's request to its route without asking the framework what each part of it means.

Layer: edges. Takes: requests of tills that have called before. Gives: the same arguments to the
same functions as FastAPI does. Its dependencies are worked out anew at each request, which takes
longer than all the rest of a redemption outside the database. Here a plain request goes straight to
its function; whatever is not plain (no key yet, another media type, a body that does not fit its
schema) goes the general way, which finds the words for what is wrong.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Final, get_args, get_origin

from fastapi import Request, Response
from fastapi.params import Path
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import override

from offers.api.auth import known_caller
from offers.api.idempotency import HEADER
from offers.api.roles import EVERYBODY, ROLES
from offers.api.services import services_of
from offers.api.till.till_answers import TillRequest, TillRequestDep
from offers.model.idempotency import KEY_PATTERN

JSON: Final = "application/json"
Handler = Callable[[Request], Coroutine[object, object, Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Where the arguments of a route's function come from."""

    asked: str
    body: tuple[str, type[BaseModel]] | None
    ids: dict[str, TypeAdapter[str]]


class TillRoute(APIRoute):
    """A route of a till; its function takes a `TillRequest`, a body, and ids in the path."""

    @override
    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        general = super().get_route_handler()
        plan = _plan_of(self.endpoint)
        if plan is None:
            return general
        act: Callable[..., Awaitable[Response]] = self.endpoint
        operation = self.operation_id or ""

        async def handle(request: Request) -> Response:
            asked = _plain_request(request, operation)
            arguments = None if asked is None else await _arguments(request, plan)
            if asked is None or arguments is None:
                return await general(request)
            return await act(**arguments, **{plan.asked: asked})

        return handle


def _plan_of(endpoint: Callable[..., object]) -> _Plan | None:
    """Return the plan; None for a function that takes anything else."""
    asked, body, ids = None, None, {}
    for name, parameter in inspect.signature(endpoint).parameters.items():
        wanted = parameter.annotation
        if wanted == TillRequestDep:
            asked = name
        elif isinstance(wanted, type) and issubclass(wanted, BaseModel) and body is None:
            body = (name, wanted)
        elif get_origin(wanted) is Annotated and isinstance(get_args(wanted)[1], Path):
            ids[name] = TypeAdapter[str](wanted)
        else:
            return None
    return None if asked is None else _Plan(asked=asked, body=body, ids=ids)


def _plain_request(request: Request, operation: str) -> TillRequest | None:
    """Return the request of a till that is known and may do this; None for all others."""
    services = services_of(request)
    key = request.headers.get(HEADER, "")
    found = known_caller(request.headers.get("authorization", ""), services)
    required = ROLES.get(operation, frozenset())
    if found is None or required is EVERYBODY or not KEY_PATTERN.match(key) or key[0] == '"':
        return None
    fingerprint, till = found
    if till.role not in required:
        return None
    return TillRequest(
        key=key, request=request, till=till, fingerprint=fingerprint, services=services
    )


async def _arguments(request: Request, plan: _Plan) -> dict[str, object] | None:
    """Return body and ids, None where something does not fit."""
    try:
        arguments: dict[str, object] = {
            name: adapter.validate_python(request.path_params[name])
            for name, adapter in plan.ids.items()
        }
        if plan.body is not None:
            if request.headers.get("content-type") != JSON:
                return None
            name, model = plan.body
            arguments[name] = model.model_validate_json(await request.body())
    except ValidationError:
        return None
    return arguments
