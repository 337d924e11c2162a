"""A kill costs the history what was promised and no file; a full disk costs locating nothing."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from rtls.engine_contract import EngineOutput
from rtls.model.errors import NotDurable
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import UnixMs
from rtls.storage.history import history_recorder
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.fix_sampler import FixSampler
from rtls.storage.history.history_log import HistoryLog, LogSettings
from rtls.storage.history.history_reader import HistoryReader
from tests.scenario.history_child import (
    FILE_MS,
    STARTS_MS,
    TAGS,
    FastClock,
    output,
    recorder,
)
from tests.unit.storage.history_days import DAY, SITE_MAP, history_log, salt_book, window
from tests.waiting import wait_until


@contextmanager
def child(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """Run the child; give it, and what reads its next line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scenario.history_child", str(folder), *more],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def instants(folder: Path) -> list[int]:
    """The instants of all finished files; each must be whole."""
    found: list[int] = []
    for path in sorted((folder / "history").rglob("*.parquet")):
        found += pq.read_table(path)["at_ms"].to_pylist()
    return found


@pytest.mark.parametrize("files", [1, 3])
def test_a_kill_costs_the_rows_of_the_last_file_and_no_more(tmp_path: Path, files: int) -> None:
    """What is finished is whole; what grew is cleared away at the next start, and life goes on."""
    with child(tmp_path) as (process, line):
        while len(set(instants(tmp_path))) * 1000 < files * FILE_MS:
            told = line().split()
        while told[0] != "taken" or int(told[3]) == 0:
            told = line().split()
        process.kill()
        process.wait()
    kept = instants(tmp_path)
    # No hole, each row once, and all that was counted as written. That no row waits longer than a
    # file lasts is a matter of turns, and stands in tests/unit/storage/test_history_log.py.
    assert sorted(set(kept)) == list(range(STARTS_MS, max(kept) + 1, 1000))
    assert len(kept) == TAGS * len(set(kept)) >= int(told[3]) > 0
    log = history_log(tmp_path)
    log.begin()
    assert not list((tmp_path / "history").rglob("*.writing"))
    found = HistoryReader(tmp_path / "history", report=pytest.fail).fixes(window())
    assert len(found.at_ms) == len(kept)


def test_a_full_disk_stops_history_alone_and_it_goes_on_by_itself(tmp_path: Path) -> None:
    """The limit is the system's own (RLIMIT_FSIZE): every file beyond a few bytes is refused."""
    with child(tmp_path, "600") as (_, line):
        lines: list[str] = []
        while not any("no history is written" in told for told in lines):
            lines.append(line())
        assert not instants(tmp_path)
        assert "could not be written" in lines[-1]
        assert str(tmp_path) in lines[-1]
        while not any("history is written again" in told for told in lines):
            lines.append(line())
    assert instants(tmp_path)
    taken = [told.split() for told in lines if told.startswith("taken")]
    assert int(taken[-1][1]) > int(taken[0][1])
    # Locating was never made to wait: a disk that hangs takes seconds.
    assert max(float(told[2]) for told in taken) < 0.5


def test_what_does_not_fit_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that is stuck on its disk must not fill the memory."""
    monkeypatch.setattr(history_recorder, "WAITING_ROWS_MAX", 3 * TAGS)
    ours = recorder(tmp_path, FastClock())
    for second in range(5):
        ours.take(output(STARTS_MS + 1000 * second))
    assert ours.counters()["dropped"] == 2 * TAGS
    ours.turn()
    ours.finish()
    assert ours.counters()["fixes"] == 3 * TAGS
    assert ours.trouble() is None


def test_a_folder_where_nothing_can_be_made_is_named(tmp_path: Path) -> None:
    """A mount that is read-only, as /proc is even for root."""
    log = HistoryLog(
        Path("/proc/self/history"),
        site_map=SITE_MAP,
        counted=CountedTags.all(),
        salts=salt_book(tmp_path / "salts"),
        settings=LogSettings(),
    )
    with pytest.raises(NotDurable, match=r"/proc/self/history.*cannot be used.*writable folder"):
        log.begin()
    salts = salt_book(Path("/proc/self/salts"))
    with pytest.raises(NotDurable, match="No history is written without it"):
        salts.salt_of(DAY, now_ms=STARTS_MS)


def test_ticks_in_which_nothing_happens_leave_nothing_behind(tmp_path: Path) -> None:
    """The loop ticks twenty times a second, also at night and while a disk hangs."""
    ours = recorder(tmp_path, FastClock())
    for _ in range(1000):
        ours.take_records(())
    assert not ours._queue


def test_a_second_writer_is_refused_and_named(tmp_path: Path) -> None:
    """Two services on one folder would overwrite each other's files."""
    first, second = recorder(tmp_path, FastClock()), recorder(tmp_path, FastClock())
    first.turn()
    second.turn()
    assert first.trouble() is None
    assert "another process" in (second.trouble() or "")
    first.finish()


def test_a_thread_that_broke_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what comes after it is dropped, not kept for ever."""
    ours = recorder(tmp_path, FastClock())
    monkeypatch.setattr(ours._log, "turn", lambda **_: 1 // 0)
    ours.start()
    wait_until(lambda: ours.failure is not None)
    assert "the history ended" in (ours.trouble() or "")
    ours.take(output(STARTS_MS))
    assert ours.counters()["dropped"] == TAGS
    ours.close()


def made(at_ms: int, *, evidence_at_ms: int | None = None, **columns: object) -> EngineOutput:
    rows = np.zeros(1, FIX_DTYPE)
    rows["evidence_at_ms"] = at_ms if evidence_at_ms is None else evidence_at_ms
    for name, value in columns.items():
        rows[name] = value
    released = np.array([5], np.int32) if columns.get("tag") == 5 else np.empty(0, np.int32)
    return EngineOutput(
        fixes=FixBatch(at_ms=UnixMs(at_ms), rows=rows),
        tag_names=np.array([b"tag:1"]),
        released=released,
    )


def test_a_row_stands_for_the_time_since_the_one_before() -> None:
    """Ten fixes a second are one row, and the rows of a stay last as long as the stay."""
    sampler = FixSampler()
    taken = [sampler.take(made(STARTS_MS + 100 * n)) for n in range(50)]
    rows = [found for found in taken if found is not None]
    assert len(rows) == 5
    assert sum(float(found.weight_s[0]) for found in rows) == pytest.approx(5.0)


def test_a_guess_about_somebody_who_left_is_no_row() -> None:
    """The engine predicts the silent; after 15 seconds that is not where somebody was."""
    sampler = FixSampler()
    heard_ms = STARTS_MS
    taken = [sampler.take(made(STARTS_MS + 1000 * n, evidence_at_ms=heard_ms)) for n in range(30)]
    assert sum(found is not None for found in taken) == 15
    assert sampler.take(made(STARTS_MS + 60_000, x_m=np.nan)) is None
