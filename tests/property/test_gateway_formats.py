"""Laws of the decoders of other makers' gateways, over whatever bytes and documents."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.ingest.formats.decoded import Decoded
from tests.unit.ingest.formats import outcome_laws
from tests.unit.ingest.formats.gateway_payloads import EXAMPLES, Example, rows_of

BY_MAKER = {example.decode: example for example in EXAMPLES}.values()
EVERY_MAKER = pytest.mark.parametrize("example", BY_MAKER, ids=lambda one: one.name)
TOPICS = st.sampled_from([example.topic for example in EXAMPLES]) | st.text(max_size=80)
MEMBERS = st.sampled_from(
    [
        "id", "mac", "rssi", "timestamp", "type", "sourceId", "trackingId", "deviceAddress", "src",
        "params", "events", "event", "data", "ts", "addr", "gateway", "time", "raw_beacons_data",
        "devices",
    ]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats()
    | st.sampled_from(["C3000025EF6A", "Gateway", "ble.scan_result", "2026-02-09T00:13:53.667Z"])
    | st.text(max_size=70)
    | st.integers(-130, 5)
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(MEMBERS, inner, max_size=6),
    max_leaves=20,
)


@EVERY_MAKER
@given(data=st.data())
@settings(max_examples=25)
def test_no_bytes_make_a_decoder_raise(example: Example, data: st.DataObject) -> None:
    """One exception that leaves a decoder stops ingest for every message behind it."""
    payload = data.draw(st.binary(max_size=200))
    outcome_laws.check(example.outcome(payload, data.draw(TOPICS)))


@EVERY_MAKER
@given(data=st.data())
@settings(max_examples=50)
def test_no_document_gives_a_number_that_is_none(example: Example, data: st.DataObject) -> None:
    """NaN is a valid float to MessagePack and to some JSON writers; it must not reach a filter."""
    document = data.draw(DOCUMENTS)
    outcome_laws.check(example.outcome(json.dumps(document).encode(), data.draw(TOPICS)))


@given(document=DOCUMENTS)
def test_no_message_pack_gives_a_number_that_is_none(document: object) -> None:
    """April Brother's V4 sends the one binary format."""
    example = next(one for one in EXAMPLES if one.name == "april-brother-v4")
    try:
        payload = msgspec.msgpack.encode(document)
    except OverflowError:  # MessagePack ends at 64 bits
        return
    outcome_laws.check(example.outcome(payload))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
@given(data=st.data())
@settings(max_examples=12)
def test_a_damaged_payload_gives_sound_readings_or_none(
    example: Example, data: st.DataObject
) -> None:
    """A byte that flipped on the line may be anywhere, also inside a number or a name."""
    payload = bytearray(example.payload)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        payload = payload or bytearray(b" ")
    outcome = example.outcome(bytes(payload))
    outcome_laws.check(outcome)
    if isinstance(outcome, Decoded):
        assert len(rows_of(outcome)) <= len(example.rows) + 1
