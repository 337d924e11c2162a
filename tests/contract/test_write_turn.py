"""Processes that write one SQLite file stand in a queue; none waits in it for ever."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from offers.storage.write_turn import WriteTurn
from tests.waiting import wait_until

# Waits for the turn, leaves a mark in it, and keeps it until its input ends.
OTHER = """
import sys
from pathlib import Path
from offers.storage.write_turn import WriteTurn
with WriteTurn(Path(sys.argv[1])).taken():
    Path(sys.argv[2]).touch()
    sys.stdin.read()
"""

# Takes turn after turn, and writes its name in each.
ROUNDS = 40
BUSY = f"""
import os, sys, time
from pathlib import Path
from offers.storage.write_turn import WriteTurn
turn = WriteTurn(Path(sys.argv[1]))
log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.stdout.write("ready")
sys.stdout.flush()
sys.stdin.read()
for _ in range({ROUNDS}):
    with turn.taken():
        time.sleep(0.005)
        os.write(log, sys.argv[3].encode())
"""


@contextmanager
def another_process(database: Path, mark: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that wants a turn; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(database), str(mark)], stdin=subprocess.PIPE
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


def test_a_process_that_hangs_in_its_turn_stops_nobody_for_ever(tmp_path: Path) -> None:
    """The turn is a courtesy; that two never write at once is SQLite's own lock."""
    database, mark = tmp_path / "offers.db", tmp_path / "mark"
    turn = WriteTurn(database, wait_s_max=0.2)
    with another_process(database, mark):
        wait_until(mark.exists)
        begin = time.monotonic()
        with turn.taken():
            assert 0.2 <= time.monotonic() - begin < 2.0
    turn.close()


def test_two_busy_processes_write_by_turns(tmp_path: Path) -> None:
    """Each takes its next turn at once; neither may get two while the other waits."""
    database, log = tmp_path / "offers.db", tmp_path / "log"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, str(database), str(log), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in "AB"
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(30) == 0
    turns = log.read_text()
    assert turns.count("A") == turns.count("B") == ROUNDS
    # Who began first or ended last had nobody to wait for.
    both = turns.lstrip(turns[0]).rstrip(turns[-1])
    twice = sum(one == other for one, other in pairwise(both))
    assert len(both) > ROUNDS
    assert twice <= len(both) // 5  # a process that slept too long to take its place at once
