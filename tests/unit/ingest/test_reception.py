"""Reception: whatever comes, the next message is processed, and all that is left out is counted."""

import json

import msgspec
import numpy as np
import pytest

from rtls.ingest.formats.decoded import RejectionReason
from rtls.ingest.reception import AdmittedTags, Reception, ReceptionSettings
from rtls.model.errors import InvalidSnapshot
from rtls.model.reading import READING_DTYPE
from rtls.model.units import TagId, UnixMs
from rtls.ports import RawMessage
from tests.unit.ingest.made_messages import (
    BOOT,
    NOW,
    OTHER_BOOT,
    TOPIC,
    heard,
    make_map,
    make_reception,
    raw,
    rows_of,
    up,
)

G2 = "inaisle/v1/gw/g2/up"


def values(reception: Reception, at: int = NOW + 60_000) -> list[float]:
    """The values of all readings located up to then."""
    return [value for _, _, value in rows_of(reception.advance(UnixMs(at)))]


def counted(reception: Reception) -> dict[str, int]:
    """The counters that are not zero, but those of normal work."""
    normal = {
        "messages_received",
        "messages_accepted",
        "readings_received",
        "readings_waiting",
        "batches",
        "tags_known",
    }
    return {name: n for name, n in reception.counters.items() if n and name not in normal}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (raw(b"\xff\x00"), RejectionReason.MALFORMED),
        (raw(b"[" * 60_000), RejectionReason.WRONG_SHAPE),
        (raw(b"{" * 70_000), RejectionReason.TOO_LARGE),
        (raw(up(heard(value=-5.0))), RejectionReason.WRONG_SHAPE),
        (raw(up(heard()).replace(b"4.31", b"NaN")), RejectionReason.MALFORMED),
        (raw(up(heard()), is_retained=True), RejectionReason.RETAINED),
        (raw(up(heard()), topic="inaisle/v1/gw/G 1/up"), RejectionReason.BAD_ID),
        (raw(up(heard()), topic="\x00"), RejectionReason.UNKNOWN_TOPIC),
        (raw(b"", topic=""), RejectionReason.UNKNOWN_TOPIC),
        (raw(b"\xff", topic="inaisle/v1/gw/g1/status"), RejectionReason.MALFORMED),
    ],
)
def test_a_poison_message_costs_itself_and_nothing_behind_it(
    bad: RawMessage, reason: RejectionReason
) -> None:
    """Two bytes from any gateway once stopped an ingest for good, through four restarts."""
    reception = make_reception()
    reception.receive([bad, raw(up(heard(value=7.0), seq=1))])
    assert values(reception) == [7.0]
    assert counted(reception) == {"messages_quarantined": 1, f"quarantined_{reason}": 1}
    (entry,) = reception.quarantined
    assert (entry.reason, entry.size_bytes) == (reason, len(bad.payload))


def test_the_quarantine_keeps_no_content_and_no_more_than_its_bound() -> None:
    """A payload may name people's tags; and an attacker may send millions."""
    reception = make_reception()
    reception.receive([raw(up(heard("canary\n"), seq=seq)) for seq in range(1_200)])
    reception.receive([raw(b"x", topic="canary\n" + "y" * 500)])
    assert len(reception.quarantined) == 1_000
    assert "canary" not in repr(reception.quarantined[:-1])
    assert reception.quarantined[-1].topic.startswith("canary\\ny")
    assert len(reception.quarantined[-1].topic) < 130
    assert reception.counters["messages_quarantined"] == 1_201


def test_a_bad_message_is_acknowledged_if_it_says_which_one_it_is() -> None:
    """Sent again it would be as bad, and the gateway would never get rid of it."""
    reception = make_reception()
    reception.receive([raw(up(heard(value=-5.0), seq=0)), raw(up(heard(), seq=1, t=0))])
    ((_, payload),) = reception.acknowledgements()
    assert json.loads(payload) == {"boot": BOOT, "upto": 1, "missing": []}


def test_a_message_counts_once_however_often_it_comes() -> None:
    """Gateways resend until they are answered, and brokers deliver at least once."""
    reception = make_reception()
    message = raw(up(heard(value=3.0), seq=0))
    reception.receive([message, message])
    reception.receive([message])
    assert values(reception) == [3.0]
    assert counted(reception) == {"messages_duplicate": 2}


