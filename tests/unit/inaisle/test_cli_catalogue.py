"""`inaisle catalogue`: a file in, what is found out, and faults named by line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus
from tests.ready_database import lay_down_ready_database

DOWELS = "sku;name_de;zones\nD-1;Holzdübel;dowels\nS-1;Schraube;\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lay_down_ready_database(tmp_path / "offers.sqlite")
    return tmp_path


def run(data: Path, *words: str) -> tuple[int, list[dict[str, object]]]:
    answer = CliRunner().invoke(app, ["catalogue", *words, "--data", str(data), "--json"])
    return answer.exit_code, [json.loads(line) for line in answer.stdout.splitlines()]


def test_an_imported_file_is_told_and_searched(data: Path) -> None:
    """Before the shop opens somebody tries what shoppers will type."""
    file = data / "products.csv"
    file.write_text(DOWELS, encoding="utf-8")
    status, (told,) = run(data, "import", str(file))
    assert (status, told["site"], told["products"]) == (0, "demo", 2)
    assert run(data, "status")[1] == [told]
    status, (hit,) = run(data, "search", "dubel")
    assert (hit["sku"], hit["zones"], hit["by"]) == (
        "D-1",
        ["dowels"],
        ["dubel → holzdubel (part)"],
    )
    assert run(data, "search", "brot") == (0, [])


def test_a_faulty_file_is_refused_with_its_lines(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status is that of a refused input, and the old catalogue stays."""
    file = data / "products.csv"
    file.write_text(DOWELS.replace("dowels", "dowls"), encoding="utf-8")
    command = ["catalogue", "import", str(file), "--data", str(data)]
    assert run_guarded(lambda: app(command, standalone_mode=False)) == ExitStatus.REFUSED
    assert "products.csv line 2: zones has 'dowls'" in capsys.readouterr().err
    command = ["catalogue", "status", "--data", str(data)]
    assert run_guarded(lambda: app(command, standalone_mode=False)) == ExitStatus.REFUSED
    assert "inaisle catalogue import FILE" in capsys.readouterr().err
