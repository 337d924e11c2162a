"""The wheel carries all that an installed `inaisle` needs, from any folder."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SDIST_BYTES_MAX = 2_000_000


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
        found = [one for one in names if one.endswith(f"config/{name}")]
        assert found == [f"inaisle/config/{name}"]
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.slow
def test_the_installed_command_finds_its_configuration_from_any_folder(
    wheel: Path, tmp_path: Path
) -> None:
    """Whoever installs the wheel types `inaisle doctor` in his home folder."""
    installed = tmp_path / "installed"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(installed)  # noqa: S202 - a zip of our own
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


@pytest.mark.slow
def test_the_pages_are_in_the_wheel_exactly_once_and_need_no_node_there(wheel: Path) -> None:
    """A shop server has neither node nor a registry; it serves what the wheel brings."""
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    for page in ("console/index.html", "card/index.html"):
        assert [name for name in names if name.endswith(page)] == [f"inaisle/pages/{page}"]
    assets = [name for name in names if name.startswith("inaisle/pages/assets/")]
    assert [name for name in assets if name.endswith(".js")]
    assert [name for name in assets if name.endswith(".js.br")]
    assert not [name for name in names if "node_modules" in name or name.endswith(".svelte")]


@pytest.mark.slow
def test_the_source_distribution_is_small_and_brings_what_the_pages_are_built_of(
    tmp_path: Path,
) -> None:
    """Without its own list it would swallow 30 MB of packages that somebody has installed."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = tmp_path.glob("*.tar.gz")
    assert built.stat().st_size < SDIST_BYTES_MAX
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"web/package-lock.json", "web/build_pages.py", "docs/openapi.json"} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]


def test_neither_lock_names_an_address_of_a_registry() -> None:
    """Whoever installs chooses where from; an address in a lock would choose for him."""
    for lock in ("requirements.lock", "web/package-lock.json"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert "--index-url" not in text
        assert '"resolved"' not in text
