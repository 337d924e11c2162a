"""Laws of the message that carries readings: it comes out as it went in, or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.model.errors import InvalidFrame
from rtls.model.reading import READING_DTYPE, ReadingBatch, ReadingKind
from rtls.model.reading_frame import (
    COLUMNS,
    FRAME_BYTES_MAX,
    READINGS_MAX,
    START,
    pack_batch,
    unpack_batch,
)

EPOCH_MS = 1_795_255_200_000
TAG_IDS = st.text("abc:0123456789", min_size=1, max_size=64)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
FLOATS = st.one_of(st.just(float("nan")), st.floats(width=64))


@st.composite
def batches(draw) -> ReadingBatch:
    """Batches as ingest makes them and as no radio would: extreme times, slots, values."""
    count = draw(st.integers(0, 40))
    readings = np.zeros(count, READING_DTYPE)
    is_wild = draw(st.booleans())
    times = INT64 if is_wild else st.integers(EPOCH_MS - 5_000, EPOCH_MS)
    numbers = st.integers(-1, (1 << 31) - 1) if is_wild else st.integers(0, 300)
    for name in COLUMNS:
        strategy = {"heard_at_ms": times, "kind": st.integers(0, 4)}.get(name)
        if strategy is None:
            strategy = FLOATS if READING_DTYPE[name].kind == "f" else numbers
        if READING_DTYPE[name].itemsize == 1 and name != "kind":
            strategy = st.integers(0, 255)
        is_same = draw(st.booleans())
        values = [draw(strategy)] * count if is_same else [draw(strategy) for _ in range(count)]
        readings[name] = values
    readings = readings[np.argsort(readings["tag"], kind="stable")]
    slots = st.tuples(st.integers(0, (1 << 31) - 1), TAG_IDS)
    return ReadingBatch(
        site=draw(st.text(min_size=1, max_size=20)),
        shard=draw(st.integers(0, 4_095)),
        sequence=draw(st.integers(0, (1 << 63) - 1)),
        epoch_end_ms=draw(times),
        readings=readings,
        introduced=tuple(draw(st.lists(slots, max_size=5))),
    )


def is_same(one: ReadingBatch, other: ReadingBatch) -> bool:
    """Bit by bit, so that one NaN is not another and -0.0 is not 0.0."""
    names = ("site", "shard", "sequence", "epoch_end_ms", "introduced")
    return (
        all(getattr(one, name) == getattr(other, name) for name in names)
        and one.readings.tobytes() == other.readings.tobytes()
    )


@given(batches())
def test_a_batch_comes_back_bit_by_bit(batch: ReadingBatch) -> None:
    """The engine of a worker then gives the same bytes as one in the store."""
    content = pack_batch(batch)
    back = unpack_batch(content)
    assert is_same(back, batch)
    assert back.readings.flags.writeable, "the engine would copy a read-only one"
    assert pack_batch(back) == content


@settings(max_examples=40)
@given(batches(), st.data())
def test_a_cut_or_changed_frame_is_refused(batch: ReadingBatch, data: st.DataObject) -> None:
    """A worker that took a damaged frame would walk a shopper through a wall."""
    content = pack_batch(batch)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(InvalidFrame):
        unpack_batch(content[:cut])
    damaged = bytearray(content)
    damaged[cut] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidFrame):
        unpack_batch(bytes(damaged))


@given(st.binary(max_size=300))
def test_bytes_of_a_stranger_are_refused(content: bytes) -> None:
    """Anything may stand on a topic; the worker goes on."""
    with pytest.raises(InvalidFrame):
        unpack_batch(content)


@given(batches(), st.integers(0, 65_535))
def test_another_version_is_named(batch: ReadingBatch, version: int) -> None:
    """Who reads the dead letter learns that two releases run side by side."""
    content = pack_batch(batch)
    changed = START.pack(b"INRF", version) + content[START.size :]
    if version == 1:
        assert is_same(unpack_batch(changed), batch)
        return
    with pytest.raises(InvalidFrame, match=f"version is {version}; expected 1"):
        unpack_batch(changed)


def batch_of(count: int, *, tags: int = 1) -> ReadingBatch:
    readings = np.zeros(count, READING_DTYPE)
    readings["heard_at_ms"] = EPOCH_MS
    readings["tag"] = np.sort(np.arange(count) % tags)
    readings["value"] = np.arange(count) / 7.0
    readings["value_2"] = readings["value_3"] = readings["sigma"] = np.nan
    readings["kind"] = ReadingKind.RANGE
    return ReadingBatch(site="shop", shard=1, sequence=2, epoch_end_ms=EPOCH_MS, readings=readings)


def test_eight_hundred_ranges_are_a_quarter_of_what_they_are_in_memory() -> None:
    """The chain pays for its lines by the byte."""
    batch = batch_of(800, tags=100)
    assert len(pack_batch(batch)) < batch.readings.nbytes / 4


def test_a_batch_too_large_for_a_frame_is_refused() -> None:
    """The bound is known before a broker refuses the message."""
    with pytest.raises(InvalidFrame, match=f"expected at most {READINGS_MAX}"):
        pack_batch(batch_of(READINGS_MAX + 1))
    assert unpack_batch(pack_batch(batch_of(READINGS_MAX))).readings.size == READINGS_MAX
    with pytest.raises(InvalidFrame, match=f"expected at most {FRAME_BYTES_MAX}"):
        unpack_batch(bytes(FRAME_BYTES_MAX + 1))


def test_readings_out_of_order_are_refused() -> None:
    """The kernels take the readings of a tag together; a foreign writer may not know."""
    batch = batch_of(10, tags=5)
    batch.readings["tag"] = batch.readings["tag"][::-1].copy()
    with pytest.raises(InvalidFrame, match="order of their tags"):
        unpack_batch(pack_batch(batch))


def test_a_kind_from_another_release_is_refused() -> None:
    """A number without a meaning must not be taken for a range."""
    batch = batch_of(3)
    batch.readings["kind"] = 9
    with pytest.raises(InvalidFrame, match="kind is 9; expected at most 4"):
        unpack_batch(pack_batch(batch))


@pytest.mark.parametrize("tag", ["", "x" * 65, "\u00e9cru", "a\0b"])
def test_a_tag_that_the_engine_could_not_follow_is_refused(tag: str) -> None:
    """Refused where it is written, so that no shard stumbles over it."""
    batch = ReadingBatch(
        site="shop",
        shard=0,
        sequence=0,
        epoch_end_ms=EPOCH_MS,
        readings=np.empty(0, READING_DTYPE),
        introduced=((0, tag),),
    )
    with pytest.raises(InvalidFrame, match="Admission must reject"):
        pack_batch(batch)
