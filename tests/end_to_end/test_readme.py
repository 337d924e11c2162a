"""What the README shows is what happens."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_lines_of_python_in_the_readme_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the first code that an integrator copies."""
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - it is our own page
    at_the_shelf = [line for line in printed.getvalue().splitlines() if line.endswith("dowels")]
    assert at_the_shelf == [
        "2 Transition dowels",
        "30 DwellReached dowels",
        "120 DwellReached dowels",
        "300 DwellReached dowels",
    ]


def test_every_link_of_the_documents_leads_somewhere() -> None:
    """A reader who follows a dead link stops reading."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
