"""Payloads of other makers, damaged in every way that a line, a firmware or a stranger has."""

import json
import re
from collections.abc import Iterator

import msgspec
import pytest

from rtls.ingest.formats.decoded import NO_AGE, Decoded, Rejection, RejectionReason
from tests.unit.ingest.formats import outcome_laws
from tests.unit.ingest.formats.gateway_payloads import (
    EXAMPLES,
    OWN,
    V4_ADVERT,
    Example,
    rows_of,
)

WITH_READINGS = [one for one in EXAMPLES if one.rows]
JSON = [one for one in WITH_READINGS if one.payload[:1] in {b"{", b"["}]
RSSI = re.compile(rb'(?<="rssi":)-[0-9.]+')
SHELLY_RSSI = re.compile(rb'(?<=",)-[0-9]+(?=,")')
BATCHES = [
    one for one in JSON if one.payload[:1] == b"[" and len(one.rows) == len(json.loads(one.payload))
]
EVERY = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
EVERY_JSON = pytest.mark.parametrize("example", JSON, ids=lambda one: one.name)
EVERY_BATCH = pytest.mark.parametrize("example", BATCHES, ids=lambda one: one.name)

WRONG_VALUES = (
    "null", "true", '"x"', '""', "[]", "{}", "1e308", "-1e308", "1e-400", "123456789012345678901",
    "-121", "0", "127", '"-70"', "[[]]", '"\\u0000"', '"' + "x" * 300 + '"',
)  # fmt: skip


