"""Compiled kernels: old machine code never runs behind new sources."""

import os
from pathlib import Path

from inaisle.kernel_cache import (
    FOLDERS_KEPT,
    VARIABLE,
    digest_of_kernels,
    forget_old,
    point_numba_at_its_cache,
)


def write_kernel(folder: Path, text: str) -> None:
    path = folder / "rtls" / "geofence" / "kernels" / "one.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_change_of_any_kernel_is_another_folder(tmp_path: Path) -> None:
    """Numba itself looks only at the file of the caller."""
    write_kernel(tmp_path, "x = 1\n")
    before = digest_of_kernels(tmp_path)
    assert digest_of_kernels(tmp_path) == before
    write_kernel(tmp_path, "x = 2\n")
    assert digest_of_kernels(tmp_path) != before


def test_the_folder_lies_in_the_users_cache_and_is_made(tmp_path: Path) -> None:
    """Beside the sources it may be read-only, and would stay behind."""
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    point_numba_at_its_cache(environment)
    assert Path(environment[VARIABLE]).is_dir()
    assert Path(environment[VARIABLE]).is_relative_to(tmp_path / "inaisle")


def test_a_choice_of_the_operator_stands(tmp_path: Path) -> None:
    """An image that was filled at build time names its own folder."""
    environment = {VARIABLE: str(tmp_path / "mine")}
    point_numba_at_its_cache(environment)
    assert environment == {VARIABLE: str(tmp_path / "mine")}


def test_the_folders_of_old_versions_do_not_pile_up(tmp_path: Path) -> None:
    """Each update leaves some megabytes behind."""
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    for number in range(20):
        (tmp_path / "inaisle" / f"kernels-{number}").mkdir(parents=True)
    point_numba_at_its_cache(environment)
    assert len(list((tmp_path / "inaisle").iterdir())) == FOLDERS_KEPT
    assert Path(environment[VARIABLE]).is_dir()


def test_a_folder_in_use_is_not_taken_for_an_old_one(tmp_path: Path) -> None:
    """Two checkouts would throw away each other's kernels, and compile for a minute each time."""
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    point_numba_at_its_cache(environment)
    mine = Path(environment[VARIABLE])
    os.utime(mine, (0, 0))  # filled long ago
    point_numba_at_its_cache({"XDG_CACHE_HOME": str(tmp_path)})
    for number in range(FOLDERS_KEPT):
        other = tmp_path / "inaisle" / f"kernels-{number}"
        other.mkdir()
        os.utime(other, (1_000, 1_000))
    forget_old(tmp_path / "inaisle" / "kernels-0")
    assert mine.is_dir()
