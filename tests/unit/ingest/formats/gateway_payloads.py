"""What gateways of other makers send, with the readings that it stands for, checked by hand.

The payloads are real captures and examples of the makers' own descriptions; where these leave
something out ("..") a value stands in.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from rtls.ingest.formats import (
    april_brother,
    espresense,
    ingics,
    kontakt,
    minew,
    openmqttgateway,
    shelly,
    theengs,
)
from rtls.ingest.formats.decoded import NO_AGE, Decoded
from rtls.ingest.formats.registry import Decoder, Outcome
from rtls.model.reading import ReadingFlag, ReadingKind
from rtls.model.units import GatewayId, UnixMs

ARRIVAL: Final = ReadingFlag.ARRIVAL_TIME
SMOOTHED: Final = ReadingFlag.SMOOTHED
OWN: Final = ""
Row = tuple[str, str, float, int]
"""tag, anchor (`OWN` for the gateway's), dBm, age in ms"""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One payload and what must be read in it."""

    name: str
    decode: Decoder
    topic: str
    payload: bytes
    gateway: str
    rows: Sequence[Row]
    sent_at_ms: int | None = None
    flags: int = ARRIVAL
    left_out: int = 0
    received_at_ms: int = 1_795_255_200_000

    def outcome(self, payload: bytes | None = None, topic: str | None = None) -> Outcome:
        """Decode this payload, or another one in its place."""
        return self.decode(
            self.topic if topic is None else topic,
            self.payload if payload is None else payload,
            UnixMs(self.received_at_ms),
        )


def rows_of(outcome: Outcome) -> list[Row]:
    """All readings of a message, in its order."""
    assert isinstance(outcome, Decoded), outcome
    rows: list[Row] = []
    for column in outcome.columns:
        assert column.kind == ReadingKind.RSSI
        rows += zip(column.tags, column.anchors, column.values, column.ages_ms, strict=True)
    return rows


THEENGS: Final = theengs.decoder(gateway=GatewayId("door-2"))
ADVERT: Final = base64.b64encode(bytes.fromhex("0201061aff4c000215")).decode()

ESPRESENSE: Final = (
    Example(
        name="espresense-v3",
        decode=espresense.decode,
        topic="espresense/devices/watch:darrell/basement",
        payload=(
            b'{"mac":"58b1294494d3","id":"watch:darrell","name":"Darrell\'s Watch","idType":250,'
            b'"rssi@1m":-64,"rssi":-86,"raw":5.24,"distance":5.89,"int":588}'
        ),
        gateway="basement",
        rows=[("watch:darrell", OWN, -86.0, NO_AGE)],
        flags=ARRIVAL | SMOOTHED,
    ),
    Example(
        name="espresense-v4",
        decode=espresense.decode,
        topic="espresense/devices/iBeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0-0-0/Living_Room",
        payload=(
            b'{"mac":"58b1294494d3","id":"iBeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0-0-0",'
            b'"name":"x","rssi@1m":-59,"rssi":-71.25,"rxAdj":0,"rssiVar":6.10,"distance":2.85,'
            b'"var":0.61,"close":true,"int":640,"mV":3010,"batt":88,"temp":21.5,"rh":40.2,'
            b'"irk":"..."}'
        ),
        gateway="living-room",
        rows=[("iBeacon:e2c56db5-dffb-48d2-b060-d0f5a71096e0-0-0", OWN, -71.25, NO_AGE)],
        flags=ARRIVAL | SMOOTHED,
    ),
    Example(
        name="espresense-address-as-id",
        decode=espresense.decode,
        topic="espresense/devices/58b1294494d3/basement",
        payload=b'{"mac":"58b1294494d3","id":"58b1294494d3","rssi":-80.5}',
        gateway="basement",
        rows=[("58:b1:29:44:94:d3", OWN, -80.5, NO_AGE)],
        flags=ARRIVAL | SMOOTHED,
    ),
)

OPENMQTTGATEWAY: Final = (
    Example(
        name="openmqttgateway-ibeacon",
        decode=openmqttgateway.decode,
        topic="home/OpenMQTTGateway_ESP32_BLE/BTtoMQTT/6087574C9BC2",
        payload=(
            b'{"id":"60:87:57:4C:9B:C2","mac_type":1,"rssi":-78,"distance":7.85288,'
            b'"brand":"GENERIC","model":"iBeacon","model_id":"IBEACON","mfid":"4c00",'
            b'"uuid":"1de4b189115e45f6b44e509352269977","major":0,"minor":0,"txpower":-66}'
        ),
        gateway="openmqttgateway-esp32-ble",
        rows=[("60:87:57:4c:9b:c2", OWN, -78.0, NO_AGE)],
    ),
    Example(
        name="openmqttgateway-uuid-as-id",
        decode=openmqttgateway.decode,
        topic="home/aisle-3/BTtoMQTT/1de4b189115e45f6b44e509352269977",
        payload=(
            b'{"id":"1de4b189115e45f6b44e509352269977","mac":"60:87:57:4C:9B:C2","mac_type":1,'
            b'"rssi":-78,"distance":7.85288,"model_id":"IBEACON","txpower":-66}'
        ),
        gateway="aisle-3",
        rows=[("1de4b189115e45f6b44e509352269977", OWN, -78.0, NO_AGE)],
    ),
    Example(
        name="openmqttgateway-bare-advert",
        decode=openmqttgateway.decode,
        topic="home/aisle-3/BTtoMQTT/45E174126E00",
        payload=b'{"id":"45:e1:74:12:6e:00","rssi":-89,"distance":21.51847,"servicedata":"fe00"}',
        gateway="aisle-3",
        rows=[("45:e1:74:12:6e:00", OWN, -89.0, NO_AGE)],
    ),
    Example(
        name="openmqttgateway-presence-copy",
        decode=openmqttgateway.decode,
        topic="home/home_presence/aisle-3",
        payload=b'{"id":"45:e1:74:12:6e:00","rssi":-89,"distance":21.51847}',
        gateway="aisle-3",
        rows=[("45:e1:74:12:6e:00", OWN, -89.0, NO_AGE)],
    ),
    Example(
        name="openmqttgateway-sensor-only",
        decode=openmqttgateway.decode,
        topic="home/aisle-3/BTtoMQTT/4C65A8D0AE65",
        payload=b'{"id":"4C:65:A8:D0:AE:65","brand":"Xiaomi","model":"LYWSD02","tempc":21.4}',
        gateway="aisle-3",
        rows=[],
    ),
    Example(
        name="openmqttgateway-with-time",
        decode=openmqttgateway.decode,
        topic="home/aisle-3/BTtoMQTT/45E174126E00",
        payload=b'{"id":"45:e1:74:12:6e:00","rssi":-89,"time":1770596033,"mac_type":0}',
        gateway="aisle-3",
        rows=[("45:e1:74:12:6e:00", OWN, -89.0, NO_AGE)],
    ),
)

THEENGS_EXAMPLES: Final = (
    Example(
        name="theengs-advert",
        decode=THEENGS,
        topic="home/TheengsGateway/BTtoMQTT/112233445566",
        payload=(
            b'{"manufacturerdata":"...","id":"11:22:33:44:55:66","rssi":-42,"brand":"Apple",'
            b'"model":"Apple iPhone/iPad","model_id":"APPLEDEVICE","type":"TRACK","track":true,'
            b'"unlocked":false,"distance":0.0334}'
        ),
        gateway="door-2",
        rows=[("11:22:33:44:55:66", OWN, -42.0, NO_AGE)],
    ),
    Example(
        name="theengs-presence-topic",
        decode=THEENGS,
        topic="home/TheengsGateway/presence",
        payload=b'{"id":"11:22:33:44:55:66","rssi":-42,"distance":0.0334}',
        gateway="door-2",
        rows=[("11:22:33:44:55:66", OWN, -42.0, NO_AGE)],
    ),
    Example(
        name="theengs-departure",
        decode=THEENGS,
        topic="home/TheengsGateway/BTtoMQTT/112233445566",
        payload=b'{"id":"11:22:33:44:55:66","presence":"absent"}',
        gateway="door-2",
        rows=[],
    ),
    Example(
        name="theengs-no-gateway-configured",
        decode=theengs.decoder(gateway=None),
        topic="home/TheengsGateway/presence",
        payload=b'{"id":"11:22:33:44:55:66","rssi":-42}',
        gateway="theengsgateway",
        rows=[("11:22:33:44:55:66", OWN, -42.0, NO_AGE)],
    ),
)

MINEW: Final = (
    Example(
        name="minew-ibeacon",
        decode=minew.decode,
        topic="/gw/ac233fc03641/status",
        payload=(
            b'[{"timestamp":"2026-02-09T00:13:53.668Z","type":"Gateway","mac":"AC233FC03641",'
            b'"gatewayFree":89,"gatewayLoad":0.03},{"timestamp":"2026-02-09T00:13:53.667Z",'
            b'"type":"iBeacon","mac":"C3000025EF6A","bleName":"",'
            b'"ibeaconUuid":"E2C56DB5DFFB48D2B060D0F5A71096E0","ibeaconMajor":0,"ibeaconMinor":0,'
            b'"rssi":-65,"ibeaconTxPower":-59,"battery":0}]'
        ),
        gateway="ac233fc03641",
        rows=[("c3:00:00:25:ef:6a", OWN, -65.0, -1)],
        # 2026-02-09 is 20,493 days after 1970; 20,493 × 86,400 + 13 × 60 + 53 s.
        sent_at_ms=1_770_596_033_668,
        flags=0,
    ),
    Example(
        name="minew-whole-seconds-no-gateway-element",
        decode=minew.decode,
        topic="/gw/ac233fc03641/status",
        payload=(
            b'[{"timestamp":"2017-09-06T09:37:45Z","type":"Unknown","mac":"1918FC051F60",'
            b'"bleName":"","rssi":-72,"rawData":"1E168643BD"}]'
        ),
        gateway="ac233fc03641",
        rows=[("19:18:fc:05:1f:60", OWN, -72.0, 0)],
        sent_at_ms=1_504_690_665_000,  # 17,415 × 86,400 + 9 × 3,600 + 37 × 60 + 45 s
        flags=0,
    ),
    Example(
        name="minew-newer-firmware-times-in-no-order",
        decode=minew.decode,
        topic="/gw/ac233fc03641/status",
        payload=(
            b'[{"timestamp":"2026-02-09T00:13:53.100Z","type":"Unknown","mac":"1918FC051F60",'
            b'"rssi":-72,"bleNo":1,"seq":7},{"timestamp":"2026-02-09T00:13:54.000Z",'
            b'"type":"Unknown","mac":"1918FC051F61","rssi":-73,"bleNo":1,"seq":8},'
            b'{"timestamp":"2026-02-09T00:13:52.900Z","type":"Unknown","mac":"1918FC051F60",'
            b'"rssi":-74,"bleNo":1,"seq":9}]'
        ),
        gateway="ac233fc03641",
        rows=[
            ("19:18:fc:05:1f:60", OWN, -72.0, -900),
            ("19:18:fc:05:1f:61", OWN, -73.0, 0),
            ("19:18:fc:05:1f:60", OWN, -74.0, -1_100),
        ],
        sent_at_ms=1_770_596_034_000,
        flags=0,
    ),
    Example(
        name="minew-clock-never-set",
        decode=minew.decode,
        topic="/gw/ac233fc03641/status",
        payload=(
            b'[{"timestamp":"1970-01-01T00:01:02.500Z","type":"Gateway","mac":"AC233FC03641"},'
            b'{"timestamp":"1970-01-01T00:01:02.100Z","type":"Unknown","mac":"1918FC051F60",'
            b'"rssi":-72}]'
        ),
        gateway="ac233fc03641",
        rows=[("19:18:fc:05:1f:60", OWN, -72.0, -400)],
    ),
    Example(
        name="minew-clock-from-2000-set-in-between",
        decode=minew.decode,
        topic="/gw/ac233fc03641/status",
        payload=(
            b'[{"timestamp":"2000-01-01T00:01:02Z","type":"Unknown","mac":"1918FC051F60",'
            b'"rssi":-72},{"timestamp":"2026-02-09T00:13:54Z","type":"Unknown",'
            b'"mac":"1918FC051F61","rssi":-73}]'
        ),
        gateway="ac233fc03641",
        rows=[("19:18:fc:05:1f:60", OWN, -72.0, NO_AGE), ("19:18:fc:05:1f:61", OWN, -73.0, 0)],
        sent_at_ms=1_770_596_034_000,
        flags=0,
    ),
    Example(
        name="minew-topic-without-gateway",
        decode=minew.decode,
        topic="shop/minew",
        payload=(
            b'[{"timestamp":"2026-02-09T00:13:54Z","type":"Gateway","mac":"AC233FC03641"},'
            b'{"timestamp":"2026-02-09T00:13:54Z","type":"Unknown","mac":"1918FC051F60",'
            b'"rssi":-72}]'
        ),
        gateway="ac233fc03641",
        rows=[("19:18:fc:05:1f:60", OWN, -72.0, 0)],
        sent_at_ms=1_770_596_034_000,
        flags=0,
    ),
)

KONTAKT: Final = (
    Example(
        name="kontakt-presence-of-a-receiver",
        decode=kontakt.decode,
        topic="/presence/stream/f3sR",
        payload=(
            b'[{"timestamp":1487000000,"sourceId":"f3sR","trackingId":"vG9x","rssi":-77,'
            b'"proximity":"NEAR","scanType":"BLE","deviceAddress":"F7:01:02:03:04:05"}]'
        ),
        gateway="f3sr",
        rows=[("vG9x", OWN, -77.0, 0)],
        sent_at_ms=1_487_000_000_000,
    ),
    Example(
        name="kontakt-presence-of-a-venue",
        decode=kontakt.decode,
        topic="/presence/stream/9d3b2ee3-0000-4000-8000-000000000001",
        payload=(
            b'[{"timestamp":1487000001,"sourceId":"f3sR","trackingId":"","rssi":-77,'
            b'"deviceAddress":"F7:01:02:03:04:05"},{"timestamp":1487000000,"sourceId":"zYwiz",'
            b'"trackingId":"f70102030405","rssi":-81}]'
        ),
        gateway="9d3b2ee3-0000-4000-8000-000000000001",
        rows=[
            ("f7:01:02:03:04:05", "f3sr", -77.0, 0),
            ("f7:01:02:03:04:05", "zywiz", -81.0, -1_000),
        ],
        sent_at_ms=1_487_000_001_000,
    ),
    Example(
        name="kontakt-location-services",
        decode=kontakt.decode,
        topic="shop/kontakt",
        payload=(
            b'{"companyId":"abcdef","userId":"abcdef","sourceId":"abcdef","sourceType":"abcdef",'
            b'"trackingId":"abcdef","rssi":-77,"timestamp":"2020-06-26T13:37:00Z",'
            b'"beaconTimestamp":1600000000,"batteryLevel":100}'
        ),
        gateway="abcdef",
        rows=[("abcdef", OWN, -77.0, 0)],
        sent_at_ms=1_593_178_620_000,  # 18,439 × 86,400 + 13 × 3,600 + 37 × 60 s
    ),
    Example(
        name="kontakt-telemetry-of-a-company",
        decode=kontakt.decode,
        topic="telemetry/abcdef",
        payload=b'{"sourceId":"f3sR","trackingId":"vG9x","rssi":-77,"timestamp":1487000000}',
        gateway="f3sr",
        rows=[("vG9x", OWN, -77.0, 0)],
        sent_at_ms=1_487_000_000_000,
        flags=ARRIVAL | SMOOTHED,
    ),
)


def shelly_event(*data: object, ts: float | None = 1714383830.316, **more: object) -> bytes:
    """A notification with one event for each ``data``, as Shelly's firmware wraps it."""
    events = [
        {"component": "script:1", "id": 1, "event": "ble.scan_result", "data": one, "ts": ts}
        for one in data
    ]
    frame = {
        "src": "shellyplus1-a8032abe54dc",
        "dst": "shellyplus1-a8032abe54dc/events",
        "method": "NotifyEvent",
        "params": {"ts": ts, "events": events},
        **more,
    }
    return json.dumps(frame, separators=(",", ":")).encode()


SHELLY_TOPIC: Final = "shellyplus1-a8032abe54dc/events/rpc"
SHELLY: Final = (
    Example(
        name="shelly-v1",
        decode=shelly.decode,
        topic=SHELLY_TOPIC,
        payload=shelly_event([1, "aa:bb:cc:dd:ee:ff", -61, ADVERT, ""]),
        gateway="shellyplus1-a8032abe54dc",
        rows=[("aa:bb:cc:dd:ee:ff", OWN, -61.0, 0)],
        sent_at_ms=1_714_383_830_316,
        flags=0,
    ),
    Example(
        name="shelly-v2",
        decode=shelly.decode,
        topic=SHELLY_TOPIC,
        payload=shelly_event(
            [2, [["aa:bb:cc:dd:ee:ff", -61, ADVERT, ""], ["AA:BB:CC:DD:EE:00", -62, ADVERT, ""]]]
        ),
        gateway="shellyplus1-a8032abe54dc",
        rows=[("aa:bb:cc:dd:ee:ff", OWN, -61.0, 0), ("aa:bb:cc:dd:ee:00", OWN, -62.0, 0)],
        sent_at_ms=1_714_383_830_316,
        flags=0,
    ),
    Example(
        name="shelly-clock-never-set",
        decode=shelly.decode,
        topic=SHELLY_TOPIC,
        payload=shelly_event([1, "aa:bb:cc:dd:ee:ff", -61, ADVERT, ""], ts=17.25),
        gateway="shellyplus1-a8032abe54dc",
        rows=[("aa:bb:cc:dd:ee:ff", OWN, -61.0, 0)],
    ),
    Example(
        name="shelly-clock-null",
        decode=shelly.decode,
        topic=SHELLY_TOPIC,
        payload=shelly_event([1, "aa:bb:cc:dd:ee:ff", -61, ADVERT, ""], ts=None),
        gateway="shellyplus1-a8032abe54dc",
        rows=[("aa:bb:cc:dd:ee:ff", OWN, -61.0, NO_AGE)],
    ),
    Example(
        name="shelly-simple-script",
        decode=shelly.decode,
        topic="shop/ble",
        payload=(
            b'{"addr":"aa:bb:cc:dd:ee:ff","rssi":-61,"time":1714383830316,'
            b'"gateway":"shellyplus1-a8032abe54dc","data":[2,1,6]}'
        ),
        gateway="shellyplus1-a8032abe54dc",
        rows=[("aa:bb:cc:dd:ee:ff", OWN, -61.0, 0)],
        sent_at_ms=1_714_383_830_316,
        flags=0,
    ),
    Example(
        name="shelly-event-of-a-button",
        decode=shelly.decode,
        topic=SHELLY_TOPIC,
        payload=(
            b'{"src":"shellyplus1-a8032abe54dc","method":"NotifyEvent","params":{"ts":1714383830.3,'
            b'"events":[{"component":"input:0","id":0,"event":"single_push","ts":1714383830.3}]}}'
        ),
        gateway="shellyplus1-a8032abe54dc",
        rows=[],
    ),
)

GPRP: Final = (
    b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,1309696773206D65736820233220285445535429020106,1574921085"
)
INGICS: Final = (
    Example(
        name="ingics-line",
        decode=ingics.decode,
        topic="ingics/1",
        payload=GPRP,
        gateway="cb412f0c8edc",
        rows=[("cc:b9:7e:73:61:a4", OWN, -49.0, 0)],
        sent_at_ms=1_574_921_085_000,
        flags=0,
    ),
    Example(
        name="ingics-lines-without-time",
        decode=ingics.decode,
        topic="ingics/1",
        payload=(
            b"$GPRP,CCB97E7361A4,CB412F0C8EDC,-49,020106\r\n"
            b"$SRRP,CCB97E7361A4,CB412F0C8EDC,-50,020106\r\n"
            b"$RSPR,CCB97E7361A4,CB412F0C8EDC,-51,020106\r\n"
            b"$LRAD,51A88AD374B7,CB412F0C8EDC,-87,02010212FF0D0083BC280100\r\n"
            b"$LRSR,51A88AD374B7,CB412F0C8EDC,-88,\r\n"
            b"$1MAD,51A88AD374B7,CB412F0C8EDC,-89,0201\r\n"
            b"$1MSR,51A88AD374B7,CB412F0C8EDC,-90,0201\r\n"
        ),
        gateway="cb412f0c8edc",
        rows=[
            ("cc:b9:7e:73:61:a4", OWN, -49.0, NO_AGE),
            ("cc:b9:7e:73:61:a4", OWN, -50.0, NO_AGE),
            ("cc:b9:7e:73:61:a4", OWN, -51.0, NO_AGE),
            ("51:a8:8a:d3:74:b7", OWN, -87.0, NO_AGE),
            ("51:a8:8a:d3:74:b7", OWN, -88.0, NO_AGE),
            ("51:a8:8a:d3:74:b7", OWN, -89.0, NO_AGE),
            ("51:a8:8a:d3:74:b7", OWN, -90.0, NO_AGE),
        ],
    ),
    Example(
        name="ingics-json-mode",
        decode=ingics.decode,
        topic="ingics/1",
        payload=(
            b'{"data":["$GPRP,7ABA6F20ACCF,806172C89C09,-2,02010612FF59,1574921085.942",'
            b'"$GPRP,7ABA6F20ACC0,806172C89C09,-3,02010612FF59,1574921085.342"]}'
        ),
        gateway="806172c89c09",
        rows=[
            ("7a:ba:6f:20:ac:cf", OWN, -2.0, 0),
            ("7a:ba:6f:20:ac:c0", OWN, -3.0, -600),
        ],
        sent_at_ms=1_574_921_085_942,
        flags=0,
    ),
    Example(
        name="ingics-place-of-the-gateway",
        decode=ingics.decode,
        topic="ingics/1",
        payload=b"$GPSR,CB412F0C8EDC,CB412F0C8EDC,-127,191128,060445.00,24.99,121.49,0.0,1.2",
        gateway="cb412f0c8edc",
        rows=[],
    ),
    Example(
        name="ingics-two-bad-lines",
        decode=ingics.decode,
        topic="ingics/1",
        payload=(
            GPRP
            + b"\r\n$GPRP,CCB97E7361A4,AAAAAAAAAAAA,-50,0201\r\n$GPRP,CCB97E7361A4,CB412F0C8EDC"
        ),
        gateway="cb412f0c8edc",
        rows=[("cc:b9:7e:73:61:a4", OWN, -49.0, 0)],
        sent_at_ms=1_574_921_085_000,
        flags=0,
        left_out=2,
    ),
)

V4_ADVERT: Final = bytes.fromhex(
    "00123b6a1a64cfaa0201061aff4c000215b5b182c7eab14988aa99b5c1517008d90001cf64c5"
)
APRIL_BROTHER: Final = (
    Example(
        name="april-brother-json",
        decode=april_brother.decode,
        topic="beacons",
        payload=(
            b'{"id":"ABCDEF123456","raw_beacons_data":'
            b'"F4B85ED84CB7123456781234123412341234123412347DAD33B1C6FF41;'
            b'0117C538C0CF23A01AF0232A45189C0E323FB773F5EF00100020B3FFB2;"}'
        ),
        gateway="abcdef123456",
        # 0x41 is +65 dBm, which the guide shows and no radio hears; 0xB2 is 178 - 256.
        rows=[("01:17:c5:38:c0:cf", OWN, -78.0, NO_AGE)],
        left_out=1,
    ),
    Example(
        name="april-brother-v4",
        decode=april_brother.decode,
        topic="xbg",
        payload=msgspec.msgpack.encode(
            {
                "v": "1.5.0",
                "mid": 12,
                "time": 86_400,
                "ip": "192.0.2.7",
                "mac": "F008D1789200",
                "rssi": -40,
                "devices": [V4_ADVERT, b"\x02\xc8\xfd\x19\x49\xa5\x30\xce"],
            }
        ),
        gateway="f008d1789200",
        # 0xaa is 170 - 256, 0xce is 206 - 256.
        rows=[("12:3b:6a:1a:64:cf", OWN, -86.0, NO_AGE), ("c8:fd:19:49:a5:30", OWN, -50.0, NO_AGE)],
    ),
    Example(
        name="april-brother-v4-short-advert",
        decode=april_brother.decode,
        topic="xbg",
        payload=msgspec.msgpack.encode({"mac": "F008D1789200", "devices": [V4_ADVERT, b"\x00"]}),
        gateway="f008d1789200",
        rows=[("12:3b:6a:1a:64:cf", OWN, -86.0, NO_AGE)],
        left_out=1,
    ),
)

EXAMPLES: Final = (
    *ESPRESENSE,
    *OPENMQTTGATEWAY,
    *THEENGS_EXAMPLES,
    *MINEW,
    *KONTAKT,
    *SHELLY,
    *INGICS,
    *APRIL_BROTHER,
)
