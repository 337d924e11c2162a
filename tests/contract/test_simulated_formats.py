"""What the simulator says in other makers' formats, ingest reads back as it was heard."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.device_fleet import DeviceFleet
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.radio_address import radio_address
from firmware_sim.scenario import STARTS_AT_MS, Scenario, ScenarioSettings
from firmware_sim.wire_espresense import SmoothedTag, device_topic, render_device
from firmware_sim.wire_minew import HeardAdvert, batch_topic, render_batch
from firmware_sim.wire_name import WireName
from rtls.ingest.formats import espresense, minew
from rtls.ingest.formats.decoded import Decoded
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.identifiers import hardware_address
from rtls.ingest.reception import AdmittedTags, Reception
from rtls.model.reading import ReadingFlag, ReadingKind
from rtls.model.site_map import Radio, SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import UnixMs
from rtls.ports import RawMessage

SITE = Path(__file__).resolve().parents[2] / "config" / "demo" / "site.geojson"
STRENGTHS = st.floats(-119.0, -1.0)
ADDRESSES = st.integers(0, 2**48 - 1).map(lambda number: f"{number:012x}")
NOW = STARTS_AT_MS + 60_000
ADVERTS = st.lists(
    st.builds(
        HeardAdvert,
        at_ms=st.integers(NOW - 1_000, NOW),
        mac=ADDRESSES,
        rssi_dbm=STRENGTHS,
    ),
    max_size=40,
)


@given(rssi_dbm=STRENGTHS, mac=ADDRESSES, variance_db2=st.floats(0.0, 99.0))
def test_what_a_simulated_espresense_node_reports_is_read_back(
    rssi_dbm: float, mac: str, variance_db2: float
) -> None:
    """Encoder and decoder were written from the firmware, each by itself."""
    tag = SmoothedTag(
        tag=f"app:{mac}", mac=mac, rssi_dbm=rssi_dbm, variance_db2=variance_db2, interval_ms=500
    )
    outcome = espresense.decode(device_topic(tag.tag, "b01"), render_device(tag), UnixMs(NOW))
    assert isinstance(outcome, Decoded)
    assert (outcome.gateway, outcome.sent_at_ms) == ("b01", None)
    assert outcome.flags == ReadingFlag.SMOOTHED | ReadingFlag.ARRIVAL_TIME
    (column,) = outcome.columns
    assert (column.kind, list(column.tags)) == (ReadingKind.RSSI, [tag.tag])
    assert column.values[0] == pytest.approx(rssi_dbm, abs=0.005)  # it writes two decimals


@given(adverts=ADVERTS)
def test_what_a_simulated_minew_gateway_uploads_is_read_back(adverts: list[HeardAdvert]) -> None:
    """Every advert comes through with its time, though the batch is in another order."""
    payload = render_batch(adverts, mac="ac233fc03641", sent_at_ms=NOW)
    outcome = minew.decode(batch_topic("b01"), payload, UnixMs(NOW + 30))
    assert isinstance(outcome, Decoded)
    assert (outcome.gateway, outcome.sent_at_ms) == ("b01", NOW)
    heard = [
        (tag, NOW + age_ms, value)
        for column in outcome.columns
        for tag, age_ms, value in zip(column.tags, column.ages_ms, column.values, strict=True)
    ]
    said = [(hardware_address(one.mac), one.at_ms, round(one.rssi_dbm)) for one in adverts]
    assert sorted(heard) == sorted(said)


class HeardBySimulator:
    """Ten seconds of the demo shop, its BLE anchors in another maker's format."""

    def __init__(self, wire: WireName, folder: Path) -> None:
        site_map = parse_site_map(SITE.read_bytes(), source=str(SITE))
        # A box of another maker is its own gateway: the map gives its anchor to nobody else.
        anchors = (
            replace(one, gateway=None) if one.radio is Radio.BLE else one
            for one in site_map.anchors
        )
        self.site_map: SiteMap = replace(site_map, anchors=tuple(anchors))
        self.links: dict[str, MemoryLink] = {}
        self.messages: list[RawMessage] = []
        settings = ScenarioSettings(shoppers=10, phone_share=0.5, channel="exact")
        self.scenario = Scenario(self.site_map, seed=3, settings=settings)
        self.fleet = DeviceFleet(
            self.scenario,
            link_of=self._link,
            spool_folder=folder,
            seed=3,
            line_clock=lambda: self.scenario.now_ms,
            ble_wire=wire,
        )
        self.phones = {tag for tag in self.scenario.tags() if tag.startswith("app:")}
        for _ in range(100):
            self.fleet.advance(UnixMs(self.scenario.now_ms + 100))
            self._collect()
        self.fleet.close()
        self._collect()

    def _link(self, gateway: str) -> MemoryLink:
        self.links[gateway] = MemoryLink()
        return self.links[gateway]

    def _collect(self) -> None:
        for link in self.links.values():
            self.messages += [self._raw(message) for message in link.take_sent()]

    def _raw(self, message: LineMessage) -> RawMessage:
        return RawMessage(
            topic=message.topic,
            payload=message.payload,
            received_at_ms=UnixMs(self.scenario.now_ms),
            is_retained=False,
        )


def receive(shop: HeardBySimulator, wire: FormatName) -> tuple[Reception, Sequence[str]]:
    """Take all that was said; return reception and the tags that came out."""
    reception = Reception(
        shop.site_map,
        admitted=AdmittedTags.all(),
        formats=FormatSettings(on=(FormatName.REFERENCE, wire)),
    )
    introduced: list[str] = []
    for raw in shop.messages:
        reception.receive([raw])
        for batch in reception.advance(raw.received_at_ms):
            introduced += [tag for _, tag in batch.introduced]
    for batch in reception.advance(UnixMs(shop.scenario.now_ms + 10_000)):
        introduced += [tag for _, tag in batch.introduced]
    return reception, introduced


@pytest.mark.parametrize("wire", ["espresense", "minew"])
def test_a_shop_of_mixed_makers_is_heard_whole(wire: WireName, tmp_path: Path) -> None:
    """A retailer has BLE boxes of one maker and UWB anchors of another on one ceiling."""
    shop = HeardBySimulator(wire, tmp_path)
    reception, introduced = receive(shop, FormatName(wire))
    counters = reception.counters
    assert counters["messages_quarantined"] == 0
    assert counters["messages_unknown_gateway"] == 0
    assert counters["readings_unknown_anchor"] == 0
    assert counters["readings_received"] > 300
    phones = {tag for tag in introduced if not tag.startswith("tag:")}
    expected = shop.phones
    if wire == "minew":  # it knows a phone by its address alone
        expected = {str(hardware_address(radio_address(phone))) for phone in shop.phones}
    assert len(shop.phones) == 5
    assert phones == expected
    assert {tag for tag in introduced if tag.startswith("tag:")}, "the UWB anchors were heard too"


def test_a_smoothing_node_says_less_often_what_stands_still(tmp_path: Path) -> None:
    """An absence from its reports is no departure: the filters must not read it so."""
    nodes = HeardBySimulator("espresense", tmp_path / "espresense")
    batches = HeardBySimulator("minew", tmp_path / "minew")
    reported = sum("/devices/" in raw.topic for raw in nodes.messages)
    heard = sum(
        device.readings
        for name, device in batches.fleet.devices.items()
        if not name.startswith("gw-")
    )
    assert 0 < reported < heard / 2
