"""Hold what the routes work with, all of it given from outside.

Layer: edges. Takes: writer, reader, secrets, clock and callbacks from the door. Gives: transactions
and lookups to the routes, without ever blocking the event loop.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends
from pydantic import JsonValue
from starlette.requests import HTTPConnection

from offers.api.failure_limit import FailureLimit
from offers.api.known_callers import KnownCallers
from offers.api.problem import Problem, ProblemCode
from offers.api.products.product_desk import ProductDesk
from offers.api.products.shop_ways import ShopWays
from offers.handlers.expire_overdue import SWEEP_EVERY_S
from offers.model.ids import ShopperId
from offers.model.people.kept_data import KeptData
from offers.ports import Reader, SecretSource, UnitOfWork, Writer, ZoneStopsSource
from rtls.model.site_map import SiteMap
from rtls.model.units import TagId, UnixMs

T = TypeVar("T")

PAGE_MAX: Final = 100
MINUTE_MS: Final = 60_000
TURNS_MAX: Final = 2
HOUR_MS: Final = 3_600_000


class Frame(Protocol):
    """A message that an app's socket is to write."""

    @property
    def text(self) -> str:
        """JSON."""
        ...

    @property
    def written(self) -> Callable[[], None] | None:
        """What to call once it is written."""
        ...


class Socket(Protocol):
    """The queue of one open app."""

    @property
    def close_code(self) -> int | None:
        """Why it is to be closed, once it is."""
        ...

    async def next(self) -> Frame:
        """Wait for the next frame."""
        ...

    async def ended(self) -> None:
        """Wait until the socket is to be closed."""
        ...

    def leave(self) -> None:
        """Take the socket out of its channel."""
        ...


class Channel(Protocol):
    """All open apps of this process (`offers.delivery.app_channel.AppChannel`)."""

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the event loop that the sockets live in."""
        ...

    def detach(self) -> None:
        """Forget the loop."""
        ...

    def open(self, shopper: ShopperId) -> Socket | None:
        """Register a socket; None at the limit."""
        ...


class ScanSink(Protocol):
    """Where phones' scans go: locating, in this process or another."""

    def put(self, tag: TagId, readings: bytes) -> bool:
        """Take what a phone heard, as JSON; never blocks; False if it cannot be taken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Limits of the API."""

    answer_s_max: float = 5.0
    """how long a route waits for the database"""
    send_s_max: float = 5.0
    """how long a socket may take to accept one frame"""
    sign_in_s_max: float = 5.0
    """how long a new socket may take to say who it is"""
    coupon_failures_a_minute_max: int = 10
    enrolments_a_minute_max: int = 600
    """of one address; a whole shop may be behind one"""
    scans_in_10_s_max: int = 40
    """of one shopper; a phone gives at most a few scans a second"""
    codes_ahead_an_hour_max: int = 12
    """of one shopper; an app asks when half of what it holds is over"""
    sweep_every_s: float = SWEEP_EVERY_S
    """how often the door deletes what is too old; told on the page of retention"""
    searches_in_10_s_max: int = 60
    """of one shopper, routes among them; who types fast asks five times a second"""
    sign_in_failures_in_5_min_max: int = 10
    """of one name from one address"""
    sign_in_failures_an_hour_max: int = 100
    """of one name from anywhere, and of one address with any name"""


