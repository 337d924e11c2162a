"""What phones hear gets from one process to the other through Redis, or not at all."""

from collections.abc import Callable, Iterator

import pytest
import redis

from rtls.ingest.queue_source import QueueSource
from rtls.model.units import Second, SiteId, UnixMs
from rtls.publish.redis_keys import connect_redis, phone_scans
from rtls.publish.scans_redis import WAITING_MAX, ScanFollower, ScanPublisher
from tests.conftest import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.broker
SITE = SiteId("demo")
TOPIC = "$phone/app:1"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def connect(redis_server: Server) -> Iterator[Callable[[], redis.Redis]]:
    def new() -> redis.Redis:
        return connect_redis(f"redis://{redis_server.host}:{redis_server.port}/0")

    new().flushall()
    yield new
    new().flushall()


def test_scans_come_in_their_order_byte_by_byte(connect: Callable[[], redis.Redis]) -> None:
    """The locating side decodes what the API has checked."""
    queue = QueueSource(clock=lambda: UnixMs(7))
    publisher = ScanPublisher(connect(), site=SITE, monotonic_s=Clock())
    follower = ScanFollower(connect(), site=SITE, take=queue.put, interval_s=Second(0.01))
    publisher.start()
    follower.start()
    payloads = [b'{"obs":[%d]}' % number for number in range(50)]
    assert all(publisher.put(TOPIC, payload) for payload in payloads)
    wait_until(lambda: queue.counters["taken"] == len(payloads))
    messages = queue.poll(0.0)
    assert [one.payload for one in messages] == payloads
    assert {one.topic for one in messages} == {TOPIC}
    publisher.close()
    follower.close()


def test_a_scan_that_has_waited_too_long_is_dropped(connect: Callable[[], redis.Redis]) -> None:
    """It would put the shopper where he was."""
    clock = Clock()
    publisher = ScanPublisher(connect(), site=SITE, monotonic_s=clock)
    publisher._waiting.append((0.0, b"old"))
    clock.now_s = 1.5
    publisher._step()
    assert publisher.counters["too_old"] == 1
    assert connect().llen(phone_scans(SITE)) == 0


def test_what_nobody_takes_is_bounded_and_goes_by_itself(
    connect: Callable[[], redis.Redis],
) -> None:
    """The locating process is down; Redis must not fill, nor old scans wait for it."""
    client = connect()
    publisher = ScanPublisher(client, site=SITE, monotonic_s=Clock())
    client.rpush(phone_scans(SITE), *[b"x"] * (WAITING_MAX + 10))
    publisher._waiting.append((0.0, b"y"))
    publisher._step()
    assert client.llen(phone_scans(SITE)) == WAITING_MAX
    assert 0 < client.ttl(phone_scans(SITE)) <= 2


def test_while_redis_is_away_the_phone_is_told(free_port: int) -> None:
    """503, so that the app does not believe it is being located."""
    away = connect_redis(f"redis://127.0.0.1:{free_port}/0", timeout_s=Second(0.2))
    publisher = ScanPublisher(away, site=SITE, monotonic_s=Clock())
    assert not publisher.put(TOPIC, b"{}"), "not started"
    publisher.start()
    wait_until(lambda: publisher.trouble() is not None)
    assert not publisher.put(TOPIC, b"{}")
    assert publisher.counters["refused"] == 2
    publisher.close()


def test_what_is_no_scan_is_counted(connect: Callable[[], redis.Redis]) -> None:
    """Somebody else wrote under our key."""
    client = connect()
    client.rpush(phone_scans(SITE), b"\xc1", b"text")
    follower = ScanFollower(client, site=SITE, take=lambda _topic, _payload: True)
    follower._step()
    assert follower.counters == {"followed": 0, "unreadable": 2}
