"""Gateways of other vendors and a phone, over a real broker and the API: each tag where it is."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inaisle.simulation.app_client import ApiClient
from tests.conftest import Server
from tests.end_to_end.running_service import ServeProcess, ShopFiles
from tests.scenario.mqtt_station import Station

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timed]
Place = tuple[float, float]

WIDTH_M, DEPTH_M, CEILING_M, TAG_M = 12.0, 8.0, 2.6, 1.2
STEP_S = 0.4
RSSI_AT_1M, EXPONENT = -61.0, 2.0
NODES: Mapping[str, Place] = {"kitchen": (1.0, 1.0), "hall": (11.0, 1.0), "bath": (6.0, 7.0)}
MINEWS: Mapping[str, tuple[str, Place]] = {
    "m-1": ("AC233FC03641", (1.0, 7.0)),
    "m-2": ("AC233FC03642", (11.0, 7.0)),
    "m-3": ("AC233FC03643", (6.0, 1.0)),
}
ANCHORS = {**NODES, **{name: place for name, (_, place) in MINEWS.items()}}
CARD, CARD_AT = "c3:00:00:25:ef:6a", (4.0, 3.0)
PHONE, PHONE_AT = "app:9f3c", (8.0, 5.0)
UWB, UWB_AT = "0d13", (9.5, 2.5)
SETTINGS = {
    "INAISLE__FORMATS__ON": '["espresense", "minew", "dwm1001", "phone_scan"]',
    "INAISLE__FORMATS__ALIASES": json.dumps(
        {"Living Hall": "hall"} | {mac: name for name, (mac, _) in MINEWS.items()}
    ),
    "INAISLE__FORMATS__FRAMES": '{"dwm": {"x_m": 12.0, "rotation_deg": 90.0, "anchor": "uwb-net"}}',
}


def site_map() -> dict[str, object]:
    """One room with six anchors on the ceiling, and one that stands for the UWB network."""
    radios = {name: ("ble", place) for name, place in ANCHORS.items()}
    radios["uwb-net"] = ("uwb", (0.5, 0.5))
    anchors = [
        {
            "type": "Feature",
            "id": name,
            "geometry": {"type": "Point", "coordinates": [*place, CEILING_M]},
            "properties": {
                "kind": "anchor",
                "radio": radio,
                "floor": 0,
                "rssi_at_1m": RSSI_AT_1M,
                "exponent": EXPONENT,
            },
        }
        for name, (radio, place) in radios.items()
    ]
    floors = [{"floor": 0, "name": "Ground", "width_m": WIDTH_M, "height_m": DEPTH_M}]
    head = {"version": 1, "crs": "local", "site": "flat", "name": "A flat", "floors": floors}
    return {"type": "FeatureCollection", "inaisle": head, "features": anchors}


def rssi(anchor: str, at: Place) -> int:
    """How strong the anchor and the tag hear each other, by the law of the map."""
    distance = math.dist((*ANCHORS[anchor], CEILING_M), (*at, TAG_M))
    return round(RSSI_AT_1M - 10.0 * EXPONENT * math.log10(distance))


SCAN = {"obs": [{"a": name, "k": "rssi", "v": rssi(name, PHONE_AT), "ch": 37} for name in ANCHORS]}


def flat(folder: Path) -> ShopFiles:
    """The room, and no campaign in it."""
    plan, campaigns = folder / "flat.geojson", folder / "none.json"
    plan.write_text(json.dumps(site_map()), encoding="utf-8")
    campaigns.write_text('{"version": 1, "campaigns": []}', encoding="utf-8")
    return ShopFiles(site_map=plan, campaigns=campaigns, dwell_s=30.0)


def messages(frame: int) -> Iterator[tuple[str, bytes]]:
    """What the gateways publish in one step; the third ESPresense node has a name of its own."""
    for node in NODES:
        room = {"hall": "Living Hall"}.get(node, node)
        advert = {"id": "c3000025ef6a", "rssi": rssi(node, CARD_AT), "distance": 99.0}
        yield f"espresense/devices/c3000025ef6a/{room}", json.dumps(advert).encode()
    stamp = datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")  # noqa: TID251 # a gateway has a clock of its own
    for name, (mac, _) in MINEWS.items():
        batch = [
            {"timestamp": stamp, "type": "Gateway", "mac": mac, "gatewayFree": 89},
            {"timestamp": stamp, "type": "Unknown", "mac": "C3000025EF6A", "bleName": "",
             "rssi": rssi(name, CARD_AT), "rawData": "0201"},
        ]  # fmt: skip
        yield f"/gw/{mac.lower()}/status", json.dumps(batch).encode()
    # The network's x axis points along our y axis, its origin is our lower right corner.
    x, y = UWB_AT[1], WIDTH_M - UWB_AT[0]
    position = {"x": x, "y": y, "z": TAG_M, "quality": 93}
    location = {"position": position, "superFrameNumber": frame % 65_536}
    yield "dwm/node/0D13/uplink/location", json.dumps(location).encode()


def fixes(service: ServeProcess) -> dict[str, Place]:
    with ApiClient(service.address, token=service.keys["staff"]) as staff:
        locations = staff.get("/v1/operator/fixes")["locations"]
    assert isinstance(locations, list)
    return {
        one["provider_id"]: (
            one["position"]["coordinates"][0],
            one["position"]["coordinates"][1],
        )
        for one in locations
    }


def enrolled(service: ServeProcess, tag: str) -> ApiClient:
    """An app whose shopper lets himself be located under a tag."""
    app = ApiClient(service.address)
    app.token = str(app.post("/v1/enrolments", {"locale": "de"})["token"])
    app.put("/v1/me/consents/locate", {"is_granted": True, "text_version": "2026-11"})
    app.post("/v1/me/pairings", {"tag": tag})
    return app


def test_what_espresense_minew_dwm1001_and_a_phone_say_locates_their_tags(
    tmp_path: Path, mosquitto: Server
) -> None:
    """A retailer keeps the gateways he has, of whatever make, and his shoppers their phones."""
    files = flat(tmp_path)
    wanted = {CARD: (CARD_AT, 1.5), PHONE: (PHONE_AT, 1.5), UWB: (UWB_AT, 0.3)}
    with ServeProcess(
        files, data=tmp_path / "data", broker=mosquitto, settings=SETTINGS
    ) as service:
        apps = {tag: enrolled(service, tag) for tag in wanted}
        gateways = Station(mosquitto.port, client_id="field")
        deadline, frame = time.monotonic() + 60.0, 0
        far: dict[str, float] = {}
        while time.monotonic() < deadline and (not far or max(far.values()) > 0.0):
            for topic, payload in messages(frame):
                gateways.say(topic, payload)
            gateways.say("/gw/dd0000000001/status", b'[{"mac":"C3000025EF6A","rssi":-30}]')
            apps[PHONE].post("/v1/me/scans", SCAN)
            frame += 1
            time.sleep(STEP_S)  # the gateways' own pace
            found = fixes(service)
            far = {
                tag: max(0.0, math.dist(found.get(tag, (-99.0, -99.0)), at) - within)
                for tag, (at, within) in wanted.items()
            }
        assert max(far.values()) == 0.0, (far, fixes(service), service.metrics())
        assert service.metric("inaisle_reception_messages_quarantined_total") == 0
        # A gateway that nobody has drawn shouts that the card is beside it.
        unknown = service.metric("inaisle_reception_messages_unknown_gateway_total")
        unknown += service.metric("inaisle_reception_readings_unknown_anchor_total")
        assert unknown == frame
        # Six strengths of the card and one position a step; six strengths of the phone a scan.
        heard = service.metric("inaisle_reception_readings_received_total")
        assert heard == frame * (len(ANCHORS) + 2 + len(ANCHORS))
        assert service.metric("inaisle_reception_readings_not_admitted_total") == 0
        gateways.close()
        for app in apps.values():
            app.__exit__(None, None, None)


def test_a_phone_is_located_also_where_the_api_is_another_process(
    tmp_path: Path, mosquitto: Server, redis_server: Server
) -> None:
    """Its scan goes to the offers process and by Redis to the one that locates."""
    files = flat(tmp_path)

    def half(role: str) -> ServeProcess:
        return ServeProcess(
            files, data=tmp_path / role, broker=mosquitto, role=role, redis=redis_server
        )

    with half("offers") as offers, half("locate"), enrolled(offers, PHONE) as app:
        deadline = time.monotonic() + 60.0
        while (far_m := math.dist(fixes(offers).get(PHONE, (-99.0, -99.0)), PHONE_AT)) > 1.5:
            assert time.monotonic() < deadline, (far_m, offers.told())
            app.post("/v1/me/scans", SCAN)
            time.sleep(STEP_S)  # the phone's own pace
