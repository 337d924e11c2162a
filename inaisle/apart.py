"""Do heavy work in a process of its own, so that nobody here waits for the interpreter.

Layer: doors. Takes: a function of a module with its arguments (`functools.partial`). Gives: what it
returns, or raises. A thread would give the same; but nine seconds of plain Python in a thread make
each turn of the event loop wait for its share, and a till with it.
"""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final, TypeVar

from inaisle.errors import PartBroke

T = TypeVar("T")
SECONDS_MAX: Final = 120.0
NICE: Final = 10
"""The tills come first where the machine has few cores."""


def run_apart(work: Callable[[], T]) -> T:
    """Return what ``work`` returns, after running it in a new process; blocks the caller's thread.

    Raises
    ------
    PartBroke
        If the process ends without an answer, or gives none within `SECONDS_MAX`.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that others hold
    ours, theirs = context.Pipe(duplex=False)
    # It dies with this process, and is not asked when a terminal interrupts both.
    process = context.Process(target=_answer, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(SECONDS_MAX):
            raise PartBroke(
                f"a process of ours has given no answer within {SECONDS_MAX:.0f} s; expected one. "
                "Check what else the machine does."
            )
        answer: T | Exception = pickle.loads(ours.recv_bytes())  # noqa: S301 - of our own process
    except EOFError as error:
        raise PartBroke(
            "a process of ours ended without an answer; expected one. Check that "
            "the machine has memory left."
        ) from error
    finally:
        ours.close()
        process.kill()
        process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _answer(connection: Connection, work: Callable[[], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    answer: object
    try:
        answer = work()
    except Exception as error:  # noqa: BLE001 - it is raised again on the other side
        answer = error
    connection.send_bytes(pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))
