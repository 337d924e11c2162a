"""TenantSites: the one rule by which a request is somebody's."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from inaisle.chain.tenant_sites import TenantSite, TenantSites
from inaisle.errors import InvalidSettings
from inaisle.settings import Settings
from inaisle.settings_sections import OffersSection, SiteSection
from offers.model.ids import TenantId
from rtls.model.units import SiteId

ACME, BOLT = TenantId("acme"), TenantId("bolt")
MITTE, NORD = SiteId("mitte"), SiteId("nord")
HOSTS = {"card.acme.example": "acme/nord", "bolt.example": "bolt/mitte"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("acme/mitte", "acme/nord", "bolt/mitte", ".git/mitte"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "site_map.geojson").write_text("{}")
    (tmp_path / "acme" / "empty").mkdir()
    return tmp_path


@pytest.fixture
def sites(folder: Path) -> TenantSites:
    return TenantSites(folder, HOSTS)


def shop(tenant: TenantId, site: SiteId) -> TenantSite:
    return TenantSite(tenant=tenant, site=site)


def test_a_shop_is_a_folder_with_a_map(sites: TenantSites) -> None:
    """Nothing else has to be written down to open one."""
    assert sites.all() == (shop(ACME, MITTE), shop(ACME, NORD), shop(BOLT, MITTE))


def test_a_key_is_good_at_its_site_whatever_host_is_named(sites: TenantSites) -> None:
    """A till that is sent to a wrong name still books where it stands."""
    for host in ("", "bolt.example", "card.acme.example"):
        assert sites.of_credential(ACME, MITTE, host=host) == shop(ACME, MITTE)


@pytest.mark.parametrize(
    ("host", "meant"),
    [("card.acme.example", NORD), ("CARD.acme.example:443", NORD), ("bolt.example", MITTE)],
)
def test_a_shopper_is_where_his_app_comes_from_and_never_at_another_retailer(
    sites: TenantSites, host: str, meant: SiteId
) -> None:
    """His card holds in all shops of the retailer: the host says in which he wishes to be."""
    assert sites.of_credential(ACME, None, host=host) == shop(ACME, meant)


def test_who_holds_a_credential_of_no_shop_here_is_nowhere(sites: TenantSites) -> None:
    """Another process may answer for it; this one says what it says of an unknown key."""
    assert sites.of_credential(BOLT, NORD, host="bolt.example") is None
    assert sites.of_credential(TenantId("corn"), None, host="bolt.example") is None


def test_without_a_credential_the_host_alone_counts(sites: TenantSites) -> None:
    """Enrolment and pages: a name that nobody set is nobody's."""
    assert sites.of_host("bolt.example") == shop(BOLT, MITTE)
    assert sites.of_host("evil.example") is None
    assert sites.of_host("") is None


def test_where_there_is_one_shop_every_name_is_its(tmp_path: Path) -> None:
    """As with a service of one shop, which asks for no host either."""
    (tmp_path / "acme" / "mitte").mkdir(parents=True)
    (tmp_path / "acme" / "mitte" / "site_map.geojson").write_text("{}")
    assert TenantSites(tmp_path, {}).of_host("10.0.0.7:8080") == shop(ACME, MITTE)


def test_a_host_that_leads_to_no_shop_is_refused(folder: Path) -> None:
    """A slip would send a retailer's shoppers to nowhere, and be seen by them first."""
    with pytest.raises(InvalidSettings, match=r"'x\.example' leads to 'acme/sued'"):
        TenantSites(folder, {"x.example": "acme/sued"})


def test_a_folder_without_shops_is_refused(tmp_path: Path) -> None:
    """A volume that is not mounted is an empty folder."""
    with pytest.raises(InvalidSettings, match="0 shops"):
        TenantSites(tmp_path, {})
    with pytest.raises(InvalidSettings, match="no folder"):
        TenantSites(tmp_path / "nowhere", {})


def test_a_shop_has_files_data_and_keys_of_its_own_and_the_secret_of_all(
    folder: Path, sites: TenantSites, tmp_path: Path
) -> None:
    """One key that opened every shop would be no key; one secret must tell all of them apart."""
    (folder / "bolt" / "mitte" / "campaigns.json").write_text("[]")
    settings = Settings(
        site=SiteSection(data=tmp_path / "var"),
        offers=OffersSection(till_key=SecretStr("the-same-for-everybody")),
    )
    own = sites.settings_of(shop(BOLT, MITTE), settings)
    assert (own.offers.tenant, own.offers.till_key) == (BOLT, None)
    assert own.offers.secret_key == tmp_path / "var" / "secret.key"
    assert own.site.data == tmp_path / "var" / "bolt" / "mitte"
    assert own.site.map == folder / "bolt" / "mitte" / "site_map.geojson"
    assert own.site.campaigns == folder / "bolt" / "mitte" / "campaigns.json"
    assert (own.site.catalogue, own.site.published) == (None, False)
