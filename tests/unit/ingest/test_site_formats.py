"""What a site says of its gateways: formats, topics, names, frames; and who is let in by it."""

import json
import math

import numpy as np
import pytest

from inaisle.errors import InvalidSettings
from inaisle.service.format_tables import format_settings
from inaisle.settings import load_settings
from rtls.ingest.admission import Admission
from rtls.ingest.bounded_counts import BoundedCounts
from rtls.ingest.formats.decoded import PHONE_GATEWAY, Decoded, GatewayStatus, Rejection
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings, check_filter
from rtls.ingest.formats.registry import FORMATS, Registry
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.ingest.formats.topic_filter import covers, matches
from rtls.ingest.reception import AdmittedTags, Reception
from rtls.model.errors import InvalidFormat
from rtls.model.reading import ReadingArray, ReadingFlag, ReadingKind
from rtls.model.units import GatewayId, UnixMs
from rtls.ports import RawMessage
from tests.unit.ingest.formats.position_payloads import DWM_LOCATION, PACKED, packed
from tests.unit.ingest.made_messages import NOW, TOPIC, heard, make_map, raw, up

MINEW = b'[{"mac":"C3000025EF6A","rssi":-65}]'
THEENGS = b'{"id":"11:22:33:44:55:66","rssi":-42}'
NODES = (("kitchen", None), ("a2", "g2"), ("door", "ac233fc03641"))


def registry(*on: FormatName, **tables: object) -> Registry:
    return Registry(FormatSettings(on=on, **tables))


def gateway_in(outcome: object) -> str:
    assert isinstance(outcome, Decoded | GatewayStatus), outcome
    return outcome.gateway


def receive(reception: Reception, *messages: tuple[str, bytes], at: int = NOW) -> None:
    reception.receive(
        [RawMessage(topic=t, payload=p, received_at_ms=UnixMs(at)) for t, p in messages]
    )


def rows_after(reception: Reception, at: int = NOW + 10_000) -> ReadingArray:
    return np.concatenate([batch.readings for batch in reception.advance(UnixMs(at))])


def reception_of(formats: FormatSettings, nodes=NODES) -> Reception:
    return Reception(make_map(nodes), admitted=AdmittedTags.all(), formats=formats)


def test_by_default_only_the_reference_protocol_is_subscribed_to() -> None:
    """A shop's broker may carry its heating too."""
    topics = Registry(FormatSettings()).topics
    assert topics == ("inaisle/v1/gw/+/status", "inaisle/v1/gw/+/up")


def test_every_format_is_registered() -> None:
    """A name in the settings that nobody decodes would be found out in the shop."""
    assert set(FORMATS) == set(FormatName)


def test_a_format_that_is_off_is_not_decoded() -> None:
    """What is not switched on costs nothing and admits nothing."""
    assert isinstance(
        registry(FormatName.REFERENCE).decode("/gw/ac233fc03641/status", MINEW, UnixMs(NOW)),
        Rejection,
    )


def test_no_filter_is_subscribed_to_twice() -> None:
    """A broker may send a message once for each filter that matches; readings would count twice."""
    topics = registry(FormatName.OPENMQTTGATEWAY, FormatName.THEENGS).topics
    assert "home/TheengsGateway/BTtoMQTT/+" not in topics
    assert "home/+/BTtoMQTT/+" in topics
    assert (
        registry(FormatName.REFERENCE, FormatName.PACKED).topics.count("inaisle/v1/gw/+/status")
        == 1
    )


def test_the_more_special_filter_decides() -> None:
    """OpenMQTTGateway's filter matches Theengs' topics too."""
    both = registry(
        FormatName.OPENMQTTGATEWAY,
        FormatName.THEENGS,
        gateways={"home/TheengsGateway": "door-2"},
    )
    outcome = both.decode("home/TheengsGateway/BTtoMQTT/112233445566", THEENGS, UnixMs(NOW))
    assert gateway_in(outcome) == "door-2"
    assert both.name_of("home/TheengsGateway/BTtoMQTT/112233445566") is FormatName.THEENGS
    assert both.name_of("home/omg-3/BTtoMQTT/112233445566") is FormatName.OPENMQTTGATEWAY
    other = both.decode("home/omg-3/BTtoMQTT/112233445566", THEENGS, UnixMs(NOW))
    assert gateway_in(other) == "omg-3"


