"""Tell the locating process which tags may be located, and which of them count in reports.

Layer: edges. Takes: tags whose shoppers consented to `locate`, or `analytics`, from the side that
knows shoppers. Gives: the same set to the admission, or to the history, of the locating process by
way of Redis, which holds a set and a digest of it: two sets with one digest are the same set, even
after Redis has begun anew.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable
from typing import Final

from redis import Redis

from rtls.model.units import Second, SiteId, TagId
from rtls.publish.redis_keys import admitted_tags, version_of
from rtls.publish.redis_worker import RedisWorker

POLL_INTERVAL_S: Final = Second(1.0)
TAGS_MAX: Final = 1_000_000
DIGEST_BYTES: Final = 16


class AdmittedTagsPublisher:
    """The side that knows who consented: keeps the set in Redis equal to its own records.

    Parameters
    ----------
    client
        From `connect_redis`.
    read_tags
        Reads all tags with consent from the records; called in the publisher's thread, at the
        start, after `changed`, and whenever Redis holds something else (it lost its data, or
        another replica wrote). What it raises of ``retry_on`` is tried again, like Redis.
    key
        Of the set, where it is not that of the tags that may be located.
    reread_every
        The records are read at every so many looks also where nobody has said `changed`, for whom
        another process may be told instead; None: never.
    """

    def __init__(
        self,
        client: Redis,
        *,
        site: SiteId,
        read_tags: Callable[[], Iterable[str]],
        interval_s: Second = POLL_INTERVAL_S,
        retry_on: tuple[type[Exception], ...] = (Exception,),
        key: str | None = None,
        reread_every: int | None = None,
    ) -> None:
        self._client = client
        self._key = key or admitted_tags(site)
        self._read_tags = read_tags
        self._reread_every = reread_every
        self._looks = 0
        self._is_changed = threading.Event()
        self._is_changed.set()
        self._written: bytes | None = None
        self._worker = RedisWorker(
            "admitted-tags-publisher", self._step, interval_s=interval_s, retry_on=retry_on
        )

    def start(self) -> None:
        """Begin to publish."""
        self._worker.start()

    def changed(self) -> None:
        """Say that a consent or a pairing has changed; returns at once, from any thread."""
        self._is_changed.set()
        self._worker.wake()

    def close(self) -> None:
        """Publish once more if Redis is there, and end."""
        self._worker.stop()

    def trouble(self) -> str | None:
        """Return why the locating process may hold an old set, or None; for `Health.watch`."""
        return self._worker.trouble()

    def _step(self) -> None:
        self._looks += 1
        if self._reread_every is not None and self._looks % self._reread_every == 0:
            self._is_changed.set()
        in_redis = self._client.get(version_of(self._key))
        if not self._is_changed.is_set() and in_redis == self._written:
            return
        # Cleared before reading: a change during the read is read again in the next step. Set
        # anew when Redis fails in between, or the change would be forgotten.
        self._is_changed.clear()
        try:
            self._write(frozenset(self._read_tags()), in_redis)
        except BaseException:
            self._is_changed.set()
            raise

    def _write(self, tags: frozenset[str], in_redis: object) -> None:
        digest = digest_of(tags)
        if digest != in_redis:
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.delete(self._key)
                if tags:
                    pipeline.sadd(self._key, *tags)
                pipeline.set(version_of(self._key), digest)
                pipeline.execute()
        self._written = digest


class AdmittedTagsFollower:
    """The locating side: asks each second, and hands a changed set to admission.

    While Redis is away or empty the last set stands: a dwell under way goes on. A set that has not
    been confirmed for ``trust_s`` is given up, for a withdrawal may not have reached us.

    Parameters
    ----------
    client
        From `connect_redis`.
    replace
        Takes the whole set, in the follower's thread (`AdmittedTags.replace`).
    monotonic_s
        The door's monotonic clock, in seconds.
    key
        As the publisher has it.
    """

    def __init__(
        self,
        client: Redis,
        *,
        site: SiteId,
        replace: Callable[[Iterable[TagId]], None],
        monotonic_s: Callable[[], float],
        interval_s: Second = POLL_INTERVAL_S,
        trust_s: Second = Second(900.0),
        key: str | None = None,
    ) -> None:
        self._client = client
        self._key = key or admitted_tags(site)
        self._replace = replace
        self._monotonic_s = monotonic_s
        self._trust_s = trust_s
        self._applied: bytes | None = None
        self._confirmed_at_s = monotonic_s()
        self._worker = RedisWorker("admitted-tags-follower", self._step, interval_s=interval_s)

    def start(self) -> None:
        """Begin to follow."""
        self._worker.start()

    def close(self) -> None:
        """End."""
        self._worker.stop()

    def trouble(self) -> str | None:
        """Return why the set may be old, or None; for `Health.watch`."""
        reason = self._worker.trouble()
        if reason is None and self._applied is None:
            reason = f"nobody has said yet which tags may be located ({self._key})"
        return reason

    def _step(self) -> None:
        try:
            self._follow()
        finally:
            self._give_up_when_old()

    def _follow(self) -> None:
        digest = self._client.get(version_of(self._key))
        if isinstance(digest, bytes):
            if digest != self._applied:
                self._apply()
            self._confirmed_at_s = self._monotonic_s()

    def _apply(self) -> None:
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(version_of(self._key))
            pipeline.smembers(self._key)
            digest, names = pipeline.execute()
        if digest is None:
            return  # lost between the two looks; the last set stands
        self._replace(frozenset(TagId(name.decode()) for name in names))
        self._applied = digest

    def _give_up_when_old(self) -> None:
        is_old = self._monotonic_s() - self._confirmed_at_s > self._trust_s
        if is_old and self._applied is not None:
            self._replace(frozenset())
            self._applied = None


def digest_of(tags: Iterable[str]) -> bytes:
    """Return the digest of a set of tags, whatever their order.

    Examples
    --------
    >>> digest_of([TagId("a"), TagId("b")]) == digest_of([TagId("b"), TagId("a")])
    True
    """
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for tag in sorted(tags):
        digest.update(tag.encode() + b"\x00")
    return digest.hexdigest().encode()
