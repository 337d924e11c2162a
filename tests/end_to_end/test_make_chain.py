"""`make chain`: the founding scene over a log, two workers and PostgreSQL, with a kill."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.long, pytest.mark.broker]


def test_the_coupon_comes_over_a_chain_although_a_worker_is_killed_meanwhile() -> None:
    """He stands 40 s here instead of five minutes; all else is what `make chain` runs."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.chain", "--stand-s", "40", "--no-ratios"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "is killed" in told.stdout
    assert "a second try is refused" in told.stdout