def test_a_number_going_back_is_a_duplicate_and_a_new_boot_is_not() -> None:
    """A gateway that starts anew counts from 0, and must not be deaf until it catches up."""
    reception = make_reception()
    reception.receive(
        [
            raw(up(heard(value=1.0), seq=0)),
            raw(up(heard(value=2.0), seq=1)),
            raw(up(heard(value=3.0, dt=-1), seq=0)),
            raw(up(heard(value=4.0), seq=0, boot=OTHER_BOOT)),
        ]
    )
    assert values(reception) == [1.0, 2.0, 4.0]
    assert [json.loads(payload) for _, payload in reception.acknowledgements()] == [
        {"boot": BOOT, "upto": 1, "missing": []},
        {"boot": OTHER_BOOT, "upto": 0, "missing": []},
    ]


def test_the_gateways_own_anchor_is_meant_where_none_is_named() -> None:
    """Most gateways are one anchor."""
    reception = make_reception()
    reception.receive([raw(up(heard()), topic=G2)])
    (batch,) = reception.advance(UnixMs(NOW + 500))
    assert batch.readings["anchor"].tolist() == [1]


def test_a_gateway_cannot_speak_for_anothers_anchor() -> None:
    """It could move every shopper of the shop."""
    reception = make_reception()
    reception.receive([raw(up(heard(a="a1", value=1.0), heard(a="a2", value=2.0)), topic=G2)])
    assert values(reception) == [2.0]
    assert counted(reception) == {"readings_foreign_anchor": 1}


def test_an_anchor_without_a_gateway_may_be_reported_by_any() -> None:
    """Recordings do not say who heard what."""
    reception = make_reception(make_map([("a1", None), ("a2", "g2")]))
    reception.receive([raw(up(heard(a="a1", value=1.0), heard(a="a2", value=2.0)))])
    assert values(reception) == [1.0]


def test_unknown_anchors_and_gateways_are_counted_by_name() -> None:
    """The operator finds the anchor that was mounted and not drawn into the map."""
    reception = make_reception()
    reception.receive(
        [
            raw(up(heard(a="a9"), heard(value=2.0))),
            raw(up(heard()), topic="inaisle/v1/gw/g9/up"),
        ]
    )
    assert values(reception) == [2.0]
    assert reception.unknown_anchors.as_dict() == {"a9": 1}
    assert reception.unknown_gateways.as_dict() == {"g9": 1}
    assert counted(reception) == {"readings_unknown_anchor": 1, "messages_unknown_gateway": 1}


def test_an_unknown_gateway_is_not_acknowledged() -> None:
    """It keeps its spool until somebody has drawn it into the map."""
    reception = make_reception()
    bad = raw(up(heard(value=-1.0)), topic="inaisle/v1/gw/g9/up")
    reception.receive([raw(up(heard()), topic="inaisle/v1/gw/g9/up"), bad])
    assert reception.acknowledgements() == []


def test_a_reference_anchor_may_be_anothers_but_must_be_known() -> None:
    """A time difference is heard by two; against nothing it says nothing."""
    reception = make_reception()
    both = [{"id": "t", "k": "tdoa", "v": 1.0, "ref_a": name} for name in ("a2", "a9")]
    reception.receive([raw(up(*both))])
    (batch,) = reception.advance(UnixMs(NOW + 500))
    assert batch.readings["ref_anchor"].tolist() == [1]


def test_every_member_arrives_in_its_column() -> None:
    """A column filled from its neighbour is wrong without any error."""
    reception = make_reception()
    reception.receive(
        [
            raw(
                up(
                    {"id": "t", "k": "rssi", "v": -67, "dt": -80, "ch": 38, "ref": -59},
                    {"id": "t", "k": "range", "v": 4.5, "sd": 0.25, "m": "uwb_twr"},
                    {"id": "t", "k": "aoa", "az": 0.5, "el": -0.75, "sd": 0.125},
                    {"id": "t", "k": "tdoa", "v": -2.5, "ref_a": "a2"},
                )
            )
        ]
    )
    (batch,) = reception.advance(UnixMs(NOW + 500))
    nan = np.nan
    names = ("kind", "value", "value_2", "value_3", "sigma", "ref_anchor", "channel")
    got = [[float(row[name]) for name in names] for row in batch.readings]
    wanted = [
        [0, -67.0, nan, nan, nan, -1, 38],
        [1, 4.5, nan, nan, 0.25, -1, 0],
        [2, -2.5, nan, nan, nan, 1, 0],
        [3, 0.5, -0.75, nan, 0.125, -1, 0],
    ]
    np.testing.assert_array_equal(got, wanted)
    assert (batch.readings["heard_at_ms"] - NOW).tolist() == [-80, 0, 0, 0]
    assert batch.introduced == ((0, "t"),)