def test_each_process_of_theengs_is_told_apart_by_its_topic() -> None:
    """Its messages do not say who heard; without the site's word all would be one anchor."""
    several = registry(
        FormatName.THEENGS,
        topics={FormatName.THEENGS: ("home/+/BTtoMQTT/+",)},
        gateways={"home/tg-1": "Door 2", "home/tg-1/x": "nobody", "home/tg-2": "door-3"},
    )
    for topic, gateway in (("home/tg-1/BTtoMQTT/A", "door-2"), ("home/tg-2/BTtoMQTT/A", "door-3")):
        assert gateway_in(several.decode(topic, THEENGS, UnixMs(NOW))) == gateway


def test_a_prefix_is_taken_off_before_the_decoder_sees_the_topic() -> None:
    """Brokers of several shops put the shop first; decoders count levels."""
    moved = registry(FormatName.ESPRESENSE, prefixes={FormatName.ESPRESENSE: "shops/7/"})
    assert "shops/7/espresense/devices/+/+" in moved.topics
    payload = b'{"id":"watch:1","rssi":-70}'
    topic = "shops/7/espresense/devices/watch:1/kitchen"
    assert gateway_in(moved.decode(topic, payload, UnixMs(NOW))) == "kitchen"
    elsewhere = moved.decode("espresense/devices/watch:1/kitchen", payload, UnixMs(NOW))
    assert isinstance(elsewhere, Rejection)


def test_a_level_of_the_topic_may_name_the_gateway_instead_of_the_payload() -> None:
    """Gateways behind one uplink all send the uplink's address."""
    line = b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,0201"
    by_payload = registry(FormatName.INGICS)
    by_topic = registry(FormatName.INGICS, gateway_levels={FormatName.INGICS: 2})
    assert gateway_in(by_payload.decode("ingics/aisle-4", line, UnixMs(NOW))) == "cb412f0c8edc"
    assert gateway_in(by_topic.decode("ingics/aisle-4", line, UnixMs(NOW))) == "aisle-4"
    moved = registry(
        FormatName.INGICS,
        gateway_levels={FormatName.INGICS: 2},
        prefixes={FormatName.INGICS: "shops/7"},
    )
    outcome = moved.decode("shops/7/ingics/aisle-4", line, UnixMs(NOW))
    assert gateway_in(outcome) == "aisle-4", "levels are counted without the prefix"


def test_no_broker_can_bring_a_phones_scan() -> None:
    """A gateway that could would report under anybody's tag for any anchor."""
    everything = Registry(FormatSettings(on=tuple(FormatName)))
    assert not any(topic.startswith("$") for topic in everything.topics)
    for topic_filter in everything.topics:
        assert not matches(topic_filter, "$phone/app:1")
    with pytest.raises(InvalidFormat):
        FormatSettings(topics={FormatName.INGICS: ("$phone/#",)})


@pytest.mark.parametrize(
    "bad", ["", "#", "+/#", "a/#/b", "a/b#", "a+/b", "$SYS/#", "a\0", "x" * 600]
)
def test_what_is_no_topic_filter_is_refused_by_name(bad: str) -> None:
    """The broker would close the connection without a word."""
    with pytest.raises(InvalidFormat, match=r"formats\.topics\.minew"):
        check_filter("topics.minew", bad)


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"aliases": {"AC:23:3F:C0:36:41": "Door"}}, ("aliases.ac233fc03641", "'Door'", "a-z")),
        ({"aliases": {"Kitchen": "a1", "kitchen": "a2"}}, ("kitchen", "twice", "Remove one")),
        ({"aliases": {"": "a1"}}, ("aliases", "''", "letter")),
        ({"gateways": {"home/+": "door"}}, ("gateways", "home/+", "without '+'")),
        ({"gateways": {"home": "--"}}, ("gateways.home", "'--'", "name")),
        ({"prefixes": {FormatName.MINEW: "$x"}}, ("prefixes.minew", "'$x'", "beginning")),
        ({"gateway_levels": {FormatName.MINEW: 0}}, ("gateway_levels.minew", "0", "1 to")),
        ({"topics": {FormatName.MINEW: ()}}, ("topics.minew", "0 entries", "1 to")),
    ],
)
def test_an_entry_that_cannot_work_is_refused_with_its_name_and_remedy(
    tables: dict[str, dict[str, object]], words: tuple[str, ...]
) -> None:
    """An integrator pastes a table and must find the one wrong line."""
    with pytest.raises(InvalidFormat) as caught:
        FormatSettings(**tables)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "frame",
    [
        {"x_m": math.nan},
        {"y_m": 1e6},
        {"rotation_deg": 361.0},
        {"longitude_deg": 7.8},
        {"longitude_deg": 7.8, "latitude_deg": 90.0},
        {"longitude_deg": 181.0, "latitude_deg": 0.0},
    ],
)
def test_a_frame_that_is_no_place_is_refused(frame: dict[str, float]) -> None:
    """Every position of a system would be wrong by the same amount, which looks right."""
    with pytest.raises(InvalidFormat, match="frame: "):
        SiteFrame(**frame)


