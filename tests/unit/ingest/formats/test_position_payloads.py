"""Positioning systems, packed gateways and phones: read as they mean it, also when damaged."""

import json
import math

import pytest

from rtls.ingest.formats.decoded import Decoded, MessageKey, Rejection, RejectionReason
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Outcome, Registry
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.model.reading import ReadingKind
from tests.unit.ingest.formats.position_payloads import (
    DWM_CONFIG,
    DWM_LOCATION,
    EXAMPLES,
    LOCATION,
    OMLOX_PUT,
    OMLOX_ROW,
    PACKED,
    PACKED_TOPIC,
    POZYX_BLE,
    POZYX_TAGS,
    RECEIVED,
    Example,
    decode,
    packed,
    rows_of,
)

EVERY = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
SOURCE = str(LOCATION["source"])


def reason_of(outcome: Outcome) -> RejectionReason:
    assert isinstance(outcome, Rejection), outcome
    return outcome.reason


def located(frame: SiteFrame, **changes: object) -> Outcome:
    """Decode the omlox example with changed members, its source lying in a frame."""
    registry = Registry(FormatSettings(on=(FormatName.OMLOX,), frames={SOURCE: frame}))
    return registry.decode(OMLOX_PUT.topic, json.dumps(LOCATION | changes).encode(), RECEIVED)


@EVERY
def test_a_payload_is_read_as_its_maker_means_it(example: Example) -> None:
    """A retailer keeps the system that he has."""
    outcome = decode(example.topic, example.payload)
    assert rows_of(outcome) == list(example.rows)
    assert isinstance(outcome, Decoded)
    assert outcome.gateway == example.gateway
    assert outcome.sent_at_ms == example.sent_at_ms
    assert outcome.left_out == 0


@EVERY
def test_a_payload_cut_short_gives_no_reading(example: Example) -> None:
    """Half a number is another number."""
    for end in range(len(example.payload)):
        assert isinstance(decode(example.topic, example.payload[:end]), Rejection), end


@EVERY
def test_members_that_nobody_knows_are_passed_over(example: Example) -> None:
    """Newer firmware says more."""
    if example is PACKED:
        return  # its version says what it has

    def widened(node: object) -> object:
        if isinstance(node, dict):
            inner = {key: widened(value) for key, value in node.items()}
            return {"zz": {"deep": [1, None, "x"]}, **inner, "yy": -1e300}
        return [widened(one) for one in node] if isinstance(node, list) else node

    wide = json.dumps(widened(json.loads(example.payload)), indent=1).encode()
    assert rows_of(decode(example.topic, wide)) == list(example.rows)


@EVERY
def test_the_same_payload_twice_is_the_same_twice(example: Example) -> None:
    """Copies are dropped behind the decoder by what they say, so they must say the same."""
    assert decode(example.topic, example.payload) == decode(example.topic, example.payload)


def test_the_order_of_elements_in_an_array_does_not_change_their_times() -> None:
    """Pozyx puts tags into one array whose times go back and forth."""
    old = json.loads(POZYX_TAGS.payload)[0]
    new = {**old, "tagId": "30332", "timestamp": old["timestamp"] + 0.25}
    for elements in ([old, new], [new, old]):
        outcome = decode(POZYX_TAGS.topic, json.dumps(elements).encode())
        assert isinstance(outcome, Decoded)
        assert outcome.sent_at_ms == 1_615_984_969_057
        (column,) = outcome.columns
        ages = dict(zip(column.tags, column.ages_ms, strict=True))
        assert ages == {"30331": -250, "30332": 0}


@EVERY
def test_a_megabyte_and_deep_nesting_are_refused(example: Example) -> None:
    """Whoever can publish could otherwise stop the shop's clock."""
    for payload in (example.payload + b" " * 2**20, b"[" * 2**20, b'{"x":' * 10_000, b"[" * 60_000):
        assert isinstance(decode(example.topic, payload), Rejection)


@EVERY
def test_empty_things_are_no_readings(example: Example) -> None:
    """A system that sees nobody says so."""
    for payload in (b"", b"[]", b"{}", b"null", b"0", b'""', b"\x80", b" "):
        outcome = decode(example.topic, payload)
        assert isinstance(outcome, Rejection) or rows_of(outcome) == []


