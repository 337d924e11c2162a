"""epoch: which reading is in which batch follows from event time alone."""

import numpy as np
import pytest

from rtls.ingest.canonical_order import canonical
from rtls.ingest.pending_readings import epoch_end_ms
from rtls.ingest.reception import Reception
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.model.errors import InvalidReading
from rtls.model.reading import READING_DTYPE, ReadingFlag
from rtls.model.units import UnixMs
from tests.unit.ingest.made_messages import NOW, heard, make_reception, raw, rows_of, up


def receive(reception: Reception, *heard_at: int, at: int, seq: int, tag: str = "tag:1") -> None:
    """One message that arrives at NOW + at with readings heard at NOW + each of heard_at."""
    ages = [heard(tag, float(when) % 100, dt=when - at) for when in heard_at]
    reception.receive([raw(up(*ages, seq=seq, t=NOW + at), at=NOW + at)])


def ends(reception: Reception, at: int) -> list[tuple[int, int]]:
    """(end, number of readings) of the batches that close at NOW + at."""
    return [
        (batch.epoch_end_ms - NOW, len(batch.readings))
        for batch in reception.advance(UnixMs(NOW + at))
    ]


def test_a_reading_on_the_boundary_belongs_to_the_epoch_that_ends_there() -> None:
    """So a recording at 10 Hz is located without an epoch of delay."""
    instants = np.array([NOW - 99, NOW, NOW + 1])
    assert (epoch_end_ms(instants, 100) - NOW).tolist() == [0, 0, 100]


def test_an_epoch_closes_when_the_watermark_reaches_its_end() -> None:
    """500 ms late by default; one millisecond earlier a reading could still come."""
    reception = make_reception()
    receive(reception, 20, 100, 101, at=150, seq=0)
    assert ends(reception, 599) == []
    assert ends(reception, 600) == [(100, 2)]
    assert ends(reception, 700) == [(200, 1)]


def test_there_is_a_batch_at_every_whole_second_even_if_nobody_is_heard() -> None:
    """Timers of people who left fire by it."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0)
    receive(reception, 950, at=950, seq=0)
    assert ends(reception, 3_100) == [(1_000, 1), (2_000, 0), (3_000, 0)]


def test_batches_are_numbered_without_a_gap() -> None:
    """The engine skips numbers it has seen, and could not know a gap from a loss."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0)
    receive(reception, 50, 950, at=950, seq=0)
    numbers = [batch.sequence for batch in reception.advance(UnixMs(NOW + 2_500))]
    assert numbers == [1, 2, 3]


def test_a_night_without_anybody_makes_no_endless_row_of_empty_batches() -> None:
    """A process that slept for a day must not wake up with a day's work."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0, quiet_after_ms=60_000)
    receive(reception, 50, at=50, seq=0)
    assert len(ends(reception, 86_400_000)) == 61
    receive(reception, 86_400_050, at=86_400_050, seq=1)
    assert ends(reception, 86_401_000) == [(86_400_100, 1), (86_401_000, 0)]


def test_how_often_time_is_asked_for_changes_nothing() -> None:
    """A replay in one go and a live loop of 50 ms must tell the engine the same."""
    often, once = (make_reception(lateness_ms=0, quiet_after_ms=5_000, hold_ms_max=0) for _ in "ab")
    for reception in (often, once):
        receive(reception, 50, 120, 930, at=950, seq=0)
        receive(reception, 19_050, at=19_060, seq=1)
    by_tick = [one for at in range(0, 22_001, 50) for one in ends(often, at)]
    assert by_tick == ends(once, 22_000)
    assert (19_000, 0) not in by_tick  # quiet since 5.9 s


def test_a_late_reading_is_used_in_the_next_epoch_at_its_own_time() -> None:
    """The filter knows what to do with its age; thrown away, a slow gateway would be deaf."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0)
    receive(reception, 100, at=100, seq=0)
    assert ends(reception, 1_000) == [(100, 1), (1_000, 0)]
    receive(reception, 150, at=1_010, seq=1)
    (batch,) = reception.advance(UnixMs(NOW + 1_100))
    assert batch.epoch_end_ms == NOW + 1_100
    assert batch.readings["heard_at_ms"].tolist() == [NOW + 150]
    assert reception.counters["readings_late"] == 1


