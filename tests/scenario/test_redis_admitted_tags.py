"""Consent reaches the locating process through Redis, and outlives Redis."""

from collections.abc import Callable, Iterable, Iterator

import pytest
import redis

from rtls.model.units import Second, SiteId, TagId
from rtls.publish.admitted_tags_redis import AdmittedTagsFollower, AdmittedTagsPublisher
from rtls.publish.redis_keys import connect_redis, counted_tags
from tests.conftest import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.broker

SITE = SiteId("demo")
SOON = Second(0.02)


class Records:
    """Stands for the consents in the database."""

    def __init__(self, *tags: str) -> None:
        self.tags = set(tags)
        self.reads = 0
        self.error: Exception | None = None

    def read(self) -> Iterable[TagId]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return [TagId(tag) for tag in self.tags]


class Admission:
    """Stands for the admission of the locating process."""

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.replacements = 0

    def replace(self, tags: Iterable[TagId]) -> None:
        self.tags = set(tags)
        self.replacements += 1


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


Publish = Callable[[Records], AdmittedTagsPublisher]


@pytest.fixture
def client(redis_server: Server) -> Iterator[redis.Redis]:
    client = connect_redis(f"redis://{redis_server.host}:{redis_server.port}/0")
    yield client
    client.close()


@pytest.fixture
def publish(client: redis.Redis) -> Iterator[Publish]:
    started: list[AdmittedTagsPublisher] = []

    def start(records: Records) -> AdmittedTagsPublisher:
        publisher = AdmittedTagsPublisher(
            client, site=SITE, read_tags=records.read, interval_s=SOON
        )
        started.append(publisher)
        publisher.start()
        return publisher

    yield start
    for publisher in started:
        publisher.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission() -> Admission:
    return Admission()


@pytest.fixture
def follower(
    client: redis.Redis, admission: Admission, clock: Clock
) -> Iterator[AdmittedTagsFollower]:
    follower = AdmittedTagsFollower(
        client, site=SITE, replace=admission.replace, monotonic_s=clock, interval_s=SOON
    )
    follower.start()
    yield follower
    follower.close()


@pytest.mark.usefixtures("follower")
def test_a_consent_granted_and_withdrawn_reaches_locating(
    publish: Publish, admission: Admission
) -> None:
    """Granted, the tag is located; withdrawn, its readings are dropped in memory."""
    records = Records("tag-1")
    publisher = publish(records)
    wait_until(lambda: admission.tags == {"tag-1"})
    records.tags.add("tag-2")
    publisher.changed()
    wait_until(lambda: admission.tags == {"tag-1", "tag-2"})
    records.tags.clear()
    publisher.changed()
    wait_until(lambda: admission.tags == set())
    assert admission.replacements == 3


def test_before_anybody_has_spoken_nobody_is_located(
    follower: AdmittedTagsFollower, admission: Admission
) -> None:
    """Without a word on consent the answer is no, and the operator can see why."""
    wait_until(lambda: follower.trouble() is not None)
    assert "nobody has said yet" in (follower.trouble() or "")
    assert admission.tags == set()


def test_a_redis_that_lost_its_data_is_filled_again_and_locating_does_not_stop(
    redis_server: Server, publish: Publish, follower: AdmittedTagsFollower, admission: Admission
) -> None:
    """A dwell of four minutes must not break because Redis restarted."""
    records = Records("tag-1")
    publisher = publish(records)
    wait_until(lambda: admission.tags == {"tag-1"})
    redis_server.kill()
    wait_until(lambda: follower.trouble() is not None and publisher.trouble() is not None)
    assert admission.tags == {"tag-1"}
    records.tags.add("tag-2")
    publisher.changed()
    redis_server.start()
    wait_until(lambda: admission.tags == {"tag-1", "tag-2"})
    wait_until(lambda: follower.trouble() is None and publisher.trouble() is None)


