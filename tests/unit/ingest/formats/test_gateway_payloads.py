"""What gateways of other makers send is read as they mean it."""

import pytest

from rtls.ingest.formats import espresense, openmqttgateway
from rtls.ingest.formats.decoded import Decoded, GatewayStatus, Rejection, RejectionReason
from rtls.model.units import GatewayId, UnixMs
from tests.unit.ingest.formats.gateway_payloads import (
    EXAMPLES,
    OWN,
    SHELLY_TOPIC,
    THEENGS,
    Example,
    rows_of,
)

NOW = UnixMs(1_795_255_200_000)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_payload_is_read_as_its_maker_means_it(example: Example) -> None:
    """A retailer keeps the gateways that hang on his ceiling."""
    outcome = example.outcome()
    assert rows_of(outcome) == list(example.rows)
    assert isinstance(outcome, Decoded)
    assert outcome.gateway == example.gateway
    assert outcome.sent_at_ms == example.sent_at_ms
    assert outcome.left_out == example.left_out
    if example.rows:
        assert outcome.flags == example.flags
    assert outcome.key is None


def test_the_distance_that_a_sender_computed_is_never_used() -> None:
    """It hides the strength behind somebody else's path loss."""
    near = b'{"id":"a1","rssi":-80,"distance":0.1}'
    far = near.replace(b"0.1", b"15.9")
    for decode, topic in (
        (espresense.decode, "espresense/devices/a1/n1"),
        (openmqttgateway.decode, "home/n1/BTtoMQTT/A1"),
    ):
        assert rows_of(decode(topic, near, NOW)) == rows_of(decode(topic, far, NOW))


def test_a_report_of_a_tags_own_sensors_is_no_reading() -> None:
    """ESPresense puts it one level below the node's readings."""
    outcome = espresense.decode("espresense/devices/a1/n1/temp", b'{"id":"a1","rssi":-1}', NOW)
    assert rows_of(outcome) == []


@pytest.mark.parametrize(
    ("decode", "topic", "gateway"),
    [
        (espresense.decode, "espresense/rooms/Living Room/status", "living-room"),
        (openmqttgateway.decode, "home/aisle-3/LWT", "aisle-3"),
        (THEENGS, "home/TheengsGateway/LWT", "door-2"),
    ],
)
def test_a_birth_and_a_last_will_tell_whether_the_gateway_is_there(decode, topic, gateway) -> None:
    """A silent gateway must not look like an empty shop."""
    assert decode(topic, b"online", NOW) == GatewayStatus(gateway=gateway, is_online=True)
    assert decode(topic, b"offline", NOW) == GatewayStatus(gateway=gateway, is_online=False)
    for payload in (
        b"",
        b"1",
        b"on",
        b"online " * 9,
        b"online" + b" " * 99,
        b"\xff\xfe",
        b"online\0",
    ):
        outcome = decode(topic, payload, NOW)
        assert isinstance(outcome, Rejection)
        assert outcome.reason == RejectionReason.WRONG_SHAPE


def test_telemetry_of_a_node_shows_that_it_is_there() -> None:
    """It also comes from a node that hears nobody."""
    payload = b'{"ip":"192.0.2.8","uptime":71,"firm":"esp32","ver":"v4.0.4","rssi":-61,"adverts":9}'
    topic = "espresense/rooms/basement/telemetry"
    there = GatewayStatus(gateway=GatewayId("basement"), is_online=True)
    assert espresense.decode(topic, payload, NOW) == there
    assert isinstance(espresense.decode(topic, b"{", NOW), Rejection)


def test_settings_that_a_node_keeps_at_the_broker_are_passed_over() -> None:
    """They are retained, so every restart of ours sees them."""
    outcome = espresense.decode("espresense/rooms/basement/max_distance", b"16.0", NOW)
    assert rows_of(outcome) == []


@pytest.mark.parametrize(
    ("example", "topic"),
    [
        ("espresense-v3", "espresense/devices/watch:darrell/"),
        ("espresense-v3", "espresense/devices/watch:darrell"),
        ("espresense-v3", "espresense/rooms//status"),
        ("espresense-v3", ""),
        ("openmqttgateway-bare-advert", "home//BTtoMQTT/45E174126E00"),
        ("openmqttgateway-bare-advert", "BTtoMQTT/45E174126E00"),
        ("openmqttgateway-bare-advert", "home/" + "x" * 64 + "/BTtoMQTT/45E174126E00"),
        ("minew-whole-seconds-no-gateway-element", "/gw//status"),
        ("minew-whole-seconds-no-gateway-element", "shop/minew"),
    ],
)
def test_a_topic_that_names_no_gateway_is_refused(example: str, topic: str) -> None:
    """A reading of nobody knows where could be anywhere."""
    chosen = next(one for one in EXAMPLES if one.name == example)
    outcome = chosen.outcome(topic=topic)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == RejectionReason.BAD_ID


def test_one_tag_has_one_name_whoever_hears_it() -> None:
    """Else the same card would be two shoppers, each heard by half of the anchors."""
    spelt = {
        "espresense-v3": b'{"id":"c3000025ef6a","rssi":-70}',
        "openmqttgateway-bare-advert": b'{"id":"C3:00:00:25:EF:6A","rssi":-70}',
        "minew-ibeacon": b'[{"mac":"C3000025EF6A","rssi":-70}]',
        "kontakt-presence-of-a-receiver": (
            b'[{"sourceId":"f3sR","trackingId":"c3:00:00:25:ef:6a","rssi":-70}]'
        ),
        "ingics-line": b"$GPRP,C3000025EF6A,CB412F0C8EDC,-70,0201",
        "april-brother-json": (
            b'{"id":"ABCDEF123456","raw_beacons_data":"C3000025EF6A' + b"00" * 22 + b'BA"}'
        ),
        "shelly-simple-script": b'{"addr":"c3:00:00:25:ef:6a","rssi":-70,"gateway":"g"}',
    }
    for example in EXAMPLES:
        if example.name in spelt:
            rows = rows_of(example.outcome(spelt[example.name]))
            assert [row[:3] for row in rows] == [("c3:00:00:25:ef:6a", OWN, -70.0)], example.name


def test_a_shelly_without_src_is_known_by_its_topic() -> None:
    """Its topic begins with the device's name."""
    example = next(one for one in EXAMPLES if one.name == "shelly-v1")
    payload = example.payload.replace(b'"src":"shellyplus1-a8032abe54dc",', b"")
    outcome = example.outcome(payload, topic=SHELLY_TOPIC)
    assert isinstance(outcome, Decoded)
    assert outcome.gateway == "shellyplus1-a8032abe54dc"


def test_a_shelly_is_known_by_what_it_says_of_itself_before_its_topic() -> None:
    """The prefix of the topic is free text in its settings; the device's name is not."""
    example = next(one for one in EXAMPLES if one.name == "shelly-v1")
    outcome = example.outcome(topic="door/events/rpc")
    assert isinstance(outcome, Decoded)
    assert outcome.gateway == "shellyplus1-a8032abe54dc"


def test_an_event_has_its_own_time() -> None:
    """A notification may carry events that waited."""
    example = next(one for one in EXAMPLES if one.name == "shelly-v1")
    payload = example.payload.replace(
        b'"params":{"ts":1714383830.316', b'"params":{"ts":1714383999'
    )
    outcome = example.outcome(payload)
    assert isinstance(outcome, Decoded)
    assert outcome.sent_at_ms == 1_714_383_830_316