@EVERY
def test_a_number_that_is_none_never_passes(example: Example) -> None:
    """One NaN in the filter is a shopper who is nowhere for ever."""
    if example is PACKED:
        return  # bytes have their own test
    document = json.loads(example.payload)
    for member in ("x", "coordinates", "rss", "v"):
        for wrong in ("NaN", "Infinity", "-1e999", "1e308", '"12"', "null", "true", "[]"):
            text = json.dumps(_with(document, member)).replace('"MARK"', wrong)
            outcome = decode(example.topic, text.encode())
            if isinstance(outcome, Decoded):
                for row in rows_of(outcome):
                    numbers = [one for one in row[3:] if one is not None]
                    assert all(math.isfinite(one) and abs(one) <= 10_000 for one in numbers)


def _with(node: object, member: str) -> object:
    """The document with a mark in place of each member of a name."""
    if isinstance(node, dict):
        return {
            key: ("MARK" if member != "coordinates" or isinstance(value, dict) else ["MARK", 1.0])
            if key == member
            else _with(value, member)
            for key, value in node.items()
        }
    return [_with(one, member) for one in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    "lost",
    [
        b'{"position":{"x":NaN,"y":NaN,"z":NaN,"quality":0},"superFrameNumber":79}',
        b'{"position":{"x":nan,"y":1.0,"z":1.0,"quality":50},"superFrameNumber":79}',
        b'{"position":{"x":"NaN","y":"NaN","z":"NaN","quality":0},"superFrameNumber":79}',
        b'{"position":{"x":1.0,"y":2.0,"z":3.0,"quality":0},"superFrameNumber":79}',
        b'{"position":{"x":1.0,"y":2.0,"z":3.0},"superFrameNumber":79}',
        b'{"position":{"x":1.0,"y":2.0,"z":3.0,"quality":101}}',
        b'{"position":{"x":1e6,"y":2.0,"z":3.0,"quality":50}}',
    ],
)
def test_a_lost_fix_of_a_dwm1001_is_put_aside_with_its_reason(lost: bytes) -> None:
    """The operator sees how often the network loses its tags."""
    assert reason_of(decode(DWM_LOCATION.topic, lost)) == RejectionReason.LOST_FIX


def test_status_and_configuration_of_a_dwm1001_are_no_readings() -> None:
    """They are retained and come at every restart of ours."""
    for topic, payload in (
        ("dwm/node/0D13/uplink/status", b'{"present":false}'),
        ("dwm/node/0d13/uplink/config", DWM_CONFIG),
    ):
        assert rows_of(decode(topic, payload)) == []
        assert isinstance(decode(topic, b"{}"), Rejection)


@pytest.mark.parametrize("node", ["0D13", "0d13", "0x0D13"])
def test_a_node_is_one_tag_however_its_id_is_written(node: str) -> None:
    """PANS writes it in capitals in some places and small in others."""
    outcome = decode(f"dwm/node/{node}/uplink/location", DWM_LOCATION.payload)
    assert [row[1] for row in rows_of(outcome)] == ["0d13"]


@pytest.mark.parametrize("node", ["", "0D1", "0G13", "0D13\n", "..", "0D130D13"])
def test_what_is_no_node_is_refused(node: str) -> None:
    """The name would go into logs and live views."""
    outcome = decode(f"dwm/node/{node}/uplink/location", DWM_LOCATION.payload)
    assert reason_of(outcome) == RejectionReason.BAD_ID


def test_positions_of_a_network_lie_where_the_site_says() -> None:
    """Its installers chose an origin of their own: (1, 2) of it is (8, 6) of ours."""
    frame = SiteFrame(x_m=10.0, y_m=5.0, rotation_deg=90.0, anchor="uwb-net")
    registry = Registry(FormatSettings(on=(FormatName.DWM1001,), frames={"dwm": frame}))
    payload = b'{"position":{"x":1.0,"y":2.0,"z":0.5,"quality":100},"superFrameNumber":1}'
    row = rows_of(registry.decode(DWM_LOCATION.topic, payload, RECEIVED))[0]
    assert row[1:3] == ("0d13", "uwb-net")
    assert row[3:6] == pytest.approx((8.0, 6.0, 0.5))


def test_degrees_become_metres_of_the_floor() -> None:
    """One thousandth of a degree north is 111.2 m, and 74.4 m east, at 48.13 degrees."""
    frame = SiteFrame(longitude_deg=7.815, latitude_deg=48.130, x_m=20.0, y_m=30.0)
    place = {"type": "Point", "coordinates": [7.816, 48.131, 1.2]}
    rows = rows_of(located(frame, crs="EPSG:4326", position=place))
    assert rows[0][3:5] == pytest.approx((20.0 + 74.43, 30.0 + 111.19), abs=0.02)