def test_a_set_unconfirmed_for_too_long_is_given_up(
    redis_server: Server,
    publish: Publish,
    admission: Admission,
    follower: AdmittedTagsFollower,
    clock: Clock,
) -> None:
    """A withdrawal may not have reached us: fifteen minutes on, we stop rather than guess."""
    publish(Records("tag-1"))
    wait_until(lambda: admission.tags == {"tag-1"})
    redis_server.kill()
    clock.now_s = 899.0
    wait_until(lambda: follower.trouble() is not None)
    assert admission.tags == {"tag-1"}
    clock.now_s = 901.0
    wait_until(lambda: admission.tags == set())
    redis_server.start()
    wait_until(lambda: admission.tags == {"tag-1"})


@pytest.mark.usefixtures("follower")
def test_two_replicas_agree_on_what_the_records_say(publish: Publish, admission: Admission) -> None:
    """Only one of them is told of the change; the other must not write its old set back."""
    records = Records("tag-1")
    told, untold = publish(records), publish(records)
    wait_until(lambda: admission.tags == {"tag-1"})
    records.tags = {"tag-2"}
    told.changed()
    wait_until(lambda: admission.tags == {"tag-2"})
    reads = records.reads
    wait_until(lambda: records.reads > reads or untold._written == told._written)
    wait_until(lambda: untold._written == told._written)
    assert admission.tags == {"tag-2"}
    assert admission.replacements == 2


@pytest.mark.usefixtures("follower")
def test_a_database_locked_for_a_moment_does_not_end_the_publisher(
    publish: Publish, admission: Admission
) -> None:
    """A dead thread would freeze everybody's consent until the next restart."""
    records = Records("tag-1")
    records.error = RuntimeError("database is locked")
    publisher = publish(records)
    wait_until(lambda: "database is locked" in (publisher.trouble() or ""))
    records.error = None
    wait_until(lambda: admission.tags == {"tag-1"})


def test_who_counts_in_reports_crosses_redis_beside_who_may_be_located(
    client: redis.Redis, admission: Admission
) -> None:
    """`analytics` is a consent of its own: neither set may stand for the other."""
    located, reported = Records("tag-1", "tag-2"), Records("tag-1\t5\tnew")
    counted = Admission()
    key = counted_tags(SITE)
    ends = [
        AdmittedTagsPublisher(client, site=SITE, read_tags=located.read, interval_s=SOON),
        AdmittedTagsPublisher(client, site=SITE, read_tags=reported.read, interval_s=SOON, key=key),
        AdmittedTagsFollower(
            client, site=SITE, replace=admission.replace, monotonic_s=Clock(), interval_s=SOON
        ),
        AdmittedTagsFollower(
            client,
            site=SITE,
            replace=counted.replace,
            monotonic_s=Clock(),
            interval_s=SOON,
            key=key,
        ),
    ]
    for end in ends:
        end.start()
    try:
        wait_until(lambda: admission.tags == {"tag-1", "tag-2"})
        wait_until(lambda: counted.tags == {"tag-1\t5\tnew"})
        reported.tags.clear()
        ends[1].changed()
        wait_until(lambda: counted.tags == set())
        assert admission.tags == {"tag-1", "tag-2"}
    finally:
        for end in ends:
            end.close()


def test_a_change_that_another_process_was_told_of_reaches_redis_too(client: redis.Redis) -> None:
    """Of the processes of a retailer one is told of a withdrawal, perhaps that of another site."""
    records = Records("tag:1")
    publisher = AdmittedTagsPublisher(
        client, site=SITE, read_tags=records.read, interval_s=SOON, reread_every=2
    )
    publisher.start()
    wait_until(lambda: client.smembers("inaisle:demo:admitted") == {b"tag:1"})
    records.tags.clear()  # and nobody calls `changed`
    wait_until(lambda: client.smembers("inaisle:demo:admitted") == set())
    publisher.close()
