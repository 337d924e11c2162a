"""`inaisle tenant add` and `list`: who shares a server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus
from tests.postgres import PostgresServer

KEY = "INAISLE__OFFERS__DATABASE_URL"


@pytest.fixture
def server(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    url = postgres.database()
    monkeypatch.setenv(KEY, url.render_as_string(hide_password=False))
    yield
    postgres.drop(url)


def tenant(*words: str) -> Result:
    answer = CliRunner().invoke(app, ["tenant", *words])
    assert answer.exit_code == 0, (answer.output, answer.exception)
    return answer


@pytest.mark.usefixtures("server")
def test_a_tenant_is_added_once_and_listed() -> None:
    """An operator's whole work for a further retailer, before its first key."""
    assert "acme was added" in tenant("add", "acme").stdout
    assert "is there already" in tenant("add", "acme").stdout
    assert tenant("list").stdout.split() == ["acme", "default"]
    assert json.loads(tenant("list", "--json").stdout) == {"tenants": ["acme", "default"]}


@pytest.mark.usefixtures("server")
def test_a_key_is_of_the_tenant_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command works for one tenant, which the settings name, and sees no other's keys."""
    tenant("add", "acme")
    monkeypatch.setenv("INAISLE__OFFERS__TENANT", "acme")
    command = ["key", "add", "--role", "operator", "--site", "mitte", "--data", str(tmp_path)]
    assert CliRunner().invoke(app, command).exit_code == 0
    listed = ["key", "list", "--data", str(tmp_path)]
    assert "mitte" in CliRunner().invoke(app, listed).stdout
    monkeypatch.delenv("INAISLE__OFFERS__TENANT")
    assert "mitte" not in CliRunner().invoke(app, listed).stdout


@pytest.mark.usefixtures("server")
def test_a_key_for_a_tenant_that_nobody_added_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip of one letter would put it where no service ever looks."""
    monkeypatch.setenv("INAISLE__OFFERS__TENANT", "acne")
    command = ["key", "add", "--role", "operator", "--site", "mitte", "--data", str(tmp_path)]
    assert run_guarded(lambda: app(command, standalone_mode=False)) == ExitStatus.REFUSED


@pytest.mark.parametrize("words", [("add", "acme"), ("list",)])
def test_a_file_has_no_tenants(words: tuple[str, ...], tmp_path: Path) -> None:
    """One is the rule there, and a second would be mixed with it."""
    command = ["tenant", *words, "--data", str(tmp_path)]
    status = run_guarded(lambda: app(command, standalone_mode=False))
    assert status == ExitStatus.UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


def test_a_tenant_of_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names a tenant and no server believes in a wall that is not there."""
    monkeypatch.setenv("INAISLE__OFFERS__TENANT", "acme")
    command = ["db", "status", "--data", str(tmp_path)]
    assert run_guarded(lambda: app(command, standalone_mode=False)) == ExitStatus.USAGE
