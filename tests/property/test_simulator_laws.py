"""Laws of the simulator: whatever is drawn, these hold."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.disk_spool import DiskSpool, MessageKey
from firmware_sim.radio_channel import path_loss_dbm
from firmware_sim.shopper_walk import Walkers
from firmware_sim.wire import (
    READINGS_A_MESSAGE_MAX,
    ReadingFields,
    parse_down,
    render_up,
)
from rtls.ingest.formats.decoded import Decoded
from rtls.ingest.formats.reference import decode_up
from rtls.model.units import UnixMs

places = st.tuples(st.floats(0, 5), st.floats(0, 3))
tag_ids = st.from_regex(r"\A(?:app|tag):[0-9a-f]{4,12}\Z")
ranges = st.builds(
    lambda tag, value, age: ReadingFields("u01", tag, "range", value, 0.1, "uwb_twr", dt=-age),
    tag_ids,
    st.floats(0, 300),
    st.integers(0, 10_000),
)
strengths = st.builds(
    lambda tag, value, channel: ReadingFields("b01", tag, "rssi", float(value), ch=channel),
    tag_ids,
    st.integers(-120, 0),
    st.sampled_from([37, 38, 39]),
)


@settings(max_examples=60)
@given(st.lists(ranges | strengths, min_size=1, max_size=30), st.integers(0, 2**53 - 1))
def test_whatever_the_gateway_writes_ingest_reads_back_to_the_last_digit(
    readings: list[ReadingFields], seq: int
) -> None:
    """Encoder and decoder know the protocol from its description only."""
    payload = render_up(
        boot="6f2c9a10b7e4d853", seq=seq, low=0, sent_at_ms=1_795_255_200_000, readings=readings
    )
    decoded = decode_up("inaisle/v1/gw/gw-01/up", payload, UnixMs(1_795_255_200_000))
    assert isinstance(decoded, Decoded), decoded
    back = [
        (tag, anchor, value)
        for column in decoded.columns
        for tag, anchor, value in zip(column.tags, column.anchors, column.values, strict=True)
    ]
    assert sorted(back) == sorted((r.id, r.a, r.v) for r in readings)


@given(st.binary(max_size=200))
def test_no_answer_harms_the_gateway(payload: bytes) -> None:
    """It is switched on for years."""
    parse_down(payload)


@settings(max_examples=50)
@given(st.lists(places, min_size=1, max_size=4), st.floats(0.6, 1.3), st.integers(50, 500))
def test_nobody_outruns_his_pace_and_everybody_arrives(
    way: list[tuple[float, float]], pace: float, step_ms: int
) -> None:
    """On any way, with any step."""
    walkers = Walkers(1)
    walkers.appear(0, x_m=0.0, y_m=0.0, pace_m_s=pace)
    walkers.send(0, np.array(way))
    length = float(np.hypot(*np.diff(np.vstack([(0.0, 0.0), way]), axis=0).T).sum())
    bound = int((length / 0.1 + 20) * 1_000 / step_ms) + 5
    for number in range(1, bound):
        before = float(walkers.x_m[0]), float(walkers.y_m[0])
        end = walkers.advance(number * step_ms, step_ms=step_ms)
        moved = np.hypot(walkers.x_m[0] - before[0], walkers.y_m[0] - before[1])
        assert moved <= pace * step_ms / 1_000 + 1e-6
        if end.arrived.size:
            break
    assert end.arrived.size == 1
    assert np.hypot(walkers.x_m[0] - way[-1][0], walkers.y_m[0] - way[-1][1]) < 1e-5


@given(st.floats(0, 100), st.floats(0, 100), st.floats(1.5, 5))
def test_a_farther_tag_is_never_heard_louder(near: float, more: float, exponent: float) -> None:
    """Without noise, that is."""
    distances = np.array([near, near + more])
    at_near, at_far = path_loss_dbm(distances, rssi_at_1m=-59.0, exponent=exponent)
    assert at_far <= at_near


acts = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 5)),
    st.tuples(st.just("acknowledge"), st.integers(0, 30), st.sets(st.integers(0, 30), max_size=3)),
    st.just(("restart",)),
)


@settings(max_examples=30)
@given(st.lists(acts, max_size=25))
def test_the_spool_holds_what_a_list_would_hold(acts) -> None:
    """Whatever is put, acknowledged and restarted in between."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gw.sqlite"
        spool, model, seq = DiskSpool(path, messages_max=12), [], 0
        for act, *given_by in acts:
            if act == "put":
                keys = [MessageKey("b", seq + n) for n in range(given_by[0])]
                seq += len(keys)
                spool.put([(key, b"x") for key in keys])
                model = [*model, *keys][-12:]
            elif act == "acknowledge":
                upto, holes = given_by
                spool.acknowledge("b", upto=upto, missing=sorted(holes))
                model = [k for k in model if k.seq > upto or k.seq in holes]
            else:
                spool.close()
                spool = DiskSpool(path, messages_max=12)
            assert spool.waiting() == model
            assert len(spool) == len(model)
        spool.close()


def test_the_largest_message_keeps_within_the_protocol() -> None:
    """512 readings with the longest names must not pass 64 kB."""
    longest = ReadingFields(
        "a" * 16, "tag:" + "0" * 20, "range", 299.999, 0.1, "uwb_twr", dt=-9_999
    )
    payload = render_up(
        boot="6f2c9a10b7e4d853",
        seq=2**53 - 1,
        low=0,
        sent_at_ms=1_795_255_200_000,
        readings=[longest] * READINGS_A_MESSAGE_MAX,
    )
    assert len(payload) <= 65_536
