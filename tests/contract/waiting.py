"""Wait for what another thread or process does, without a fixed sleep."""

import time
from collections.abc import Callable

import pytest


def wait_until(is_so: Callable[[], bool], *, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"still not so after {timeout_s} s")
        time.sleep(0.002)
