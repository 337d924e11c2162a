"""Files that are made to bring a service down: refused in a moment, with next to no memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECONDS_MAX = 2.0
MEBIBYTES_MAX = 100.0


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_bombs_are_refused_before_they_go_off() -> None:
    """The bounds of the threat model, each bomb in a process that has read a sound file before."""
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.unit.plan_files.bomb_child"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told = json.loads(child.stdout)
    assert len(told) == 9
    for name, (seconds, mebibytes, said) in told.items():
        assert said.startswith("plan: "), (name, said)
        assert "expected" in said, (name, said)
        assert seconds < SECONDS_MAX, (name, seconds)
        assert mebibytes < MEBIBYTES_MAX, (name, mebibytes)
