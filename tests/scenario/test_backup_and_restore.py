"""`inaisle backup` and `restore`: what was answered before the backup is there after the fire."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus
from offers.model.ids import ShopperId, TenantId
from offers.model.people.shopper import Shopper
from offers.storage.database import Place, prepare_database
from offers.storage.postgres_server import TenantPlace
from offers.storage.reader import Reader
from offers.storage.tenant_book import add_tenant
from offers.storage.writer import Writer
from tests.postgres import PostgresServer
from tests.ready_database import lay_down_ready_database
from tests.scenario.running_api import Phone, running_api
from tests.unit.offers.shop import START_MS

pytestmark = pytest.mark.slow


class Shop:
    """A shop's data folder and database, as a service has left them or still writes them."""

    def __init__(self, data: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data = data
        self.place = place
        self._monkeypatch = monkeypatch

    def command(self, *words: str) -> ExitStatus:
        """Run a command on this shop; return its status."""
        if not isinstance(self.place, Path):
            shown = self.place.render_as_string(hide_password=False)
            self._monkeypatch.setenv("INAISLE__OFFERS__DATABASE_URL", shown)
        given = [*words, "--data", str(self.data)]
        return ExitStatus(run_guarded(lambda: app(given, standalone_mode=False)) or 0)

    def backup(self, target: Path, *flags: str) -> Path:
        assert self.command("backup", str(target), *flags) == ExitStatus.DONE
        return max(target.iterdir())

    def knows(self, *shoppers: ShopperId) -> list[bool]:
        reader = Reader(self.place)
        try:
            return reader.run(lambda work: [bool(work.shoppers.find(one)) for one in shoppers])
        finally:
            reader.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def shops(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Shop, Shop]]:
    """The shop that burns, and an empty place for the one after."""
    data = [tmp_path / "burnt", tmp_path / "new"]
    if request.param == "sqlite":
        lay_down_ready_database(data[0] / "offers.sqlite")
        places: list[Place] = [folder / "offers.sqlite" for folder in data]
        yield tuple(Shop(*each, monkeypatch) for each in zip(data, places, strict=True))
        return
    server = request.getfixturevalue("postgres")
    urls = [server.empty_database(), server.empty_database()]
    data[0].mkdir()
    prepare_database(urls[0])
    yield tuple(Shop(*each, monkeypatch) for each in zip(data, urls, strict=True))
    for url in urls:
        server.drop(url)


def test_what_was_answered_before_a_backup_is_there_after_a_restore(
    shops: tuple[Shop, Shop], tmp_path: Path
) -> None:
    """The service goes on serving while the copy is made, and who left since is gone again."""
    burnt, new = shops
    (burnt.data / "secret.key").write_bytes(bytes(32))
    (burnt.data / "site-map").mkdir()
    (burnt.data / "site-map" / "notes").write_text("drawn by hand")
    (burnt.data / "salts").mkdir()
    (burnt.data / "salts" / "today").write_text("tells visitors apart")
    with running_api(tmp_path, database=burnt.place) as api:
        before = [Phone(api) for _ in range(5)]
        stop = threading.Event()
        writing = threading.Thread(target=_change_until, args=(Phone(api), stop))
        writing.start()
        try:
            backup = burnt.backup(tmp_path / "backups")
        finally:
            stop.set()
            writing.join()
        assert before[0].delete("/v1/me").status_code == 204
    listed = tmp_path / "erased.jsonl"
    listed.write_text(CliRunner().invoke(app, ["db", "erasures", *_data(burnt)]).stdout)
    assert listed.read_text()
    shutil.rmtree(burnt.data)

    assert new.command("restore", str(backup), "--erased", str(listed)) == ExitStatus.DONE
    assert new.knows(*(phone.shopper for phone in before)) == [False, True, True, True, True]
    assert new.command("db", "verify") == ExitStatus.DONE
    assert (new.data / "site-map" / "notes").read_text() == "drawn by hand"
    assert (new.data / "secret.key").read_bytes() == bytes(32)
    assert not (new.data / "salts").exists()
    with running_api(tmp_path, database=new.place) as api:
        assert Phone(api).get("/v1/me/card").status_code == 200
    # Nothing is overwritten: the second time there is a shop.
    again = new.command("restore", str(backup), "--nobody-was-erased")
    assert again == ExitStatus.UNAVAILABLE


