"""What the simulator's UWB anchors say, packed or as a DWM1001 network, ingest reads back."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.device_fleet import DeviceFleet
from firmware_sim.link import MemoryLink
from firmware_sim.scenario import Scenario, ScenarioSettings
from firmware_sim.wire import ReadingFields, render_up
from firmware_sim.wire_dwm1001 import location_topic, node_of, render_location
from firmware_sim.wire_name import UwbWireName
from firmware_sim.wire_packed import packed_topic, render_packed
from rtls.ingest.formats.decoded import Decoded, Rejection, RejectionReason
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.ingest.reception import AdmittedTags, Reception
from rtls.model.reading import ReadingArray, ReadingKind
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import UnixMs
from rtls.ports import RawMessage

SITE = Path(__file__).resolve().parents[2] / "config" / "demo" / "site.geojson"
EVERYTHING = Registry(FormatSettings(on=tuple(FormatName)))
NOW = UnixMs(1_795_255_200_000)
BOOT = "6f2c9a10b7e4d853"
METRES = st.floats(-500.0, 500.0)
READINGS = st.lists(
    st.builds(
        ReadingFields,
        a=st.sampled_from(["a17", "a03", "door-2"]),
        id=st.sampled_from(["tag:0d13", "app:9f3c", "trolley.7"]),
        k=st.sampled_from(["rssi", "range"]),
        v=st.floats(-100.0, -1.0),
        sd=st.none() | st.floats(0.01, 50.0),
        ch=st.integers(0, 255),
        dt=st.integers(-65_535, 0),
    ),
    min_size=1,
    max_size=60,
)


def as_sent(value: float, layout: str) -> float:
    """The value to the precision of the wire."""
    return float(struct.unpack(layout, struct.pack(layout, value))[0])


@given(readings=READINGS)
def test_a_packed_message_of_the_simulator_says_what_its_json_says(
    readings: list[ReadingFields],
) -> None:
    """Encoder and decoder were written from docs/wire_protocol.md, each by itself."""
    for one in readings:
        one.v = as_sent(-one.v if one.k == "range" else one.v, "<f")
        one.sd = None if one.sd is None else as_sent(one.sd, "<e")
    said = {"boot": BOOT, "seq": 7, "low": 3, "sent_at_ms": NOW, "readings": readings}
    in_json = EVERYTHING.decode("inaisle/v1/gw/g1/up", render_up(**said), NOW)
    in_bytes = EVERYTHING.decode(packed_topic("g1"), render_packed(**said), NOW)
    assert isinstance(in_json, Decoded)
    assert isinstance(in_bytes, Decoded)
    assert (in_bytes.key, in_bytes.sent_at_ms) == (in_json.key, in_json.sent_at_ms)
    for ours, theirs in zip(in_bytes.columns, in_json.columns, strict=True):
        assert ours.kind == theirs.kind
        for name in ("tags", "anchors", "values"):
            assert list(getattr(ours, name)) == list(getattr(theirs, name))
        assert [min(age, 0) for age in theirs.ages_ms] == list(ours.ages_ms)
        unsent = [-1.0] * len(ours.tags)
        assert list(ours.sigmas or unsent) == list(theirs.sigmas or unsent)


@given(x=METRES, y=METRES, z=st.floats(-3.0, 9.0), quality=st.integers(1, 100), tag=st.text())
def test_a_position_of_a_simulated_network_is_read_back(
    x: float, y: float, z: float, quality: int, tag: str
) -> None:
    """Encoder and decoder were written from the maker's description, each by itself."""
    payload = render_location((x, y, z), quality=quality, frame=70_000)
    outcome = EVERYTHING.decode(location_topic(node_of(tag).upper()), payload, NOW)
    assert isinstance(outcome, Decoded)
    (column,) = outcome.columns
    assert (column.kind, list(column.tags)) == (ReadingKind.POSITION, [node_of(tag)])
    assert column.orders == [70_000 - 65_536]
    found = [column.values[0], (column.values_2 or [])[0], (column.values_3 or [])[0]]
    assert found == pytest.approx([x, y, z], abs=1e-6)


