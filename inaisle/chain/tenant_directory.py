"""Keep shops open, those that are called above all, so many at a time.

Layer: doors. Takes: a way to open a shop. Gives: its application, for as long as a request runs, to
inaisle.chain.tenant_front. A shop is opened at the start, or when it is first called; where there
is no room, the one that was not called for longest is closed, unless somebody is served there.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from inaisle.chain.tenant_sites import TenantSite
from offers.api.problem import Problem, ProblemCode
from rtls.model.errors import InaisleError

log = structlog.get_logger("inaisle.chain.tenants")
RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenShop:
    """A shop that is open: what serves it, and why it cannot go on, if so."""

    app: FastAPI
    fatal: Callable[[], str | None]


OpenShopOf = Callable[[TenantSite], AbstractContextManager[OpenShop]]


@dataclass(slots=True)
class _Place:
    """A shop that is open or on its way, and by how many it is used."""

    opening: asyncio.Task[OpenShop]
    parts: AsyncExitStack
    users: int = 0


class TenantDirectory:
    """The open shops of one process; lives in one event loop.

    Parameters
    ----------
    open_shop
        Opens a shop, in a thread; leaving it closes the shop.
    open_max
        So many are open at a time.
    """

    def __init__(self, open_shop: OpenShopOf, *, open_max: int) -> None:
        self._open_shop = open_shop
        self._open_max = open_max
        self._places: OrderedDict[TenantSite, _Place] = OrderedDict()
        self._closing: dict[TenantSite, asyncio.Task[None]] = {}
        self._failed: dict[TenantSite, str] = {}
        # What other threads look at: replaced as a whole, never changed.
        self._open: tuple[tuple[TenantSite, OpenShop], ...] = ()
        self._trouble: str | None = None
        self.counters = {"opened": 0, "closed": 0, "failed": 0, "refused": 0}

    @asynccontextmanager
    async def app_of(self, shop: TenantSite) -> AsyncIterator[FastAPI]:
        """Give the application of a shop, which stays open meanwhile.

        Raises
        ------
        Problem
            `BUSY` where it cannot be opened now: its files are wrong, or all others are in use.
        """
        place = self._place_of(shop)
        place.users += 1
        try:
            try:
                opened = await asyncio.shield(place.opening)
            except InaisleError as error:
                raise Problem(
                    ProblemCode.BUSY,
                    "The shop cannot be opened now. Try again later.",
                    retry_after_s=RETRY_AFTER_S,
                ) from error
            yield opened.app
        finally:
            place.users -= 1

    async def open_ahead(self, shops: Iterable[TenantSite]) -> None:
        """Open shops one after another while there is room, before anybody calls them.

        An open shop reads its visits and sends what is due. One that cannot be opened is noted; the
        first who calls it tries again. None is closed for it.
        """
        for shop in shops:
            if len(self._places) >= self._open_max:
                return
            with suppress(Problem):
                async with self.app_of(shop):
                    pass

    def fatal(self) -> str | None:
        """Return why an open shop cannot go on, or None. From any thread."""
        for shop, opened in self._open:
            reason = opened.fatal()
            if reason is not None:
                return f"{shop}: {reason}"
        return None

    def trouble(self) -> str | None:
        """Return how many shops could not be opened, and why the first. From any thread."""
        return self._trouble

    def __len__(self) -> int:
        """Return how many are open or on their way."""
        return len(self._places)

    async def close(self) -> None:
        """Close all shops."""
        for shop in tuple(self._places):
            self._close_soon(shop)
        await asyncio.gather(*self._closing.values())

    def _place_of(self, shop: TenantSite) -> _Place:
        # No await in here: who comes at the same time finds what this call has made.
        place = self._places.get(shop)
        if place is None:
            self._make_room()
            parts = AsyncExitStack()
            place = _Place(opening=asyncio.create_task(self._open_one(shop, parts)), parts=parts)
            self._places[shop] = place
        self._places.move_to_end(shop)
        return place

    def _make_room(self) -> None:
        if len(self._places) < self._open_max:
            return
        idle = next((shop for shop, place in self._places.items() if not place.users), None)
        if idle is None:
            self.counters["refused"] += 1
            raise Problem(
                ProblemCode.BUSY,
                f"{self._open_max} shops are in use; expected fewer. Try again later.",
                retry_after_s=RETRY_AFTER_S,
            )
        self._close_soon(idle)

    async def _open_one(self, shop: TenantSite, parts: AsyncExitStack) -> OpenShop:
        before = self._closing.get(shop)
        if before is not None:
            await before
        try:
            door = self._open_shop(shop)
            opened = await asyncio.to_thread(door.__enter__)
            parts.push_async_callback(asyncio.to_thread, door.__exit__, None, None, None)
            await parts.enter_async_context(opened.app.router.lifespan_context(opened.app))
        except BaseException as error:
            self._note_failure(shop, error)
            await parts.aclose()
            raise
        self._failed.pop(shop, None)
        self._tell_trouble()
        self._open = (*self._open, (shop, opened))
        self.counters["opened"] += 1
        log.info("a shop is open", shop=str(shop), open=len(self._places))
        return opened

    def _note_failure(self, shop: TenantSite, error: BaseException) -> None:
        self._places.pop(shop, None)  # the next call tries again
        self._failed[shop] = str(error)
        self._tell_trouble()
        self.counters["failed"] += 1
        log.error("a shop cannot be opened", shop=str(shop), error=str(error))

    def _tell_trouble(self) -> None:
        first = next(iter(self._failed.items()), None)
        self._trouble = (
            None
            if first is None
            else f"{len(self._failed)} shops cannot be opened, e.g. {first[0]}: {first[1]}"
        )

    def _close_soon(self, shop: TenantSite) -> None:
        place = self._places.pop(shop)
        self._closing[shop] = asyncio.create_task(self._close_one(shop, place))

    async def _close_one(self, shop: TenantSite, place: _Place) -> None:
        await asyncio.wait([place.opening])
        self._open = tuple(entry for entry in self._open if entry[0] != shop)
        await place.parts.aclose()
        self.counters["closed"] += 1
        log.info("a shop is closed", shop=str(shop))
        if self._closing.get(shop) is asyncio.current_task():
            del self._closing[shop]
