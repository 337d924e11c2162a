"""The wheel carries all that an installed `inaisle` needs, from any folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_configuration_is_in_the_wheel_exactly_once(wheel: Path) -> None:
    """An installed demo has no checkout to read its store from."""
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "demo/site.geojson",
        "demo/campaigns.json",
        "demo/programme.json",
        "inaisle.toml",
        "mosquitto.conf",
    ):
        assert [found for found in names if found.endswith(name)] == [f"inaisle/config/{name}"]
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.slow
def test_the_installed_command_finds_its_configuration_from_any_folder(
    wheel: Path, tmp_path: Path
) -> None:
    """Whoever installs the wheel types `inaisle doctor` in his home folder."""
    installed = tmp_path / "installed"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(installed)
    shown = subprocess.run(
        [sys.executable, "-P", "-m", "inaisle", "doctor", "--quick", "--json"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {check["check"]: check for check in json.loads(shown.stdout)}
    assert found["site map"]["is_good"], shown.stdout
    assert str(installed / "inaisle" / "config") in found["campaigns"]["found"]
