"""Where the archive of a chain lies: each retailer's apart from the others'."""

from pathlib import Path

import pytest

from inaisle.chain.chain_settings import archive_url, salts_folder
from inaisle.settings import Settings
from inaisle.settings_sections import ArchiveSection, OffersSection, SiteSection


def settings(tenant: str | None, to: str = "s3://bucket/chain/") -> Settings:
    offers = OffersSection() if tenant is None else OffersSection(tenant=tenant)
    return Settings(
        archive=ArchiveSection(to=to), offers=offers, site=SiteSection(data=Path("var"))
    )


def test_two_retailers_with_a_site_of_one_name_share_no_object_and_no_salt() -> None:
    """The same settings for both would otherwise mix the shoppers of two firms."""
    ours, theirs = settings("acme"), settings("emca")
    assert archive_url(ours) == "s3://bucket/chain/tenant=acme"
    assert archive_url(ours) != archive_url(theirs)
    assert salts_folder(ours) != salts_folder(theirs)


@pytest.mark.parametrize(("to", "expected"), [("s3://bucket/chain", "s3://bucket/chain"), ("", "")])
def test_a_retailer_alone_has_the_place_as_it_is_set(to: str, expected: str) -> None:
    """Nothing of one chain has to move because others could be there."""
    alone = settings(None, to)
    assert archive_url(alone) == expected
    assert salts_folder(alone) == Path("var/archive-salts")
