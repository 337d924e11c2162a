"""Which map a site runs on, and what of its calibration holds there."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inaisle.calibration.calibration_file import MadeFrom, save_calibration
from inaisle.calibration.calibration_in_force import calibration_on
from inaisle.config_files import demo_site_map_file
from inaisle.errors import InvalidSettings
from inaisle.settings_sections import SiteSection
from inaisle.site.map_in_force import map_folder, maps_to_run_on
from rtls.model.errors import InvalidCalibration
from rtls.model.map_draft import MapRevision
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import AnchorId, Metre, UnixMs
from rtls.positioning.calibration import Calibration, LinkRange

DEMO = json.loads(demo_site_map_file().read_bytes())
MADE_FROM = MadeFrom(recording="r", points=1, readings=1, anchor_links=0, verdict="good")
Edit = Callable[[dict], None]


def publish(section: SiteSection, edit: Edit) -> None:
    document = json.loads(json.dumps(DEMO))
    edit(document)
    about = MapRevision(revision=0, published_at_ms=UnixMs(1), published_by="c", note="")
    map_folder(section).publish(json.dumps(document).encode(), about)


def rename(name: str) -> Edit:
    def edit(document: dict) -> None:
        document["inaisle"]["name"] = name

    return edit


def test_what_was_published_last_wins_over_the_file_and_a_first_start_has_the_file(
    tmp_path: Path,
) -> None:
    section = SiteSection(data=tmp_path)
    first = next(maps_to_run_on(section))
    assert (first.revision, first.trouble()) == (0, None)
    assert not (tmp_path / "site-map").exists()  # a start publishes nothing
    publish(section, rename("one"))
    publish(section, rename("two"))
    found = list(maps_to_run_on(section))
    assert [(one.revision, one.site_map.name) for one in found[:2]] == [(2, "two"), (1, "one")]
    assert found[2].revision == 0
    off = replace_published(section)
    assert next(maps_to_run_on(off)).revision == 0


def replace_published(section: SiteSection) -> SiteSection:
    return section.model_copy(update={"published": False})


def test_a_damaged_or_unsound_revision_is_passed_over_and_said(tmp_path: Path) -> None:
    """The shop opens in the morning whatever the disk did at night."""
    section = SiteSection(data=tmp_path)
    publish(section, rename("one"))
    publish(section, rename("two"))
    publish(section, lambda document: document["inaisle"].update(floors=[]))
    path = tmp_path / "site-map" / "revisions" / "000002.json"
    path.write_bytes(path.read_bytes().replace(b"two", b"twe"))
    found = next(maps_to_run_on(section))
    assert found.revision == 1
    trouble = found.trouble()
    assert trouble is not None
    assert trouble.startswith("revision 1 of the floor plan is in force: ")
    assert "000002.json: it is damaged" in trouble
    assert "no floor" in trouble


def test_maps_of_another_site_are_refused_and_not_passed_over(tmp_path: Path) -> None:
    """Somebody has set the wrong folder: silence would run one shop on the state of another."""
    section = SiteSection(data=tmp_path)
    publish(section, lambda document: document["inaisle"].update(site="other"))
    with pytest.raises(InvalidSettings, match="Give each site its own"):
        next(maps_to_run_on(section))


@pytest.fixture
def calibrated(tmp_path: Path) -> SiteSection:
    """The demo shop with a calibration of two anchors."""
    section = SiteSection(data=tmp_path)
    site_map = parse_site_map(demo_site_map_file().read_bytes(), source="demo")
    names = [anchor.anchor for anchor in site_map.anchors[:2]]
    known = Calibration(ranges={name: LinkRange(bias_m=Metre(0.2)) for name in names})
    save_calibration(
        tmp_path / "calibration.json", known, site_map=site_map, made_from=MADE_FROM, offset_db={}
    )
    return section


def anchors_of(section: SiteSection) -> tuple[tuple[AnchorId, ...], str | None]:
    found = calibration_on(next(maps_to_run_on(section)), section)
    assert found.calibration is not None
    return found.calibration.anchors, found.trouble


def test_a_shelf_more_leaves_the_calibration_of_anchors_that_hang_where_they_hung(
    calibrated: SiteSection,
) -> None:
    before = anchors_of(calibrated)
    rack = {
        "type": "Feature",
        "id": "rack",
        "geometry": {"type": "Polygon", "coordinates": [[[20, 2], [21, 2], [21, 3], [20, 2]]]},
        "properties": {"kind": "fixture", "floor": 0},
    }
    publish(calibrated, lambda document: document["features"].append(rack))
    assert anchors_of(calibrated) == before


def test_what_is_known_of_an_anchor_that_was_moved_is_left_out_and_said(
    calibrated: SiteSection,
) -> None:
    """Its ranges would be put right by what was true elsewhere, and nobody would know."""
    (moved, stays), trouble = anchors_of(calibrated)
    assert trouble is None

    def move(document: dict) -> None:
        (anchor,) = [one for one in document["features"] if one.get("id") == moved]
        anchor["geometry"]["coordinates"][0] += 0.5

    publish(calibrated, move)
    kept, trouble = anchors_of(calibrated)
    assert kept == (stays,)
    assert trouble is not None
    assert moved in trouble
    assert "inaisle calibrate" in trouble


def test_a_calibration_of_no_map_that_the_site_had_is_refused(
    calibrated: SiteSection, tmp_path: Path
) -> None:
    """As it is without any published map: it may be of another shop."""
    site_map = parse_site_map(demo_site_map_file().read_bytes(), source="demo")
    strange = replace(site_map, anchors=site_map.anchors[1:])
    save_calibration(
        tmp_path / "calibration.json",
        Calibration(),
        site_map=strange,
        made_from=MADE_FROM,
        offset_db={},
    )
    publish(calibrated, rename("one"))
    with pytest.raises(InvalidCalibration, match="have changed since the survey"):
        anchors_of(calibrated)