def test_tags_without_consent_leave_no_trace() -> None:
    """Who has not agreed to be located is forgotten in memory: no count, no name, no snapshot."""
    admitted = AdmittedTags([TagId("yes")])
    reception = Reception(make_map(), admitted=admitted)
    reception.receive([raw(up(heard("canary", value=1.0), heard("yes", value=2.0)))])
    assert b"canary" not in reception.snapshot()
    assert values(reception) == [2.0]
    assert counted(reception) == {"readings_not_admitted": 1}


def test_consent_given_and_withdrawn_takes_effect_with_the_next_reading() -> None:
    """Also for readings that still wait for their epoch."""
    admitted = AdmittedTags()
    reception = Reception(make_map(), admitted=admitted)
    reception.receive([raw(up(heard(value=1.0), seq=0))])
    admitted.grant(TagId("tag:1"))
    reception.receive([raw(up(heard(value=2.0), seq=1))])
    assert values(reception, NOW + 500) == [2.0]
    reception.receive([raw(up(heard(value=3.0), seq=2, t=NOW + 600), at=NOW + 600)])
    admitted.withdraw(TagId("tag:1"))
    assert values(reception, NOW + 1_200) == []
    admitted.replace([TagId("tag:1")])
    reception.receive([raw(up(heard(value=4.0), seq=3, t=NOW + 1_300), at=NOW + 1_300)])
    (batch,) = [b for b in reception.advance(UnixMs(NOW + 1_900)) if len(b.readings)]
    assert batch.readings["value"].tolist() == [4.0]
    assert batch.introduced == ()  # still the slot that the engine knows it by


def test_a_skewed_clock_does_not_move_a_reading_in_time() -> None:
    """Five seconds ahead, and the reading would wait for an epoch of the future."""
    reception = make_reception()
    reception.receive([raw(up(heard(dt=-30), t=NOW + 5_000), at=NOW)])
    assert [end for end, _, _ in rows_of(reception.advance(UnixMs(NOW + 500)))] == [0]
    assert reception.clock_corrections_ms == {"g1": -5_000}


@pytest.mark.parametrize("t", [0, 4_102_444_800_000])
def test_a_gateway_that_never_set_its_clock_is_dated_by_arrival(t: int) -> None:
    """A clock mismatch must not drop everything that a gateway hears."""
    reception = make_reception()
    reception.receive([raw(up(heard(dt=-30), t=t), at=NOW)])
    assert [end for end, _, _ in rows_of(reception.advance(UnixMs(NOW + 500)))] == [0]
    assert reception.clock_alarms_ms.keys() == {"g1"}


def test_more_tags_than_fit_are_counted_and_old_ones_make_room() -> None:
    """An attacker's invented tags cannot grow the memory."""
    reception = make_reception(tags_max=2)
    reception.receive([raw(up(heard("a"), heard("b"), heard("c")))])
    assert [tag for _, tag, _ in rows_of(reception.advance(UnixMs(NOW + 500)))] == ["a", "b"]
    assert counted(reception) == {"readings_no_tag_slot": 1}
    reception.release([0, 1])
    reception.receive([raw(up(heard("c"), seq=1, t=NOW + 600), at=NOW + 600)])
    assert [tag for _, tag, _ in rows_of(reception.advance(UnixMs(NOW + 1_200)))] == ["c"]


def test_without_room_readings_are_counted_and_the_caller_is_told_before() -> None:
    """The loop stops asking for messages while there is none: then nothing is dropped at all."""
    reception = make_reception(readings_max=1_024)
    batch = [heard(value=index / 10) for index in range(400)]
    for seq in range(3):
        assert reception.has_room == (seq < 2)
        reception.receive([raw(up(*batch, seq=seq))])
    assert counted(reception) == {"readings_no_room": 400}
    assert len(values(reception)) == 400  # the second message said the same


