"""The demo says in one line what it cannot do, before it starts anything."""

import subprocess
import sys
from pathlib import Path

import pytest

USAGE, UNAVAILABLE = 2, 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        (["--speed", "0"], USAGE, "[simulator] speed is 0.0"),
        (["--onec"], USAGE, "No such option: --onec"),
        (["--broker", "http://shop"], USAGE, "expected host, host:port or mqtt://host:port"),
        (["--broker", "127.0.0.1:1"], UNAVAILABLE, "leave --broker away"),
    ],
)
def test_the_demo_refuses_flags_that_make_no_sense(
    tmp_path: Path, flags: list[str], status: int, said: str
) -> None:
    """A newcomer's typing error must not end in a stack trace or in a shop that never moves."""
    command = [sys.executable, "-m", "inaisle", "demo", "--once", "--json", *flags]
    refused = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert refused.returncode == status, refused.stderr
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == "", "a machine that reads the summary reads nothing else"
    assert list(tmp_path.iterdir()) == []
