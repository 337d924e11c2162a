"""Read the latest fixes that another process has written to Redis.

Layer: edges. Takes: what `RedisLiveState` keeps there. Gives: `LiveFixes` to rtls.api, in a process
that does not locate.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from redis import Redis
from redis.exceptions import RedisError

from rtls.model.errors import LiveStateAway
from rtls.model.fix import FIX_DTYPE
from rtls.model.units import SiteId, TagId, UnixMs
from rtls.ports import LiveFixes
from rtls.publish.live_redis import AT_FIELD, FIELDS, TAGS_A_PIPELINE, TAGS_MAX
from rtls.publish.redis_keys import live_fix, live_index

ALL_FIELDS: Final = [AT_FIELD, *FIELDS]
Hash = Sequence[bytes | None]


class RedisLiveReader:
    """The reading side (port `LiveStateReader`).

    Parameters
    ----------
    client
        From `connect_redis`.
    """

    def __init__(self, client: Redis, *, site: SiteId) -> None:
        self._client = client
        self._site = site

    def latest(self, *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        """Return the latest fix of each tag not older than ``max_age_ms``.

        Raises
        ------
        LiveStateAway
            If Redis does not answer.
        """
        since_ms = now_ms - max_age_ms
        try:
            tags = self._tags_since(since_ms)
            hashes = self._hashes_of(tags)
        except (RedisError, OSError) as error:
            raise LiveStateAway(
                f"the live fixes of {self._site} cannot be read from Redis ({error}); expected it "
                "to answer. Locating and offers go on; the view returns with Redis."
            ) from error
        found = [
            (tag, values)
            for tag, values in zip(tags, hashes, strict=True)
            if values[0] is not None and int(values[0]) >= since_ms
        ]
        return live_fixes(found)

    def _tags_since(self, since_ms: int) -> list[TagId]:
        names = self._client.zrange(
            live_index(self._site), since_ms, "+inf", byscore=True, offset=0, num=TAGS_MAX
        )
        return [TagId(name.decode()) for name in names if isinstance(name, bytes)]

    def _hashes_of(self, tags: Sequence[TagId]) -> list[Hash]:
        hashes: list[Hash] = []
        for start in range(0, len(tags), TAGS_A_PIPELINE):
            with self._client.pipeline(transaction=False) as pipeline:
                for tag in tags[start : start + TAGS_A_PIPELINE]:
                    pipeline.hmget(live_fix(self._site, tag), ALL_FIELDS)
                hashes += pipeline.execute()
        return hashes


def live_fixes(found: Sequence[tuple[TagId, Hash]]) -> LiveFixes:
    """Return the arrays of tags and the values of their hashes, in the order of `ALL_FIELDS`."""
    rows = np.zeros(len(found), FIX_DTYPE)
    for column, name in enumerate(FIELDS, 1):
        # By way of float: what Redis holds is text, and every column fits a double exactly.
        rows[name] = [float(values[column] or "nan") for _, values in found]
    return LiveFixes(
        tags=tuple(tag for tag, _ in found),
        at_ms=np.array([int(values[0] or 0) for _, values in found], np.int64),
        rows=rows,
    )
