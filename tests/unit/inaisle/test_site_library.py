"""The library of a chain's sites: one folder each, and nothing outside of them."""

from pathlib import Path

import pytest

from inaisle.chain.chain_settings import kafka_address, site_library
from inaisle.chain.site_library import MAP_NAME, SiteLibrary
from inaisle.errors import InvalidSettings
from inaisle.settings_sections import ChainSection
from rtls.api.site_map_json import render_site_map
from rtls.model.errors import InvalidCalibration, InvalidSiteMap
from tests.unit.ingest.made_messages import make_map


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / MAP_NAME).write_bytes(render_site_map(make_map()))
    return tmp_path


def test_a_site_is_its_sub_folder_with_a_map(folder: Path) -> None:
    """A new shop is a new folder; notes and half-made folders beside it do no harm."""
    (folder / "half-made").mkdir()
    (folder / "notes.txt").write_text("")
    (folder / "Not an id").mkdir()
    library = SiteLibrary(folder)
    assert library.sites() == ("shop",)
    found = library.find("shop")
    assert found is not None
    assert (found.site, found.calibration) == ("shop", None)


@pytest.mark.parametrize(
    "name", ["moon", "half-made", "..", "../shop", "shop/", "", "/etc", "a" * 64]
)
def test_a_name_that_is_no_site_is_none_and_never_a_path(folder: Path, name: str) -> None:
    """It comes out of a message of the log: whoever writes there must not choose a file."""
    assert SiteLibrary(folder / "shop" / "..").find(name) is None
    assert SiteLibrary(folder / "shop").find("shop") is None


def test_files_that_cannot_be_used_are_named(folder: Path) -> None:
    """With a wrong map a worker would put every shopper into another shop."""
    library = SiteLibrary(folder)
    (folder / "other").mkdir()
    (folder / "other" / MAP_NAME).write_bytes(render_site_map(make_map()))
    with pytest.raises(InvalidSettings, match="is the map of site 'shop'; expected 'other'"):
        library.find("other")
    (folder / "other" / MAP_NAME).write_text("{")
    with pytest.raises(InvalidSiteMap, match=MAP_NAME):
        library.find("other")
    (folder / "shop" / "calibration.json").write_text("{}")
    with pytest.raises(InvalidCalibration):
        library.find("shop")


def test_a_chain_that_is_not_set_up_says_what_to_set() -> None:
    """The first start of a bridge is on a machine where nothing is."""
    with pytest.raises(InvalidSettings, match="--brokers"):
        kafka_address(ChainSection())
    with pytest.raises(InvalidSettings, match="--sites"):
        site_library(ChainSection())
    with pytest.raises(InvalidSettings, match="which is no folder"):
        site_library(ChainSection(sites=Path("nowhere")))
