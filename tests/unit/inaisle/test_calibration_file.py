"""calibration.json: what was learnt comes back whole, and never on another map."""

from dataclasses import replace
from pathlib import Path

import pytest

from inaisle.calibration.calibration_file import (
    MadeFrom,
    load_calibration_file,
    radio_digest,
    save_calibration,
)
from inaisle.calibration.calibration_in_force import load_calibration
from inaisle.settings_sections import SiteSection
from inaisle.site.site_loading import load_site_map
from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import Wall
from rtls.model.units import AnchorId, Dbm, Metre, TagId
from rtls.positioning.calibration import AnchorLoss, Calibration, LinkRange
from tests.unit.inaisle.two_anchors import TWO_ANCHORS

A0, A1 = AnchorId("a0"), AnchorId("a1")
KNOWN = Calibration(
    losses={A0: AnchorLoss(rssi_at_1m=Dbm(-58.5), exponent=2.25, sigma_db=4.5, bias_sd_db=3.0)},
    ranges={A1: LinkRange(bias_m=Metre(0.2), bias_sd_m=Metre(0.07))},
    links={(TagId("tag:1"), A1): LinkRange(bias_m=Metre(0.25), slope=0.01)},
)
MADE = MadeFrom(recording="walk", points=20, readings=4000, anchor_links=0, verdict="good")


def saved(path: Path) -> Path:
    file = path / "calibration.json"
    save_calibration(file, KNOWN, site_map=TWO_ANCHORS, made_from=MADE, offset_db={"phone": 3.0})
    return file


def test_what_was_learnt_comes_back(tmp_path: Path) -> None:
    """A digit lost on the way is an error nobody will look for in a file."""
    assert load_calibration_file(saved(tmp_path), TWO_ANCHORS) == KNOWN


def test_a_map_that_changed_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """An anchor hung elsewhere, a new wall: the old parameters would mislead in silence."""
    file = saved(tmp_path)
    moved = replace(TWO_ANCHORS.anchors[0], x_m=Metre(1.0))
    for changed in (
        replace(TWO_ANCHORS, anchors=(moved, TWO_ANCHORS.anchors[1])),
        replace(TWO_ANCHORS, walls=(Wall(floor=0, line=((0.0, 0.0), (1.0, 1.0))),)),
    ):
        with pytest.raises(InvalidCalibration, match="inaisle calibrate again"):
            load_calibration_file(file, changed)


def test_another_name_or_order_of_anchors_is_the_same_map(tmp_path: Path) -> None:
    """A merchandiser renames the shop; the radio does not care."""
    file = saved(tmp_path)
    renamed = replace(TWO_ANCHORS, name="new name", anchors=tuple(reversed(TWO_ANCHORS.anchors)))
    assert radio_digest(renamed) == radio_digest(TWO_ANCHORS)
    assert load_calibration_file(file, renamed) == KNOWN


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"version": 1', '"version": 9', "version 9"),
        ('"site": "s"', '"site": "other"', "site is 'other'"),
        ('"exponent": 2.25', '"exponent": 99.0', "exponent is 99"),
        ('"exponent": 2.25', '"exponent": "steep"', "is no calibration.json"),
        ('"exponent"', '"expnent"', "is no calibration.json"),
        ("{", "[", "is no calibration.json"),
    ],
)
def test_a_file_that_was_spoilt_is_refused(old: str, new: str, told: str, tmp_path: Path) -> None:
    """Somebody will edit it by hand."""
    file = saved(tmp_path)
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(InvalidCalibration, match=told):
        load_calibration_file(file, TWO_ANCHORS)


def test_the_service_takes_what_calibrate_wrote_without_being_told(tmp_path: Path) -> None:
    """Ten minutes of walking must not fail at the eleventh: a setting nobody knew of."""
    section = SiteSection(data=tmp_path)
    assert load_calibration(section) is None
    site_map = load_site_map(section)
    u01 = LinkRange(bias_m=Metre(0.3), bias_sd_m=Metre(0.05))
    known = Calibration(ranges={AnchorId("u01"): u01})
    save_calibration(
        tmp_path / "calibration.json", known, site_map=site_map, made_from=MADE, offset_db={}
    )
    assert load_calibration(section) == known
    with pytest.raises(InvalidCalibration, match="cannot be read"):
        load_calibration(SiteSection(data=tmp_path, calibration=tmp_path / "gone.json"))


def test_a_table_of_links_is_still_taken(tmp_path: Path) -> None:
    """The makers of some systems deliver one."""
    table = tmp_path / "calib.csv"
    table.write_text("tag,anchor,bias_m,slope\ntag:1,u01,0.25,0.01\n")
    known = load_calibration(SiteSection(data=tmp_path, calibration=table))
    assert known is not None
    assert known.links[TagId("tag:1"), AnchorId("u01")].bias_m == 0.25
