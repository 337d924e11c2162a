"""Access keys: the first till and the first operator can work, and nobody else can read why."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from inaisle.errors import InvalidSettings
from inaisle.settings_sections import OffersSection
from inaisle.staff.access_keys import FILE, AccessKeys, provide_keys
from offers.handlers.people.issue_credential import identify_caller
from offers.model.people.shopper import Role
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from rtls.model.units import SiteId, UnixMs
from tests.ready_database import lay_down_ready_database


class Shop:
    """A database with the folder that its keys lie in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lay_down_ready_database(folder / "offers.sqlite")
        self.secrets = SystemSecretSource(load_key(folder / "secret.key"))
        self.writer = Writer(folder / "offers.sqlite")

    def provide(self, **section: SecretStr) -> AccessKeys:
        return provide_keys(
            OffersSection(**section),
            folder=self.folder,
            site=SiteId("s"),
            writer=self.writer,
            secrets=self.secrets,
            now_ms=UnixMs(1_000),
        )

    def role_of(self, key: str) -> Role | None:
        found = self.writer.run(
            lambda work: identify_caller(key, work=work, secrets=self.secrets, now_ms=UnixMs(1_000))
        )
        return None if found is None else found.role


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.writer.close()


def test_keys_are_made_once_and_work(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """The till of the first day works on the second one too."""
    keys = shop.provide()
    assert shop.role_of(keys.till) is Role.TILL
    assert shop.role_of(keys.staff) is Role.OPERATOR
    assert FILE in capsys.readouterr().err
    again = shop.provide()
    assert (again.till, again.staff) == (keys.till, keys.staff)
    assert capsys.readouterr().err == ""


def test_only_we_can_read_the_file(shop: Shop) -> None:
    """Whoever has the till's key can redeem."""
    keys = shop.provide()
    path = shop.folder / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"till": keys.till, "staff": keys.staff}
    assert keys.till not in repr(keys)


def test_a_key_of_the_settings_works_and_is_not_written_down(shop: Shop) -> None:
    """It comes from a vault; a copy in a file would be a second place to leak from."""
    keys = shop.provide(till_key=SecretStr("till-key-of-the-vault"))
    assert keys.till == "till-key-of-the-vault"
    assert shop.role_of(keys.till) is Role.TILL
    assert "vault" not in (shop.folder / FILE).read_text()


def test_a_key_that_could_be_guessed_is_refused(shop: Shop) -> None:
    """Four digits are tried in a second."""
    with pytest.raises(InvalidSettings, match="16"):
        shop.provide(till_key=SecretStr("1234"))


def test_a_file_that_holds_no_keys_is_refused(shop: Shop) -> None:
    """New keys in its place would lock every till out without a word."""
    (shop.folder / FILE).write_text("[1, 2]")
    with pytest.raises(InvalidSettings, match=r"keys\.json"):
        shop.provide()
