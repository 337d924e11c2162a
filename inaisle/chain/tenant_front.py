"""Pass each request on to the shop that it is for.

Layer: doors. Takes: HTTP and WebSocket requests. Gives: them to the application of a tenant's site,
as its own server would. The tenant is that of the credential; a request without one is for the shop
whose host name it was sent to. A credential that nobody has goes there as well, so that the shop
refuses it as ever, and who guesses learns nothing new.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inaisle.chain.tenant_directory import TenantDirectory
from inaisle.chain.tenant_sites import TenantSite, TenantSites
from offers.api.error_handlers import problem_of
from offers.api.problem import Problem, ProblemCode, send_problem
from offers.model.ids import TenantId
from rtls.model.errors import InaisleError
from rtls.model.units import SiteId

OWN_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})
KNOWN_MAX: Final = 10_000
CLOSE_POLICY: Final = 1008
CLOSE_TRY_AGAIN_LATER: Final = 1013
Home = tuple[TenantId, SiteId | None]


class Homes(Protocol):
    """Who says where a credential leads (`offers.storage.tenant_book.CredentialHomes`)."""

    def find(self, fingerprint: str) -> Home | None:
        """Return tenant and site of a secret's fingerprint, or None."""
        ...


class TenantFront:
    """One application in front of those of many shops.

    Parameters
    ----------
    sites
        The rule by which a request is somebody's.
    directory
        The shops.
    homes
        Where a credential leads.
    fingerprint_of
        What a secret is known by; None for what cannot be one.
    own
        Answers `OWN_PATHS` and the server's own messages.
    """

    def __init__(
        self,
        *,
        sites: TenantSites,
        directory: TenantDirectory,
        homes: Homes,
        fingerprint_of: Callable[[str], str | None],
        own: ASGIApp,
    ) -> None:
        self._sites = sites
        self._directory = directory
        self._homes = homes
        self._fingerprint_of = fingerprint_of
        self._own = own
        self._known: OrderedDict[str, Home] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan" or scope.get("path") in OWN_PATHS:
            await self._own(scope, receive, send)
            return
        try:
            shop = await self._shop_of(Headers(scope=scope))
            async with self._directory.app_of(shop) as app:
                await app(scope, receive, send)
        except Problem as problem:
            await _refuse(problem, scope, receive, send)
        except InaisleError as error:
            await _refuse(problem_of(error), scope, receive, send)

    async def _shop_of(self, headers: Headers) -> TenantSite:
        host = headers.get("host", "")
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        fingerprint = self._fingerprint_of(secret.strip()) if scheme.lower() == "bearer" else None
        home = None if fingerprint is None else await self._home_of(fingerprint)
        shop = None
        if home is not None:
            shop = self._sites.of_credential(*home, host=host)
        shop = shop or self._sites.of_host(host)
        if shop is None:
            raise _nobodys(has_credential=bool(scheme))
        return shop

    async def _home_of(self, fingerprint: str) -> Home | None:
        found = self._known.get(fingerprint)
        if found is None:
            found = await anyio.to_thread.run_sync(self._homes.find, fingerprint)
        if found is not None:  # it never changes: a secret is made for one tenant
            self._known[fingerprint] = found
            if len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return found


def _nobodys(*, has_credential: bool) -> Problem:
    if has_credential:
        return Problem(
            ProblemCode.CREDENTIAL_INVALID, "The key is unknown, has expired or has been revoked."
        )
    return Problem(
        ProblemCode.NOT_FOUND,
        "No shop answers to this host name; expected a credential, or the host name of a shop.",
    )


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send_problem(problem, scope, receive, send)
        return
    await receive()  # the wish to connect, which is refused with a reason only once it is granted
    is_busy = problem.code is ProblemCode.BUSY
    code = CLOSE_TRY_AGAIN_LATER if is_busy else CLOSE_POLICY
    accept: Message = {"type": "websocket.accept"}
    await send(accept)
    await send({"type": "websocket.close", "code": code, "reason": problem.code.value})
