"""`inaisle db status` and `upgrade`: an operator sees and does what a start would do by itself."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from typer.testing import CliRunner, Result

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus
from offers.storage.database import Place, newest_revision, open_engine, prepare_database
from offers.storage.migrate import FOLDER

NEWEST = newest_revision()


def migrate_to_first(place: Place) -> None:
    """Make a database as the first release made it."""
    scripts = ScriptDirectory(str(FOLDER))
    first = scripts.get_revision("0001")

    def steps(_seen: object, _context: MigrationContext) -> list[RevisionStep]:
        return [RevisionStep(scripts.revision_map, first, is_upgrade=True)]

    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(place, is_reader=False)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"fn": steps})
        with Operations.context(context):
            context.run_migrations()
        if isinstance(place, Path):
            connection.exec_driver_sql("PRAGMA application_id = 0x494E4149")
    engine.dispose()


@pytest.fixture
def old_database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    if request.param == "sqlite":
        path = tmp_path / "offers.sqlite"
        migrate_to_first(path)
        yield path
        return
    server = request.getfixturevalue("postgres")
    url = server.empty_database()
    migrate_to_first(url)
    shown = url.render_as_string(hide_password=False)
    monkeypatch.setenv("INAISLE__OFFERS__DATABASE_URL", shown)
    yield url
    server.drop(url)


on_both = pytest.mark.parametrize("old_database", ["sqlite", "postgresql"], indirect=True)


def db(command: str, data: Path, *flags: str) -> str:
    answer = CliRunner().invoke(app, ["db", command, "--data", str(data), *flags])
    assert answer.exit_code == 0, (answer.output, answer.exception)
    return answer.stdout


def status(data: Path) -> Result:
    return CliRunner().invoke(app, ["db", "status", "--data", str(data)])


@on_both
def test_a_schema_of_the_first_release_is_brought_up_to_date(
    old_database: Place, tmp_path: Path
) -> None:
    """Every migration since, in one transaction; and once more does nothing."""
    assert f"schema 0001 is behind {NEWEST}" in status(tmp_path).stdout
    assert f"schema 0001 → {NEWEST}" in db("upgrade", tmp_path)
    assert "nothing to do" in db("upgrade", tmp_path)
    assert f"schema {NEWEST} is the newest" in status(tmp_path).stdout
    prepare_database(old_database)


@pytest.mark.parametrize("old_database", ["postgresql"], indirect=True)
def test_a_server_that_does_not_sync_is_warned_of(old_database: Place, tmp_path: Path) -> None:
    """Like the one of these tests: it is fast, and loses what was answered in a power cut."""
    assert old_database
    found = status(tmp_path)
    assert found.exit_code == ExitStatus.REFUSED
    assert "fsync is off" in found.stderr


@pytest.mark.parametrize("old_database", ["sqlite"], indirect=True)
def test_a_file_is_copied_before_it_is_upgraded(old_database: Place, tmp_path: Path) -> None:
    """There is no other way back, and whoever upgrades in a hurry has no backup."""
    assert old_database == tmp_path / "offers.sqlite"
    db("upgrade", tmp_path)
    copy = sqlite3.connect(tmp_path / "offers.sqlite.0001.backup")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    assert copy.execute("PRAGMA application_id").fetchone() == (0x494E4149,)
    copy.close()


@pytest.mark.parametrize("old_database", ["sqlite"], indirect=True)
def test_a_copy_of_before_is_not_overwritten(old_database: Place, tmp_path: Path) -> None:
    """It may be the only one that is good."""
    assert old_database
    (tmp_path / "offers.sqlite.0001.backup").write_text("precious")
    command = ["db", "upgrade", "--data", str(tmp_path)]
    status = run_guarded(lambda: app(command, standalone_mode=False))
    assert status == ExitStatus.UNAVAILABLE
    assert (tmp_path / "offers.sqlite.0001.backup").read_text() == "precious"
    assert "schema 0001" in db("status", tmp_path)


def test_where_there_is_no_database_nothing_is_made(tmp_path: Path) -> None:
    """A mistyped folder must not become an empty shop."""
    found = json.loads(db("status", tmp_path, "--json"))
    assert (found["revision"], found["newest"]) == (None, NEWEST)
    command = ["db", "upgrade", "--data", str(tmp_path)]
    assert run_guarded(lambda: app(command, standalone_mode=False)) == ExitStatus.UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Going back needs the backup of before; guessing costs data."""
    path = tmp_path / "offers.sqlite"
    prepare_database(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    answer = CliRunner().invoke(app, ["db", "status", "--data", str(tmp_path)])
    assert answer.exit_code == ExitStatus.REFUSED
    assert "schema 9999 is newer than" in answer.stderr
    command = ["db", "upgrade", "--data", str(tmp_path)]
    assert run_guarded(lambda: app(command, standalone_mode=False)) == ExitStatus.REFUSED
    assert [path.name for path in tmp_path.iterdir()] == ["offers.sqlite"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://root@localhost/shop", "begins with mysql"),
        ("postgresql://localhost", "names no database"),
        ("nonsense with a password", "is no URL"),
        ("postgresql://localhost:port/shop", "is no URL"),
    ],
)
def test_a_url_that_cannot_be_is_refused_without_repeating_it(
    url: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It holds a password, and the message goes to a log."""
    monkeypatch.setenv("INAISLE__OFFERS__DATABASE_URL", url)
    command = ["db", "status", "--data", str(tmp_path)]
    assert run_guarded(lambda: app(command, standalone_mode=False)) == ExitStatus.USAGE
    error = capsys.readouterr().err
    assert told in error
    assert "password@" not in error.replace("user:password@", "")
    assert "nonsense" not in error


def test_a_password_is_not_printed(
    free_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither by the status, nor by an error, nor by the list of settings."""
    url = f"postgresql://somebody:geheim@127.0.0.1:{free_port}/shop"
    monkeypatch.setenv("INAISLE__OFFERS__DATABASE_URL", url)
    for command in (["db", "status"], ["config", "show"], ["db", "upgrade"]):
        run_guarded(lambda: app(command, standalone_mode=False))  # noqa: B023 - called at once
    told = capsys.readouterr()
    assert str(free_port) in told.err
    assert "geheim" not in told.out + told.err
