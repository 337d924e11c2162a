"""inaisle coverage: the table, the JSON and the cells say the same."""

import json
from pathlib import Path

import pytest

from inaisle.cli import app, run_guarded
from inaisle.errors import ExitStatus

COARSE = ("coverage", "--cell", "5", "--no-best")


def run(*arguments: str) -> int:
    return run_guarded(lambda: app(list(arguments), prog_name="inaisle"))


def test_the_demo_shop_tells_what_its_two_radios_can_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its UWB names a bay, its Bluetooth names none: the page that sells the radio rests on it."""
    cells = tmp_path / "cells.geojson"
    assert run(*COARSE, "--json", "--geojson", str(cells)) == ExitStatus.DONE
    shown = json.loads(capsys.readouterr().out)
    by_kind = {floor["kind"]: floor for floor in shown["floors"]}
    assert by_kind["range"]["bound_p50_m"] < 0.1
    assert by_kind["range"]["share_nameable"]["1.25"] == 1.0
    assert by_kind["rssi"]["bound_p50_m"] > 2.0
    assert by_kind["rssi"]["share_nameable"]["1.25"] == 0.0
    drawn = json.loads(cells.read_text())
    assert drawn["inaisle"]["crs"] == "local"
    bounds = [f["properties"]["bound_m"] for f in drawn["features"]
              if f["properties"]["kind"] == "range"]  # fmt: skip
    middle = sorted(bounds)[len(bounds) // 2]
    assert middle == pytest.approx(by_kind["range"]["bound_p50_m"], abs=0.002)


def test_a_person_gets_a_table_and_a_map(capsys: pytest.CaptureFixture[str]) -> None:
    """The map must be readable without colours as well."""
    assert run(*COARSE, "--kind", "range", "--heat-map") == ExitStatus.DONE
    shown = capsys.readouterr().out
    assert "zones of 1.25 m can be named" in shown
    assert "····" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--kind", "smell"), "expected of rssi, range, aoa, tdoa"),
        (("--floor", "7"), "floor is 7"),
        (("--cell", "0"), "cell_m is 0.0"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing error must not end in a table of nothing."""
    assert run("coverage", *arguments) == ExitStatus.REFUSED
    assert told in capsys.readouterr().err
