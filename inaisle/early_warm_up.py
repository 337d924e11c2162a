"""Load the kernels while the rest of the program is still being imported.

Layer: doors. Takes: nothing. Gives: kernels that are warm, or nearly so, when the loop asks
for them. Loading machine code and importing modules wait for different things. Where nothing is
compiled yet, a second process compiles half of it: a compiler keeps a process to one core.

As a program (``python -m inaisle.early_warm_up``) this is the second process.
"""

import atexit
import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from inaisle.kernel_cache import VARIABLE, point_numba_at_its_cache

COMPILED: Final = "*.nbi"
"""numba's index of what is compiled of a kernel"""

_WARM_UP: Final[list[threading.Thread]] = []


def begin_warm_up() -> threading.Thread:
    """Start to load the kernels in a thread, and return it.

    Until `end_warm_up` nothing is collected: what a start makes stays for ever, and looking through
    it again and again takes a fifth of the start.
    """
    gc.disable()
    thread = threading.Thread(target=_warm_up, name="early-warm-up", daemon=True)
    _WARM_UP.append(thread)
    thread.start()
    return thread


def await_warm_up() -> None:
    """Wait until what `begin_warm_up` has begun is done; return at once where it was not asked."""
    for thread in _WARM_UP:
        thread.join()


def end_warm_up() -> None:
    """Collect again: the service runs."""
    gc.enable()


def _warm_up() -> None:
    with _grid_compiled_meanwhile():
        from rtls.engine import Engine
        from rtls.positioning.warm_up import square_site

        Engine(square_site()).warm_up()


@contextlib.contextmanager
def _grid_compiled_meanwhile() -> Iterator[None]:
    if not _is_nothing_compiled():
        yield
        return
    child = subprocess.Popen([sys.executable, "-m", "inaisle.early_warm_up"])
    # A program that ends at once, of a bad setting, ends this thread without its finally.
    atexit.register(child.kill)
    try:
        yield
        child.wait()
    finally:
        atexit.unregister(child.kill)
        child.kill()
        child.wait()


def _is_nothing_compiled() -> bool:
    folder = os.environ.get(VARIABLE)
    return folder is not None and next(Path(folder).rglob(COMPILED), None) is None


def compile_grid() -> None:
    """Compile the kernels of the map filter into the cache that the environment names."""
    from rtls.model.site_map import Radio
    from rtls.positioning.locator import Locator
    from rtls.positioning.warm_up import square_site

    Locator(square_site(Radio.BLE)).warm_up_grid()


if __name__ == "__main__":
    point_numba_at_its_cache()
    compile_grid()