def test_degrees_without_a_frame_are_put_aside() -> None:
    """Taken for metres, they would be a place in the shop, and always the same."""
    for crs in ("EPSG:4326", "EPSG:25832"):
        outcome = decode(OMLOX_PUT.topic, json.dumps(LOCATION | {"crs": crs}).encode())
        assert reason_of(outcome) == RejectionReason.NO_FRAME


def test_a_floor_of_a_source_may_have_a_frame_of_its_own() -> None:
    """Floor 1.2 is somebody on the stairs, nearest to floor 1; a missing floor is the source's."""
    frames = {
        SOURCE: SiteFrame(anchor="hub-0"),
        f"{SOURCE}-1": SiteFrame(x_m=100.0, anchor="hub-1"),
    }
    registry = Registry(FormatSettings(on=(FormatName.OMLOX,), frames=frames))

    def at(floor: float | None) -> tuple[str, float]:
        payload = json.dumps(LOCATION | {"floor": floor}).encode()
        row = rows_of(registry.decode(OMLOX_PUT.topic, payload, RECEIVED))[0]
        return row[2], row[3]

    assert at(1.2) == at(0.6) == ("hub-1", pytest.approx(107.815694))
    assert at(None) == at(0.4) == ("hub-0", pytest.approx(7.815694))


@pytest.mark.parametrize(
    ("changes", "sigma"),
    [
        ({"accuracy": None}, None),
        ({"accuracy": -1}, None),
        ({"accuracy": 1e9}, 100.0),
        ({"accuracy": 1e-9}, 0.01),
    ],
)
def test_an_accuracy_that_says_nothing_is_no_sigma(
    changes: dict[str, object], sigma: float | None
) -> None:
    """A filter that believed an accuracy of zero would never believe anything else."""
    assert [row[6] for row in rows_of(located(SiteFrame(), **changes))] == [sigma]


def test_a_location_without_height_or_over_the_sea_has_no_height() -> None:
    """A height over the ellipsoid is no height over the floor."""
    flat = located(SiteFrame(), position={"type": "Point", "coordinates": [1.0, 2.0]})
    sea = located(SiteFrame(), elevation_ref="wgs84")
    assert [row[5] for row in (*rows_of(flat), *rows_of(sea))] == [None, None]


def test_one_bad_location_of_an_update_spoils_only_itself() -> None:
    """A hub forwards what all its providers send."""
    for bad in ({}, LOCATION | {"provider_id": "a b"}, LOCATION | {"position": 7}, 3):
        message = {"event": "message", "topic": "location_updates", "payload": [bad, LOCATION]}
        outcome = decode("omlox/location_updates", json.dumps(message).encode())
        assert rows_of(outcome) == [OMLOX_ROW]
        assert isinstance(outcome, Decoded)
        assert outcome.left_out == 1


@pytest.mark.parametrize(
    "message",
    [
        {"event": "subscribed", "topic": "location_updates", "subscription_id": 1},
        {"event": "message", "topic": "fence_events", "payload": [{"event_type": "region_entry"}]},
        {"event": "message", "topic": "location_updates", "payload": []},
    ],
)
def test_other_words_of_the_hub_are_passed_over(message: dict[str, object]) -> None:
    """They would fill the quarantine."""
    assert rows_of(decode("omlox/location_updates", json.dumps(message).encode())) == []


def test_the_order_of_locations_in_an_update_does_not_change_their_times() -> None:
    """Each is as old as it says, whoever comes first."""
    old = LOCATION | {"timestamp_generated": "2023-10-17T13:14:36.206+02:00", "accuracy": 2.0}
    message = {"event": "message", "topic": "location_updates", "payload": [LOCATION, old]}
    for payload in (message, message | {"payload": [old, LOCATION]}):
        outcome = decode("omlox/location_updates", json.dumps(payload).encode())
        assert isinstance(outcome, Decoded)
        assert outcome.sent_at_ms == 1_697_541_277_213
        (column,) = outcome.columns
        assert sorted(column.ages_ms) == [-1_007, -7]


def test_the_channel_of_a_ble_reading_is_kept() -> None:
    """Strengths on channels 37, 38 and 39 differ by several dB at one place."""
    outcome = decode(POZYX_BLE.topic, POZYX_BLE.payload)
    assert isinstance(outcome, Decoded)
    assert [list(column.channels or ()) for column in outcome.columns] == [[37]]


def test_the_number_of_a_measurement_goes_along() -> None:
    """A position that comes again, or late, is known by it: these formats have no good clock."""
    for example, order in ((DWM_LOCATION, 79), (POZYX_TAGS, 127)):
        outcome = decode(example.topic, example.payload)
        assert isinstance(outcome, Decoded)
        assert [column.orders for column in outcome.columns] == [[order]]


