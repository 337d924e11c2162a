"""What positioning systems, packed gateways and phones send, as their makers' descriptions show."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtls.ingest.formats.decoded import Decoded
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Outcome, Registry
from rtls.model.reading import ReadingKind
from rtls.model.units import UnixMs

RECEIVED: Final = UnixMs(1_795_255_200_000)
EVERYTHING: Final = Registry(FormatSettings(on=tuple(FormatName)))
Row = tuple[ReadingKind, str, str, float, float | None, float | None, float | None]
"""kind, tag, anchor, value, value_2, value_3, sigma to three decimals"""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One payload and what must be read in it."""

    name: str
    topic: str
    payload: bytes
    gateway: str
    rows: Sequence[Row]
    sent_at_ms: int | None = None


def decode(topic: str, payload: bytes) -> Outcome:
    """Decode with every format on."""
    return EVERYTHING.decode(topic, payload, RECEIVED)


def rows_of(outcome: Outcome) -> list[Row]:
    """All readings of a message, in its order."""
    assert isinstance(outcome, Decoded), outcome
    rows: list[Row] = []
    for column in outcome.columns:
        for at, tag in enumerate(column.tags):
            sigma = None if column.sigmas is None else column.sigmas[at]
            rows.append(
                (
                    column.kind,
                    tag,
                    column.anchors[at],
                    column.values[at],
                    None if column.values_2 is None else column.values_2[at],
                    None if column.values_3 is None else column.values_3[at],
                    None if sigma is None or sigma < 0.0 else round(sigma, 3),
                )
            )
    return rows


DWM_LOCATION: Final = Example(
    name="dwm1001-location",
    topic="dwm/node/0D13/uplink/location",
    payload=(
        b'{"position":{"x":18.734064,"y":61.619366,"z":0.35824484,"quality":93},'
        b'"superFrameNumber":79}'
    ),
    gateway="dwm",
    rows=[(ReadingKind.POSITION, "0d13", "", 18.734064, 61.619366, 0.35824484, 0.163)],
)
DWM_CONFIG: Final = (
    b'{"configuration":{"label":"DW0D13","nodeType":"ANCHOR","ble":true,"leds":true,'
    b'"uwbFirmwareUpdate":true,"anchor":{"initiator":true,"position":{"x":0,"y":0,"z":2.1,'
    b'"quality":100}}}}'
)
LOCATION: Final[dict[str, object]] = {
    "position": {"type": "Point", "coordinates": [7.815694, 48.130216, 1.2]},
    "source": "f4c05a2b-afd3-41a0-88e2-46f69bdb192e",
    "provider_type": "ibeacon",
    "provider_id": "ac:23:3f:af:f3:90",
    "trackables": ["9d3b2ee3-0000-4000-8000-000000000000"],
    "timestamp_generated": "2023-10-17T11:14:37.206Z",
    "timestamp_sent": "2023-10-17T11:14:37.213Z",
    "crs": "local",
    "associated": True,
    "accuracy": 1.5,
    "floor": 1.2,
    "true_heading": -1,
    "elevation_ref": "floor",
    "speed": 0.81,
    "course": 104.8,
    "properties": {},
}
OMLOX_SENT_MS: Final = 1_697_541_277_213
OMLOX_ROW: Final[Row] = (
    ReadingKind.POSITION,
    "ac:23:3f:af:f3:90",
    "f4c05a2b-afd3-41a0-88e2-46f69bdb192e",
    7.815694,
    48.130216,
    1.2,
    0.994,  # 1.5 m by sqrt(-2 ln 0.32)
)
OMLOX_PUT: Final = Example(
    name="omlox-put",
    topic="omlox/providers/ac:23:3f:af:f3:90/location",
    payload=json.dumps(LOCATION).encode(),
    gateway="omlox",
    rows=[OMLOX_ROW],
    sent_at_ms=OMLOX_SENT_MS,
)
OMLOX_UPDATES: Final = Example(
    name="omlox-websocket",
    topic="omlox/location_updates",
    payload=json.dumps(
        {"event": "message", "topic": "location_updates", "payload": [LOCATION, LOCATION]}
    ).encode(),
    gateway="omlox",
    rows=[OMLOX_ROW, OMLOX_ROW],
    sent_at_ms=OMLOX_SENT_MS,
)
POZYX_TAGS: Final = Example(
    name="pozyx-tags",
    topic="tags",
    payload=(
        b'[{"version":"2.0","tagId":"30331","timestamp":1615984968.8071718,"data":{"metrics":'
        b'{"latency":28,"rates":{"success":0.76,"update":1.04,"packetLoss":0}},"tagData":'
        b'{"blinkIndex":127},"anchorData":[{"tagId":"30331","anchorId":"28205","rss":-82.12}]}}]'
    ),
    gateway="pozyx",
    rows=[(ReadingKind.RSSI, "30331", "28205", -82.12, None, None, None)],
    sent_at_ms=1_615_984_968_807,
)
POZYX_POSITION: Final = Example(
    name="pozyx-position",
    topic="tags/30331",
    payload=(
        b'[{"version":"2.0","tagId":"30331","timestamp":1615984968.5,"success":true,"data":'
        b'{"coordinates":{"x":12500,"y":3250,"z":1000},"anchorData":[]}}]'
    ),
    gateway="pozyx",
    rows=[(ReadingKind.POSITION, "30331", "", 12.5, 3.25, 1.0, None)],
    sent_at_ms=1_615_984_968_500,
)
POZYX_BLE: Final = Example(
    name="pozyx-ble",
    topic="ble-data",
    payload=(
        b'[{"version":"1.0","deviceId":"c3:00:00:25:ef:6a","timestamp":1671165464.378,"data":'
        b'{"deviceData":{"type":"iBeacon"},"anchorData":[{"anchorId":"4678","rss":-85,'
        b'"channel":37}]}}]'
    ),
    gateway="pozyx",
    rows=[(ReadingKind.RSSI, "c3:00:00:25:ef:6a", "4678", -85.0, None, None, None)],
    sent_at_ms=1_671_165_464_378,
)
PHONE: Final = Example(
    name="phone-scan",
    topic="$phone/app:9f3c",
    payload=(
        b'{"obs":[{"a":"a17","k":"rssi","v":-67,"dt":-80,"ch":38},'
        b'{"a":"AC:23:3F:C0:36:41","k":"range","v":4.5,"sd":0.5}]}'
    ),
    gateway="$phone",
    rows=[
        (ReadingKind.RSSI, "app:9f3c", "a17", -67.0, None, None, None),
        (ReadingKind.RANGE, "app:9f3c", "ac233fc03641", 4.5, None, None, 0.5),
    ],
)

