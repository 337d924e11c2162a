"""The radio map of a site beside its calibration.json: kept whole, and only for its own anchors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inaisle.calibration.calibration_file import MadeFrom, load_calibration_file, save_calibration
from inaisle.calibration.radio_map_file import load_radio_map, save_radio_map
from inaisle.calibration.radio_survey import radio_map_from
from rtls.model.errors import InvalidCalibration
from rtls.model.reading import ReadingKind
from rtls.model.site_map import Floor, Radio, SiteMap
from rtls.model.units import AnchorId, Metre, TagId
from rtls.positioning.calibration import Calibration
from rtls.positioning.placed_readings import PLACED_DTYPE, PlacedReadings
from rtls.positioning.radio_map import RadioMap
from tests.reference.radio_site import SQUARE, site_with

BASE = site_with(SQUARE)
HALL = replace(
    BASE,
    floors=(Floor(floor=0, name="0", width_m=Metre(10), height_m=Metre(10)),),
    anchors=tuple(replace(anchor, radio=Radio.BLE) for anchor in BASE.anchors),
)


def surveyed(points: int = 16) -> PlacedReadings:
    draw = np.random.default_rng(1)
    rows = []
    for stop in range(points):
        x, y = 1.5 + 2.3 * (stop % 4), 1.5 + 2.3 * (stop // 4)
        for index, (ax, ay, az) in enumerate(SQUARE):
            away = np.linalg.norm((ax - x, ay - y, az - 1.0))
            for _ in range(5):
                value = -60.0 - 20.0 * np.log10(away) + draw.normal(0.0, 2.0)
                rows.append((stop, 0, index, ReadingKind.RSSI, 0, x, y, 1.0, value, 0.0))
    return PlacedReadings(rows=np.array(rows, PLACED_DTYPE), tags=(TagId("phone"),))


@pytest.fixture(scope="module")
def radio_map() -> RadioMap:
    made = radio_map_from(HALL, surveyed())
    assert made is not None
    return made


def same(one: RadioMap, other: RadioMap) -> bool:
    names = ("strength_cdb", "spread_ddb", "rarity")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_a_radio_map_comes_back_with_its_calibration(radio_map: RadioMap, tmp_path: Path) -> None:
    """The walk of an afternoon is in these two files."""
    file = tmp_path / "calibration.json"
    made = MadeFrom(recording="r", points=16, readings=320, anchor_links=0, verdict="good")
    known = Calibration(radio_map=radio_map)
    save_calibration(file, known, site_map=HALL, made_from=made, offset_db={})
    found = load_calibration_file(file, HALL).radio_map
    assert found is not None
    assert same(found, radio_map)
    assert len(found.grid) == len(radio_map.grid)


def test_anchors_in_another_order_take_their_own_rows_along(
    radio_map: RadioMap, tmp_path: Path
) -> None:
    """Somebody sorts the map's file: a0's strengths must not become a3's."""
    file = tmp_path / "map.npz"
    save_radio_map(file, radio_map, HALL)
    turned: SiteMap = replace(HALL, anchors=tuple(reversed(HALL.anchors)))
    found = load_radio_map(file, turned)
    assert np.array_equal(found.strength_cdb, radio_map.strength_cdb[::-1])


def test_a_missing_damaged_or_foreign_radio_map_is_refused(
    radio_map: RadioMap, tmp_path: Path
) -> None:
    """Two files travel together; one of them gets lost."""
    file = tmp_path / "map.npz"
    with pytest.raises(InvalidCalibration, match="cannot be read as the radio map"):
        load_radio_map(file, HALL)
    save_radio_map(file, radio_map, HALL)
    renamed = replace(HALL.anchors[0], anchor=AnchorId("new"))
    with pytest.raises(InvalidCalibration, match="cannot be read as the radio map"):
        load_radio_map(file, replace(HALL, anchors=(renamed, *HALL.anchors[1:])))
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(InvalidCalibration, match="cannot be read as the radio map"):
        load_radio_map(file, HALL)


def test_a_survey_of_a_few_points_makes_no_radio_map() -> None:
    """The path-loss law says more than five points do."""
    assert radio_map_from(HALL, surveyed(5)) is None
    none = replace(surveyed(), rows=surveyed().rows[:0])
    assert radio_map_from(HALL, none) is None
