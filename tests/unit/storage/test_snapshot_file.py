"""SnapshotFile: what a crash, a torn write or a rotten disk may do to stored state."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.errors import InvalidSnapshot, NotDurable
from rtls.storage.snapshot_file import SnapshotFile, header_of, parse_snapshot

KEY = "demo.0"


def store_in(folder: Path) -> tuple[SnapshotFile, list[str]]:
    reports: list[str] = []
    return SnapshotFile(folder, report=reports.append), reports


def test_a_corrupt_snapshot_gives_the_one_before_and_says_so(tmp_path: Path) -> None:
    """Half a second of state is better than none, but somebody must look at the disk."""
    store, reports = store_in(tmp_path)
    store.save(KEY, b"older")
    store.save(KEY, b"newer")
    path = tmp_path / f"{KEY}.snapshot"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    assert store.load(KEY) == b"older"
    assert len(reports) == 1
    assert "checksum" in reports[0]
    assert "one before" in reports[0]


def test_both_corrupt_gives_none_with_two_reports(tmp_path: Path) -> None:
    """Then open visits begin anew: never a silent start on nonsense."""
    store, reports = store_in(tmp_path)
    store.save(KEY, b"older")
    store.save(KEY, b"newer")
    for name in (f"{KEY}.snapshot", f"{KEY}.previous"):
        (tmp_path / name).write_bytes(b"rotten")
    assert store.load(KEY) is None
    assert len(reports) == 2
    assert "starts empty" in reports[1]


def test_a_corrupt_file_never_takes_the_place_of_the_good_previous_one(tmp_path: Path) -> None:
    """A crash during the first save after the fall-back would else leave two useless files."""
    store, _ = store_in(tmp_path)
    store.save(KEY, b"older")
    store.save(KEY, b"newer")
    (tmp_path / f"{KEY}.snapshot").write_bytes(b"rotten")
    assert store.load(KEY) == b"older"
    store.save(KEY, b"newest")
    (tmp_path / f"{KEY}.snapshot").write_bytes(b"rotten again")
    assert store.load(KEY) == b"older"
    assert (tmp_path / f"{KEY}.corrupt").read_bytes() == b"rotten again"


@pytest.mark.parametrize("step", ["write", "link", "replace", "sync"])
def test_a_crash_at_any_step_of_saving_leaves_a_whole_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """SIGKILL between two system calls: the next start finds the old value or the new one."""
    store, reports = store_in(tmp_path)
    store.save(KEY, b"first")
    store.save(KEY, b"second")
    steps = {
        "write": (os, "fsync"),
        "link": (Path, "hardlink_to"),
        "replace": (Path, "replace"),
        "sync": (os, "open"),
    }
    target, name = steps[step]

    def crash(*_args: object, **_kwargs: object) -> None:
        raise OSError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(target, name, crash)
        with pytest.raises(NotDurable, match="could not be saved"):
            store.save(KEY, b"third")
    assert store.load(KEY) in {b"second", b"third"}
    assert reports == []


def test_a_snapshot_of_another_shard_is_refused(tmp_path: Path) -> None:
    """Files copied by hand end under a wrong name; tags of one shard would live in another."""
    store, reports = store_in(tmp_path)
    store.save("demo.0", b"state of shard 0")
    (tmp_path / "demo.0.snapshot").rename(tmp_path / "demo.1.snapshot")
    assert store.load("demo.1") is None
    assert "not that of snapshot demo.1" in reports[0]


def test_a_file_of_a_later_format_is_refused_and_named(tmp_path: Path) -> None:
    """After a downgrade the old program must not guess at the new bytes."""
    store, reports = store_in(tmp_path)
    store.save(KEY, b"state")
    path = tmp_path / f"{KEY}.snapshot"
    content = bytearray(path.read_bytes())
    content[8] = 9  # the version stands behind the 8 bytes of the mark
    path.write_bytes(bytes(content))
    assert store.load(KEY) is None
    assert "version 9" in reports[0]


@pytest.mark.parametrize("key", ["", "../demo", "a/b", "Demo", ".hidden", "a\n", "x" * 129, "ä"])
def test_a_key_that_could_leave_the_folder_is_refused(tmp_path: Path, key: str) -> None:
    """Site ids come from configuration; a path must not."""
    store, _ = store_in(tmp_path)
    with pytest.raises(InvalidSnapshot, match="expected 1 to 128"):
        store.save(key, b"")
    with pytest.raises(InvalidSnapshot, match="expected 1 to 128"):
        store.load(key)


@given(st.binary(max_size=200), st.data())
def test_no_flipped_bit_passes_for_a_snapshot(snapshot: bytes, data: st.DataObject) -> None:
    """The checksum covers every byte of the file, the header included."""
    content = bytearray(header_of(KEY, snapshot) + snapshot)
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSnapshot):
        parse_snapshot(KEY, bytes(content))
