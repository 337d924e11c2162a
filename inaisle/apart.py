"""Do heavy work in a process of its own, so that nobody here waits for the interpreter.

Layer: doors. Takes: a function of a module with its arguments (`functools.partial`). Gives: what it
returns, or raises. A thread would give the same; but nine seconds of plain Python in a thread make
each turn of the event loop wait for its share, and a till with it.
"""

import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final, TypeVar

from inaisle.errors import PartBroke

T = TypeVar("T")
SECONDS_MAX: Final = 120.0
ASK_EVERY_S: Final = 0.2
NICE: Final = 10
"""The tills come first where the machine has few cores."""


def run_apart(work: Callable[[], T], *, is_given_up: Callable[[], bool] = lambda: False) -> T:
    """Return what ``work`` returns, after running it in a new process; blocks the caller's thread.

    Parameters
    ----------
    work
        What to do; it has to be of a module, so that the other process finds it.
    is_given_up
        Asked a few times a second: once it is so, the process is killed.

    Raises
    ------
    PartBroke
        If the process ends without an answer, gives none within `SECONDS_MAX`, or is given up.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that others hold
    ours, theirs = context.Pipe(duplex=False)
    # It dies with this process, and is not asked when a terminal interrupts both.
    process = context.Process(target=_answer, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    try:
        until_s = time.monotonic() + SECONDS_MAX
        while not ours.poll(ASK_EVERY_S):
            if is_given_up():
                raise PartBroke("a process of ours was given up, since nobody needs its answer.")
            if time.monotonic() < until_s:
                continue
            raise PartBroke(
                f"a process of ours has given no answer within {SECONDS_MAX:g} s; expected one. "
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
