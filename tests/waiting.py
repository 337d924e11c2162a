"""Wait for what another thread or process does, without a fixed sleep."""

import time
from collections.abc import Callable
from typing import Final

import pytest

WAIT_S: Final = 45.0
FIRST_SLEEP_S: Final = 0.0005
SLEEP_S_MAX: Final = 0.02


def wait_until(
    is_so: Callable[[], bool], what: str = "what was waited for", *, timeout_s: float = WAIT_S
) -> None:
    """Return as soon as it is so; fail, naming ``what``, where it is still not so.

    It is asked often at first, for threads answer soon, and seldom then, for processes do not.
    """
    deadline, sleep_s = time.monotonic() + timeout_s, FIRST_SLEEP_S
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(sleep_s)
        sleep_s = min(1.5 * sleep_s, SLEEP_S_MAX)
