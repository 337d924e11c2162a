"""`inaisle key`: who works in the shop gets a key, and loses it at once when it must be."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus
from offers.handlers.note_audit import verify_audit
from offers.handlers.people.issue_credential import identify_caller
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource, load_key
from rtls.model.units import UnixMs
from tests.ready_database import lay_down_ready_database


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lay_down_ready_database(tmp_path / "offers.sqlite")
    return tmp_path


def key(data: Path, *arguments: str) -> str:
    answer = CliRunner().invoke(app, ["key", *arguments, "--data", str(data)])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def who_is(data: Path, secret: str):
    secrets = SystemSecretSource(load_key(data / "secret.key"))
    reader = Reader(data / "offers.sqlite")
    try:
        return reader.run(
            lambda work: identify_caller(secret, work=work, secrets=secrets, now_ms=UnixMs(0))
        )
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("role", "flags", "prefix"),
    [
        ("till", ("--till", "till-3"), "till_"),
        ("merchandiser", (), "mer_"),
        ("store-admin", (), "adm_"),
        ("operator", (), "op_"),
    ],
)
def test_a_key_opens_its_role_until_it_is_revoked(
    data: Path, role: str, flags: tuple[str, ...], prefix: str
) -> None:
    """The whole life of a key, on the command line alone."""
    made = json.loads(key(data, "add", "--role", role, "--site", "demo", *flags, "--json"))
    assert made["key"].startswith(prefix)
    found = who_is(data, made["key"])
    assert (found.role, found.site) == (role.replace("-", "_"), "demo")
    listed = json.loads(key(data, "list", "--json"))
    assert [entry["credential"] for entry in listed] == [made["credential"]]
    assert made["key"] not in key(data, "list")
    key(data, "revoke", made["credential"])
    assert who_is(data, made["key"]) is None
    assert key(data, "list").rstrip().endswith("revoked")


def test_each_step_is_in_the_audit(data: Path) -> None:
    """Who could do what, since when, until when."""
    made = json.loads(key(data, "add", "--role", "operator", "--site", "demo", "--json"))
    key(data, "revoke", made["credential"])
    reader = Reader(data / "offers.sqlite")
    report = reader.run(lambda work: verify_audit(work=work))
    reader.close()
    assert (report.entries, report.fault) == (2, None)
    assert report.head.action == "credential_revoked"


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("add", "--role", "till", "--site", "demo"), ExitStatus.USAGE, "--till"),
        (("add", "--role", "operator", "--till", "t1"), ExitStatus.USAGE, "--till"),
        (("revoke", "0" * 32), ExitStatus.REFUSED, "unknown or revoked"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(
    data: Path,
    capsys: pytest.CaptureFixture,
    arguments: tuple[str, ...],
    status: ExitStatus,
    told: str,
) -> None:
    """A typing error makes no key."""
    given = ["key", *arguments, "--data", str(data)]
    assert run_guarded(lambda: app(given, standalone_mode=False)) == status
    assert told in capsys.readouterr().err
