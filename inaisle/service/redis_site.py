"""Say what a site is called in Redis, where several retailers may have one of the same id.

Layer: doors. Takes: settings and a site. Gives: the site as keys and channels name it, to every
process that wires something to Redis.
"""

from inaisle.settings import Settings
from offers.model.ids import ONLY_TENANT
from rtls.model.units import SiteId


def site_in_redis(settings: Settings, site: SiteId) -> SiteId:
    """Return what keys name a site by: with its tenant, where it is not the only one."""
    tenant = settings.offers.tenant
    # "/" stands in no id: no site of anybody is named like it.
    return site if tenant == ONLY_TENANT else SiteId(f"{tenant}/{site}")
