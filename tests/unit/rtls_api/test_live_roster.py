"""What the live wire says of a floor: in few bytes, by the roster that was told, without names."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.api.live_feed import EventsMessage, LiveEvent
from rtls.api.live_frames import m_per_step, steps_of
from rtls.api.live_roster import REF_KEPT_MS, FloorRoster, RefBook
from rtls.model.site_map import Floor
from rtls.model.units import Metre, UnixMs
from tests.contract.live_fix_samples import NOW_MS
from tests.unit.rtls_api.live_crowd import Read, crowd, read

GROUND = Floor(floor=0, name="Ground", width_m=Metre(80.0), height_m=Metre(50.0))
BYTES_A_S_MAX = 60_000


def look(roster: FloorRoster, *names: str, at_s: float, with_quality: bool = True) -> list[Read]:
    frames = roster.frames(
        crowd(*names), at_ms=UnixMs(NOW_MS), at_s=at_s, with_quality=with_quality
    )
    told = (frames.roster, frames.positions, frames.quality)
    return [read(one) for one in told if one is not None]


def test_a_frame_is_what_its_description_says() -> None:
    """Readers are written in other languages from the page, not from this code."""
    roster, positions, quality = look(FloorRoster(GROUND, RefBook()), "anna", "ben", at_s=0.0)
    for frame, kind in ((roster, 2), (positions, 1), (quality, 3)):
        assert (frame.kind, frame.version, frame.floor, frame.count) == (kind, 1, 0, 2)
        assert (frame.roster, frame.at_ms, frame.m_per_step) == (1, NOW_MS, 0.01)
    assert len(set(roster.refs)) == 2
    assert positions.places_m == [(0.5, 0.25), (1.5, 1.25)]
    assert quality.quality == [(3, 4), (3, 4)]  # 1.515 times 0.2 m; 450 ms


def test_who_leaves_is_gone_at_once_and_who_comes_gets_a_slot_soon() -> None:
    """A slot must never show somebody else than the roster says."""
    floor = FloorRoster(GROUND, RefBook())
    first = look(floor, "anna", "ben", at_s=0.0)[0].refs
    (positions, _) = look(floor, "ben", at_s=1.0)
    assert positions.places_m == [None, (0.5, 0.25)]
    roster, positions, _ = look(floor, "ben", "carl", at_s=2.0)
    assert (roster.roster, roster.refs[0]) == (2, first[1])
    assert roster.refs[1] not in first
    assert positions.roster == 2


def test_who_comes_back_is_known_and_after_long_is_another() -> None:
    """A trolley has many holders a day: they must not share a pseudonym."""
    refs = RefBook()
    before = refs.refs(["trolley"])
    refs.turn([], at_ms=UnixMs(NOW_MS))
    assert refs.refs(["trolley"]) == before
    refs.turn([], at_ms=UnixMs(NOW_MS + REF_KEPT_MS))
    refs.turn([], at_ms=UnixMs(NOW_MS + 2 * REF_KEPT_MS))
    assert refs.refs(["trolley"]) != before


def test_who_stays_keeps_the_pseudonym_for_hours() -> None:
    """The trail on the map hangs on it."""
    refs = RefBook()
    before = refs.refs(["anna"])
    for hour in range(100):
        refs.turn(["anna"], at_ms=UnixMs(NOW_MS + hour * REF_KEPT_MS))
    assert refs.refs(["anna"]) == before


def test_no_name_of_a_tag_is_on_the_wire() -> None:
    """Who may look at dots need not know trolleys, and nobody finds out whose phone it is."""
    frames = FloorRoster(GROUND, RefBook()).frames(
        crowd("phone-of-anna"), at_ms=UnixMs(NOW_MS), at_s=0.0, with_quality=True
    )
    assert frames.roster is not None
    assert frames.quality is not None
    assert b"anna" not in frames.roster + frames.positions + frames.quality
    message = EventsMessage(
        type="events", events=[LiveEvent(kind="entered", zone="dowels", at_ms=NOW_MS)]
    )
    assert set(message["events"][0]) == {"kind", "zone", "at_ms"}


@given(
    st.lists(
        st.tuples(st.frozensets(st.sampled_from("abcdefgh")), st.floats(0.0, 3.0)), max_size=12
    )
)
def test_every_position_is_of_the_roster_that_was_told_last(
    steps: list[tuple[frozenset[str], float]],
) -> None:
    """Whoever reads the frames in order needs nothing else to know who is where."""
    floor, at_s = FloorRoster(GROUND, RefBook()), 0.0
    told: Read | None = None
    known: dict[str, str] = {}
    for present, passed_s in steps:
        at_s += passed_s
        names = sorted(present)
        for frame in look(floor, *names, at_s=at_s):
            told = frame if frame.kind == 2 else told
            assert told is not None
            assert (frame.roster, frame.count) == (told.roster, len(told.refs))
            if frame.kind == 2:
                known |= dict(zip(names, frame.refs, strict=True))
            if frame.kind == 1:
                places = dict(zip(told.refs, frame.places_m, strict=True))
                for number, name in enumerate(names):
                    if known.get(name) in places:
                        assert places[known[name]] == (number + 0.5, number + 0.25)
                assert sum(place is not None for place in places.values()) <= len(names)
    assert told is None or len(told.refs) <= 2 * 8 + 64


def test_two_thousand_shoppers_cost_at_most_60_kb_a_second() -> None:
    """With two who come and go each second, five pictures a second, and what happens in zones."""
    floor = FloorRoster(GROUND, RefBook())
    names = [f"tag-{number:05}" for number in range(2_000)]
    event = json.dumps({"kind": "entered", "zone": "dowels-and-screws", "at_ms": NOW_MS})
    seconds, size = 20, 0
    for tick in range(5 * seconds):
        is_second = tick % 5 == 0
        if is_second:
            names = [*names[2:], f"new-{tick}", f"newer-{tick}"]
            size += 60 + 30 * (len(event) + 1)  # the clock, and thirty events
        frames = floor.frames(
            crowd(*names), at_ms=UnixMs(NOW_MS), at_s=tick / 5, with_quality=is_second
        )
        told = (frames.roster, frames.positions, frames.quality)
        size += sum(len(frame) + 4 for frame in told if frame is not None)  # 4: WebSocket's own
    assert size / seconds <= BYTES_A_S_MAX


@pytest.mark.parametrize(("width_m", "step"), [(80.0, 0.01), (655.0, 0.01), (1_000.0, 0.02)])
def test_a_floor_of_any_length_fits_into_sixteen_bits(width_m: float, step: float) -> None:
    """A market hall is longer than 655 m; then a step is two centimetres."""
    floor = Floor(floor=0, name="Hall", width_m=Metre(width_m), height_m=Metre(50.0))
    assert m_per_step(floor) == pytest.approx(step)


def test_what_lies_beyond_the_plan_is_put_on_its_edge_and_nonsense_is_nowhere() -> None:
    """A fix a hand's breadth outside the wall must not appear at the other end of the shop."""
    places = np.array([-0.3, 0.0, 12.345, 1e9, np.nan, np.inf])
    assert steps_of(places, step_m=0.01).tolist() == [0, 0, 1_234, 65_534, 65_535, 65_535]
