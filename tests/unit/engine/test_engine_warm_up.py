"""No reading waits for a compiler."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_nothing_is_compiled_after_the_warm_up() -> None:
    """A new signature stalls the tick by half a second, and with it every offer.

    A fresh process, since in this one other tests may have compiled what the warm-up forgot.
    """
    told = subprocess.run(
        [sys.executable, "-m", "tests.reference.warm_process"],
        cwd=Path(__file__).parents[3],
        env={name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"},
        check=True,
        capture_output=True,
        text=True,
    )
    for line in told.stdout.splitlines():
        ready, later = map(int, line.split())
        assert later == ready > 0
