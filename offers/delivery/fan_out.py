"""Bring a message to whichever replica the shopper's app is connected to.

Layer: edges. Takes: messages from the relay. Gives: the same to the app channel of this process,
and of every other process on the same Redis (both are `offers.ports.FanOut`). Pub/sub may lose a
message and never decides anything: what nobody reports as written, the relay sends again.
"""

import logging
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Final

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from offers.model.ids import ShopperId

RECONNECT_S_MIN: Final = 0.05
RECONNECT_S_MAX: Final = 2.0
MESSAGE_BYTES_MAX: Final = 64 * 1024
OUTGOING_MAX: Final = 1_000
_POLL_S: Final = 0.1

log = logging.getLogger(__name__)

Listener = Callable[[ShopperId, bytes], None]
Hears = Callable[[ShopperId], bool]


def _everybody(_shopper: ShopperId) -> bool:
    return True


class _Listeners:
    """Who takes the messages of this process."""

    def __init__(self) -> None:
        self._listeners: tuple[tuple[Listener, Hears], ...] = ()
        self._lock = Lock()

    def add(self, listener: Listener, hears: Hears | None) -> Callable[[], None]:
        entry = (listener, hears or _everybody)
        with self._lock:
            self._listeners += (entry,)

        def remove() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not entry)

        return remove

    def is_heard(self, shopper: ShopperId) -> bool:
        return any(hears(shopper) for _, hears in self._listeners)

    def give(self, shopper: ShopperId, payload: bytes) -> None:
        for listener, _ in self._listeners:
            listener(shopper, payload)


class InProcessFanOut:
    """One process: the listeners are called directly."""

    def __init__(self) -> None:
        self._listeners = _Listeners()

    def start(self) -> None:
        """Nothing to start."""

    def publish(self, shopper: ShopperId, payload: bytes) -> None:
        """Call the listeners."""
        self._listeners.give(shopper, payload)

    def is_heard(self, shopper: ShopperId) -> bool:
        """Say whether one of the listeners takes messages for the shopper now."""
        return self._listeners.is_heard(shopper)

    def subscribe(self, listener: Listener, *, hears: Hears | None = None) -> Callable[[], None]:
        """Call ``listener`` for each message from now on; the returned function ends it."""
        return self._listeners.add(listener, hears)

    def close(self) -> None:
        """Nothing to close."""


class _Envelope(msgspec.Struct, frozen=True, array_like=True):
    origin: str
    shopper: str
    payload: bytes


class RedisFanOut:
    """Several processes over Redis pub/sub; without Redis the own sockets are served all the same.

    Parameters
    ----------
    address
        ``redis://host:port/db``
    channel
        The pub/sub channel that all replicas share, e.g. ``inaisle:demo:fan_out``.
    origin
        A random name of this process: it ignores its own messages when they come back.
    """

    def __init__(self, address: str, *, channel: str, origin: str) -> None:
        self._channel = channel
        self._origin = origin
        # One quick attempt: what waits behind a Redis that is away would come too late anyway.
        self._publisher = redis.Redis.from_url(
            address, socket_timeout=0.5, socket_connect_timeout=0.25, retry=Retry(NoBackoff(), 1)
        )
        self._receiver = redis.Redis.from_url(
            address, socket_timeout=5.0, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )
        self._listeners = _Listeners()
        self._outgoing: Queue[bytes] = Queue(OUTGOING_MAX)
        self._stop = Event()
        self._listening = Event()
        self._threads = (
            Thread(target=self._send_all, name="fan-out-send", daemon=True),
            Thread(target=self._receive_all, name="fan-out-receive", daemon=True),
        )
        self.counters = {"published": 0, "unpublished": 0, "received": 0, "unreadable": 0}

    def start(self) -> None:
        """Send and listen in threads of their own."""
        for thread in self._threads:
            thread.start()

    def publish(self, shopper: ShopperId, payload: bytes) -> None:
        """Serve this process first, then hand over to the thread that tells the others."""
        self._listeners.give(shopper, payload)
        try:
            self._outgoing.put_nowait(
                msgspec.json.encode(_Envelope(self._origin, shopper, payload))
            )
        except Full:
            self.counters["unpublished"] += 1

    def is_heard(self, shopper: ShopperId) -> bool:  # noqa: ARG002 - as the port says
        """Say yes: what apps are open in other processes is not known here."""
        return True

    def subscribe(self, listener: Listener, *, hears: Hears | None = None) -> Callable[[], None]:
        """Call ``listener`` for each message from now on; the returned function ends it."""
        return self._listeners.add(listener, hears)

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=2.0)
        self._publisher.close()
        self._receiver.close()

    def wait_until_listening(self, timeout_s: float) -> bool:
        """Say whether the subscription stands, waiting for it at most so long."""
        return self._listening.wait(timeout_s)

    @property
    def is_listening(self) -> bool:
        """Whether messages of other replicas arrive; health pages name it."""
        return self._listening.is_set()

    def _send_all(self) -> None:
        while not self._stop.is_set():
            try:
                message = self._outgoing.get(timeout=_POLL_S)
            except Empty:
                continue
            try:
                self._publisher.publish(self._channel, message)
            except (redis.RedisError, OSError) as error:
                self.counters["unpublished"] += 1
                log.warning("fan-out to other replicas failed: %s", error)
            else:
                self.counters["published"] += 1

    def _receive_all(self) -> None:
        wait_s = RECONNECT_S_MIN
        while not self._stop.is_set():
            try:
                self._listen()
            except (redis.RedisError, OSError) as error:
                log.warning("fan-out lost Redis, again in %.2f s: %s", wait_s, error)
            if self._listening.is_set():
                wait_s = RECONNECT_S_MIN  # it has worked: the next fault is a new one
                self._listening.clear()
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2.0, RECONNECT_S_MAX)

    def _listen(self) -> None:
        with self._receiver.pubsub() as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(self._channel)
            while not self._stop.is_set():
                message = subscription.get_message(timeout=_POLL_S)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._listening.set()
                elif message["type"] == "message":
                    self._receive(message["data"])

    def _receive(self, content: bytes) -> None:
        try:
            if len(content) > MESSAGE_BYTES_MAX:
                raise ValueError(f"{len(content)} bytes")
            envelope = msgspec.json.decode(content, type=_Envelope)
        except (ValueError, RecursionError) as error:  # msgspec raises ValueErrors
            self.counters["unreadable"] += 1
            log.warning("fan-out received what is no message of ours: %s", error)
            return
        if envelope.origin != self._origin:
            self.counters["received"] += 1
            self._listeners.give(ShopperId(envelope.shopper), envelope.payload)
