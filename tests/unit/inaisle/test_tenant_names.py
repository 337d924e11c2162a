"""What a tenant's things are called outside the database: in Redis, and on the chain's log."""

import pytest

from inaisle.chain.chain_settings import topic_plan
from inaisle.service.redis_site import site_in_redis
from inaisle.settings import Settings
from inaisle.settings_sections import OffersSection
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import check_id
from rtls.model.units import SiteId
from rtls.publish.kafka.topics import Topic

MITTE = SiteId("mitte")


def of(tenant: str) -> Settings:
    return Settings(offers=OffersSection(tenant=tenant))


def test_shops_of_the_same_name_share_nothing_in_redis() -> None:
    """Else the one's apps would get the other's offers, and its tags would be located for both."""
    assert site_in_redis(of("acme"), MITTE) != site_in_redis(of("bolt"), MITTE)
    assert site_in_redis(of("default"), MITTE) == MITTE


def test_no_site_can_take_a_name_that_is_another_tenants() -> None:
    """The name has a character that no site has."""
    with pytest.raises(InvalidSiteMap):
        check_id("site", site_in_redis(of("acme"), MITTE))


def test_each_tenant_has_topics_of_its_own() -> None:
    """A worker reads whole topics: two tenants in one would meet in its state."""
    names = {topic_plan(of(name)).name(Topic.EVENTS) for name in ("default", "acme", "bolt")}
    assert names == {"inaisle.events", "inaisle.acme.events", "inaisle.bolt.events"}
