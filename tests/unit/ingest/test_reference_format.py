"""The reference protocol: what is well formed is read, all else is refused with a reason."""

import json
import math

import pytest

from rtls.ingest.formats.decoded import Decoded, GatewayStatus, MessageKey, Rejection
from rtls.ingest.formats.decoded import RejectionReason as Reason
from rtls.ingest.formats.registry import decode
from rtls.model.reading import ReadingKind
from rtls.model.units import UnixMs
from tests.unit.ingest.made_messages import BOOT, NOW, TOPIC, heard, up

# The payload of the protocol's description, with every kind of reading.
EXAMPLE = (
    b'{"v":1,"boot":"6f2c9a10b7e4d853","seq":10234,"t":1795255200120,'
    b'"clk":{"src":"ntp","err_ms":4},"obs":['
    b'{"a":"a17","id":"app:9f3c","k":"rssi","v":-67,"dt":-80,"ch":38,"ref":-59},'
    b'{"a":"a17","id":"tag:0d13","k":"range","v":4.31,"sd":0.12,"m":"uwb_twr"},'
    b'{"a":"a17","id":"app:9f3c","k":"range","v":3.9,"sd":0.5,"m":"ble_cs"},'
    b'{"a":"a17","id":"tag:0d13","k":"aoa","az":0.61,"el":-0.9,"sd":0.05},'
    b'{"a":"a17","id":"tag:0d13","k":"tdoa","ref_a":"a03","v":-2.17,"sd":0.15}]}'
)


def read(payload: bytes, topic: str = TOPIC) -> Decoded | Rejection | GatewayStatus:
    return decode(topic, payload, UnixMs(NOW))


def refuse(payload: bytes, topic: str = TOPIC) -> Rejection:
    outcome = read(payload, topic)
    assert isinstance(outcome, Rejection), outcome
    return outcome


def test_the_example_of_the_description_is_read_whole() -> None:
    """The description is what integrators copy from."""
    message = read(EXAMPLE)
    assert isinstance(message, Decoded)
    assert (message.gateway, message.sent_at_ms) == ("g1", 1795255200120)
    assert message.key == MessageKey(BOOT, 10234)
    rssi, ranges, aoa, tdoa = message.columns
    assert (rssi.kind, rssi.values, rssi.ages_ms) == (ReadingKind.RSSI, (-67.0,), (-80,))
    assert rssi.channels == (38,)
    assert ranges.kind == ReadingKind.RANGE
    assert (ranges.tags, ranges.values) == (("tag:0d13", "app:9f3c"), (4.31, 3.9))
    assert (aoa.kind, aoa.values, aoa.values_2) == (ReadingKind.AOA, (0.61,), (-0.9,))
    assert (tdoa.kind, tdoa.ref_anchors, tdoa.sigmas) == (ReadingKind.TDOA, ("a03",), (0.15,))


def test_members_that_are_not_known_are_passed_over() -> None:
    """A newer gateway may say more; an older ingest must still understand the rest."""
    message = read(up(heard(mood="good"), firmware="2.1"))
    assert isinstance(message, Decoded)
    assert message.columns[0].values == (4.31,)