def test_degrees_and_metres_are_inverse_over_a_whole_shop() -> None:
    """What we render outwards is read back as it was, to a micrometre."""
    frame = SiteFrame(
        longitude_deg=-122.4, latitude_deg=-37.8, x_m=50.0, y_m=-20.0, rotation_deg=33.0
    )
    for x, y in ((0.0, 0.0), (500.0, 500.0), (-300.0, 80.0)):
        there = frame.degrees_to_site(*frame.site_to_degrees(x, y, 1.5))
        assert there == pytest.approx((x, y, 1.5), abs=1e-6)


def test_covering_is_what_matching_says() -> None:
    """A filter that is left out for another must lose no topic."""
    topics = ["a", "a/b", "a/c", "a/b/c", "b", "b/c", ""]
    filters = ["a", "a/b", "a/+", "+/b", "+", "+/+", "a/#", "+/#", "a/+/c", "#"]
    for wide in filters:
        for narrow in filters:
            if covers(wide, narrow):
                assert all(matches(wide, t) for t in topics if matches(narrow, t)), (wide, narrow)
    assert covers("a/#", "a")
    assert not covers("a/+", "a/#")


def test_settings_of_a_site_reach_ingest_and_wrong_ones_stop_the_start() -> None:
    """Found at the start, not when the shop is open."""
    environment = {
        "INAISLE__FORMATS__ON": '["reference", "minew", "dwm1001"]',
        "INAISLE__FORMATS__ALIASES": '{"AC:23:3F:C0:36:41": "a1"}',
        "INAISLE__FORMATS__FRAMES": '{"dwm": {"x_m": 2.5, "anchor": "a2"}}',
    }
    section = load_settings(environment=environment).settings.formats
    formats = format_settings(section, make_map())
    assert formats.on == (FormatName.REFERENCE, FormatName.MINEW, FormatName.DWM1001)
    assert dict(formats.aliases) == {"ac233fc03641": "a1"}
    assert formats.frames["dwm"] == SiteFrame(x_m=2.5, anchor="a2")
    with pytest.raises(InvalidSettings, match=r"aliases\.ac233fc03641.*'a1'.*site map"):
        format_settings(section, make_map((("b1", None), ("a2", None))))


def test_a_name_that_is_no_format_is_refused_with_those_that_are() -> None:
    """Somebody writes "mineu"."""
    with pytest.raises(InvalidSettings, match=r"\[formats\] on .*minew"):
        load_settings(environment={"INAISLE__FORMATS__ON": '["mineu"]'})


def test_a_foreign_gateway_is_known_by_the_map_an_alias_or_an_anchors_name() -> None:
    """All three are how an integrator says where it hangs."""
    admission = Admission(make_map(NODES), aliases={"bath": "kitchen", "spare": "a2"})
    places = {
        name: (admission.anchors_of(GatewayId(name)) or {}).get("", None)
        for name in ("kitchen", "bath", "ac233fc03641", "spare", "g2", "stranger")
    }
    assert places == {
        "kitchen": 0, "bath": 0, "ac233fc03641": 2, "spare": 1, "g2": 1, "stranger": None
    }  # fmt: skip


def test_a_phone_may_name_any_anchor_and_a_gateway_only_its_own() -> None:
    """The phone moves its own shopper alone."""
    admission = Admission(make_map(NODES), aliases={"e2c56db5-1-2": "a2"})
    of_phone = admission.anchors_of(PHONE_GATEWAY)
    assert of_phone is not None
    assert [of_phone[name] for name in ("kitchen", "a2", "door", "e2c56db5-1-2")] == [0, 1, 2, 1]
    of_door = admission.anchors_of(GatewayId("ac233fc03641"))
    assert of_door is not None
    assert "a2" not in of_door
    assert "e2c56db5-1-2" not in of_door