def test_a_reading_later_than_the_bound_is_counted_and_dropped() -> None:
    """Two seconds is what the filter can go back."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0)
    receive(reception, 100, at=100, seq=0)
    ends(reception, 3_000)
    receive(reception, 999, 1_000, at=3_010, seq=1)
    assert ends(reception, 3_100) == [(3_100, 1)]
    assert reception.counters["readings_too_late"] == 1


def test_a_reading_said_twice_counts_once_whichever_message_brings_it() -> None:
    """An anchor that repeats its last value would look twice as sure."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0)
    receive(reception, 100, at=150, seq=0)
    receive(reception, 100, at=160, seq=1)
    assert ends(reception, 200) == [(100, 1)]
    receive(reception, 100, at=260, seq=2)  # again, when its epoch is long closed
    receive(reception, 101, at=270, seq=3)
    assert ends(reception, 300) == [(300, 1)]
    assert reception.counters["readings_repeated"] == 2


def test_a_changed_value_at_the_same_instant_is_another_reading() -> None:
    """Two channels of one advert are heard in the same millisecond."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0)
    reception.receive([raw(up(heard(value=2.0), heard(value=1.0)))])
    assert rows_of(reception.advance(UnixMs(NOW))) == [(0, "tag:1", 1.0), (0, "tag:1", 2.0)]


def test_readings_of_a_batch_are_sorted_by_tag_time_anchor_kind_and_value() -> None:
    """The order of a sum of floating-point numbers decides its last bits."""
    rng = np.random.default_rng(5)
    rows = np.zeros(200, READING_DTYPE)
    rows["tag"] = rng.integers(0, 3, 200)
    rows["heard_at_ms"] = NOW + rng.integers(0, 4, 200)
    rows["anchor"] = rng.integers(0, 3, 200)
    rows["kind"] = rng.integers(0, 2, 200)
    rows["value"] = rng.integers(0, 4, 200)
    ordered, _ = canonical(rows)
    names = ("tag", "heard_at_ms", "anchor", "kind", "value")
    keys = list(zip(*(ordered[name].tolist() for name in names), strict=True))
    wanted = sorted(set(zip(*(rows[name].tolist() for name in names), strict=True)))
    assert keys == wanted


def test_a_reading_from_a_spool_is_marked() -> None:
    """It may fill a heatmap; it never triggers an offer."""
    reception = make_reception()
    receive(reception, -30_001, -30_000, at=0, seq=0)
    flags = [int(row["flags"]) for b in reception.advance(UnixMs(NOW)) for row in b.readings]
    assert flags == [ReadingFlag.FROM_SPOOL, 0]


def test_nothing_is_heard_after_it_arrived() -> None:
    """A clock 150 ms ahead is not corrected, and must still not open an epoch of the future."""
    reception = make_reception(lateness_ms=0, hold_ms_max=0)
    reception.receive([raw(up(heard(), t=NOW + 150), at=NOW)])
    (batch,) = reception.advance(UnixMs(NOW))
    assert batch.readings["heard_at_ms"].tolist() == [NOW]


def test_a_message_after_a_silence_waits_for_the_spools_of_the_others() -> None:
    """A broker restart costs a delay, and no second of dwell."""
    reception = make_reception()
    receive(reception, 0, at=0, seq=0)
    assert ends(reception, 700) == [(0, 1)]
    receive(reception, 8_000, at=8_000, seq=9)
    assert ends(reception, 8_100) == [(1_000, 0)]  # it stands at 1,500
    for seq in range(1, 9):  # drained from the spool, oldest first, within the hold
        receive(reception, seq * 900, at=8_200 + seq, seq=seq)
    found = [end for end, count in ends(reception, 10_500) if count]
    in_time = [-(-seq * 900 // 100) * 100 for seq in range(2, 9)]
    assert found == [1_600, *in_time, 8_000]  # the one of 900 is late, and used


@pytest.mark.parametrize(
    "settings",
    [
        {"epoch_ms": 300},
        {"epoch_ms": 0},
        {"lateness_ms": -1},
        {"hold_ms_max": 10**9},
        {"quiet_after_ms": 0},
        {"readings_max": 1},
        {"tags_max": 0},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, int]) -> None:
    """A wrong number should be found at the start, by name."""
    with pytest.raises(InvalidReading, match=next(iter(settings))):
        ReceptionSettings(**settings)