def test_white_space_is_no_fault() -> None:
    """Some gateways write JSON for people to read."""
    assert isinstance(read(json.dumps(json.loads(EXAMPLE), indent=2).encode()), Decoded)
    assert isinstance(read(EXAMPLE.replace(b'":', b'" : ')), Decoded)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"\xff\x00", Reason.MALFORMED),
        (b"null", Reason.WRONG_SHAPE),
        (b"[]", Reason.WRONG_SHAPE),
        (EXAMPLE[:200], Reason.MALFORMED),
        (EXAMPLE + b"x", Reason.MALFORMED),
        (up(heard("tag:\xff")).replace(b"\\u00ff", b"\xff"), Reason.NOT_UTF8),
        (up(heard()).replace(b"tag:1", b"tag:\\ud800"), Reason.MALFORMED),
        (up(), Reason.WRONG_SHAPE),
        (up(*[heard()] * 513), Reason.WRONG_SHAPE),
        (up(heard(), v=2), Reason.WRONG_SHAPE),
        (up(heard(), boot="6F2C9A10B7E4D853"), Reason.BAD_ID),
        (up(heard(), boot="6f2c"), Reason.WRONG_SHAPE),
        (up(heard(), boot="6f2c9a10b7e4d85\n"), Reason.BAD_ID),
        (up(heard(), seq=2**53), Reason.WRONG_SHAPE),
        (up(heard(), seq=-1), Reason.WRONG_SHAPE),
        (up(heard(), seq=1).replace(b'"seq":1', b'"seq":1.5'), Reason.WRONG_SHAPE),
        (up(heard(), seq=1).replace(b'"seq":1', b'"seq":true'), Reason.WRONG_SHAPE),
        (up(heard(), t=10**30), Reason.WRONG_SHAPE),
        (up(heard("")), Reason.WRONG_SHAPE),
        (up(heard("x" * 65)), Reason.WRONG_SHAPE),
        (up(heard("tag:1\n")), Reason.BAD_ID),
        (up(heard("tag 1")), Reason.BAD_ID),
        (up(heard("-tag")), Reason.BAD_ID),
        (up(heard("tag/+/#")), Reason.BAD_ID),
        (up(heard("täg")), Reason.BAD_ID),
        (up(heard(a="A1")), Reason.BAD_ID),
        (up(heard(a="")), Reason.WRONG_SHAPE),
        (up(heard(a="a1\n")), Reason.BAD_ID),
        (up(heard(value=math.nan)), Reason.MALFORMED),
        (up(heard(value=math.inf)), Reason.MALFORMED),
        (up(heard(value=4.25)).replace(b"4.25", b"1e999"), Reason.WRONG_SHAPE),
        (up(heard(value=300.01)), Reason.WRONG_SHAPE),
        (up(heard(value=-0.01)), Reason.WRONG_SHAPE),
        (up(heard(value=10**30)), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "rssi", "v": 1}), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "rssi", "v": -121}), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "rssi", "v": True}), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "rssi", "v": "-60"}), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "rssi"}), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "smell", "v": 1}), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "aoa", "az": 7.0, "el": 0.0}), Reason.WRONG_SHAPE),
        (up({"id": "tag:1", "k": "tdoa", "v": 1.0}), Reason.WRONG_SHAPE),
        (up(heard(sd=0)), Reason.WRONG_SHAPE),
        (up(heard(dt=1)), Reason.WRONG_SHAPE),
        (up(heard(dt=-600_001)), Reason.WRONG_SHAPE),
        (up(heard(ch=256)), Reason.WRONG_SHAPE),
        (up(heard()).replace(b'"v":1,', b'"v":1,"v":1,'), Reason.REPEATED_MEMBER),
        (up(heard()).replace(b'"v":4.31', b'"v":4.31,"v":9'), Reason.REPEATED_MEMBER),
        (up(heard(dt=-1)).replace(b'"dt":-1', b'"dt":-1,"dt":-2'), Reason.REPEATED_MEMBER),
        (b"[" * 100_000, Reason.TOO_LARGE),
        (b"[" * 60_000, Reason.WRONG_SHAPE),
        (b'{"x":' * 12_000, Reason.TOO_DEEP),
        (EXAMPLE + b" " * 65_536, Reason.TOO_LARGE),
    ],
)
def test_a_bad_payload_is_refused_with_its_reason(payload: bytes, reason: Reason) -> None:
    """Each of these has stopped some ingest for good; here it costs one message."""
    assert refuse(payload).reason == reason


def test_the_bounds_themselves_are_allowed() -> None:
    """A bound that is off by one would refuse a gateway that keeps to the description."""
    limits = [heard(value=0.0), heard(value=300.0), heard(dt=0), heard(dt=-600_000), heard(ch=255)]
    limits += [{"id": "x" * 64, "k": "rssi", "v": value} for value in (-120, 0)]
    assert isinstance(read(up(*limits, *[heard()] * 505, seq=2**53 - 1)), Decoded)


def test_a_fault_is_named_by_its_path_and_never_by_its_content() -> None:
    """An integrator needs the place; the content may be somebody's tag and is kept nowhere."""
    rejection = refuse(up(heard(), heard("canary" * 20)))
    assert rejection.where == "$.obs[1].id"
    assert "canary" not in repr(rejection)


def test_a_message_with_bad_readings_still_says_which_one_it_is() -> None:
    """The gateway must be told to forget it, or it would send the same bad message for ever."""
    assert refuse(up(heard(value=-5), seq=7)).key == MessageKey(BOOT, 7)
    assert refuse(up(heard(), seq=7, boot="x" * 16)).key is None
    assert refuse(up(heard(), seq=7)[:60]).key is None


@pytest.mark.parametrize("gateway", ["", "G1", "-g", "g 1", "g\n", "é", "x" * 64, "+", "a/b"])
def test_a_gateway_id_outside_the_grammar_is_refused(gateway: str) -> None:
    """The id goes back into a topic; a wildcard or a slash in it would reach other gateways."""
    assert refuse(up(heard()), f"inaisle/v1/gw/{gateway}/up").gateway is None


def test_an_unknown_topic_is_refused() -> None:
    """A subscription may be wider than what is understood."""
    assert refuse(up(heard()), "home/BTtoMQTT/x").reason == Reason.UNKNOWN_TOPIC


def test_birth_and_last_will_are_read() -> None:
    """The operator sees which gateways are there."""
    topic = "inaisle/v1/gw/g1/status"
    assert read(b'{"online":true,"boot":"x"}', topic) == GatewayStatus(gateway="g1", is_online=True)
    assert read(b'{"online":false}', topic) == GatewayStatus(gateway="g1", is_online=False)
    assert refuse(b"online", topic).reason == Reason.MALFORMED
