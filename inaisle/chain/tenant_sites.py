"""Say which shop of which retailer a request is for: the one rule, in one place.

Layer: doors. Takes: a folder `<tenant>/<site>/`, and the host names of the deployment. Gives: a
`TenantSite` for a credential or a host name, and the settings of its offers. What a request says in
path, body or header is no reason: the credential is, and without one the name that it was sent to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

from inaisle.chain.site_library import MAP_NAME, SiteLibrary
from inaisle.database.database_place import key_file
from inaisle.errors import InvalidSettings
from inaisle.settings import Settings
from inaisle.settings_sections import SiteSection
from offers.model.errors import InvalidTenant
from offers.model.ids import TenantId, check_name
from rtls.model.units import SiteId

SITES_MAX: Final = 10_000
BESIDE: Final = {
    "campaigns": "campaigns.json",
    "programme": "programme.json",
    "catalogue": "catalogue.csv",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSite:
    """One shop of one retailer."""

    tenant: TenantId
    site: SiteId

    @override
    def __str__(self) -> str:
        """Return the name of its folder."""
        return f"{self.tenant}/{self.site}"


class TenantSites:
    """The shops that a process answers for.

    Parameters
    ----------
    folder
        Of the settings: `tenants.sites`.
    hosts
        Of the settings: `tenants.hosts`.

    Raises
    ------
    InvalidSettings
        If there is no such folder, no shop in it, or a host leads to none.
    """

    def __init__(self, folder: Path, hosts: Mapping[str, str]) -> None:
        if not folder.is_dir():
            raise InvalidSettings(
                f"tenants.sites is {folder}, which is no folder; expected one with <tenant>/<site>/"
                f"{MAP_NAME} for each shop."
            )
        self._folder = folder
        self._sites = {str(found): found for found in _sites_in(folder)}
        if not 1 <= len(self._sites) <= SITES_MAX:
            raise InvalidSettings(
                f"tenants.sites: {folder} holds {len(self._sites)} shops; expected 1 to "
                f"{SITES_MAX}, each as <tenant>/<site>/{MAP_NAME}."
            )
        self._hosts = {host.lower(): self._named(host, name) for host, name in hosts.items()}

    def all(self) -> tuple[TenantSite, ...]:
        """Return them in the order of their names."""
        return tuple(self._sites.values())

    def of_host(self, host: str) -> TenantSite | None:
        """Return whose a request without a credential is; where there is one shop only, its."""
        if len(self._sites) == 1:
            return next(iter(self._sites.values()))
        return self._hosts.get(host.lower()) or self._hosts.get(_without_port(host).lower())

    def of_credential(
        self, tenant: TenantId, site: SiteId | None, *, host: str
    ) -> TenantSite | None:
        """Return where a credential is good, or None where this process does not answer for it.

        Parameters
        ----------
        tenant, site
            What the database says of it; a shopper's names no site.
        host
            Says which of the tenant's sites a shopper means; never which tenant.
        """
        if site is not None:
            return self._sites.get(f"{tenant}/{site}")
        meant = self.of_host(host)
        if meant is not None and meant.tenant == tenant:
            return meant
        return next((found for found in self._sites.values() if found.tenant == tenant), None)

    def settings_of(self, shop: TenantSite, settings: Settings) -> Settings:
        """Return the settings of the shop's offers: its own files, data and tenant."""
        folder = self._folder / shop.tenant / shop.site
        beside = {key: folder / name for key, name in BESIDE.items() if (folder / name).is_file()}
        site = SiteSection(
            map=folder / MAP_NAME,
            published=False,  # the folder is what all replicas have in common
            data=settings.site.data / shop.tenant / shop.site,
            **beside,
        )
        # A key that the settings give would open every shop: each makes its own.
        own = {"tenant": shop.tenant, "till_key": None, "staff_key": None}
        offers = settings.offers.model_copy(update={**own, "secret_key": key_file(settings)})
        return settings.model_copy(update={"site": site, "offers": offers})

    def _named(self, host: str, name: str) -> TenantSite:
        found = self._sites.get(name)
        if found is None:
            raise InvalidSettings(
                f"tenants.hosts: {host!r} leads to {name!r}; expected a shop of tenants.sites, "
                f"e.g. {next(iter(self._sites))!r}."
            )
        return found


def _sites_in(folder: Path) -> list[TenantSite]:
    found = []
    for beneath in sorted(folder.iterdir()):
        if beneath.is_dir() and _is_tenant(beneath.name):
            tenant = TenantId(beneath.name)
            sites = SiteLibrary(beneath).sites()
            found += [TenantSite(tenant=tenant, site=site) for site in sites]
    return found


def _is_tenant(name: str) -> bool:
    try:
        check_name("tenant", name, error=InvalidTenant)
    except InvalidTenant:
        return False
    return True


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