PACKED_TOPIC: Final = "inaisle/v1/gw/g1/up.bin"
Record = tuple[int, int, int, int, int, float, int, float]


def packed(
    records: Sequence[Record],
    *,
    tags: bytes = b"app:9f3c\ntag:0d13",
    anchors: bytes = b"a17\na03",
    boot: int = 0x6F2C9A10B7E4D853,
    seq: int = 10_234,
    low: int = 10_230,
    sent_at_ms: int = RECEIVED,
) -> bytes:
    """One packed message, written from the description and not with the decoder's own layouts."""
    head = struct.pack(
        "<2sBxQQQQHHH", b"IA", 1, boot, seq, low, sent_at_ms, len(tags), len(anchors), len(records)
    )
    rows = b"".join(struct.pack("<HHBBHfhe", *record) for record in records)
    return head + tags + anchors + rows


PACKED: Final = Example(
    name="packed",
    topic=PACKED_TOPIC,
    payload=packed(
        [
            (0, 0, 0, 38, 80, -67.0, 0, 0.0),
            (1, 0, 1, 0, 0, 4.25, 0, 0.125),
            (1, 0xFFFF, 2, 0, 0, -2.25, 1, 0.25),
            (1, 0, 3, 0, 65_535, 0.5, -9_000, 0.0625),
        ]
    ),
    gateway="g1",
    rows=[
        (ReadingKind.RSSI, "app:9f3c", "a17", -67.0, None, None, None),
        (ReadingKind.RANGE, "tag:0d13", "a17", 4.25, None, None, 0.125),
        (ReadingKind.TDOA, "tag:0d13", "", -2.25, None, None, 0.25),
        (ReadingKind.AOA, "tag:0d13", "a17", 0.5, -0.9, None, 0.062),
    ],
    sent_at_ms=RECEIVED,
)

EXAMPLES: Final = (
    DWM_LOCATION,
    OMLOX_PUT,
    OMLOX_UPDATES,
    POZYX_TAGS,
    POZYX_POSITION,
    POZYX_BLE,
    PHONE,
    PACKED,
)
