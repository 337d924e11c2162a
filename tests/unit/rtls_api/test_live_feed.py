"""The live map's socket: who gets in, what comes, and what a slow or lost reader costs."""

import asyncio
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from rtls.api import live_routes
from rtls.api.live_feed import LiveFeed
from rtls.api.live_mailbox import EVENTS_WAITING_MAX, LiveMailbox
from rtls.api.live_roster import FloorFrames
from rtls.api.live_routes import live_router
from rtls.model.errors import LiveStateAway
from rtls.model.units import UnixMs
from rtls.ports import LiveFixes
from tests.contract.live_fix_samples import NOW_MS
from tests.unit.rtls_api.live_crowd import Read, crowd, read
from tests.unit.rtls_api.small_site import small_site
from tests.unit.rtls_api.test_fence_stream import ENTERED, LEFT
from tests.waiting import wait_until

OPERATOR = "op_1"


class Shop:
    """A live state that tests fill, and a door that tests lock."""

    def __init__(self) -> None:
        self.fixes = crowd("anna", "ben")
        self.is_away = False
        self.refusal: str | None = None
        self.feed = LiveFeed(
            site_map=small_site(),
            live=self,
            now_ms=lambda: UnixMs(NOW_MS + 300),
            located_until_ms=lambda: UnixMs(NOW_MS + 100),
            interval_s=0.01,
            watchers_max=2,
        )
        app = FastAPI()
        app.include_router(live_router(self.feed, admit=self._admit))
        self.listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listening],))
        self.url = f"ws://127.0.0.1:{self.listening.getsockname()[1]}/v1/operator/live"

    def latest(self, *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        if self.is_away:
            raise LiveStateAway(f"no answer for {max_age_ms} ms before {now_ms}")
        return self.fixes

    async def _admit(self, _websocket: WebSocket, token: str) -> str | None:
        return self.refusal or (None if token == OPERATOR else "credential_invalid")

    @contextmanager
    def watch(self) -> Iterator[ClientConnection]:
        with connect(self.url) as connection:
            connection.send(json.dumps({"token": OPERATOR, "floor": 0}))
            yield connection


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    shop.thread.start()
    yield shop
    shop.server.should_exit = True
    shop.thread.join(10)
    shop.listening.close()


def wait_for(
    connection: ClientConnection, is_it: Callable[[Read | dict[str, object]], bool]
) -> Read | dict[str, object]:
    for _ in range(500):
        frame = connection.recv(timeout=5)
        told = read(frame) if isinstance(frame, bytes) else json.loads(frame)
        if is_it(told):
            return told
    raise AssertionError


def kind(number: int) -> Callable[[Read | dict[str, object]], bool]:
    return lambda told: isinstance(told, Read) and told.kind == number


def text(name: str) -> Callable[[Read | dict[str, object]], bool]:
    return lambda told: isinstance(told, dict) and told["type"] == name


def closing(connection: ClientConnection) -> tuple[int, str]:
    try:
        for _ in range(500):
            connection.recv(timeout=5)
    except ConnectionClosed as closed:
        return closed.rcvd.code, closed.rcvd.reason
    raise AssertionError("it was not closed")


def test_a_watcher_gets_roster_positions_quality_clock_and_events(shop: Shop) -> None:
    """All that the live map draws comes over one socket."""
    with shop.watch() as one:
        roster = wait_for(one, kind(2))
        positions = wait_for(one, kind(1))
        assert isinstance(roster, Read)
        assert isinstance(positions, Read)
        assert len(roster.refs) == len(positions.places_m) == 2
        assert isinstance(wait_for(one, kind(3)), Read)
        clock = {"type": "clock", "at_ms": NOW_MS, "lag_ms": 300, "speed": 1.0}
        assert wait_for(one, text("clock")) == clock
        shop.feed.accept([ENTERED, LEFT])
        told = wait_for(one, text("events"))
        assert told == {
            "type": "events",
            "events": [
                {"kind": "entered", "zone": "dowels", "at_ms": ENTERED.at_ms},
                {"kind": "left", "zone": "dowels", "at_ms": LEFT.at_ms},
            ],
        }
        with shop.watch() as other:  # who comes later is told the roster that stands
            told = wait_for(other, kind(2))
            assert isinstance(told, Read)
            assert (told.roster, told.refs) == (roster.roster, roster.refs)
    wait_until(lambda: shop.feed.watching == 0)


def test_an_empty_shop_is_not_a_feed_that_stands_still(shop: Shop) -> None:
    """The lag is that of locating: at night nobody is there, and all is well."""
    shop.fixes = crowd()
    with shop.watch() as one:
        assert wait_for(one, text("clock")) == {
            "type": "clock",
            "at_ms": NOW_MS + 100,
            "lag_ms": 200,
            "speed": 1.0,
        }


def test_a_live_state_that_is_away_costs_pictures_and_no_socket(shop: Shop) -> None:
    """Redis restarts; the clock goes on and shows how late the picture is."""
    with shop.watch() as one:
        wait_for(one, kind(1))
        shop.is_away = True
        wait_for(one, text("clock"))
        shop.is_away = False
        shop.fixes = crowd("carl")
        wait_for(one, lambda told: isinstance(told, Read) and told.kind == 1)


def test_a_live_state_that_is_slow_costs_half_of_a_core_at_most(shop: Shop) -> None:
    """Thousands of tags out of Redis take long; the API has other things to do as well."""
    asked_at_s: list[float] = []

    def slow(*, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        del max_age_ms, now_ms
        asked_at_s.append(time.monotonic())
        time.sleep(0.05)
        return shop.fixes

    shop.latest = slow
    with shop.watch() as one:
        for _ in range(4):
            wait_for(one, kind(1))
    gaps_s = [after - before for before, after in itertools.pairwise(asked_at_s)]
    assert min(gaps_s) > 0.095


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ('{"token": "wrong"}', "credential_invalid"),
        ('{"floor": 0}', "credential_missing"),
        ('{"token": 1}', "credential_missing"),
        ("[", "credential_missing"),
        ('{"token": "op_1", "tag": "anna"}', "credential_missing"),
        ('{"token": "op_1", "floor": 9}', "floor_unknown"),
    ],
)
def test_who_may_not_watch_is_told_why(shop: Shop, first: str, reason: str) -> None:
    """And sees nothing before."""
    with connect(shop.url) as one:
        one.send(first)
        assert closing(one) == (1008, reason)


