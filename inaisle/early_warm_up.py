"""Load the kernels while the rest of the program is still being imported.

Layer: doors. Takes: nothing. Gives: kernels that are warm, or nearly so, when the loop asks
for them. Loading machine code and importing modules wait for different things.
"""

import threading


def begin_warm_up() -> threading.Thread:
    """Start to load the kernels in a thread, and return it."""
    thread = threading.Thread(target=_warm_up, name="early-warm-up", daemon=True)
    thread.start()
    return thread


def _warm_up() -> None:
    from rtls.engine import Engine
    from rtls.positioning.warm_up import square_site

    Engine(square_site()).warm_up()
