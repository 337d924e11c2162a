"""Bring what phones hear from the process with the API to the one that locates, by Redis.

Layer: edges. Takes: messages that the API hands on. Gives: the same messages, in their order, to
the queue of the locating loop. A scan is worth a second: what cannot be handed on by then is
dropped and counted, on both sides and in Redis itself, and the phone's next scan takes its place.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
from redis import Redis

from rtls.model.units import Second, SiteId
from rtls.publish.redis_keys import phone_scans
from rtls.publish.redis_worker import RedisWorker

POLL_INTERVAL_S: Final = Second(0.05)
SCAN_S_MAX: Final = 1.0
EXPIRY_S: Final = 2  # of the whole list, when nobody takes anything
WAITING_MAX: Final = 20_000
A_STEP_MAX: Final = 2_000

_PACKER: Final = msgspec.msgpack.Encoder()
_UNPACKER: Final = msgspec.msgpack.Decoder(tuple[str, bytes])


class ScanPublisher:
    """The side of the API.

    Parameters
    ----------
    client
        From `connect_redis`.
    monotonic_s
        The door's monotonic clock, in seconds.
    """

    def __init__(
        self,
        client: Redis,
        *,
        site: SiteId,
        monotonic_s: Callable[[], float],
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self.counters = {"taken": 0, "refused": 0, "too_old": 0}
        self._client = client
        self._key = phone_scans(site)
        self._monotonic_s = monotonic_s
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._lock = threading.Lock()
        self._worker = RedisWorker("scan-publisher", self._step, interval_s=Second(1.0))

    def start(self) -> None:
        """Begin to hand on."""
        self._worker.start()

    def close(self) -> None:
        """End."""
        self._worker.stop()

    def trouble(self) -> str | None:
        """Return why scans do not get through, or None; for `Health.watch`."""
        return self._worker.trouble()

    def put(self, topic: str, payload: bytes) -> bool:
        """Take a message from any thread; False if there is no room, or Redis is away."""
        with self._lock:
            if len(self._waiting) >= self._waiting_max or self._worker.trouble() is not None:
                self.counters["refused"] += 1
                return False
            self.counters["taken"] += 1
            self._waiting.append((self._monotonic_s(), _PACKER.encode((topic, payload))))
        self._worker.wake()
        return True

    def _step(self) -> None:
        while self._waiting:
            now_s = self._monotonic_s()
            with self._lock:
                taken = [
                    self._waiting.popleft() for _ in range(min(len(self._waiting), A_STEP_MAX))
                ]
            fresh = [entry for at_s, entry in taken if now_s - at_s <= SCAN_S_MAX]
            self.counters["too_old"] += len(taken) - len(fresh)
            if fresh:
                with self._client.pipeline(transaction=True) as pipeline:
                    pipeline.rpush(self._key, *fresh)
                    pipeline.ltrim(self._key, -WAITING_MAX, -1)
                    pipeline.expire(self._key, EXPIRY_S)
                    pipeline.execute()
        self._client.ping()  # an idle line that has broken must be known before the next scan


class ScanFollower:
    """The locating side.

    Parameters
    ----------
    client
        From `connect_redis`.
    take
        Puts a message into the queue of the loop, from the follower's thread.
    """

    def __init__(
        self,
        client: Redis,
        *,
        site: SiteId,
        take: Callable[[str, bytes], bool],
        interval_s: Second = POLL_INTERVAL_S,
    ) -> None:
        self.counters = {"followed": 0, "unreadable": 0}
        self._client = client
        self._key = phone_scans(site)
        self._take = take
        self._worker = RedisWorker("scan-follower", self._step, interval_s=interval_s)

    def start(self) -> None:
        """Begin to follow."""
        self._worker.start()

    def close(self) -> None:
        """End."""
        self._worker.stop()

    def trouble(self) -> str | None:
        """Return why scans do not come, or None; for `Health.watch`."""
        return self._worker.trouble()

    def _step(self) -> None:
        found = self._client.lpop(self._key, A_STEP_MAX)
        for entry in found if isinstance(found, list) else ():
            assert isinstance(entry, bytes)  # the client decodes nothing
            try:
                topic, payload = _UNPACKER.decode(entry)
            except (ValueError, RecursionError):
                self.counters["unreadable"] += 1
                continue
            self._take(topic, payload)
            self.counters["followed"] += 1
