"""Give compiled kernels a folder of their own for each version of their sources.

Layer: doors. Takes: the sources of all kernels, the environment. Gives: the folder to numba, by the
environment, before it is imported. Numba compiles a kernel again when its own file changes, but not
when a kernel that it calls in another file does: after an update, old code would run on.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import MutableMapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

VARIABLE: Final = "NUMBA_CACHE_DIR"
FOLDERS_KEPT: Final = 8
PREFIX: Final = "kernels-"


def point_numba_at_its_cache(environment: MutableMapping[str, str] = os.environ) -> None:
    """Name the folder to numba, unless somebody has; must come before numba is imported."""
    if VARIABLE in environment:
        return
    folder = cache_home(environment) / "inaisle" / f"{PREFIX}{digest_of_kernels(package_folder())}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # what is in use is young, however long ago it was filled
    except OSError:
        return  # a read-only home: numba keeps its own place beside the sources
    environment[VARIABLE] = str(folder)
    forget_old(folder)


def package_folder() -> Path:
    """Return the folder in which the packages lie."""
    return Path(__file__).resolve().parent.parent


def cache_home(environment: MutableMapping[str, str]) -> Path:
    """Return where this user's caches belong (XDG base directory specification)."""
    given = environment.get("XDG_CACHE_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".cache"


def digest_of_kernels(folder: Path) -> str:
    """Return 16 hex digits that change with any kernel, with numba and with Python.

    Parameters
    ----------
    folder
        Searched for ``*/*/kernels/*.py``. Its path counts too: two checkouts do not share.
    """
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{folder}\0{version('numba')}\0{sys.version}".encode())
    for path in sorted(folder.glob("*/*/kernels/*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def forget_old(current: Path) -> None:
    """Delete the folders of other versions, but for the few that were in use last."""
    folders = [path for path in current.parent.glob(f"{PREFIX}*") if path != current]
    folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[FOLDERS_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
