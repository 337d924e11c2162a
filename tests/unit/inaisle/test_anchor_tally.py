"""Anchor tally: which anchor gives nothing any more."""

import numpy as np

from inaisle.service.anchor_tally import TOLD_AFTER_MS, AnchorTally
from rtls.model.anchor_alarm import AlarmKind, AnchorAlarm
from rtls.model.reading import READING_DTYPE, ReadingArray
from tests.unit.inaisle.two_anchors import TWO_ANCHORS


def readings(*rows: tuple[int, int]) -> ReadingArray:
    array = np.zeros(len(rows), READING_DTYPE)
    array["anchor"] = [anchor for anchor, _ in rows]
    array["heard_at_ms"] = [at_ms for _, at_ms in rows]
    return array


def test_readings_are_counted_by_anchor() -> None:
    """An installer sees at once which anchor is dead."""
    tally = AnchorTally(TWO_ANCHORS)
    tally.note(readings((0, 1_000), (0, 1_050)))
    tally.note(readings())
    tally.note(readings((0, 1_150)))
    first, second = tally.heard()
    assert (first.readings, first.last_heard_at_ms) == (3, 1_150)
    assert (second.readings, second.last_heard_at_ms) == (0, None)


def alarm_of(anchor: str, kind: AlarmKind = AlarmKind.BIASED) -> AnchorAlarm:
    return AnchorAlarm(anchor=anchor, kind=kind, since_ms=5_000, figure=4.9)


def test_an_alarm_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    """A log that repeats itself every tick is read by nobody."""
    tally = AnchorTally(TWO_ANCHORS)
    first = TWO_ANCHORS.anchors[0].anchor
    alarm = alarm_of(first)
    told_ms = alarm.since_ms + TOLD_AFTER_MS[AlarmKind.BIASED]
    assert tally.note_alarms([alarm], clocks_ms={}, now_ms=told_ms) == [alarm]
    assert tally.note_alarms([alarm], clocks_ms={}, now_ms=told_ms + 1_000) == []
    assert tally.heard()[0].alarms == (alarm,)
    assert tally.trouble() == f"{first} biased"
    (over,) = tally.note_alarms([], clocks_ms={}, now_ms=told_ms + 2_000)
    assert over.is_over
    assert tally.trouble() is None


def test_an_anchor_that_seems_biased_for_a_minute_calls_nobody() -> None:
    """Who stands at one place for long makes sound anchors contradict each other."""
    tally = AnchorTally(TWO_ANCHORS)
    biased, silent = alarm_of("a1"), alarm_of("a2", AlarmKind.SILENT)
    almost_ms = biased.since_ms + TOLD_AFTER_MS[AlarmKind.BIASED] - 1
    assert tally.note_alarms([biased, silent], clocks_ms={}, now_ms=almost_ms) == [silent]
    assert tally.trouble() == "a2 silent"
    assert tally.note_alarms([silent], clocks_ms={}, now_ms=almost_ms + 1) == []


def test_a_gateways_clock_is_laid_to_its_anchors() -> None:
    """The operator knows anchors; which box reports for them is written in the map."""
    tally = AnchorTally(TWO_ANCHORS)
    anchor = TWO_ANCHORS.anchors[0]
    name = anchor.gateway or anchor.anchor
    (began,) = tally.note_alarms([], clocks_ms={name: -5_000, "stranger": 1}, now_ms=6_000)
    assert (began.anchor, began.kind) == (anchor.anchor, AlarmKind.CLOCK)
    assert (began.since_ms, began.figure) == (6_000, -5.0)
    assert tally.note_alarms([], clocks_ms={name: None}, now_ms=9_000) == []
    (now,) = tally.heard()[0].alarms
    assert now.since_ms == 6_000
    assert now.figure != now.figure  # NaN: no clock at all


def test_of_many_alarms_five_are_named() -> None:
    """A health page is no list of a hundred anchors."""
    tally = AnchorTally(TWO_ANCHORS)
    tally.note_alarms([alarm_of(f"a{n}") for n in range(8)], clocks_ms={}, now_ms=10**6)
    assert tally.trouble() == "a0 biased, a1 biased, a2 biased, a3 biased, a4 biased and 3 more"
