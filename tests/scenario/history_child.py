"""A process of its own that writes history, so that a test may kill it or take its disk away.

It runs the thread of the service with small files on a fast clock, and prints what it has done.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np

from rtls.engine_contract import EngineOutput
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import UnixMs
from rtls.storage.history.history_chores import HistoryChores
from rtls.storage.history.history_recorder import HistoryRecorder
from rtls.storage.history.retention import Keep
from tests.unit.storage.history_days import SITE_MAP, at, history_log, salt_book

SPEED = 20
FILE_MS = 20_000
TAGS = 50
STARTS_MS = at(9)


class FastClock:
    def __init__(self) -> None:
        self._begun_s = time.monotonic()

    def __call__(self) -> UnixMs:
        return UnixMs(STARTS_MS + int((time.monotonic() - self._begun_s) * 1000 * SPEED))


def output(at_ms: int) -> EngineOutput:
    rows = np.zeros(TAGS, FIX_DTYPE)
    rows["tag"] = np.arange(TAGS)
    rows["evidence_at_ms"] = at_ms
    rows["x_m"], rows["y_m"] = np.arange(TAGS) % 10, np.arange(TAGS) // 10
    names = np.array([f"tag:{n}".encode() for n in range(TAGS)], "S16")
    return EngineOutput(fixes=FixBatch(at_ms=UnixMs(at_ms), rows=rows), tag_names=names)


def recorder(folder: Path, clock: FastClock) -> HistoryRecorder:
    salts = salt_book(folder / "salts")
    return HistoryRecorder(
        history_log(folder, salts=salts, file_ms=FILE_MS),
        HistoryChores(folder / "history", site_map=SITE_MAP, salts=salts, keep=Keep(), report=_say),
        now_ms=clock,
        report=_say,
    )


def _say(text: str) -> None:
    _print(f"told {text}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(folder: Path, *, file_bytes_max: int | None) -> None:
    """Take a fix of each tag and second, as the locating loop would, until somebody ends it."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    if file_bytes_max is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, unlimited))
    clock = FastClock()
    ours = recorder(folder, clock)
    ours.start()
    next_ms = STARTS_MS
    longest_s = 0.0
    while True:
        while next_ms <= clock():
            begun_s = time.perf_counter()
            ours.take(output(next_ms))
            longest_s = max(longest_s, time.perf_counter() - begun_s)
            next_ms = UnixMs(next_ms + 1000)
        finished = ours.counters()["fixes"]
        _print(f"taken {next_ms - 1000} {longest_s:.6f} {finished} {ours.trouble() or ''}")
        if file_bytes_max is not None and ours.trouble() is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
            file_bytes_max = None
        time.sleep(0.02)


if __name__ == "__main__":
    run(Path(sys.argv[1]), file_bytes_max=int(sys.argv[2]) if len(sys.argv) > 2 else None)
