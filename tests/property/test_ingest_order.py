"""Laws of reception: order, splitting, doubling and restarts on the way change nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.ingest.reception import Reception
from rtls.model.units import UnixMs
from rtls.ports import RawMessage
from tests.unit.ingest.made_messages import NOW, heard, make_map, make_reception, raw, up

SPAN_MS = 3_000
GATEWAYS = ("g1", "g2", "g3")
MAP = make_map([(f"a{index}", gateway) for index, gateway in enumerate(GATEWAYS)])

readings = st.tuples(
    st.sampled_from(["tag:a", "tag:b", "tag:c", "tag:d"]),
    st.integers(0, 40).map(lambda tenths: tenths / 8),
    st.integers(-200, 0),
)
sent = st.tuples(
    st.sampled_from(GATEWAYS),
    st.integers(0, SPAN_MS),
    st.lists(readings, min_size=1, max_size=5),
    st.lists(
        st.integers(0, 290), min_size=1, max_size=3
    ),  # delays of its copies; with the age below 500 ms, the lateness
)


def deliveries(messages: list[tuple]) -> list[RawMessage]:
    """Every copy of every message, in order of arrival."""
    copies = []
    for number, (gateway, at, heard_then, delays) in enumerate(messages):
        seq = sum(one[0] == gateway for one in messages[:number])
        observations = [heard(tag, value, dt=age) for tag, value, age in heard_then]
        payload = up(*observations, seq=seq, t=NOW + at)
        topic = f"inaisle/v1/gw/{gateway}/up"
        copies += [raw(payload, at=NOW + at + delay, topic=topic) for delay in delays]
    return sorted(copies, key=lambda one: one.received_at_ms)


def told(batches: list) -> list[tuple]:
    """What the engine is told, byte for byte; the readings' numbering apart."""
    return [(b.sequence, b.epoch_end_ms, b.introduced, b.readings.tobytes()) for b in batches]


def run(reception: Reception, copies: list[RawMessage], ticks: list[int]) -> list[tuple]:
    """Deliver at the time of arrival, ask at every tick; return all batches."""
    batches = []
    waiting = list(copies)
    for tick in [*sorted(ticks), SPAN_MS + 20_000]:
        due = [one for one in waiting if one.received_at_ms <= NOW + tick]
        waiting = [one for one in waiting if one.received_at_ms > NOW + tick]
        reception.receive(due)
        batches += reception.advance(UnixMs(NOW + tick))
    return told(batches)


ticks = st.lists(st.integers(0, SPAN_MS + 1_000), max_size=12)


@given(st.lists(sent, min_size=1, max_size=12), ticks, ticks)
def test_when_and_how_often_messages_are_taken_changes_nothing(
    messages: list[tuple], some_ticks: list[int], other_ticks: list[int]
) -> None:
    """A busy machine takes messages in lumps; the fixes must not depend on it."""
    copies = deliveries(messages)
    one, other = (make_reception(MAP, hold_ms_max=0) for _ in "ab")
    assert run(one, copies, some_ticks) == run(other, copies, other_ticks)


@given(st.lists(sent, min_size=1, max_size=12), st.randoms(use_true_random=False), ticks)
def test_order_splitting_and_doubling_on_the_way_change_nothing(
    messages: list[tuple], chance, some_ticks: list[int]
) -> None:
    """Two lines, one slower: the same readings must give the same fixes, byte for byte."""
    clean = [(gateway, at, heard_then, [0]) for gateway, at, heard_then, _ in messages]
    mixed = deliveries(messages)
    chance.shuffle(mixed)  # what is taken in one call comes in any order
    one, other = (make_reception(MAP, hold_ms_max=0) for _ in "ab")
    assert run(one, deliveries(clean), []) == run(other, mixed, some_ticks)


@given(
    st.lists(sent, min_size=1, max_size=12),
    ticks,
    st.lists(st.integers(0, SPAN_MS + 1_000), min_size=1, max_size=3),
)
@settings(max_examples=60)
def test_a_restart_from_a_snapshot_changes_nothing(
    messages: list[tuple], some_ticks: list[int], kills: list[int]
) -> None:
    """Killed at any tick and restored, with the unacknowledged sent again: the same batches."""
    copies = deliveries(messages)
    settings_used = {"hold_ms_max": 0}
    undisturbed = run(make_reception(MAP, **settings_used), copies, [*some_ticks, *kills])
    reception = make_reception(MAP, **settings_used)
    batches = []
    unacknowledged: list[RawMessage] = []
    waiting = list(copies)
    for tick in [*sorted([*some_ticks, *kills]), SPAN_MS + 20_000]:
        due = [one for one in waiting if one.received_at_ms <= NOW + tick]
        waiting = [one for one in waiting if one.received_at_ms > NOW + tick]
        reception.receive([*unacknowledged, *due])
        batches += reception.advance(UnixMs(NOW + tick))
        unacknowledged = due  # the broker's copy may come again even though we have it
        if tick in kills:
            saved = reception.snapshot()
            reception = make_reception(MAP, **settings_used)
            reception.restore(saved)
    assert told(batches) == undisturbed