def leaves(node: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The path of every value in a JSON document, the document itself included."""
    yield path
    members: list[tuple[object, object]] = []
    if isinstance(node, dict):
        members = list(node.items())
    elif isinstance(node, list):
        members = list(enumerate(node))
    for key, value in members:
        yield from leaves(value, (*path, key))


def with_value(document: object, path: tuple[object, ...], text: str) -> bytes:
    """The document with other JSON at one place."""
    mark = "0b5e55ed"
    if not path:
        return text.encode()
    changed = json.loads(json.dumps(document))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = mark
    return json.dumps(changed).replace(f'"{mark}"', text).encode()


@EVERY
def test_a_payload_cut_short_gives_no_false_reading(example: Example) -> None:
    """Half a number is another number: -78 must not come in as -7."""
    honest = {row[:3] for row in example.rows}
    for end in range(len(example.payload)):
        outcome = example.outcome(example.payload[:end])
        outcome_laws.check(outcome)
        if example.payload[:1] != b"$":
            assert isinstance(outcome, Rejection), end
        elif isinstance(outcome, Decoded):  # whole lines before the cut are whole readings
            assert {row[:3] for row in rows_of(outcome)} <= honest, end


@EVERY_JSON
def test_a_value_of_the_wrong_type_anywhere_gives_nothing_false(example: Example) -> None:
    """Firmwares change the type of a member from one version to the next."""
    document = json.loads(example.payload)
    bounds = {row[2] for row in example.rows} | {-120.0}
    for path in leaves(document):
        for wrong in WRONG_VALUES:
            outcome = example.outcome(with_value(document, path, wrong))
            outcome_laws.check(outcome)
            if isinstance(outcome, Decoded):
                assert {row[2] for row in rows_of(outcome)} <= bounds, (path, wrong)


@EVERY_JSON
@pytest.mark.parametrize(
    "number",
    [b"NaN", b"Infinity", b"-Infinity", b"-1e999", b"nan", b"-121", b"0", b"-0.0", b"127", b"true"],
)
def test_a_strength_that_is_none_never_passes(example: Example, number: bytes) -> None:
    """One NaN in the filter is a shopper who is nowhere for ever."""
    payload, count = RSSI.subn(number, example.payload)
    if not count:
        payload, count = SHELLY_RSSI.subn(number, example.payload)
    if not count:  # hex and lines of values
        return
    outcome = example.outcome(payload)
    assert isinstance(outcome, Rejection), outcome
    expected = {RejectionReason.WRONG_SHAPE, RejectionReason.MALFORMED}
    assert outcome.reason in expected


@EVERY
def test_empty_things_are_no_readings(example: Example) -> None:
    """A gateway that heard nobody for a second says so."""
    for payload in (b"", b"[]", b"{}", b"null", b"0", b'""', b"\x80", b"\x90", b"\r\n", b" "):
        outcome = example.outcome(payload)
        outcome_laws.check(outcome)
        assert isinstance(outcome, Rejection) or rows_of(outcome) == []


@EVERY_BATCH
def test_an_empty_batch_is_no_fault(example: Example) -> None:
    """A gateway in the store room would fill the quarantine."""
    outcome = example.outcome(b"[]")
    if example.gateway in example.topic.lower():
        assert rows_of(outcome) == []


@EVERY_JSON
def test_members_that_nobody_knows_are_passed_over(example: Example) -> None:
    """Newer firmware says more."""

    def widened(node: object) -> object:
        if isinstance(node, dict):
            inner = {key: widened(value) for key, value in node.items()}
            return {"zz": {"deep": [1, None, "x"]}, **inner, "yy": -1e300}
        if isinstance(node, list):
            return [widened(one) for one in node]
        return node

    wide = json.dumps(widened(json.loads(example.payload)), indent=1).encode()
    assert rows_of(example.outcome(wide)) == list(example.rows)


@EVERY
def test_a_megabyte_is_refused_at_once(example: Example) -> None:
    """Whoever can publish could otherwise stop the shop's clock with a few messages."""
    for payload in (
        example.payload + b" " * 2**20,
        b"[" * 2**20,
        b'{"x":' * 200_000,
        b"\xdf\xff\xff\xff\xff" + b"\x80" * 2**20,
    ):
        outcome = example.outcome(payload)
        assert isinstance(outcome, Rejection)
        assert outcome.reason == RejectionReason.TOO_LARGE


@EVERY
def test_deep_nesting_is_refused(example: Example) -> None:
    """A recursion error that leaves the decoder would end ingest."""
    for payload in (b"[" * 60_000, b'{"params":' * 6_000, b'[{"x":' * 9_000, b"\x91" * 60_000):
        assert isinstance(example.outcome(payload), Rejection)


@EVERY
def test_the_same_payload_twice_is_the_same_twice(example: Example) -> None:
    """Copies are dropped behind the decoder by what they say, so they must say the same."""
    assert example.outcome() == example.outcome()


@EVERY_BATCH
def test_an_element_twice_in_a_batch_is_one_reading_to_reception(example: Example) -> None:
    """Reception counts a reading once by (anchor, tag, time, value): all four must be equal."""
    elements = json.loads(example.payload)
    rows = rows_of(example.outcome(json.dumps(elements + elements).encode()))
    assert rows == [*example.rows, *example.rows]


@EVERY_BATCH
def test_the_order_inside_a_batch_does_not_matter(example: Example) -> None:
    """Times in a batch go back and forth in real captures."""
    elements = json.loads(example.payload)
    outcome = example.outcome(json.dumps(elements[::-1]).encode())
    assert isinstance(outcome, Decoded)
    assert outcome.sent_at_ms == example.sent_at_ms
    assert rows_of(outcome) == list(example.rows)[::-1]


@EVERY_BATCH
def test_a_bad_element_spoils_only_itself(example: Example) -> None:
    """One odd sensor in the shop must not silence a gateway."""
    elements = json.loads(example.payload)
    for bad in ({**elements[0], "rssi": "loud"}, {**elements[0], "rssi": 127}, 7, [elements[0]]):
        outcome = example.outcome(json.dumps([bad, *elements]).encode())
        assert rows_of(outcome) == list(example.rows)
        assert isinstance(outcome, Decoded)
        assert outcome.left_out == 1


@EVERY_BATCH
def test_a_tag_outside_the_grammar_spoils_only_itself(example: Example) -> None:
    """Names go into logs, file names and other people's systems."""
    elements = json.loads(example.payload)
    for name in ("", "a b", "tag/+/#", "x" * 65, "-1", "tag\n", "t\u00e4g"):
        bad = {**elements[0], "mac": name, "trackingId": name, "deviceAddress": name}
        outcome = example.outcome(json.dumps([*elements, bad]).encode())
        assert rows_of(outcome) == list(example.rows)
        assert isinstance(outcome, Decoded)
        assert outcome.left_out == 1


@pytest.mark.parametrize(
    "name", ["espresense-v3", "openmqttgateway-bare-advert", "theengs-advert", "shelly-v1"]
)
def test_a_single_reading_of_a_bad_tag_is_refused(name: str) -> None:
    """There is nothing left of such a message."""
    example = next(one for one in EXAMPLES if one.name == name)
    tag = str(json.loads(example.payload).get("id", "aa:bb:cc:dd:ee:ff")).encode()
    for bad in (b"a b", b"tag/+/#", b"x" * 65, b"\\u0000"):
        outcome = example.outcome(example.payload.replace(b'"%s"' % tag, b'"%s"' % bad))
        assert isinstance(outcome, Rejection)
        assert outcome.reason in {RejectionReason.BAD_ID, RejectionReason.WRONG_SHAPE}


@EVERY_BATCH
def test_more_readings_than_any_gateway_hears_are_refused(example: Example) -> None:
    """What one message may ask of us has a bound."""
    tag = '{"mac":"1918FC051F60","sourceId":"a","rssi":-72}'
    payload = ("[" + ",".join([tag] * 4_097) + "]").encode()
    assert isinstance(example.outcome(payload), Rejection)


@pytest.mark.parametrize(
    "stamp",
    ["", "yesterday", "0000-00-00T00:00:00Z", "2026-13-01T00:00:00Z", "9" * 400, "\u0662" * 19],
)
def test_a_time_that_is_none_leaves_the_reading_to_its_arrival(stamp: str) -> None:
    """A gateway whose clock broke still hears."""
    example = next(one for one in EXAMPLES if one.name == "minew-topic-without-gateway")
    batch = [{"timestamp": stamp, "mac": "1918FC051F60", "rssi": -72}]
    outcome = example.outcome(json.dumps(batch).encode(), topic="/gw/ac233fc03641/status")
    assert rows_of(outcome) == [("19:18:fc:05:1f:60", OWN, -72.0, NO_AGE)]
    assert isinstance(outcome, Decoded)
    assert outcome.sent_at_ms is None


@pytest.mark.parametrize("stray", ["2099-01-01T00:00:00Z", "2026-02-09T01:13:54Z"])
def test_one_time_from_the_future_does_not_date_the_batch(stray: str) -> None:
    """All the others would seem to be years old, and be thrown away."""
    example = next(one for one in EXAMPLES if one.name.startswith("minew-newer-firmware"))
    elements = [*json.loads(example.payload), {"timestamp": stray, "mac": "0" * 12, "rssi": -50}]
    outcome = example.outcome(json.dumps(elements).encode())
    assert isinstance(outcome, Decoded)
    assert outcome.sent_at_ms == example.sent_at_ms
    assert rows_of(outcome) == [*example.rows, ("00:00:00:00:00:00", OWN, -50.0, NO_AGE)]


@pytest.mark.parametrize(
    "line",
    [
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,nan,0201",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-1e1,0201",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,\xd9\xa4\xd9\xa9,0201",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,020",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,0201,nan",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,0201,1e99",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,0201,1574921085,7",
        b"$GPRP,CCB97E7361,CB412F0C8EDC,-49,0201",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-121,0201",
        b"$GPRP,CCB97E7361A4,CB412F0C8EDC,49,0201",
        b"$XXXX,CCB97E7361A4,CB412F0C8EDC,-49,0201",
        b"$GPSR,CCB97E7361A4",
        b'{"data":"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,0201"}',
        b'{"data":[]}',
        b'{"data":[7]}',
        b"\xef\xbb\xbf$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,0201",
    ],
)
def test_a_line_that_is_no_report_is_refused(line: bytes) -> None:
    """Comma-separated values have no types of their own: each field is checked here."""
    example = next(one for one in EXAMPLES if one.name == "ingics-line")
    assert isinstance(example.outcome(line), Rejection)


@pytest.mark.parametrize(
    "document",
    [
        {"devices": [V4_ADVERT]},
        {"mac": "F008D1789200"},
        {"mac": 7, "devices": [V4_ADVERT]},
        {"mac": "", "devices": [V4_ADVERT]},
        {"mac": "F008D1789200", "devices": V4_ADVERT},
        {"mac": "F008D1789200", "devices": ["text"]},
        {"mac": "F008D1789200", "devices": [float("nan")]},
        {"mac": "F008D1789200", "devices": [b"", V4_ADVERT[:7]]},
        {"mac": "F008D1789200", "devices": [V4_ADVERT[:7] + b"\x7f"]},
        {"mac": "F008D1789200", "devices": [V4_ADVERT] * 4_097},
    ],
)
def test_a_message_pack_of_another_shape_is_refused(document: dict[str, object]) -> None:
    """127 is what a radio says that has measured nothing."""
    example = next(one for one in EXAMPLES if one.name == "april-brother-v4")
    assert isinstance(example.outcome(msgspec.msgpack.encode(document)), Rejection)


def test_a_v4_that_heard_nobody_is_no_fault() -> None:
    """Its Wi-Fi's own rssi is no reading of a tag."""
    example = next(one for one in EXAMPLES if one.name == "april-brother-v4")
    document = {"mac": "F008D1789200", "rssi": -40, "time": 3, "devices": []}
    assert rows_of(example.outcome(msgspec.msgpack.encode(document))) == []


def test_data_of_another_version_of_the_script_are_counted() -> None:
    """Guessing at a version nobody has written yet would invent shoppers."""
    example = next(one for one in EXAMPLES if one.name == "shelly-v1")
    for version in (b"[3,", b"[0,", b"[2,", b'["1",', b"[1.5,"):
        outcome = example.outcome(example.payload.replace(b"[1,", version))
        assert isinstance(outcome, Rejection), version