def test_who_says_nothing_is_not_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand silent sockets would be the end of all others."""
    monkeypatch.setattr(live_routes, "SIGN_IN_S_MAX", 0.05)
    with connect(shop.url) as one:
        assert closing(one) == (1008, "credential_missing")


def test_a_session_that_ends_ends_the_picture(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen that was signed out, or whose user was removed, shows nobody any more."""
    monkeypatch.setattr(live_routes, "ADMIT_AGAIN_S", 0.05)
    with shop.watch() as one:
        wait_for(one, kind(1))
        shop.refusal = "credential_invalid"
        assert closing(one) == (1008, "credential_invalid")


@pytest.mark.parametrize(
    ("wish", "reason"), [('{"floor": 9}', "floor_unknown"), ('{"zoom": 1}', "message_unknown")]
)
def test_a_wish_that_cannot_be_is_refused(shop: Shop, wish: str, reason: str) -> None:
    """A reader with a mistake should learn of it."""
    with shop.watch() as one:
        wait_for(one, kind(1))
        one.send(wish)
        assert closing(one) == (1008, reason)


def test_a_flood_of_wishes_ends(shop: Shop) -> None:
    """Each is cheap; a million are not."""
    with shop.watch() as one:
        for _ in range(30):
            one.send('{"floor": 0}')
        assert closing(one) == (1008, "too_many_messages")


def test_more_watchers_than_there_is_room_for_come_back_later(shop: Shop) -> None:
    """The bound protects locating, which runs in the same process."""
    with shop.watch() as one, shop.watch() as other:
        wait_for(one, kind(1))
        wait_for(other, kind(1))
        with shop.watch() as third:
            assert closing(third)[0] == 1013
    assert shop.feed.counters["refused_full"] == 1


def frames(number: int, *, with_roster: bool = False) -> FloorFrames:
    return FloorFrames(
        roster=b"roster %d" % number if with_roster else None,
        positions=b"positions %d" % number,
        quality=b"quality %d" % number,
    )


def test_a_slow_reader_gets_the_newest_and_the_roster_first() -> None:
    """Of ten pictures that waited the tenth is of use; of a roster that was skipped none is."""

    async def play() -> list[bytes | str]:
        mailbox = LiveMailbox(0)
        mailbox.put_floor(frames(1, with_roster=True))
        mailbox.put_clock("clock")
        mailbox.put_events("events")
        for number in range(2, 10):
            mailbox.put_floor(frames(number))
        taken = [await mailbox.next() for _ in range(5)]
        assert mailbox.replaced == 16
        mailbox.put_floor(frames(10))
        mailbox.watch(1, b"roster of the other floor")
        taken.append(await mailbox.next())
        return taken

    assert asyncio.run(play()) == [
        b"roster 1",
        b"positions 9",
        b"quality 9",
        "clock",
        "events",
        b"roster of the other floor",
    ]


def test_who_has_missed_events_is_marked() -> None:
    """His stream ends, so that a gap does not look like silence."""
    mailbox = LiveMailbox(0)
    for number in range(EVENTS_WAITING_MAX):
        mailbox.put_events(str(number))
    assert not mailbox.has_missed
    mailbox.put_events("one more")
    assert mailbox.has_missed