def test_a_packed_message_has_the_key_of_its_json() -> None:
    """It is acknowledged and known again in the same way."""
    outcome = decode(PACKED.topic, PACKED.payload)
    assert isinstance(outcome, Decoded)
    assert outcome.key == MessageKey("6f2c9a10b7e4d853", 10_234, 10_230)
    assert [column.ages_ms for column in outcome.columns] == [[-80], [0], [0], [-65_535]]
    assert [column.ref_anchors for column in outcome.columns] == [None, None, ["a03"], None]


GOOD = (1, 0, 1, 0, 0, 4.25, 0, 0.125)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (0, 2),
        (1, 2),
        (1, 0xFFFE),
        (2, 4),
        (2, 255),
        (5, math.nan),
        (5, math.inf),
        (5, -1.0),
        (5, 300.5),
        (7, math.nan),
        (7, -0.125),
        (7, 101.0),
    ],
)
def test_a_packed_number_out_of_bounds_spoils_the_message_but_not_its_key(
    place: int, wrong: float
) -> None:
    """As in JSON: taken whole or not at all, and the gateway may forget it."""
    bad = list(GOOD)
    bad[place] = wrong
    outcome = decode(PACKED_TOPIC, packed([GOOD, tuple(bad)]))
    assert reason_of(outcome) == RejectionReason.WRONG_SHAPE
    assert outcome.key == MessageKey("6f2c9a10b7e4d853", 10_234, 10_230)


@pytest.mark.parametrize(
    ("kind", "value", "second"),
    [(0, 0.5, 0), (0, -120.5, 0), (2, 0.0, 2), (2, 0.0, -1), (3, 6.3, 0), (3, 0.0, 15_709)],
)
def test_each_packed_kind_has_its_own_bounds(kind: int, value: float, second: int) -> None:
    """A strength of +0.5 dBm, an unknown reference anchor, an elevation above the zenith."""
    outcome = decode(PACKED_TOPIC, packed([(1, 0, kind, 0, 0, value, second, 0.0)]))
    assert reason_of(outcome) == RejectionReason.WRONG_SHAPE


def test_an_anchor_that_a_packed_message_does_not_name_is_refused() -> None:
    """Also where all its records are of that one anchor, which is read in a shorter way."""
    for anchor in (2, 0xFFFE):
        outcome = decode(PACKED_TOPIC, packed([(1, anchor, 1, 0, 0, 4.25, 0, 0.0)]))
        assert reason_of(outcome) == RejectionReason.WRONG_SHAPE
    own = decode(PACKED_TOPIC, packed([(1, 0xFFFF, 1, 0, 0, 4.25, 0, 0.0)] * 2, anchors=b""))
    assert [row[2] for row in rows_of(own)] == ["", ""]


@pytest.mark.parametrize(
    "payload",
    [
        packed([]),
        packed([GOOD] * 513),
        packed([GOOD]) + b"\0",
        b"IB" + packed([GOOD])[2:],
        b"IA\x02" + packed([GOOD])[3:],
        packed([GOOD], seq=2**53),
        packed([GOOD], sent_at_ms=2**63),
    ],
)
def test_a_packed_message_with_a_bad_head_is_refused(payload: bytes) -> None:
    """Lengths that do not add up would read one record as another."""
    assert reason_of(decode(PACKED_TOPIC, payload)) == RejectionReason.MALFORMED


@pytest.mark.parametrize(
    "names", [{"tags": b"a b\ntag:1"}, {"tags": b"t\xe4g\nt"}, {"anchors": b"A17"}, {"tags": b"\n"}]
)
def test_packed_names_keep_to_the_grammar(names: dict[str, bytes]) -> None:
    """They go into logs and topics."""
    assert reason_of(decode(PACKED_TOPIC, packed([GOOD], **names))) == RejectionReason.BAD_ID


def test_a_scan_cannot_come_from_a_tag_outside_the_grammar() -> None:
    """Pairing allows more characters than locating does."""
    for tag in ("", "a b", "a/b", "ä"):
        outcome = decode(f"$phone/{tag}", b'{"obs":[{"a":"a17","k":"rssi","v":-67}]}')
        assert reason_of(outcome) == RejectionReason.BAD_ID


def test_kinds_are_those_of_the_model() -> None:
    """The packed form writes them as numbers, for ever."""
    assert [kind.value for kind in ReadingKind] == [0, 1, 2, 3, 4]
