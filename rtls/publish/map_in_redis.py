"""Let locating say when offers run on other zones: in two processes each takes up a map by itself.

Layer: edges. Takes: a digest of the zones from each side's door. Gives: the offers side's to Redis,
and to the health of the locating side why the two do not fit.
"""

from typing import Final

from redis import Redis

from rtls.model.units import Second, SiteId
from rtls.publish.redis_keys import zones_of_offers
from rtls.publish.redis_worker import RedisWorker

INTERVAL_S: Final = Second(2.0)
KEPT_S: Final = 60
"""Whoever has not said it for so long does not run."""


class ZonesTeller:
    """The offers side: says again and again which zones it runs on."""

    def __init__(self, client: Redis, *, site: SiteId, digest: str) -> None:
        self._client = client
        self._key = zones_of_offers(site)
        self._digest = digest
        self._worker = RedisWorker("zones-teller", self._step, interval_s=INTERVAL_S)

    def start(self) -> None:
        """Begin to tell."""
        self._worker.start()

    def close(self) -> None:
        """End."""
        self._worker.stop()

    def _step(self) -> None:
        self._client.set(self._key, self._digest, ex=KEPT_S)


class ZonesListener:
    """The locating side: compares what the offers side says with its own zones."""

    def __init__(
        self, client: Redis, *, site: SiteId, digest: str, interval_s: Second = INTERVAL_S
    ) -> None:
        self._client = client
        self._key = zones_of_offers(site)
        self._digest = digest
        self._told: str | None = None
        self._worker = RedisWorker("zones-listener", self._step, interval_s=interval_s)

    def start(self) -> None:
        """Begin to listen."""
        self._worker.start()

    def close(self) -> None:
        """End."""
        self._worker.stop()

    def trouble(self) -> str | None:
        """Return why visits may name zones that offers do not know, or None."""
        told = self._told
        if told is None or told == self._digest:
            return None
        return (
            f"offers run on other zones ({told}) than locating ({self._digest}); expected the same "
            "map. Let both share site.data, or give both the same site.map."
        )

    def _step(self) -> None:
        told = self._client.get(self._key)
        self._told = told.decode("ascii", "replace") if isinstance(told, bytes) else None
