"""`inaisle db`: a database file can be checked by who did not write it."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus
from offers.handlers.note_audit import note_audit
from offers.handlers.people.enrol_shopper import enrol_shopper
from offers.handlers.people.erase_shopper import erase_shopper
from offers.model.audit import AuditAction
from offers.model.people.shopper import Locale
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from tests.ready_database import lay_down_ready_database
from tests.unit.offers.shop import START_MS

ENTRIES = 2_500  # more than two pages of the verification


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "offers.sqlite"
    lay_down_ready_database(path)
    writer = Writer(path)

    def fill(work) -> None:
        for n in range(ENTRIES):
            note_audit(AuditAction.CAMPAIGN_PAUSED, subject=f"c{n}", work=work, now_ms=START_MS)

    writer.run(fill)
    writer.close()
    return tmp_path


def verify(data: Path, *flags: str) -> tuple[int, dict[str, object]]:
    answer = CliRunner().invoke(app, ["db", "verify", "--data", str(data), "--json", *flags])
    return answer.exit_code, json.loads(answer.stdout)


def test_a_sound_audit_is_said_to_be_sound(data: Path) -> None:
    """What an auditor sees first, and the head that he notes."""
    status, report = verify(data)
    assert (status, report["entries"], report["first_bad_entry"]) == (0, ENTRIES, None)
    assert str(report["head"]).startswith(f"{ENTRIES}:")
    assert verify(data, "--head", str(report["head"])) == (0, report)


def test_one_row_changed_in_the_file_is_found_and_named(data: Path) -> None:
    """Somebody with a database browser and a reason."""
    connection = sqlite3.connect(data / "offers.sqlite")
    connection.execute("UPDATE audit SET subject = 'mine' WHERE sequence = 1777")
    connection.commit()
    connection.close()
    status, report = verify(data)
    assert (status, report["entries"]) == (ExitStatus.REFUSED, 1776)
    assert report["first_bad_entry"] == 1777
    told = CliRunner().invoke(app, ["db", "verify", "--data", str(data)])
    assert told.stdout.startswith("entry 1777 of the audit does not fit")


def test_a_missing_database_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A wrong folder must not be answered with "sound"."""
    arguments = ["db", "verify", "--data", str(tmp_path)]
    status = run_guarded(lambda: app(arguments, standalone_mode=False))
    assert status == ExitStatus.UNAVAILABLE
    assert "there is no database" in capsys.readouterr().err
    assert not (tmp_path / "offers.sqlite").exists()


def test_a_head_that_is_none_is_refused(data: Path, capsys: pytest.CaptureFixture) -> None:
    """A typing error must not pass for a proof."""
    arguments = ["db", "verify", "--data", str(data), "--head", "12"]
    assert run_guarded(lambda: app(arguments, standalone_mode=False)) == ExitStatus.USAGE
    assert "sequence:hash" in capsys.readouterr().err


def test_who_was_erased_is_erased_again_after_a_restore(tmp_path: Path) -> None:
    """Backup in the evening, erasure at night, restore in the morning."""
    path = tmp_path / "offers.sqlite"
    lay_down_ready_database(path)
    secrets = SystemSecretSource(load_key(tmp_path / "secret.key"))
    writer = Writer(path)
    enrolled = [
        writer.run(lambda w: enrol_shopper(Locale.DE, work=w, now_ms=START_MS, secrets=secrets))
        for _ in range(3)
    ]
    anna = enrolled[1].shopper.shopper
    writer.close()
    backup = path.read_bytes()
    writer = Writer(path)
    writer.run(lambda w: erase_shopper(anna, work=w, now_ms=START_MS, secrets=secrets))
    writer.close()
    printed = CliRunner().invoke(app, ["db", "erasures", "--data", str(tmp_path)])
    assert anna not in printed.stdout
    listed = tmp_path / "erased.jsonl"
    listed.write_text(printed.stdout)
    for leftover in tmp_path.glob("offers.sqlite-*"):
        leftover.unlink()
    path.write_bytes(backup)
    assert anna.encode() in path.read_bytes()
    for expected in ("1 shoppers", "0 shoppers"):
        told = CliRunner().invoke(
            app, ["db", "replay-erasures", str(listed), "--data", str(tmp_path)]
        )
        assert told.stdout.startswith(expected)
    assert anna.encode() not in path.read_bytes()
    assert enrolled[2].shopper.shopper.encode() in path.read_bytes()


@pytest.mark.parametrize("line", ["", "{}", "[1]", '{"fingerprint": "ab"}', '{"fingerprint": 7}'])
def test_a_list_that_is_none_erases_nobody(
    data: Path, capsys: pytest.CaptureFixture, line: str
) -> None:
    """The wrong file, given in a hurry."""
    listed = data / "list.jsonl"
    listed.write_text(line + "\n")
    arguments = ["db", "replay-erasures", str(listed), "--data", str(data)]
    assert run_guarded(lambda: app(arguments, standalone_mode=False)) == ExitStatus.USAGE
    assert "list.jsonl:1:" in capsys.readouterr().err
