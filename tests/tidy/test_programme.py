"""What docs/programme.md claims is shown by a test is shown by a test that exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "programme.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| (C\d+|L\d+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
CAPABILITIES = [f"C{number}" for number in range(1, 72)]
LEVERS = [f"L{number}" for number in range(1, 17)]


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of a file's tests, and of the machines that hypothesis makes tests of."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return frozenset(name for name in functions | assigned if name.startswith(("test_", "Test")))


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text())


def test_every_capability_and_every_lever_has_one_row() -> None:
    """A row that is missing is a wish of the client that nobody answered."""
    assert [name for name, _, _ in rows()] == CAPABILITIES + LEVERS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_names_tests_that_exist_or_says_why_it_names_none(row: tuple[str, str, str]) -> None:
    """A claim without a test is advertising."""
    _, _, proof = row
    named = NAMED.findall(proof)
    assert proof.count("::") == len(named), "a name that cannot be read"
    for path, test in named:
        assert test in names_in(path), f"{path}::{test} does not exist"
    assert named or proof.startswith("Out of reach: "), proof


def test_a_name_that_does_not_exist_would_be_found() -> None:
    """The negative control of the test above."""
    assert "test_that_nobody_wrote" not in names_in("tests/tidy/test_programme.py")
    assert names_in("tests/tidy/no_such_file.py") == frozenset()
    assert "test_a_name_that_does_not_exist_would_be_found" in names_in(
        "tests/tidy/test_programme.py"
    )
