"""demo_settings: the service as a demo needs it."""

from pathlib import Path

import pytest

from inaisle.demo.demo_settings import hear_ble_wire
from inaisle.service.format_tables import format_settings
from inaisle.settings import Settings
from inaisle.settings_sections import SimulatorSection
from rtls.ingest.admission import Admission
from rtls.ingest.formats.format_name import FormatName
from rtls.model.site_map import Radio
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import GatewayId

SITE = Path(__file__).resolve().parents[3] / "config" / "demo" / "site.geojson"


@pytest.mark.parametrize("wire", ["espresense", "minew"])
def test_a_demo_hears_the_format_that_its_ble_anchors_speak(wire: str) -> None:
    """Every box is then a gateway with one anchor, and the demo's map names another gateway."""
    site_map = parse_site_map(SITE.read_bytes(), source=str(SITE))
    spoken = Settings(simulator=SimulatorSection(ble_wire=wire))
    formats = format_settings(hear_ble_wire(spoken, site_map).formats, site_map)
    assert FormatName(wire) in formats.on
    assert FormatName.REFERENCE in formats.on
    admission = Admission(site_map, aliases=formats.aliases)
    for anchor in site_map.anchors:
        if anchor.radio is Radio.BLE:
            own = admission.anchors_of(GatewayId(str(anchor.anchor)))
            assert own is not None
            assert own[""] == site_map.anchor_index[anchor.anchor]


def test_a_demo_in_the_reference_protocol_needs_no_more() -> None:
    """What was configured stays as it was."""
    site_map = parse_site_map(SITE.read_bytes(), source=str(SITE))
    assert hear_ble_wire(Settings(), site_map) == Settings()
