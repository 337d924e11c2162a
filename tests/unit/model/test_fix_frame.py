"""pack_fixes: the fixes of one instant as one message between two machines."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.errors import InvalidFrame
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.fix_frame import (
    COLUMNS,
    FIXES_MAX,
    FRAME_BYTES_MAX,
    HEADER,
    count_fixes,
    pack_fixes,
    unpack_fixes,
)
from rtls.model.units import TagId, UnixMs

AT_MS = UnixMs(1_760_000_000_000)


def batch(rows: int, *, seed: int = 1) -> FixBatch:
    """Random fixes, of which every column differs."""
    drawn = np.random.default_rng(seed)
    fixes = np.zeros(rows, FIX_DTYPE)
    for name, kind in COLUMNS:
        low, high = (0, 100) if np.dtype(kind).kind in "iu" else (-500.0, 500.0)
        fixes[name] = drawn.uniform(low, high, rows)
    fixes["evidence_at_ms"] = AT_MS - drawn.integers(0, 15_000, rows)
    fixes["tag"] = drawn.permutation(rows)
    return FixBatch(at_ms=AT_MS, rows=fixes)


def names(rows: int) -> list[TagId]:
    return [TagId(f"tag:{number:x}") for number in range(rows)]


FRAME = pack_fixes(batch(3), names(3))


@given(
    rows=st.integers(1, 50),
    seed=st.integers(0, 2**32 - 1),
    tag=st.text(min_size=1, max_size=16),
)
def test_what_is_packed_comes_out_again(rows: int, seed: int, tag: str) -> None:
    """Every column to single precision, every name to the letter; the slot becomes the row."""
    fixes = batch(rows, seed=seed)
    tags = (TagId(tag), *names(rows)[1:])
    found, found_tags = unpack_fixes(pack_fixes(fixes, tags))
    assert (found.at_ms, found_tags) == (AT_MS, tags)
    for name, kind in COLUMNS:
        np.testing.assert_array_equal(found.rows[name], fixes.rows[name].astype(kind), name)
    assert found.rows["tag"].tolist() == list(range(rows))
    assert pack_fixes(found, found_tags) == pack_fixes(fixes, tags)


@given(st.integers(0, len(FRAME) - 1))
def test_a_frame_that_was_cut_off_is_refused(size: int) -> None:
    """A line that breaks must not become a shorter truth."""
    with pytest.raises(InvalidFrame, match="bytes"):
        unpack_fixes(FRAME[:size])


@given(at=st.integers(0, len(FRAME) - 1), flip=st.integers(1, 255))
def test_a_frame_with_any_damaged_byte_is_refused(at: int, flip: int) -> None:
    """A disk that rots would otherwise move people."""
    damaged = bytearray(FRAME)
    damaged[at] ^= flip
    with pytest.raises(InvalidFrame):
        unpack_fixes(bytes(damaged))


def test_a_frame_of_another_version_is_refused_by_its_name() -> None:
    """Stores are updated one after the other; the operator must see which is behind."""
    newer = bytearray(FRAME)
    struct.pack_into("<H", newer, 4, 2)
    with pytest.raises(InvalidFrame, match=r"version 2; expected 1\. Run the stores and the chain"):
        unpack_fixes(bytes(newer))


@pytest.mark.parametrize("rows", [0, FIXES_MAX + 1])
def test_an_empty_or_boundless_batch_is_refused(rows: int) -> None:
    """Bounds on everything; who has more splits it."""
    with pytest.raises(InvalidFrame, match=f"{rows} fixes; expected 1 to {FIXES_MAX}"):
        pack_fixes(batch(rows), names(rows))


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["a"], "1 tags for 2 fixes"),
        (["a", ""], "0 to 1 bytes"),
        (["a", "b" * 65], "1 to 65 bytes"),
    ],
)
def test_a_row_without_a_name_that_a_tag_can_have_is_refused(tags: list[str], message: str) -> None:
    """A fix of nobody, or of a name that no other part takes, would be found by nobody."""
    with pytest.raises(InvalidFrame, match=message):
        pack_fixes(batch(2), [TagId(tag) for tag in tags])


def test_the_largest_frame_keeps_to_the_bound() -> None:
    """Brokers refuse larger messages: then all fixes behind it would wait for ever."""
    frame = pack_fixes(batch(FIXES_MAX), [TagId("b" * 64)] * FIXES_MAX)
    assert len(frame) <= FRAME_BYTES_MAX
    assert len(unpack_fixes(frame)[1]) == FIXES_MAX


def test_a_frame_says_how_many_fixes_it_has() -> None:
    """What a full spool drops is counted in fixes, without reading all of them."""
    assert count_fixes(FRAME) == 3
    assert count_fixes(FRAME[: HEADER.size - 1]) == 0
