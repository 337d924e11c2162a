"""Send requests of many tills at a fixed rate, whether or not the answers keep up.

Layer: benchmarks. Takes: addresses and requests. Gives: how long each took, counted from when it
was due: a server that stalls is charged for all who wait meanwhile, as in a shop. No figure is made
here, so this file has no `run`.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from typing_extensions import override

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
DRAIN_S_MAX = 20.0


@dataclass(kw_only=True)
class Outcome:
    """What became of the requests, in the order in which they were due."""

    waits_s: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    took_s: float = 0.0


class _Till(asyncio.Protocol):
    """One kept connection; one request at a time."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = bytearray()
        self._number = -1
        self._transport: asyncio.WriteTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass

    def ask(self, number: int, request: bytes) -> None:
        assert self._transport is not None
        self._number = number
        self._transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = LENGTH.search(self._buffer, 0, head)
        assert length is not None, bytes(self._buffer[:200])
        if len(self._buffer) < head + 4 + int(length[1]):
            return
        status = int(self._buffer[9:12])
        self._buffer.clear()
        self._load.answered(self, self._number, status)


class _Load:
    """All tills, and who waits for a free one."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = requests
        self._free: list[_Till] = []
        self._queue: deque[int] = deque()
        self._due = [0.0] * len(requests)
        self._left = len(requests)
        self.done = asyncio.Event()
        self.waits_s = [0.0] * len(requests)
        self.statuses = [0] * len(requests)

    async def connect(self, addresses: Sequence[tuple[str, int]], tills: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(tills):
            host, port = addresses[number % len(addresses)]
            _, till = await loop.create_connection(lambda: _Till(self), host, port)
            self._free.append(till)

    def ask(self, number: int, due: float) -> None:
        self._due[number] = due
        if self._free:
            self._free.pop().ask(number, self._requests[number])
        else:
            self._queue.append(number)

    def answered(self, till: _Till, number: int, status: int) -> None:
        self.waits_s[number] = time.perf_counter() - self._due[number]
        self.statuses[number] = status
        self._left -= 1
        if not self._left:
            self.done.set()
        if self._queue:
            following = self._queue.popleft()
            till.ask(following, self._requests[following])
        else:
            self._free.append(till)


async def send_at_rate(
    addresses: Sequence[tuple[str, int]],
    requests: Sequence[bytes],
    *,
    tills: int,
    rate_hz: float | None,
) -> Outcome:
    """Send each request when it is due; without a rate, as soon as a till is free."""
    load = _Load(requests)
    await load.connect(addresses, tills)
    begin = time.perf_counter()
    if rate_hz is None:
        for number in range(len(requests)):
            load.ask(number, begin)
    else:
        await _keep_pace(load, len(requests), begin=begin, rate_hz=rate_hz)
    async with asyncio.timeout(DRAIN_S_MAX + 10 * len(requests) / (rate_hz or 100.0)):
        await load.done.wait()
    took_s = time.perf_counter() - begin
    return Outcome(waits_s=load.waits_s, statuses=load.statuses, took_s=took_s)


async def _keep_pace(load: _Load, count: int, *, begin: float, rate_hz: float) -> None:
    sent = 0
    while sent < count:
        due = min(count, int((time.perf_counter() - begin) * rate_hz) + 1)
        while sent < due:
            load.ask(sent, begin + sent / rate_hz)
            sent += 1
        await asyncio.sleep(0.002)


def request(path: str, *, key: str, token: str, body: bytes) -> bytes:
    """Return a POST as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
