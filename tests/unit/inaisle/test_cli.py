"""Command line: an answer a person understands, a status a machine understands."""

import json
from collections.abc import Iterator

import pytest
from typer.main import get_command

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus, PartBroke, Unavailable

RUNNING = ("demo", "serve", "simulate", "replay", "score", "bench", "doctor", "config")
SURVEYING = ("coverage", "record", "calibrate")


def run(*arguments: str) -> int:
    return run_guarded(lambda: app(list(arguments), prog_name="inaisle"))


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """The first thing a newcomer types."""
    assert run("--help") == ExitStatus.DONE
    shown = capsys.readouterr().out
    for command in (*RUNNING, *SURVEYING):
        assert command in shown
        assert run(command, "--help") == ExitStatus.DONE
        assert capsys.readouterr().out


def test_the_settings_can_be_read_by_a_machine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment checks what it deployed."""
    monkeypatch.setenv("INAISLE__API__PORT", "9999")
    assert run("config", "show", "--json") == ExitStatus.DONE
    shown = json.loads(capsys.readouterr().out)
    assert shown["api"]["port"] == {"value": 9999, "origin": "the environment"}


def test_a_wrong_setting_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace would hide the one line that helps."""
    monkeypatch.setenv("INAISLE__API__PROT", "9999")
    assert run("config", "show") == ExitStatus.USAGE
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "Did you mean 'port'?" in told
    assert len(told.splitlines()) == 1


def test_a_refused_input_is_status_3(capsys: pytest.CaptureFixture[str]) -> None:
    """A script can tell a wrong file from a broken program."""
    assert run("score", "/nowhere", "/nowhere/fixes.csv") == ExitStatus.REFUSED
    assert "truth.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PartBroke("the loop"), ExitStatus.BROKEN),
        (Unavailable("no broker"), ExitStatus.UNAVAILABLE),
        (KeyboardInterrupt(), ExitStatus.INTERRUPTED),
    ],
)
def test_each_way_to_end_has_its_status(error: BaseException, status: ExitStatus) -> None:
    """A supervisor restarts after 1 and 4, and not after 2 and 3."""

    def command() -> None:
        raise error

    assert run_guarded(command) == status


def helps(command: object, path: str = "inaisle") -> Iterator[tuple[str, str]]:
    """Yield every command with what its help says."""
    yield path, getattr(command, "help", None) or ""
    for name, below in getattr(command, "commands", {}).items():
        yield from helps(below, f"{path} {name}")


def test_help_is_written_for_who_types_not_for_who_programs() -> None:
    """A section of a docstring that slips into a help page tells a retailer of exceptions."""
    told = dict(helps(get_command(app)))
    assert len(told) > 20
    for path, text in told.items():
        assert text, path
        assert "Raises" not in text, path
        assert "Parameters" not in text, path
