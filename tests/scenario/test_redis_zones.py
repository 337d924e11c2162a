"""Locating and offers in two processes: who runs on another map than the other is said."""

from collections.abc import Iterator

import pytest
import redis

from rtls.model.units import Second, SiteId
from rtls.publish.map_in_redis import ZonesListener, ZonesTeller
from rtls.publish.redis_keys import connect_redis, zones_of_offers
from tests.conftest import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.broker
SITE = SiteId("zones-demo")


@pytest.fixture
def client(redis_server: Server) -> Iterator[redis.Redis]:
    found = connect_redis(f"redis://{redis_server.host}:{redis_server.port}/0")
    found.delete(zones_of_offers(SITE))
    yield found
    found.close()


def test_other_zones_are_said_and_the_same_zones_are_not(client: redis.Redis) -> None:
    """A map was published on a folder that locating does not see: its visits fit no campaign."""
    listener = ZonesListener(client, site=SITE, digest="old", interval_s=Second(0.02))
    listener.start()
    assert listener.trouble() is None  # offers do not run yet
    teller = ZonesTeller(client, site=SITE, digest="new")
    teller.start()
    wait_until(lambda: listener.trouble() is not None)
    assert "share site.data" in str(listener.trouble())
    teller.close()
    again = ZonesTeller(client, site=SITE, digest="old")
    again.start()
    wait_until(lambda: listener.trouble() is None)
    again.close()
    listener.close()
