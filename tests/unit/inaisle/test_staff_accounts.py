"""`inaisle user`: who of the staff may sign in, and who of a demo."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inaisle.cli import app, run_guarded
from inaisle.demo.demo_users import DEMO_ROLES, provide_demo_users
from inaisle.errors import ExitStatus
from offers.model.people.shopper import Role
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource
from offers.storage.writer import Writer
from rtls.model.units import SiteId, UnixMs
from tests.ready_database import lay_down_ready_database

PASSWORD, ANOTHER = "vier worte am stück", "another one, longer"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lay_down_ready_database(tmp_path / "offers.sqlite")
    return tmp_path


def user(data: Path, *arguments: str, password: str = PASSWORD) -> str:
    given = ["user", *arguments, "--data", str(data)]
    answer = CliRunner().invoke(app, given, input=password + "\n")
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def users(data: Path):
    reader = Reader(data / "offers.sqlite")
    try:
        return {one.name: one for one in reader.run(lambda work: work.staff.users())}
    finally:
        reader.close()


def secrets(data: Path) -> SystemSecretSource:
    return SystemSecretSource((data / "secret.key").read_bytes())


def test_a_user_is_made_listed_changed_and_removed(data: Path) -> None:
    """The whole life of a user, on the command line alone; nobody reads the password anywhere."""
    user(data, "add", "eva", "--role", "store-admin", "--site", "demo")
    user(data, "add", "kasse", "--role", "till", "--till", "till-3", "--site", "demo")
    listed = json.loads(user(data, "list", "--json"))
    assert [(one["name"], one["role"], one["till"]) for one in listed] == [
        ("eva", "store_admin", None),
        ("kasse", "till", "till-3"),
    ]
    assert secrets(data).is_password(PASSWORD, users(data)["eva"].password_hash)
    user(data, "password", "eva", password=ANOTHER)
    changed = users(data)["eva"].password_hash
    assert not secrets(data).is_password(PASSWORD, changed)
    assert secrets(data).is_password(ANOTHER, changed)
    user(data, "remove", "eva")
    assert user(data, "list").split()[0] == "kasse"
    stored = b"".join(path.read_bytes() for path in data.iterdir())
    assert PASSWORD.encode() not in stored


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        (("add", "eva", "--role", "operator", "--site", "demo"), "short", "10 to 128"),
        (("add", "eva", "--role", "till", "--site", "demo"), PASSWORD, "till"),
        (("add", "E V", "--role", "operator", "--site", "demo"), PASSWORD, "a-z"),
        (("remove", "nobody"), "", "inaisle user list"),
        (("password", "nobody"), PASSWORD, "inaisle user list"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(
    data: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    typed: str,
    told: str,
) -> None:
    """A typing error makes no user."""
    monkeypatch.setattr("inaisle.staff.staff_accounts._ask_password", lambda: typed)
    given = ["user", *arguments, "--data", str(data)]
    assert run_guarded(lambda: app(given, standalone_mode=False)) == ExitStatus.REFUSED
    assert told in capsys.readouterr().err
    assert users(data) == {}


def test_the_demo_gives_each_role_a_user_and_new_passwords_each_time(data: Path) -> None:
    """They are shown once and stored nowhere, so a second start of a folder makes others."""
    drawn = SystemSecretSource(bytes(32))
    writer = Writer(data / "offers.sqlite")
    try:
        first, second = (
            provide_demo_users(writer, secrets=drawn, site=SiteId("demo"), now_ms=UnixMs(1_000))
            for _ in range(2)
        )
    finally:
        writer.close()
    found = users(data)
    assert {name: one.role for name, one in found.items()} == DEMO_ROLES
    assert set(DEMO_ROLES.values()) == set(Role) - {Role.SHOPPER}
    assert found["kasse"].till == "till-1"
    assert not set(first.values()) & set(second.values())
    for name, password in second.items():
        assert len(password) == 14
        assert drawn.is_password(password, found[name].password_hash)


def test_a_password_is_compared_as_long_where_there_is_none() -> None:
    """Else the time of a refusal would tell which names there are."""
    source = SystemSecretSource(bytes(32))
    known = source.hash_password(PASSWORD)

    def took_s(password_hash: str | None) -> float:
        before = time.process_time()
        assert not source.is_password("no password of anybody", password_hash)
        return time.process_time() - before

    unknown_s, wrong_s = (min(took_s(one) for _ in range(4)) for one in (None, known))
    assert 0.4 < unknown_s / wrong_s < 2.5
    assert not source.is_password(PASSWORD, "no hash")


def test_a_stolen_database_without_the_key_is_no_use_to_who_guesses() -> None:
    """The password itself is not what was hashed."""
    known = SystemSecretSource(bytes(32)).hash_password(PASSWORD)
    assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not SystemSecretSource(b"\1" * 32).is_password(PASSWORD, known)
