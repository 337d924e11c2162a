"""Do heavy work in a process of its own, so that nobody here waits for the interpreter.

Layer: doors. Takes: a function of a module with its arguments (`functools.partial`). Gives: what it
returns, or raises. A thread would give the same; but nine seconds of plain Python in a thread make
each turn of the event loop wait for its share, and a till with it.
"""

import math
import multiprocessing
import os
import pickle
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, TypeVar

from inaisle.errors import PartBroke

T = TypeVar("T")
SECONDS_MAX: Final = 120.0
ASK_EVERY_S: Final = 0.2
NICE: Final = 10
"""The tills come first where the machine has few cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What work in another process may take.

    Parameters
    ----------
    seconds
        Until it is killed, by the clock.
    busy_seconds
        Of processor time, until the system kills it: also when nobody is left to look at the clock.
    memory_bytes
        More than the process has at its beginning; None: what the machine has.
    """

    seconds: float = SECONDS_MAX
    busy_seconds: float = SECONDS_MAX
    memory_bytes: int | None = None


GENEROUS: Final = Bounds()


def run_apart(
    work: Callable[[], T],
    *,
    is_given_up: Callable[[], bool] = lambda: False,
    bounds: Bounds = GENEROUS,
) -> T:
    """Return what ``work`` returns, after running it in a new process; blocks the caller's thread.

    Parameters
    ----------
    work
        What to do; it has to be of a module, so that the other process finds it.
    is_given_up
        Asked a few times a second: once it is so, the process is killed.
    bounds
        What it may take. More memory is a `MemoryError`, raised here, or the end of the process.

    Raises
    ------
    PartBroke
        If the process ends without an answer, gives none in time, or is given up.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that others hold
    ours, theirs = context.Pipe(duplex=False)
    # It dies with this process, and is not asked when a terminal interrupts both.
    process = context.Process(target=_answer, args=(theirs, work, bounds), daemon=True)
    process.start()
    theirs.close()
    try:
        until_s = time.monotonic() + bounds.seconds
        while not ours.poll(ASK_EVERY_S):
            if is_given_up():
                raise PartBroke("a process of ours was given up, since nobody needs its answer.")
            if time.monotonic() < until_s:
                continue
            raise PartBroke(
                f"a process of ours has given no answer within {bounds.seconds:g} s; expected one. "
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


def _answer(connection: Connection, work: Callable[[], object], bounds: Bounds) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    _hold_within(bounds)
    answer: object
    try:
        answer = work()
    except Exception as error:  # noqa: BLE001 - it is raised again on the other side
        answer = error
    connection.send_bytes(pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))


def _hold_within(bounds: Bounds) -> None:
    """Have the system hold this process within its bounds, whatever its libraries do."""
    seconds = math.ceil(bounds.busy_seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if bounds.memory_bytes is None:
        return
    # Not a number for all machines: what is mapped at the start grows with the number of cores.
    mapped = Path("/proc/self/statm")
    pages = int(mapped.read_text().split()[0]) if mapped.exists() else 0
    most = pages * resource.getpagesize() + bounds.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
