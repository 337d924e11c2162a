"""tag_slots: a slot names one tag at a time, and never depends on the order of arrival."""

import numpy as np

from rtls.ingest.tag_slots import TagSlots

NONE = np.empty(0, np.int32)


def numbers(slots: TagSlots, *tags: str) -> np.ndarray:
    return np.array([slots.intern(tag) for tag in tags], np.int32)


def test_slots_go_by_name_and_not_by_arrival() -> None:
    """The same readings in another order must give the same batches."""
    slots = TagSlots(8)
    placed, introduced = slots.place(numbers(slots, "c", "a", "b", "a"))
    assert placed.tolist() == [2, 0, 1, 0]
    assert introduced == ((0, "a"), (1, "b"), (2, "c"))


def test_a_tag_is_introduced_once() -> None:
    """The engine begins a new track at each introduction."""
    slots = TagSlots(8)
    slots.place(numbers(slots, "a"))
    placed, introduced = slots.place(numbers(slots, "a", "b"))
    assert (placed.tolist(), introduced) == ([0, 1], ((1, "b"),))


def test_a_released_slot_is_given_to_another() -> None:
    """A shop sees more tags in a day than it can hold at a time."""
    slots = TagSlots(2)
    slots.place(numbers(slots, "a", "b"))
    assert slots.intern("c") is None
    slots.release([0], waiting=NONE)
    assert slots.place(numbers(slots, "c"))[1] == ((0, "c"),)
    assert "a" not in slots.number_of


def test_a_tag_with_readings_waiting_outlives_its_release() -> None:
    """Else its readings would be counted to the next owner of the number."""
    slots = TagSlots(4)
    waiting = numbers(slots, "a")
    slots.place(waiting)
    slots.release([0], waiting=waiting)
    assert slots.place(waiting)[1] == ((0, "a"),)


def test_releasing_a_free_slot_is_harmless() -> None:
    """The engine may say it twice after a restore."""
    slots = TagSlots(4)
    slots.release([3, 99], waiting=NONE)
    slots.place(numbers(slots, "a"))
    slots.release([0, 0], waiting=NONE)
    assert slots.place(numbers(slots, "b", "c"))[1] == ((0, "b"), (1, "c"))


def test_withdrawn_tags_are_not_taken_but_keep_their_slot_until_released() -> None:
    """The engine still has the track; another tag in its slot would walk on as the first."""
    slots = TagSlots(4)
    slots.place(numbers(slots, "a", "b"))
    assert slots.withdraw({"b"}).tolist() == [0]
    assert list(slots.number_of) == ["b"]
    assert slots.place(numbers(slots, "c"))[1] == ((2, "c"),)
    slots.release([0], waiting=NONE)
    assert slots.place(numbers(slots, "d"))[1] == ((0, "d"),)


def test_a_tag_granted_again_goes_on_in_its_slot() -> None:
    """One tag in two slots would be two people."""
    slots = TagSlots(4)
    slots.place(numbers(slots, "a"))
    slots.withdraw(set())
    assert slots.place(numbers(slots, "a"))[1] == ()


def test_tags_without_a_slot_make_room() -> None:
    """Names whose readings came too late must not fill the table for good."""
    slots = TagSlots(2)
    kept = numbers(slots, "a")
    numbers(slots, "b")
    slots.forget_unplaced(waiting=kept)
    assert list(slots.number_of) == ["a"]
    assert slots.intern("c") is not None


def test_a_snapshot_brings_back_every_slot() -> None:
    """The engine's arrays are indexed by them."""
    slots = TagSlots(8)
    slots.place(numbers(slots, "a", "b", "c"))
    slots.release([1], waiting=NONE)
    numbers(slots, "waiting")
    again = TagSlots(8)
    again.restore(slots.state())
    for one in (slots, again):
        assert one.place(numbers(one, "z", "waiting"))[1] == ((1, "waiting"), (3, "z"))