def test_a_full_memory_ends_a_hold() -> None:
    """Else nothing would be asked for and nothing closed, for ever."""
    reception = make_reception(readings_max=1_024)
    reception.receive([raw(up(heard(), seq=0))])
    reception.advance(UnixMs(NOW + 5_000))
    assert reception.is_held
    many = [heard(value=index / 10, dt=-1_000) for index in range(512)]
    for seq in (1, 2):
        reception.receive([raw(up(*many[seq:], seq=seq, t=NOW + 6_000), at=NOW + 6_000)])
    assert not reception.has_room
    batches = reception.advance(UnixMs(NOW + 6_000))
    assert sum(len(batch.readings) for batch in batches) == 511


def test_status_messages_say_who_is_there() -> None:
    """Retained ones count here: that is what they are for."""
    reception = make_reception()
    topic = "inaisle/v1/gw/g1/status"
    reception.receive([raw(b'{"online":true}', topic=topic, is_retained=True)])
    assert [(one.gateway, one.is_online) for one in reception.gateways.heard()] == [("g1", True)]
    reception.receive([raw(b'{"online":false}', topic=topic)])
    assert [(one.gateway, one.is_online) for one in reception.gateways.heard()] == [("g1", False)]


def used_reception(seed_tags: int = 3) -> Reception:
    """Reception in the middle of its work, with something in every part of its state."""
    reception = make_reception()
    tags = [f"tag:{index}" for index in range(seed_tags)]
    for seq, at in ((0, 0), (1, 250), (4, 500), (5, 750), (6, 1_000)):
        batch = [heard(tag, at / 100 + n, dt=-40) for n, tag in enumerate(tags)]
        ahead = 5_000 if seq > 4 else 0
        reception.receive([raw(up(*batch, seq=seq, t=NOW + at + ahead), at=NOW + at)])
        reception.advance(UnixMs(NOW + at))
    return reception


def restored(reception: Reception, site_map=None) -> Reception:
    again = make_reception(site_map)
    again.restore(reception.snapshot())
    return again


def test_a_restored_reception_goes_on_as_if_nothing_had_happened() -> None:
    """Kill -9 between two ticks must not cost a reading, a slot or an acknowledgement."""
    here = used_reception()
    there = restored(here)
    assert there.acknowledgements() == here.acknowledgements()
    assert there.clock_corrections_ms == here.clock_corrections_ms == {"g1": -5_000}
    more = [
        raw(up(heard("tag:1", 8.0), seq=6, t=NOW + 1_100), at=NOW + 1_100),  # a duplicate
        raw(
            up(heard("tag:2", 9.0), heard("tag:0", 0.0, dt=-1140), seq=7, t=NOW + 6_100),
            at=NOW + 1_100,
        ),
    ]
    for reception in (here, there):
        reception.receive(more)
    # Held after the restart for the spools; then the same readings in the same slots.
    assert there.advance(UnixMs(NOW + 2_000)) == []
    here_rows, there_rows = (
        np.concatenate([b.readings for b in reception.advance(UnixMs(NOW + 4_000))]).tobytes()
        for reception in (here, there)
    )
    assert here_rows == there_rows
    assert len(here_rows) == 7 * READING_DTYPE.itemsize  # 2 × 3 waited, 1 is new, 1 known


def test_a_restored_reception_knows_what_it_had_given_before() -> None:
    """A late copy of a reading that is in the engine already must not go in twice."""
    here = used_reception()
    late = raw(up(heard("tag:0", 0.0, dt=-1_140), seq=8, t=NOW + 6_100), at=NOW + 1_100)
    there = restored(here)
    there.receive([late])
    there.advance(UnixMs(NOW + 9_000))
    assert there.counters["readings_repeated"] == 1


def test_a_snapshot_survives_a_change_of_the_anchors() -> None:
    """An operator adds an anchor and restarts; the readings that waited keep theirs by name."""
    here = used_reception()
    waiting = here.counters["readings_waiting"]
    assert waiting > 0
    moved = restored(here, make_map([("new", "g1"), ("a1", "g1"), ("a2", "g2")]))
    batches = moved.advance(UnixMs(NOW + 60_000))
    held_until = moved.advance(UnixMs(NOW + 80_000))
    rows = np.concatenate([b.readings for b in [*batches, *held_until]])
    assert set(rows["anchor"].tolist()) == {1}
    gone = restored(here, make_map([("new", "g1")]))
    assert gone.counters["readings_waiting"] == 0


