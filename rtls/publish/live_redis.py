"""Write the latest fix of every tag to Redis, for views in other processes.

Layer: edges. Takes: fix batches from the locating loop, which never waits here. Gives: one hash a
tag with an expiry, and a sorted set of the tags, to `RedisLiveReader`. One thread flushes a few
times a second through a pipeline. While Redis is away fixes are dropped and counted; the next ones
are written when it is back.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import Second, SiteId, TagId, UnixMs
from rtls.publish.redis_keys import live_fix, live_index
from rtls.publish.redis_worker import RedisWorker

FLUSH_INTERVAL_S: Final = Second(0.25)
EXPIRY_S: Final = Second(60.0)
BATCHES_WAITING_MAX: Final = 256
TAGS_MAX: Final = 65_536
TAGS_A_PIPELINE: Final = 500
AT_FIELD: Final = "at_ms"
# All columns in one field, as JSON: redis-py pays for each argument of a command, and a
# field a column costs half as much again (30 instead of 19 microseconds a fix).
FIX_FIELD: Final = "fix"
# The slot belongs to the engine that wrote it; padding says nothing.
FIELDS: Final = tuple(name for name in FIX_DTYPE.names or () if name not in {"tag", "pad"})

Columns = dict[str, float | int | None]
Row = tuple[float | int, ...]
LatestFix = tuple[UnixMs, Row]


class RedisLiveState:
    """The writing side (port `LiveState`).

    Parameters
    ----------
    client
        From `connect_redis`.
    interval_s
        Between two flushes.
    expiry_s
        How long a tag's fix stays when no newer one comes; real time, as Redis counts it.
    """

    def __init__(
        self,
        client: Redis,
        *,
        site: SiteId,
        interval_s: Second = FLUSH_INTERVAL_S,
        expiry_s: Second = EXPIRY_S,
    ) -> None:
        self.counters = {"written": 0, "dropped_away": 0, "dropped_full": 0}
        self._client = client
        self._site = site
        self._expiry_ms = int(1000 * expiry_s)
        self._waiting: deque[tuple[FixBatch, tuple[TagId, ...]]] = deque()
        self._newest: dict[TagId, UnixMs] = {}
        self._worker = RedisWorker("redis-live-state", self._flush, interval_s=interval_s)

    def start(self) -> None:
        """Begin to flush."""
        self._worker.start()

    def close(self) -> None:
        """Flush once more if Redis is there, and end."""
        self._worker.stop()

    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes; ``tags`` names the rows. Copies them and returns.

        Raises
        ------
        ValueError
            If ``tags`` does not name each row.
        """
        if len(tags) != len(fixes.rows):
            raise ValueError(
                f"{len(tags)} tags for {len(fixes.rows)} fixes; expected one tag a row."
            )
        if not len(fixes.rows):
            return
        if len(self._waiting) >= BATCHES_WAITING_MAX:
            self._drop_oldest()
        self._waiting.append((FixBatch(at_ms=fixes.at_ms, rows=fixes.rows.copy()), tuple(tags)))

    def trouble(self) -> str | None:
        """Return why other processes see no fresh fixes, or None; for `Health.watch`."""
        return self._worker.trouble()

    def _drop_oldest(self) -> None:
        try:
            batch, _ = self._waiting.popleft()
        except IndexError:
            return  # the flusher was quicker
        self.counters["dropped_full"] += len(batch.rows)

    def _flush(self) -> None:
        latest = self._take_latest()
        if not latest:
            return
        try:
            rest = iter(latest.items())
            while portion := dict(islice(rest, TAGS_A_PIPELINE)):
                self._write(portion)
        except (RedisError, OSError):
            self.counters["dropped_away"] += len(latest)
            raise
        self.counters["written"] += len(latest)

    def _take_latest(self) -> dict[TagId, LatestFix]:
        """Take all that waits; of each tag the latest fix, none older than one taken before."""
        latest: dict[TagId, LatestFix] = {}
        while self._waiting:
            batch, tags = self._waiting.popleft()
            for tag, row in zip(tags, batch.rows[list(FIELDS)].tolist(), strict=True):
                if batch.at_ms >= self._newest.get(tag, 0):
                    self._newest[tag] = batch.at_ms
                    latest[tag] = (batch.at_ms, row)
        if len(self._newest) > TAGS_MAX:
            self._newest = {tag: self._newest[tag] for tag in latest}
        return latest

    def _write(self, latest: Mapping[TagId, LatestFix]) -> None:
        index = live_index(self._site)
        newest = max(at_ms for at_ms, _ in latest.values())
        with self._client.pipeline(transaction=False) as pipeline:
            for tag, (at_ms, row) in latest.items():
                key = live_fix(self._site, tag)
                pipeline.hset(key, items=[AT_FIELD, at_ms, FIX_FIELD, render_columns(row)])
                pipeline.pexpire(key, self._expiry_ms)
            pipeline.zadd(index, {tag: at_ms for tag, (at_ms, _) in latest.items()})
            # A tag stays in the index no longer than its hash, and the index no longer than both.
            pipeline.zremrangebyscore(index, "-inf", newest - self._expiry_ms)
            pipeline.pexpire(index, self._expiry_ms)
            pipeline.execute()


def render_columns(row: Row) -> bytes:
    """Return the columns of a fix, in the order of `FIELDS`, as JSON; NaN becomes null."""
    return msgspec.json.encode(dict(zip(FIELDS, row, strict=True)))


def parse_columns(content: bytes) -> Columns:
    """Return what `render_columns` has written."""
    return msgspec.json.decode(content, type=Columns)
