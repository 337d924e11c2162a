"""The names of everything locating keeps in Redis, and how to connect.

Layer: edges. Takes: site, tag, address. Gives: keys and a client to the modules of this package.
The names are a contract with other processes: the offers side reads `visits_stream` by name.
"""

from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from rtls.model.units import Second, SiteId, TagId

SOCKET_TIMEOUT_S: Final = Second(1.0)
EVENT_FIELD: Final = b"event"


def connect_redis(url: str, *, timeout_s: Second = SOCKET_TIMEOUT_S) -> Redis:
    """Return a client that gives up soon and never retries by itself: our threads do that.

    Parameters
    ----------
    url
        ``redis://host:port/0``, ``rediss://…`` or ``unix://…``.
    timeout_s
        For connecting and for each answer.
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )


def visits_stream(site: SiteId) -> str:
    """Return the stream of zone events; each entry has one field, `EVENT_FIELD`."""
    return f"inaisle:{site}:visits"


def sent_position(site: SiteId, journal_id: str) -> str:
    """Return the key of the last sequence that a journal has put into the stream."""
    return f"inaisle:{site}:visits:sent:{journal_id}"


def live_fix(site: SiteId, tag: TagId) -> str:
    """Return the hash of a tag's latest fix."""
    return f"inaisle:{site}:fix:{tag}"


def live_index(site: SiteId) -> str:
    """Return the sorted set of tags with a live fix, scored by the instant of the fix."""
    return f"inaisle:{site}:fixes"


def phone_scans(site: SiteId) -> str:
    """Return the list of scans on their way to locating; short-lived."""
    return f"inaisle:{site}:scans"


def admitted_tags(site: SiteId) -> str:
    """Return the set of tags that may be located."""
    return f"inaisle:{site}:admitted"


def counted_tags(site: SiteId) -> str:
    """Return the set of tags that count in reports, each as `render_counted` writes it."""
    return f"inaisle:{site}:counted"


def zones_of_offers(site: SiteId) -> str:
    """Return the digest of the zones that the offers side runs on; short-lived."""
    return f"inaisle:{site}:zones"


def version_of(key: str) -> str:
    """Return the key of the digest of such a set."""
    return f"{key}:version"
