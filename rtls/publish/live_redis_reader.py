"""Read the latest fixes that another process has written to Redis.

Layer: edges. Takes: what `RedisLiveState` keeps there. Gives: `LiveFixes` to rtls.api, in a process
that does not locate.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from redis import Redis
from redis.exceptions import RedisError

from rtls.model.errors import LiveStateAway
from rtls.model.fix import FIX_DTYPE
from rtls.model.units import SiteId, TagId, UnixMs
from rtls.ports import LiveFixes
from rtls.publish.live_redis import (
    AT_FIELD,
    FIELDS,
    FIX_FIELD,
    TAGS_A_PIPELINE,
    TAGS_MAX,
    Columns,
    parse_columns,
)
from rtls.publish.redis_keys import live_fix, live_index

Hash = tuple[int, Columns]


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

        Raises `LiveStateAway` if Redis does not answer.
        """
        return self._read(lambda: self._tags_since(now_ms - max_age_ms), now_ms - max_age_ms)

    def latest_of(self, tags: Sequence[TagId], *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        """Return the same of some tags only, those of one person; unknown ones are left out.

        Raises `LiveStateAway` if Redis does not answer.
        """
        return self._read(lambda: tags, now_ms - max_age_ms)

    def _read(self, tags: Callable[[], Sequence[TagId]], since_ms: int) -> LiveFixes:
        try:
            found = self._hashes_of(tags())
        except (RedisError, OSError) as error:
            raise LiveStateAway(
                f"the live fixes of {self._site} cannot be read from Redis ({error}); expected it "
                "to answer. Locating and offers go on; the view returns with Redis."
            ) from error
        return live_fixes({tag: fix for tag, fix in found.items() if fix[0] >= since_ms})

    def _tags_since(self, since_ms: int) -> list[TagId]:
        names = self._client.zrange(
            live_index(self._site), since_ms, "+inf", byscore=True, offset=0, num=TAGS_MAX
        )
        return [TagId(name.decode()) for name in names if isinstance(name, bytes)]

    def _hashes_of(self, tags: Sequence[TagId]) -> dict[TagId, Hash]:
        """Return the fixes of the tags that have not expired since the index was read."""
        found: dict[TagId, Hash] = {}
        for start in range(0, len(tags), TAGS_A_PIPELINE):
            portion = tags[start : start + TAGS_A_PIPELINE]
            with self._client.pipeline(transaction=False) as pipeline:
                for tag in portion:
                    pipeline.hmget(live_fix(self._site, tag), [AT_FIELD, FIX_FIELD])
                for tag, (at_ms, fix) in zip(portion, pipeline.execute(), strict=True):
                    if at_ms is not None and fix is not None:
                        found[tag] = (int(at_ms), parse_columns(fix))
        return found


def live_fixes(found: Mapping[TagId, Hash]) -> LiveFixes:
    """Return the arrays of tags and their fixes."""
    rows = np.zeros(len(found), FIX_DTYPE)
    for name in FIELDS:
        values = [columns[name] for _, columns in found.values()]
        rows[name] = [math.nan if value is None else value for value in values]
    return LiveFixes(
        tags=tuple(found),
        at_ms=np.array([at_ms for at_ms, _ in found.values()], np.int64),
        rows=rows,
    )
