"""The engine's state as bytes, and back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.engine import Engine
from rtls.engine_snapshot import (
    CHECKSUM_BYTES,
    MAGIC,
    EngineState,
    checksum_of,
    pack_state,
    read_header,
    unpack_state,
    with_zeros,
    without_zeros,
)
from rtls.model.errors import InvalidSnapshot
from rtls.positioning.locator_state import LocatorState
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, make_site, shelf_site

SITE = shelf_site()


@pytest.fixture(scope="module")
def snapshot() -> bytes:
    engine = Engine(SITE)
    for number in range(8):
        at = START_MS + 500 * number
        readings = exact_ranges(SITE, at, [(0, 5, 4.5), (5, 18, 2)])
        introduced = [(0, "tag:a"), (5, "tag:b")] if number == 0 else ()
        engine.process(make_batch(SITE, number, at, readings, introduced=introduced))
    return engine.snapshot(input_offset=77)


def test_a_restored_engine_knows_what_the_first_one_knew(snapshot: bytes) -> None:
    engine = Engine(SITE)
    engine.restore(snapshot)
    assert engine.tag_ids() == {0: "tag:a", 5: "tag:b"}
    assert (engine.sequence, engine.input_offset) == (7, 77)
    assert engine.snapshot(input_offset=77) == snapshot


def test_a_snapshot_says_of_itself_what_it_is(snapshot: bytes) -> None:
    header = read_header(snapshot)
    assert (header.site, header.shard, header.sequence) == ("shelf-site", 0, 7)
    assert (header.epoch_end_ms, header.tags, header.stays) == (START_MS + 3500, 2, 4)


def test_only_what_is_occupied_is_written(snapshot: bytes) -> None:
    """A snapshot is saved twice a second: empty slots must not be part of it."""
    assert len(snapshot) < 3 * (len(snapshot) - len(Engine(SITE).snapshot()))
    assert len(Engine(SITE).snapshot()) < 1000


def refused(content: bytes, *, site=SITE, shard: int = 0) -> str:
    engine = Engine(site, shard=shard)
    before = engine.snapshot()
    with pytest.raises(InvalidSnapshot) as refusal:
        engine.restore(content)
    assert engine.snapshot() == before
    return str(refusal.value)


def test_a_snapshot_of_another_shard_site_or_map_is_refused(snapshot: bytes) -> None:
    """Zone numbers of another map would turn one shelf's visitors into another's."""
    assert "shard is 0; expected 1" in refused(snapshot, shard=1)
    assert "site is 'shelf-site'; expected 'other'" in refused(
        snapshot, site=replace(SITE, site="other")
    )
    fewer = make_site(SITE.zones[1:3] + SITE.zones[3:])
    assert "digest of the zones" in refused(snapshot, site=replace(fewer, zones=SITE.zones[2:]))


def test_an_anchor_that_was_moved_does_not_cost_the_dwell(snapshot: bytes) -> None:
    """Maps are corrected while shoppers stand in the store."""
    moved = replace(SITE.anchors[0], x_m=0.5)
    engine = Engine(replace(SITE, anchors=(moved, *SITE.anchors[1:])))
    engine.restore(snapshot)
    assert engine.sequence == 7


def test_a_damaged_snapshot_is_refused_wherever_the_damage_is(snapshot: bytes) -> None:
    """A disk that lies must not move anybody's dwell clock."""
    for place in range(0, len(snapshot), 97):
        damaged = bytearray(snapshot)
        damaged[place] ^= 0x40
        refused(bytes(damaged))
    for size in (0, 5, 11, 100, len(snapshot) - 1):
        refused(snapshot[:size])


def test_another_version_is_refused_with_its_remedy(snapshot: bytes) -> None:
    content = snapshot[:-CHECKSUM_BYTES].replace(b'"version": 3', b'"version": 4')
    content += checksum_of(content)
    assert "snapshot version is 4; expected 3. Run the release" in refused(content)


def test_a_header_that_is_none_is_refused() -> None:
    for head in (b"[]", b"{", b"{}", b'{"version": 3}', b'{"version": 3, "strange": 2}'):
        content = MAGIC + len(head).to_bytes(4, "little") + head
        content += checksum_of(content)
        assert "header cannot be read" in refused(content)


@given(st.lists(st.sampled_from([b"\0" * 8, b"\0" * 40, b"a tag\0\0\0", b"12345678"]), max_size=12))
def test_zeros_left_out_come_back(parts: list[bytes]) -> None:
    """Most of a track is room for links that the tag does not have."""
    body = b"".join(parts)
    assert with_zeros(without_zeros(body), len(body)) == body


def test_room_for_links_that_a_tag_does_not_have_is_not_written(snapshot: bytes) -> None:
    """A tag with four anchors takes less than half of what its arrays do."""
    assert len(snapshot) < read_header(snapshot).body / 2


def test_a_body_of_the_wrong_length_is_refused() -> None:
    """What passes the checksum may still come from somebody's own tool."""
    content = without_zeros(b"a tag" + bytes(19))
    for wrong in (content[:-1], content + b"x", b""):
        with pytest.raises(InvalidSnapshot, match="bytes of body; expected"):
            with_zeros(wrong, 24)


def test_an_empty_state_survives() -> None:
    state = unpack_state(pack_state(EngineState(), site_map=SITE, shard=3), site_map=SITE, shard=3)
    assert (state.sequence, state.capacity, int((state.heard_ms >= 0).sum())) == (-1, 256, 0)


def test_rows_copied_out_and_put_back_undo_what_came_between(snapshot: bytes) -> None:
    """A reading that comes late is taken in by running the tag again from an earlier state."""
    own = EngineState(locator=LocatorState.empty(256, anchors=[a.anchor for a in SITE.anchors]))
    state = unpack_state(snapshot, site_map=SITE, shard=0, into=own)
    slots = np.array([5], np.int32)
    before = state.rows_of(slots)
    state.clear(slots)
    assert pack_state(state, site_map=SITE, shard=0) != snapshot
    state.put_rows(slots, before)
    state.input_offset = 77
    assert pack_state(state, site_map=SITE, shard=0) == snapshot


def test_rows_copied_out_are_no_view(snapshot: bytes) -> None:
    """A checkpoint that moved along with the state would be none."""
    state = unpack_state(snapshot, site_map=SITE, shard=0)
    rows = state.rows_of(np.array([0, 5], np.int32))
    state.clear(np.array([5], np.int32))
    assert rows.locator.tracks["tag_id"].tolist() == [b"tag:a", b"tag:b"]
    assert (rows.heard_ms > 0).all()
    assert (rows.stays["phase"] != 0).any()


def test_anchors_of_another_map_are_trusted_anew(snapshot: bytes) -> None:
    """Their numbers mean others now: the fault of one must not be laid at another's door."""
    names = [anchor.anchor for anchor in SITE.anchors]
    same, other = (
        EngineState(locator=LocatorState.empty(256, anchors=order))
        for order in (names, names[::-1])
    )
    for state in (same, other):
        unpack_state(snapshot, site_map=SITE, shard=0, into=state)
    assert same.locator.health["heard_at_ms"].min() > 0
    assert other.locator.health["heard_at_ms"].max() == 0