def test_restored_tags_that_may_not_be_located_any_more_are_dropped() -> None:
    """Consent can be withdrawn while the process is down."""
    here = used_reception()
    there = Reception(make_map(), admitted=AdmittedTags([TagId("tag:1")]))
    there.restore(here.snapshot())
    batches = [*there.advance(UnixMs(NOW + 60_000)), *there.advance(UnixMs(NOW + 80_000))]
    assert {int(row["tag"]) for batch in batches for row in batch.readings} == {1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"site": "other"}, "site"),
        ({"version": 99}, "version"),
        ({"shard": 3}, "shard"),
        ({"epoch_ms": 50}, "epoch_ms"),
        ({"pending": b"x"}, "multiple"),
        ({"tags": []}, "does not name"),
        ({"anchors": []}, "does not name"),
        ({"tags": [["a", 10**6, 0]]}, "tags_max"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_refused(changes: dict[str, object], said: str) -> None:
    """State of another shop would locate people there."""
    state = msgspec.msgpack.decode(used_reception().snapshot())
    with pytest.raises(InvalidSnapshot, match=said):
        make_reception().restore(msgspec.msgpack.encode(state | changes))


@pytest.mark.parametrize("damaged", [b"", b"\xff", b"[", used_reception().snapshot()[:-9]])
def test_a_damaged_snapshot_is_refused(damaged: bytes) -> None:
    """Half a state is worse than none."""
    with pytest.raises(InvalidSnapshot, match="cannot be read"):
        make_reception().restore(damaged)


def test_a_fresh_reception_can_be_saved_and_restored() -> None:
    """The first snapshot comes before the first reading."""
    again = restored(make_reception())
    again.receive([raw(up(heard(value=5.0)))])
    assert values(again, NOW + 500) == [5.0]


def test_counters_have_a_fixed_set_of_names() -> None:
    """A stranger's input can never add one to the metrics."""
    names = set(make_reception().counters)
    reception = make_reception()
    reception.receive([raw(bytes([i]), topic=f"{TOPIC}{i}") for i in range(256)])
    assert set(reception.counters) == names


def test_a_day_of_rest_costs_nothing_after_a_restart() -> None:
    """The process was off over the week-end."""
    there = restored(used_reception())
    monday = UnixMs(NOW + 2 * 86_400_000)
    assert there.advance(monday) == []  # held
    assert len(there.advance(UnixMs(monday + 15_000))) < 1_000


def test_settings_for_recordings_neither_wait_nor_hold() -> None:
    """A replay is as fast as the machine."""
    settings = ReceptionSettings.for_recordings(epoch_ms=50)
    assert (settings.epoch_ms, settings.lateness_ms, settings.hold_ms_max) == (50, 0, 0)


def test_readings_too_late_for_their_epoch_are_kept_for_another_run() -> None:
    """Up to a minute they still put right what was told; older ones are counted only."""
    reception = make_reception(revise_max_ms=60_000, hold_ms_max=0)
    reception.receive([raw(up(heard(value=1.0)))])
    reception.advance(UnixMs(NOW + 70_500))
    late = [
        raw(up(heard(value=2.0), seq=1, t=NOW + 20_000), at=NOW + 70_600),
        raw(up(heard(value=3.0), seq=2, t=NOW + 9_000), at=NOW + 70_600),
        raw(up(heard("tag:2", 4.0), seq=3, t=NOW + 20_000), at=NOW + 70_600),
    ]
    reception.receive(late)
    taken = reception.take_late()
    assert taken["value"].tolist() == [2.0]
    assert taken["tag"].tolist() == [0]
    assert taken["heard_at_ms"].tolist() == [NOW + 20_000]
    assert reception.take_late().size == 0
    assert reception.counters["readings_for_revision"] == 2
    assert reception.counters["readings_too_late"] == 1
    assert reception.counters["readings_late_of_no_slot"] == 1


def test_late_readings_of_a_tag_that_may_not_be_located_any_more_are_dropped() -> None:
    """Consent withdrawn is withdrawn for the last minute too."""
    admitted = AdmittedTags([TagId("tag:1")])
    settings = ReceptionSettings(revise_max_ms=60_000, hold_ms_max=0)
    reception = Reception(make_map(), admitted=admitted, settings=settings)
    reception.receive([raw(up(heard()))])
    reception.advance(UnixMs(NOW + 10_500))
    reception.receive([raw(up(heard(), seq=1, t=NOW + 2_000), at=NOW + 10_600)])
    admitted.replace([])
    reception.advance(UnixMs(NOW + 10_700))
    assert reception.take_late().size == 0