def test_an_unknown_gateway_is_counted_by_name_and_never_located() -> None:
    """The operator sees which one to draw into the map; a stranger's cannot move anybody."""
    formats = FormatSettings(on=(FormatName.MINEW, FormatName.ESPRESENSE))
    for nodes in (NODES, (("a2", "g2"),)):
        reception = reception_of(formats, nodes)
        receive(
            reception,
            ("/gw/dd0000000001/status", MINEW),
            ("espresense/devices/watch:1/cellar", b'{"id":"watch:1","rssi":-70}'),
        )
        names = {
            *reception.unknown_gateways.as_dict(),
            *reception.unknown_anchors.as_dict(),
        }
        assert names == {"dd0000000001", "cellar"}
        assert reception.advance(UnixMs(NOW + 10_000)) == []


def test_names_of_strangers_are_forgotten_beyond_a_bound() -> None:
    """Somebody publishes under a million names."""
    reception = reception_of(FormatSettings(on=(FormatName.MINEW,)), (("a2", "g2"),))
    reception.unknown_gateways = BoundedCounts(names_max=100)
    receive(reception, *((f"/gw/{n:012x}/status", MINEW) for n in range(150)))
    assert len(reception.unknown_gateways.as_dict()) == 100
    assert reception.unknown_gateways.total == 150


def test_a_minew_gateway_and_an_espresense_node_hear_one_tag() -> None:
    """Two vendors in one shop: by map, and by the name of the anchor."""
    reception = reception_of(
        FormatSettings(on=(FormatName.MINEW, FormatName.ESPRESENSE), aliases={"Living Room": "a2"})
    )
    heard_by_node = b'{"id":"c3000025ef6a","rssi":-71}'
    receive(
        reception,
        ("/gw/ac233fc03641/status", MINEW),
        ("espresense/devices/c3000025ef6a/Living Room", heard_by_node),
        ("espresense/devices/c3000025ef6a/kitchen", heard_by_node),
    )
    rows = rows_after(reception)
    assert sorted(rows["anchor"].tolist()) == [0, 1, 2]
    assert set(rows["tag"].tolist()) == {0}
    assert (rows["flags"] & ReadingFlag.ARRIVAL_TIME).all()


def test_a_position_keeps_its_three_coordinates_and_its_sigma_to_the_engine() -> None:
    """A DWM1001 network, its origin at (2, 3) of the floor."""
    formats = FormatSettings(
        on=(FormatName.DWM1001,), frames={"dwm": SiteFrame(x_m=2.0, y_m=3.0, anchor="a2")},
        aliases={"dwm": "a2"},
    )  # fmt: skip
    reception = reception_of(formats)
    receive(reception, (DWM_LOCATION.topic, DWM_LOCATION.payload))
    (row,) = rows_after(reception)
    assert (row["kind"], row["anchor"], row["ref_anchor"]) == (ReadingKind.POSITION, 1, -1)
    values = [float(row[name]) for name in ("value", "value_2", "value_3", "sigma")]
    assert values == pytest.approx([20.734064, 64.619366, 0.35824484, 0.163])


def test_a_position_said_twice_counts_once_also_after_a_restart() -> None:
    """The superframe tells; arrival does not, and the broker resends what it has no receipt for."""
    formats = FormatSettings(on=(FormatName.DWM1001,), aliases={"dwm": "a2"})
    first = reception_of(formats)
    receive(first, (DWM_LOCATION.topic, DWM_LOCATION.payload))
    receive(first, (DWM_LOCATION.topic.lower(), DWM_LOCATION.payload), at=NOW + 150)
    second = reception_of(formats)
    second.restore(first.snapshot())
    receive(second, (DWM_LOCATION.topic, DWM_LOCATION.payload), at=NOW + 300)
    later = DWM_LOCATION.payload.replace(b"79}", b"80}")
    receive(second, (DWM_LOCATION.topic, later), at=NOW + 350)
    assert rows_after(second)["heard_at_ms"].tolist() == [NOW, NOW + 350]
    assert first.counters["readings_said_again"] == second.counters["readings_said_again"] == 1


