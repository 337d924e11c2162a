"""Follow one set of each of many sites in Redis, without a thread for each.

Layer: edges. Takes: keys, a set a site, as `AdmittedTagsPublisher` keeps them. Gives: changed sets
to the archive of a chain, which asks between two turns. Redis that is away leaves the last sets.
"""

from collections.abc import Callable, Iterable
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from rtls.model.errors import NotDurable
from rtls.model.units import SiteId
from rtls.publish.redis_keys import version_of

SITES_AT_ONCE: Final = 500
NAMED_MAX: Final = 3


class SetsOfSites:
    """The sets as they were found last. Used by one thread; `trouble` may be asked from any.

    Parameters
    ----------
    client
        From `connect_redis`.
    key_of
        The name of a site's set.
    replace
        Takes the whole set of a site when it has changed.
    """

    def __init__(
        self,
        client: Redis,
        *,
        key_of: Callable[[SiteId], str],
        replace: Callable[[SiteId, frozenset[str]], None],
    ) -> None:
        self._client = client
        self._key_of = key_of
        self._replace = replace
        self._applied: dict[SiteId, bytes] = {}
        self._unsaid: tuple[SiteId, ...] = ()  # replaced whole: another thread reads it

    def trouble(self) -> str | None:
        """Return of which sites nobody has said anything yet, or None; for `Health.watch`."""
        unsaid = self._unsaid
        if not unsaid:
            return None
        some = ", ".join(unsaid[:NAMED_MAX])
        return f"nobody has said yet who counts at {len(unsaid)} sites, such as {some}"

    def refresh(self, sites: Iterable[SiteId]) -> None:
        """Ask for the sets of some sites.

        Raises
        ------
        NotDurable
            If Redis does not answer: what is known may be old then.
        """
        waiting = list(sites)
        try:
            for begin in range(0, len(waiting), SITES_AT_ONCE):
                self._refresh(waiting[begin : begin + SITES_AT_ONCE])
            self._unsaid = tuple(site for site in waiting if site not in self._applied)
        except (RedisError, OSError) as error:
            raise NotDurable(
                f"Redis does not say who may be counted ({error}); expected it to answer. Nothing "
                "is lost: the log waits."
            ) from error

    def _refresh(self, sites: list[SiteId]) -> None:
        digests = self._client.mget([version_of(self._key_of(site)) for site in sites])
        assert isinstance(digests, list)
        for site, digest in zip(sites, digests, strict=True):
            if isinstance(digest, bytes) and digest != self._applied.get(site):
                self._apply(site)

    def _apply(self, site: SiteId) -> None:
        key = self._key_of(site)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(version_of(key))
            pipeline.smembers(key)
            digest, names = pipeline.execute()
        if digest is None:
            return  # lost between the two looks; the last set stands
        self._replace(site, frozenset(name.decode() for name in names))
        self._applied[site] = digest