def test_a_retailers_backup_holds_nobody_of_another_who_shares_the_database(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one retailer takes home and loses must not be the other's card holders."""
    urls = [postgres.database(), postgres.empty_database()]
    anna, bert = (Shopper(shopper=letter * 32, enrolled_at_ms=START_MS) for letter in "ab")
    for tenant, one in ((TenantId("default"), anna), (TenantId("bolt"), bert)):
        add_tenant(urls[0], tenant, at_ms=START_MS)
        writer = Writer(TenantPlace(url=urls[0], tenant=tenant))
        writer.run(lambda work, one=one: work.shoppers.add(one))
        writer.close()
    shared = Shop(tmp_path / "shared", urls[0], monkeypatch)
    new = Shop(tmp_path / "new", urls[1], monkeypatch)
    backup = shared.backup(tmp_path / "backups")
    assert new.command("restore", str(backup), "--nobody-was-erased") == ExitStatus.DONE
    assert new.knows(anna.shopper) == [True]
    engine = sa.create_engine(urls[1].set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE shoppers NO FORCE ROW LEVEL SECURITY")
        rows = connection.exec_driver_sql("SELECT tenant, shopper_id FROM shoppers").all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("default", anna.shopper)]
    for url in urls:
        postgres.drop(url)


def _data(shop: Shop) -> list[str]:
    return ["--data", str(shop.data)]


def _change_until(phone: Phone, stop: threading.Event) -> None:
    while not stop.is_set():
        phone.withdraw("analytics")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Shop, Path]:
    """A shop on SQLite with a backup."""
    lay_down_ready_database(tmp_path / "data" / "offers.sqlite")
    shop = Shop(tmp_path / "data", tmp_path / "data" / "offers.sqlite", monkeypatch)
    return shop, shop.backup(tmp_path / "backups")


def _cut(backup: Path) -> None:
    path = backup / "offers.sqlite"
    path.write_bytes(path.read_bytes()[:-1])


def _lose(backup: Path) -> None:
    (backup / "offers.sqlite").unlink()


def _add(backup: Path) -> None:
    (backup / "files" / "secret.key").write_bytes(b"of somebody else")


def _forget_manifest(backup: Path) -> None:
    (backup / "manifest.json").unlink()


@pytest.mark.parametrize("harm", [_cut, _lose, _add, _forget_manifest])
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_written(
    kept: tuple[Shop, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm
) -> None:
    """Half a till is worse than none; better to learn of it while the other copy still exists."""
    _, backup = kept
    harm(backup)
    new = Shop(tmp_path / "new", tmp_path / "new" / "offers.sqlite", monkeypatch)
    assert new.command("restore", str(backup), "--nobody-was-erased") == ExitStatus.REFUSED
    assert not new.data.exists()


def test_who_restores_has_to_say_who_was_erased(
    kept: tuple[Shop, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup brings back whom the law wants gone; forgetting the list must not be easy."""
    _, backup = kept
    new = Shop(tmp_path / "new", tmp_path / "new" / "offers.sqlite", monkeypatch)
    assert new.command("restore", str(backup)) == ExitStatus.USAGE
    assert not new.data.exists()


def test_only_so_many_backups_are_kept_and_strangers_folders_stay(kept: tuple[Shop, Path]) -> None:
    """A nightly job fills no disk."""
    shop, backup = kept
    target = backup.parent
    oldest, older = (
        backup.with_name(f"{backup.name[:-16]}{year}0101T000000Z") for year in (2020, 2021)
    )
    backup.rename(older)
    shutil.copytree(older, oldest)
    other = target / "inaisle-elsewhere-20200101T000000Z"
    other.mkdir()
    shop.backup(target, "--keep", "2")
    assert not oldest.exists()
    assert older.exists()
    assert other.exists()
    assert len(list(target.iterdir())) == 3