def test_every_kind_goes_through_in_json_and_packed_alike() -> None:
    """The packed form is the same protocol: same rows, to the precision of four bytes."""
    observations = [
        {"a": "a2", "id": "app:9f3c", "k": "rssi", "v": -67.0, "dt": -80, "ch": 38},
        {"a": "a2", "id": "tag:0d13", "k": "range", "v": 4.25, "sd": 0.125},
        {"a": "a2", "id": "tag:0d13", "k": "tdoa", "v": -2.25, "sd": 0.25, "ref_a": "kitchen"},
        {"a": "a2", "id": "tag:0d13", "k": "aoa", "az": 0.5, "el": -0.9, "sd": 0.0625, "dt": -5},
    ]
    records = [
        (0, 0, 0, 38, 80, -67.0, 0, 0.0),
        (1, 0, 1, 0, 0, 4.25, 0, 0.125),
        (1, 0, 2, 0, 0, -2.25, 1, 0.25),
        (1, 0, 3, 0, 5, 0.5, -9_000, 0.0625),
    ]
    formats = FormatSettings(on=(FormatName.REFERENCE, FormatName.PACKED))
    by_json, by_bytes = reception_of(formats), reception_of(formats)
    receive(by_json, (TOPIC.replace("g1", "g2"), up(*observations)))
    message = packed(records, anchors=b"a2\nkitchen", seq=0, low=0, sent_at_ms=NOW)
    receive(by_bytes, (PACKED.topic.replace("g1", "g2"), message))
    in_json, in_bytes = rows_after(by_json), rows_after(by_bytes)
    assert sorted(in_json["kind"].tolist()) == [0, 1, 2, 3]
    for name in ("heard_at_ms", "tag", "anchor", "ref_anchor", "kind", "channel", "value", "sigma"):
        np.testing.assert_array_equal(in_json[name], in_bytes[name])
    np.testing.assert_allclose(in_json["value_2"], in_bytes["value_2"], atol=1e-9)


def test_a_message_counts_once_in_whichever_form_it_comes() -> None:
    """A gateway that was updated sends its spool again in the other form."""
    formats = FormatSettings(on=(FormatName.REFERENCE, FormatName.PACKED))
    reception = reception_of(formats)
    boot = int("6f2c9a10b7e4d853", 16)
    message = packed([(1, 0, 1, 0, 0, 4.25, 0, 0.0)], anchors=b"a2", boot=boot, seq=0, low=0)
    receive(reception, (TOPIC.replace("g1", "g2"), up(heard(), seq=0)))
    receive(reception, (PACKED.topic.replace("g1", "g2"), message))
    assert reception.counters["messages_duplicate"] == 1
    assert [json.loads(p)["upto"] for _, p in reception.acknowledgements()] == [0]


def test_readings_that_a_decoder_leaves_out_are_counted() -> None:
    """A firmware that spoils one reading in ten would otherwise look like a poor radio."""
    reception = reception_of(FormatSettings(on=(FormatName.MINEW,)))
    receive(
        reception,
        ("/gw/ac233fc03641/status", b'[{"mac":"C3000025EF6A","rssi":-65},{"mac":"x y","rssi":-1}]'),
    )
    assert reception.counters["readings_left_out"] == 1
    assert reception.counters["readings_received"] == 1


def test_a_retained_status_of_a_node_is_no_fault() -> None:
    """ESPresense and PANS retain what they say of themselves."""
    reception = reception_of(FormatSettings(on=(FormatName.DWM1001,), aliases={"dwm": "a2"}))
    status = raw(b'{"present":true}', topic="dwm/node/0D13/uplink/status", is_retained=True)
    reception.receive([status])
    assert reception.counters["messages_quarantined"] == 0


def test_phones_do_not_hide_that_the_gateways_are_cut_off() -> None:
    """They come by another line; what the gateways keep meanwhile must still come in order."""
    reception = reception_of(FormatSettings(on=(FormatName.REFERENCE, FormatName.PHONE_SCAN)))
    scan = ("$phone/app:1", b'{"obs":[{"a":"a2","k":"rssi","v":-60}]}')
    for second in range(4):
        receive(reception, scan, at=NOW + 1_000 * second)
        reception.advance(UnixMs(NOW + 1_000 * second))
    assert not reception.is_held
    receive(reception, (TOPIC.replace("g1", "g2"), up(heard(), t=NOW + 4_000)), at=NOW + 4_000)
    for second in range(4, 8):
        receive(reception, scan, at=NOW + 1_000 * second)
        reception.advance(UnixMs(NOW + 1_000 * second))
    assert reception.is_held
