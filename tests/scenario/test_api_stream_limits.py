"""The stream under load and abuse: limits hold, and nobody pays for somebody else's phone."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from offers.api.services import ApiSettings
from offers.api.serving import WS_MESSAGE_BYTES_MAX
from offers.delivery.app_channel import Frame
from offers.model.ids import ShopperId
from offers.model.people.shopper import Role
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

# Kernel buffers take some megabytes before anybody notices that an app does not read.
BIG = json.dumps({"type": "padding", "text": "x" * 60_000})


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    settings = ApiSettings(send_s_max=2.0, sign_in_s_max=0.5)
    with running_api(tmp_path_factory.mktemp("api"), settings=settings) as running:
        yield running


def close_code(connection: ClientConnection) -> int | None:
    """Read until the server closes; return its code."""
    try:
        while True:
            connection.recv(timeout=10)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def stuck_stream(address: str, phone: Phone) -> connect:
    """An app that reads only what the test reads, and does not wait for a farewell."""
    return connect(address, additional_headers=phone.headers, max_queue=1, close_timeout=0.1)


class Crowd:
    """Apps that read, and how late what they read is."""

    def __init__(self, api: RunningApi, count: int) -> None:
        self.api = api
        self.phones = [Phone(api) for _ in range(count)]
        self.latencies_ms: list[float] = []
        self.is_over = threading.Event()

    def flood(self, stuck: Phone) -> None:
        """Send to all, 100 times a second, until the stuck app is given up."""
        while not self.api.channel.counters["overflowed"]:
            text = json.dumps({"sent_s": time.monotonic(), "text": "x" * 60_000})
            self.api.channel.hand_over(stuck.shopper, Frame(text=BIG))
            for phone in self.phones:
                self.api.channel.hand_over(phone.shopper, Frame(text=text))
            time.sleep(0.01)  # the rate, not a wait
        self.is_over.set()

    async def read_all(self) -> None:
        await asyncio.gather(*(self._read(phone) for phone in self.phones))

    async def _read(self, phone: Phone) -> None:
        address = f"{self.api.ws_url}/v1/me/stream"
        async with connect_async(address, additional_headers=phone.headers) as stream:
            await stream.recv()
            while not self.is_over.is_set():
                with suppress(TimeoutError):
                    sent = json.loads(await asyncio.wait_for(stream.recv(), 0.5))
                    self.latencies_ms.append((time.monotonic() - sent["sent_s"]) * 1000)


@pytest.mark.timed
def test_an_app_that_does_not_read_is_closed_with_1013_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    """One phone in a tunnel: the others get their frames within 100 ms all the while."""
    with running_api(tmp_path) as api:
        stuck, crowd = Phone(api), Crowd(api, 3)
        address = f"{api.ws_url}/v1/me/stream"
        with connect(address, additional_headers=stuck.headers, max_queue=1) as stream:
            assert frame(stream)["type"] == "hello"
            flood = threading.Thread(target=crowd.flood, args=(stuck,))
            flood.start()
            asyncio.run(asyncio.wait_for(crowd.read_all(), 30))
            flood.join()
            assert close_code(stream) == 1013
        assert len(crowd.latencies_ms) > 100
        p99_ms = sorted(crowd.latencies_ms)[int(len(crowd.latencies_ms) * 0.99)]
        assert p99_ms < 100.0
        wait_until(lambda: len(api.channel) == 0)


def test_an_app_that_never_reads_again_is_dropped(api: RunningApi) -> None:
    """Its file descriptor would otherwise be gone for ever, one for each such phone."""
    phone = Phone(api)
    before = len(api.server.server_state.connections)
    address = f"{api.ws_url}/v1/me/stream"
    with stuck_stream(address, phone) as stream:
        assert frame(stream)["type"] == "hello"
        overflowed = api.channel.counters["overflowed"]
        while api.channel.counters["overflowed"] == overflowed:
            api.channel.hand_over(phone.shopper, Frame(text=BIG))
            time.sleep(0.002)  # the rate, not a wait
        wait_until(lambda: len(api.server.server_state.connections) <= before)


def test_a_sixth_socket_of_a_shopper_is_refused_and_closing_one_makes_room(
    api: RunningApi,
) -> None:
    """One stolen token must not take all connections."""
    phone = Phone(api)
    with ExitStack() as stack:
        sockets = [stack.enter_context(phone.stream()) for _ in range(5)]
        with connect(f"{api.ws_url}/v1/me/stream", additional_headers=phone.headers) as sixth:
            assert close_code(sixth) == 1013
        sockets[0].close()
        wait_until(lambda: len(api.channel) == 4)
        stack.enter_context(phone.stream())


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("{", "credential_missing"),
        ('{"type": "sign_in"}', "credential_missing"),
        ('{"type": "sign_in", "token": "shp_unknown"}', "credential_invalid"),
        ('{"type": "sign_in", "token": "x", "after": -1}', "credential_missing"),
        (b"\xff", "credential_missing"),
        (None, "credential_missing"),
    ],
)
def test_a_socket_that_does_not_sign_in_is_closed(
    api: RunningApi, first: str | bytes | None, reason: str
) -> None:
    """An open socket costs; who does not say who it is, goes."""
    with connect(f"{api.ws_url}/v1/me/stream") as stream:
        if first is not None:
            stream.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, reason)


def test_a_token_in_the_query_opens_nothing(api: RunningApi) -> None:
    """Addresses stand in the logs of every proxy on the way."""
    token = Phone(api).headers["Authorization"].removeprefix("Bearer ")
    query = f"?token={token}&access_token={token}&authorization=Bearer%20{token}"
    with connect(f"{api.ws_url}/v1/me/stream{query}") as stream:
        assert close_code(stream) == 1008


@pytest.mark.parametrize("role", [Role.TILL, Role.OPERATOR])
def test_only_a_shopper_streams(api: RunningApi, role: Role) -> None:
    """A till's key reads no shopper's offers."""
    headers = api.till() if role is Role.TILL else api.key(role)
    with connect(f"{api.ws_url}/v1/me/stream", additional_headers=headers) as stream:
        assert close_code(stream) == 1008


@pytest.mark.parametrize("after", ["-1", "x", "9" * 30, "²"])
def test_a_cursor_that_is_none_is_refused(api: RunningApi, after: str) -> None:
    """Not read as 0: the app would take its whole history for new."""
    headers = Phone(api).headers
    address = f"{api.ws_url}/v1/me/stream?after={after}"
    with connect(address, additional_headers=headers) as stream:
        assert close_code(stream) == 1008


def test_a_message_of_more_than_8_kb_closes_the_socket(api: RunningApi) -> None:
    """An app has one token to send, no book."""
    with Phone(api).stream() as stream:
        stream.send("x" * (WS_MESSAGE_BYTES_MAX + 1))
        assert close_code(stream) == 1009


def test_an_app_that_talks_without_end_is_closed(api: RunningApi) -> None:
    """Reading costs too."""
    with Phone(api).stream() as stream:
        with suppress(ConnectionClosed):
            for _ in range(20_000):
                stream.send("{}")
        assert stream.close_code == 1008


def test_a_stop_finishes_requests_closes_sockets_with_1012_and_takes_less_than_5_s(
    tmp_path: Path,
) -> None:
    """An update at noon: no till gets a torn answer, and apps know that they may come back."""
    with running_api(tmp_path) as api:
        phone, stuck = Phone(api), Phone(api)
        begun, release = threading.Event(), threading.Event()
        answers = []

        def hold(_work: object) -> None:
            begun.set()
            release.wait(10)

        address = f"{api.ws_url}/v1/me/stream"
        with (
            phone.stream() as stream,
            stuck_stream(address, stuck) as blocked,
        ):
            assert frame(blocked)["type"] == "hello"
            for _ in range(60):
                api.channel.hand_over(ShopperId(stuck.shopper), Frame(text=BIG))
            api.writer.submit(hold)
            assert begun.wait(5)
            request = threading.Thread(
                target=lambda: answers.append(phone.post("/v1/me/pairings", {"tag": "tag:stop"}))
            )
            request.start()
            wait_until(lambda: api.writer._waiting.qsize() == 1)
            began_s = time.monotonic()
            api.server.should_exit = True
            assert close_code(stream) == 1012
            release.set()
            request.join(timeout=10)
            api.stop_serving()
            took_s = time.monotonic() - began_s
        assert answers[0].status_code == 201
        assert took_s < 5.0
        assert len(api.channel) == 0
