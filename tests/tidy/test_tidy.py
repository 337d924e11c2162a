"""The house is in order: sizes, names and module docstrings as docs and style ask."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for package in ("inaisle", "rtls", "offers", "firmware_sim")
    for path in (ROOT / package).rglob("*.py")
)
LINES_A_FILE_MAX = 400
LINES_A_FUNCTION_MAX = 50
NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "base",
    "manager",
    "misc",
}


def length_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_can_be_read_in_one_go(path: Path) -> None:
    """A newcomer follows the path of the data by opening files; each must fit in the head."""
    text = path.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LINES_A_FILE_MAX
    assert path.stem not in NAMES_THAT_SAY_NOTHING
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert length_without_docstring(node) <= LINES_A_FUNCTION_MAX, node.name


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.name != "__init__.py"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_module_says_where_it_stands(path: Path) -> None:
    """The layer decides what a module may import; the reader should not have to guess it."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert "Layer: " in docstring
    assert "Gives: " in docstring


def test_no_registry_address_and_no_path_of_a_machine_is_in_the_tree() -> None:
    """An address in the lock ties users to one mirror; a home path works on one machine only."""
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--index" not in lock
    tracked = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.toml", "*.json", "*.geojson", "Makefile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    homes = ("/" + "root/", "/" + "home/", "/" + "work/")
    for name in tracked:
        text = (ROOT / name).read_text()
        assert not any(home in text for home in homes), name