DEFAULT_SETTINGS: Final = ApiSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What every route may need.

    Parameters
    ----------
    writer, reader
        The database.
    secrets
        Randomness, and the fingerprints of secrets.
    now_ms
        The door's clock.
    site_map
        What new campaigns are checked against.
    channel
        The open apps.
    connected
        Called when a shopper's app has connected: `Relay.connected`.
    settings
        Limits.
    scans
        Where phones' scans go; None where nobody takes them.
    push_key
        What browsers subscribe with; None where nothing is pushed.
    templates
        Documents of campaigns that a merchandiser may begin with.
    products
        The catalogue, kept ready; None where this process does not search it.
    ways
        Who knows where shoppers are and how they walk; None where nobody does.
    zone_stops
        Who came by and stopped where; None where nobody knows.
    kept_elsewhere
        What is kept outside this database, and how long: the position history.
    report_turn
        Held by who makes a report of key figures.
    """

    writer: Writer
    reader: Reader
    secrets: SecretSource
    now_ms: Callable[[], UnixMs]
    site_map: SiteMap
    channel: Channel
    connected: Callable[[ShopperId], None]
    settings: ApiSettings = DEFAULT_SETTINGS
    scans: ScanSink | None = None
    push_key: str | None = None
    templates: tuple[Mapping[str, JsonValue], ...] = ()
    products: ProductDesk | None = None
    ways: ShopWays | None = None
    zone_stops: ZoneStopsSource | None = None
    kept_elsewhere: Callable[[], Sequence[KeptData]] = tuple
    report_turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    callers: KnownCallers = field(default_factory=KnownCallers, init=False)
    coupon_failures: FailureLimit = field(init=False)
    enrolments: FailureLimit = field(init=False)
    scans_taken: FailureLimit = field(init=False)
    searches: FailureLimit = field(init=False)
    sign_in_failures: FailureLimit = field(init=False)
    sign_in_failures_at_large: FailureLimit = field(init=False)
    password_turn: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1), init=False)
    """one password is compared at a time: it takes memory and a core, and guesses take turns"""
    codes_ahead: FailureLimit = field(init=False)
    turns: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(TURNS_MAX), init=False)
    """for searches and routes, so that they never take all threads from those who pay"""
    imports: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    """one catalogue is read at a time: it may be 64 MiB"""

    def __post_init__(self) -> None:
        coupon_failures = FailureLimit(failures_max=self.settings.coupon_failures_a_minute_max)
        enrolments = FailureLimit(failures_max=self.settings.enrolments_a_minute_max)
        object.__setattr__(self, "coupon_failures", coupon_failures)
        object.__setattr__(self, "enrolments", enrolments)
        scans = FailureLimit(failures_max=self.settings.scans_in_10_s_max, window_ms=10_000)
        object.__setattr__(self, "scans_taken", scans)
        searches = FailureLimit(failures_max=self.settings.searches_in_10_s_max, window_ms=10_000)
        object.__setattr__(self, "searches", searches)
        near = FailureLimit(
            failures_max=self.settings.sign_in_failures_in_5_min_max, window_ms=5 * MINUTE_MS
        )
        object.__setattr__(self, "sign_in_failures", near)
        at_large = FailureLimit(
            failures_max=self.settings.sign_in_failures_an_hour_max, window_ms=60 * MINUTE_MS
        )
        object.__setattr__(self, "sign_in_failures_at_large", at_large)
        ahead = FailureLimit(failures_max=self.settings.codes_ahead_an_hour_max, window_ms=HOUR_MS)
        object.__setattr__(self, "codes_ahead", ahead)

    async def read(self, look: Callable[[UnitOfWork], T]) -> T:
        """Look at what is stored, in a thread."""
        return await anyio.to_thread.run_sync(self.reader.run, look)

    async def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Run a transaction, return when it is durable.

        Raises
        ------
        Problem
            `BUSY` if the database did not begin in time, so that nothing was done; `IN_FLIGHT` if
            it has begun and not finished, so that a repeat with the same key finds the answer.
        """
        future: Future[T] = self.writer.submit(act)
        try:
            async with asyncio.timeout(self.settings.answer_s_max):
                return await _result_of(future)
        except TimeoutError as error:
            code = ProblemCode.BUSY if future.cancel() else ProblemCode.IN_FLIGHT
            raise Problem(
                code,
                f"The database has not answered within {self.settings.answer_s_max:.0f} s. "
                "Repeat the request with the same Idempotency-Key.",
                retry_after_s=1,
            ) from error


async def _result_of(future: Future[T]) -> T:
    """Wait for what another thread does; it goes on where nobody waits any longer."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def tell(_: Future[T]) -> None:
        with suppress(RuntimeError):  # the loop has been closed: the service stops
            loop.call_soon_threadsafe(_wake, done)

    future.add_done_callback(tell)
    await done
    return future.result()


def _wake(done: asyncio.Future[None]) -> None:
    if not done.done():  # else the client has gone, or the time is over
        done.set_result(None)


def services_of(connection: HTTPConnection) -> Services:
    """Return the services of the application that a request came to."""
    services = connection.app.state.services
    assert isinstance(services, Services)
    return services


async def _services(connection: HTTPConnection) -> Services:
    # A coroutine: FastAPI would give a plain function a thread of its own.
    return services_of(connection)


ServicesDep = Annotated[Services, Depends(_services)]
