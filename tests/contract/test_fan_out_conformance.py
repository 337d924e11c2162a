"""FanOut: in one process or over Redis, a parcel reaches the apps; one suite for both."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis

from offers.delivery.fan_out import FanOut, InProcessFanOut, Parcel, RedisFanOut
from offers.model.ids import OfferId, ShopperId
from tests.conftest import Server

ANNA = ShopperId("a" * 32)
OFFER = OfferId("0" * 32)
CHANNEL = "inaisle:test:fan_out"
WAIT_S = 10.0


class Inbox:
    """A receiver that a test can wait for."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self._came = threading.Condition()

    def __call__(self, parcel: Parcel) -> None:
        with self._came:
            self.parcels.append(parcel)
            self._came.notify_all()

    def wait_for(self, text: str) -> None:
        with self._came:
            assert self._came.wait_for(lambda: text in [p.text for p in self.parcels], WAIT_S)


def parcel(text: str) -> Parcel:
    return Parcel(shopper=ANNA, text=text, offer=OFFER)


def address(server: Server) -> str:
    return f"redis://{server.host}:{server.port}/0"


@pytest.fixture(params=["in_process", pytest.param("redis", marks=pytest.mark.broker)])
def fan_out(request: pytest.FixtureRequest) -> Iterator[FanOut]:
    if request.param == "in_process":
        made: FanOut = InProcessFanOut()
    else:
        server: Server = request.getfixturevalue("redis_server")
        made = RedisFanOut(address(server), channel=CHANNEL, origin="one")
    yield made
    made.close()


def test_a_parcel_is_given_to_the_own_process_before_publish_returns(fan_out: FanOut) -> None:
    """The usual case is one process; it must not pay for a network."""
    inbox = Inbox()
    fan_out.subscribe(inbox)
    fan_out.start()
    fan_out.publish(parcel("one"))
    fan_out.publish(parcel("two"))
    assert inbox.parcels == [parcel("one"), parcel("two")]


def test_publishing_without_a_receiver_harms_nobody(fan_out: FanOut) -> None:
    """A locate-only process wires no apps."""
    fan_out.start()
    fan_out.publish(parcel("unheard"))


@pytest.fixture
def replica(redis_server: Server) -> Iterator[Callable[[str], RedisFanOut]]:
    with ExitStack() as stack:

        def make(origin: str) -> RedisFanOut:
            made = RedisFanOut(address(redis_server), channel=CHANNEL, origin=origin)
            stack.callback(made.close)
            return made

        yield make


Replica = Callable[[str], RedisFanOut]


@pytest.mark.broker
def test_every_replica_gets_the_parcel_once(replica: Replica) -> None:
    """The shopper's socket may be at any replica, the decision was made at one."""
    deciding, serving = replica("deciding"), replica("serving")
    own, other = Inbox(), Inbox()
    for fan_out, inbox in ((deciding, own), (serving, other)):
        fan_out.subscribe(inbox)
        fan_out.start()
        assert fan_out.wait_until_listening(WAIT_S)
    deciding.publish(parcel("offer"))
    serving.publish(parcel("end"))
    other.wait_for("offer")
    own.wait_for("end")
    assert own.parcels == [parcel("offer"), parcel("end")]
    assert other.parcels.count(parcel("offer")) == 1


@pytest.mark.broker
def test_a_killed_redis_stops_nothing_here_and_is_found_again(
    replica: Replica, redis_server: Server
) -> None:
    """Losing Redis costs the other replicas freshness, and never the own sockets an offer."""
    deciding, serving = replica("deciding"), replica("serving")
    own, other = Inbox(), Inbox()
    deciding.subscribe(own)
    serving.subscribe(other)
    serving.start()
    assert serving.wait_until_listening(WAIT_S)
    redis_server.kill()
    deciding.publish(parcel("while away"))
    assert own.parcels == [parcel("while away")]
    assert deciding.counters["unpublished"] == 1
    redis_server.start()
    observer = redis.Redis(port=redis_server.port)
    for _ in range(500):
        if dict(observer.pubsub_numsub(CHANNEL)).get(CHANNEL.encode()):
            break
        threading.Event().wait(0.02)
    observer.close()
    deciding.publish(parcel("back"))
    other.wait_for("back")


@pytest.mark.broker
@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[" * 100_000, b'["x"]', b"{}" * 40_000])
def test_what_is_no_parcel_is_counted_and_the_next_one_arrives(
    replica: Replica, redis_server: Server, content: bytes
) -> None:
    """A stranger on the same Redis must not be able to end the thread."""
    serving = replica("serving")
    inbox = Inbox()
    serving.subscribe(inbox)
    serving.start()
    assert serving.wait_until_listening(WAIT_S)
    with redis.Redis(port=redis_server.port) as stranger:
        stranger.publish(CHANNEL, content)
    replica("deciding").publish(parcel("behind"))
    inbox.wait_for("behind")
    assert serving.counters["unreadable"] == 1
