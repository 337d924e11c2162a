"""FanOut: in one process or over Redis, a message reaches the apps; one suite for both."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis

from offers.delivery.fan_out import InProcessFanOut, RedisFanOut
from offers.model.ids import ShopperId
from tests.conftest import Server
from tests.waiting import wait_until

ANNA = ShopperId("a" * 32)
CHANNEL = "inaisle:test:fan_out"
WAIT_S = 10.0


class Inbox:
    """A listener that a test can wait for."""

    def __init__(self) -> None:
        self.messages: list[tuple[ShopperId, bytes]] = []
        self._came = threading.Condition()

    def __call__(self, shopper: ShopperId, payload: bytes) -> None:
        with self._came:
            self.messages.append((shopper, payload))
            self._came.notify_all()

    def wait_for(self, payload: bytes) -> None:
        with self._came:
            assert self._came.wait_for(lambda: (ANNA, payload) in self.messages, WAIT_S)


def address(server: Server) -> str:
    return f"redis://{server.host}:{server.port}/0"


FanOutOfOurs = InProcessFanOut | RedisFanOut


@pytest.fixture(params=["in_process", pytest.param("redis", marks=pytest.mark.broker)])
def fan_out(request: pytest.FixtureRequest) -> Iterator[FanOutOfOurs]:
    made: FanOutOfOurs = InProcessFanOut()
    if request.param == "redis":
        server: Server = request.getfixturevalue("redis_server")
        made = RedisFanOut(address(server), channel=CHANNEL, origin="one")
    made.start()
    yield made
    made.close()


def test_a_message_is_given_to_the_own_process_before_publish_returns(
    fan_out: FanOutOfOurs,
) -> None:
    """The usual case is one process; it must not pay for a network."""
    inbox = Inbox()
    fan_out.subscribe(inbox)
    fan_out.publish(ANNA, b"one")
    fan_out.publish(ANNA, b"\xff two")
    assert inbox.messages == [(ANNA, b"one"), (ANNA, b"\xff two")]


def test_who_has_left_hears_nothing_and_the_others_go_on(fan_out: FanOutOfOurs) -> None:
    """A stopped application must not be called again."""
    leaving, staying = Inbox(), Inbox()
    leave = fan_out.subscribe(leaving)
    fan_out.subscribe(staying)
    leave()
    leave()
    fan_out.publish(ANNA, b"later")
    assert (leaving.messages, staying.messages) == ([], [(ANNA, b"later")])


def test_publishing_without_a_listener_harms_nobody(fan_out: FanOutOfOurs) -> None:
    """A process without apps wires none."""
    fan_out.publish(ANNA, b"unheard")


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
def test_every_replica_gets_the_message_once(replica: Replica) -> None:
    """The shopper's socket may be at any replica, the decision was made at one."""
    deciding, serving = replica("deciding"), replica("serving")
    own, other = Inbox(), Inbox()
    for fan_out, inbox in ((deciding, own), (serving, other)):
        fan_out.subscribe(inbox)
        fan_out.start()
        assert fan_out.wait_until_listening(WAIT_S)
    deciding.publish(ANNA, b"offer")
    other.wait_for(b"offer")
    serving.publish(ANNA, b"end")
    own.wait_for(b"end")
    assert own.messages == [(ANNA, b"offer"), (ANNA, b"end")]
    assert other.messages == [(ANNA, b"offer"), (ANNA, b"end")]


@pytest.mark.broker
def test_a_killed_redis_stops_nothing_here_and_is_found_again(
    replica: Replica, redis_server: Server
) -> None:
    """Losing Redis costs the other replicas freshness, and never the own sockets an offer."""
    deciding, serving = replica("deciding"), replica("serving")
    own, other = Inbox(), Inbox()
    deciding.subscribe(own)
    serving.subscribe(other)
    deciding.start()
    serving.start()
    assert serving.wait_until_listening(WAIT_S)
    redis_server.kill()
    deciding.publish(ANNA, b"while away")
    assert own.messages == [(ANNA, b"while away")]
    wait_until(lambda: deciding.counters["unpublished"] == 1)
    redis_server.start()
    with redis.Redis(port=redis_server.port) as observer:
        wait_until(lambda: observer.pubsub_numsub(CHANNEL)[0][1] == 2)
    deciding.publish(ANNA, b"back")
    other.wait_for(b"back")
    assert (ANNA, b"while away") not in other.messages


@pytest.mark.broker
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00", b"[" * 100_000, b'["x"]', b'["x","y","not base64!"]', b"{}" * 40_000],
    ids=["empty", "not UTF-8", "deep", "short", "no base64", "long"],
)
def test_what_is_no_message_of_ours_is_counted_and_the_next_one_arrives(
    replica: Replica, redis_server: Server, content: bytes
) -> None:
    """A stranger on the same Redis must not be able to end the thread."""
    serving, deciding = replica("serving"), replica("deciding")
    inbox = Inbox()
    serving.subscribe(inbox)
    serving.start()
    deciding.start()
    assert serving.wait_until_listening(WAIT_S)
    with redis.Redis(port=redis_server.port) as stranger:
        stranger.publish(CHANNEL, content)
    wait_until(lambda: serving.counters["unreadable"] == 1)
    deciding.publish(ANNA, b"behind")
    inbox.wait_for(b"behind")


@pytest.mark.broker
@pytest.mark.timed
def test_a_redis_that_hangs_does_not_hold_the_relay_up(
    replica: Replica, redis_server: Server
) -> None:
    """A stopped process keeps its sockets open: the worst kind of away."""
    deciding = replica("deciding")
    deciding.start()
    assert deciding.wait_until_listening(WAIT_S)
    assert redis_server.process is not None
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        for _ in range(1_500):
            deciding.publish(ANNA, b"x")
        took_s = time.monotonic() - began_s
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    assert took_s < 0.25
    assert deciding.counters["unpublished"] >= 400
