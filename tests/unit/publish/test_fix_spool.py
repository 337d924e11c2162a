"""FixSpool: fixes wait on disk for the chain, within a bound, and in nobody's way."""

import errno
import os
from itertools import count
from pathlib import Path

import pytest

from rtls.model.fix_frame import unpack_fixes
from rtls.publish.event_journal import MIB
from rtls.publish.fix_spool import BATCHES_WAITING_MAX, FixSpool, FixSpoolSettings
from tests.unit.publish.fix_samples import START_MS, fixes_at

SMALL = FixSpoolSettings(bytes_max=MIB)
MANY = [f"tag:{number}" for number in range(300)]


def open_spool(folder: Path, settings: FixSpoolSettings = SMALL) -> FixSpool:
    names = (f"ring-{number}" for number in count(1))
    return FixSpool(folder, new_id=lambda: next(names), report=pytest.fail, settings=settings)


def put(spool: FixSpool, *, from_s: int, to_s: int, tags: list[str], hz: int = 10) -> None:
    """Fixes of each tag from one instant up to before another, written ten batches at a time."""
    for step in range(from_s * hz, to_s * hz):
        spool.put(*fixes_at(START_MS + step * 1000 // hz, tags))
        if step % 10 == 9:
            spool.write()
    spool.write()


def held(spool: FixSpool) -> list[tuple[int, str]]:
    """(seconds from the start, tag) of all that is held, in order."""
    found: list[tuple[int, str]] = []
    after = 0
    while records := spool.read(after=after, limit=100):
        for record in records:
            fixes, tags = unpack_fixes(record.payload)
            found += [((fixes.at_ms - START_MS) // 1000, tag) for tag in tags]
        after = records[-1].sequence
    return found


def test_of_each_tag_one_fix_a_second_is_kept(tmp_path: Path) -> None:
    """A store's line is narrow; nobody at the chain needs ten places a second."""
    spool = open_spool(tmp_path)
    put(spool, from_s=0, to_s=3, tags=["a", "b"])
    assert held(spool) == [(0, "a"), (0, "b"), (1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert spool.counters["fixes"] == spool.counters["fixes_written"] == 6


def test_a_tag_whose_place_is_only_predicted_is_not_kept(tmp_path: Path) -> None:
    """Who was not heard for a quarter of a minute has left: a prediction is not where he was."""
    spool = open_spool(tmp_path)
    fixes, tags = fixes_at(START_MS + 60_000, ["gone", "here", "nowhere"])
    fixes.rows["evidence_at_ms"][0] -= 15_000
    fixes.rows["x_m"][2] = float("nan")
    spool.put(fixes, tags)
    spool.write()
    assert held(spool) == [(60, "here")]


def test_after_a_restart_all_is_there_and_nothing_twice(tmp_path: Path) -> None:
    """The engine tells the last second once more after a kill; the spool knows it already."""
    spool = open_spool(tmp_path)
    put(spool, from_s=0, to_s=3, tags=["a"])
    spool.close()
    spool = open_spool(tmp_path)
    put(spool, from_s=2, to_s=5, tags=["a"])
    assert held(spool) == [(second, "a") for second in range(5)]


def test_a_full_spool_drops_the_oldest_fixes_and_counts_them(tmp_path: Path) -> None:
    """After days without a line the last days are worth more than the first."""
    spool = open_spool(tmp_path)
    put(spool, from_s=0, to_s=120, tags=MANY, hz=1)
    seconds = [second for second, _ in held(spool)]
    assert spool.size <= MIB
    assert seconds[-1] == 119
    assert seconds == sorted(seconds)
    assert set(seconds) == set(range(seconds[0], 120))
    assert seconds[0] > 0
    assert spool.dropped == spool.counters["fixes_dropped_room"] == 120 * 300 - len(seconds)
    assert len(seconds) > 120 * 300 // 3  # and not more than had to go


def test_what_the_chain_has_is_no_loss_when_it_goes(tmp_path: Path) -> None:
    """An operator who sees drops counted buys a disk; he should not for nothing."""
    spool = open_spool(tmp_path)
    for minute in range(10):
        put(spool, from_s=60 * minute, to_s=60 * (minute + 1), tags=MANY[:50], hz=1)
        spool.trim(sent=spool.last_sequence)
    assert spool.dropped == 0
    assert spool.size < MIB // 8


def test_old_fixes_go_also_where_there_is_room(tmp_path: Path) -> None:
    """Nobody's way through the shop lies about for ever because a line is broken."""
    spool = open_spool(tmp_path, FixSpoolSettings(bytes_max=MIB, keep_ms=60_000))
    put(spool, from_s=0, to_s=300, tags=MANY[:20], hz=1)
    seconds = [second for second, _ in held(spool)]
    # A segment, of a quarter of a minute here, goes as a whole when its oldest fix is too old.
    assert 40 <= len(set(seconds)) <= 61
    assert spool.dropped == 300 * 20 - len(seconds)


def test_old_fixes_go_where_no_younger_ones_come_and_sequences_go_on(tmp_path: Path) -> None:
    """A shop that is closed for a week without a line; not even the last file stays."""
    now_ms = START_MS
    spool = FixSpool(
        tmp_path,
        new_id=lambda: "ring",
        report=pytest.fail,
        settings=FixSpoolSettings(keep_ms=60_000),
        now_ms=lambda: now_ms,
    )
    put(spool, from_s=0, to_s=10, tags=["a"])
    last = spool.last_sequence
    now_ms = START_MS + 60_000
    spool.write()
    assert (spool.size > 0, spool.dropped) == (True, 0)
    now_ms += 1
    spool.write()
    assert (held(spool), spool.size, spool.dropped) == ([], 0, 10)
    put(spool, from_s=100, to_s=101, tags=["a"])
    assert (held(spool), spool.first_sequence) == ([(100, "a")], last + 1)


def test_a_disk_that_refuses_costs_fixes_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop that locates must not end because a history cannot be kept."""
    spool = open_spool(tmp_path)
    put(spool, from_s=0, to_s=2, tags=["a", "b"])

    def refuse(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as full:
        full.setattr(os, "fdatasync", refuse)
        put(spool, from_s=2, to_s=4, tags=["a", "b"])
        assert "no space left" in (spool.trouble() or "")
        assert "4 fixes were dropped" in (spool.trouble() or "")
    put(spool, from_s=4, to_s=6, tags=["a", "b"])
    assert [second for second, tag in held(spool) if tag == "a"] == [0, 1, 4, 5]
    assert spool.counters["fixes_dropped_disk"] == spool.dropped == 4


def test_a_writer_that_hangs_costs_the_oldest_fixes_and_no_memory(tmp_path: Path) -> None:
    """A disk may take minutes for one write; the loop goes on meanwhile."""
    spool = open_spool(tmp_path)
    for second in range(BATCHES_WAITING_MAX + 10):
        spool.put(*fixes_at(START_MS + 1000 * second, ["a"]))
    assert spool.counters["fixes_dropped_slow"] == spool.dropped == 10
    spool.write()
    assert [second for second, _ in held(spool)] == list(range(10, BATCHES_WAITING_MAX + 10))


def test_a_batch_larger_than_a_record_is_split(tmp_path: Path) -> None:
    """A full shop at Christmas must not be the day on which nothing fits."""
    spool = open_spool(tmp_path)
    tags = [f"{number:064}" for number in range(1_500)]
    spool.put(*fixes_at(START_MS + 1000, tags))
    spool.write()
    assert [tag for _, tag in held(spool)] == tags


def test_the_thread_writes_by_itself_and_at_the_end(tmp_path: Path) -> None:
    """A stop is no reason to lose the last half second."""
    spool = open_spool(tmp_path)
    spool.start()
    spool.put(*fixes_at(START_MS + 1000, ["a"]))
    spool.close()
    assert held(open_spool(tmp_path)) == [(1, "a")]