def test_a_lost_tag_of_a_simulated_network_is_put_aside() -> None:
    """PANS writes NaN."""
    payload = render_location(None, quality=0, frame=1)
    outcome = EVERYTHING.decode(location_topic("0d13"), payload, NOW)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == RejectionReason.LOST_FIX


def heard(
    folder: Path, uwb_wire: UwbWireName, formats: FormatSettings
) -> tuple[Scenario, Reception, ReadingArray, dict[int, str]]:
    """Ten seconds of the demo shop, trolleys only, through reception."""
    site_map = parse_site_map(SITE.read_bytes(), source=str(SITE))
    settings = ScenarioSettings(shoppers=6, phone_share=0.0, channel="exact")
    scenario = Scenario(site_map, seed=3, settings=settings)
    links: list[MemoryLink] = []

    def link_of(_: str) -> MemoryLink:
        links.append(MemoryLink())
        return links[-1]

    fleet = DeviceFleet(
        scenario,
        link_of=link_of,
        spool_folder=folder,
        seed=3,
        line_clock=lambda: scenario.now_ms,
        uwb_wire=uwb_wire,
    )
    reception = Reception(site_map, admitted=AdmittedTags.all(), formats=formats)
    batches = []
    for _ in range(100):
        fleet.advance(UnixMs(scenario.now_ms + 100))
        for link in links:
            reception.receive(
                [
                    RawMessage(topic=m.topic, payload=m.payload, received_at_ms=scenario.now_ms)
                    for m in link.take_sent()
                ]
            )
        batches += reception.advance(scenario.now_ms)
    fleet.close()
    names = {slot: tag for batch in batches for slot, tag in batch.introduced}
    return scenario, reception, np.concatenate([b.readings for b in batches]), names


def test_packed_gateways_bring_the_very_readings_that_json_brings(tmp_path: Path) -> None:
    """The same shop, the same seed: only the bytes differ."""
    formats = FormatSettings(on=(FormatName.REFERENCE, FormatName.PACKED))
    _, by_bytes, packed_rows, _ = heard(tmp_path / "packed", "packed", formats)
    _, _, json_rows, _ = heard(tmp_path / "json", "reference", formats)
    assert by_bytes.counters["messages_quarantined"] == 0
    assert len(packed_rows) == len(json_rows) > 300
    for name in ("heard_at_ms", "tag", "anchor", "kind"):
        np.testing.assert_array_equal(packed_rows[name], json_rows[name])
    np.testing.assert_allclose(packed_rows["value"], json_rows["value"], atol=1e-5)


def test_the_positions_of_a_simulated_network_are_where_its_tags_walk(tmp_path: Path) -> None:
    """Its tags compute them from the ranges of one superframe, as real ones do."""
    formats = FormatSettings(
        on=(FormatName.REFERENCE, FormatName.DWM1001),
        frames={"dwm": SiteFrame(anchor=_first_uwb_anchor())},
        aliases={"dwm": _first_uwb_anchor()},
    )
    scenario, reception, rows, names = heard(tmp_path, "dwm1001", formats)
    counters = reception.counters
    assert counters["messages_unknown_gateway"] == counters["readings_unknown_anchor"] == 0
    assert set(names.values()) <= {node_of(tag) for tag in scenario.tags()}
    assert (rows["kind"] == ReadingKind.POSITION).all()
    last = rows[rows["heard_at_ms"] >= scenario.now_ms - 1_500]
    assert len({int(tag) for tag in last["tag"]}) >= 3
    truth = scenario.truth()
    places = zip(truth.x_m.tolist(), truth.y_m.tolist(), strict=True)
    walking = {node_of(tag): place for tag, place in zip(truth.tags, places, strict=True)}
    for row in last:
        place = walking[names[int(row["tag"])]]
        assert math.dist((row["value"], row["value_2"]), place) < 3.5  # a second's walk


def _first_uwb_anchor() -> str:
    site_map = parse_site_map(SITE.read_bytes(), source=str(SITE))
    return next(str(a.anchor) for a in site_map.anchors if a.radio == "uwb")
