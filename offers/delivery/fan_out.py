"""Bring a frame to whichever replica the shopper's app is connected to.

Layer: edges. Takes: parcels from the relay. Gives: parcels to the app channel of this process, and
of every other process that listens on the same Redis. Pub/sub may lose a parcel and never decides
anything: what nobody reports as written, the relay sends again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final, Protocol

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from offers.model.ids import OfferId, ShopperId

RECONNECT_S_MIN: Final = 0.05
RECONNECT_S_MAX: Final = 2.0
PARCEL_BYTES_MAX: Final = 64 * 1024
_POLL_S: Final = 0.2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A frame for the apps of one shopper.

    Parameters
    ----------
    shopper
        Whose apps.
    text
        The frame, JSON.
    offer
        The offer to report as delivered once the frame is written; None for what needs no report.
    """

    shopper: ShopperId
    text: str
    offer: OfferId | None = None


Receiver = Callable[[Parcel], None]


class FanOut(Protocol):
    """How parcels reach all replicas; one conformance suite runs every implementation."""

    def subscribe(self, receiver: Receiver) -> None:
        """Name who takes the parcels of this process. Once, before `start`; must not block."""
        ...

    def start(self) -> None:
        """Begin to receive."""
        ...

    def publish(self, parcel: Parcel) -> None:
        """Give a parcel to this process at once and to the others as well as can be.

        Never raises for what is wrong outside, never waits long.
        """
        ...

    def close(self) -> None:
        """Stop receiving."""
        ...


class InProcessFanOut:
    """One process: the receiver is called directly."""

    def __init__(self) -> None:
        self._receiver: Receiver | None = None

    def subscribe(self, receiver: Receiver) -> None:
        """Name who takes the parcels."""
        self._receiver = receiver

    def start(self) -> None:
        """Nothing to start."""

    def publish(self, parcel: Parcel) -> None:
        """Call the receiver."""
        if self._receiver is not None:
            self._receiver(parcel)

    def close(self) -> None:
        """Deliver no more."""
        self._receiver = None


class _Envelope(msgspec.Struct, frozen=True, array_like=True):
    origin: str
    shopper: str
    text: str
    offer: str | None


class RedisFanOut:
    """Several processes over Redis pub/sub; without Redis the own sockets are served all the same.

    Parameters
    ----------
    address
        ``redis://host:port/db``
    channel
        The pub/sub channel that all replicas share, e.g. ``inaisle:demo:fan_out``.
    origin
        A random name of this process: it ignores its own parcels when they come back.
    """

    def __init__(self, address: str, *, channel: str, origin: str) -> None:
        self._channel = channel
        self._origin = origin
        # One quick attempt a publish: a Redis that is away must not hold the relay up.
        self._publisher = redis.Redis.from_url(
            address,
            socket_timeout=0.5,
            socket_connect_timeout=0.25,
            retry=Retry(NoBackoff(), 1),
        )
        self._listener = redis.Redis.from_url(
            address, socket_timeout=5.0, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )
        self._receiver: Receiver | None = None
        self._stop = Event()
        self._listening = Event()
        self._thread = Thread(target=self._run, name="fan-out", daemon=True)
        self.counters = {"published": 0, "unpublished": 0, "received": 0, "unreadable": 0}

    def subscribe(self, receiver: Receiver) -> None:
        """Name who takes the parcels."""
        self._receiver = receiver

    def start(self) -> None:
        """Listen in a thread of its own."""
        self._thread.start()

    def publish(self, parcel: Parcel) -> None:
        """Serve this process first, then tell the others."""
        self._give(parcel)
        envelope = _Envelope(self._origin, parcel.shopper, parcel.text, parcel.offer)
        try:
            self._publisher.publish(self._channel, msgspec.json.encode(envelope))
        except redis.RedisError as error:
            self.counters["unpublished"] += 1
            log.warning("fan-out to other replicas failed: %s", error)
        else:
            self.counters["published"] += 1

    def close(self) -> None:
        """Stop the thread and close the connections."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._publisher.close()
        self._listener.close()

    def wait_until_listening(self, timeout_s: float) -> bool:
        """Say whether the subscription stands, waiting for it at most so long."""
        return self._listening.wait(timeout_s)

    @property
    def is_listening(self) -> bool:
        """Whether parcels of other replicas arrive; health pages name it."""
        return self._listening.is_set()

    def _give(self, parcel: Parcel) -> None:
        if self._receiver is not None:
            self._receiver(parcel)

    def _run(self) -> None:
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
        with self._listener.pubsub() as subscription:  # type: ignore[no-untyped-call]
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
            if len(content) > PARCEL_BYTES_MAX:
                raise ValueError(f"{len(content)} bytes")
            envelope = msgspec.json.decode(content, type=_Envelope)
        except (
            ValueError,
            RecursionError,
        ) as error:  # msgspec raises ValueErrors
            self.counters["unreadable"] += 1
            log.warning("fan-out received what is no parcel: %s", error)
            return
        if envelope.origin == self._origin:
            return
        self.counters["received"] += 1
        offer = None if envelope.offer is None else OfferId(envelope.offer)
        self._give(Parcel(shopper=ShopperId(envelope.shopper), text=envelope.text, offer=offer))
