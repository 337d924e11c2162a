"""anchor_check: an anchor that is dead, drunk or hung elsewhere is named."""

from dataclasses import replace

import numpy as np
import pytest

from rtls.model.reading import ReadingKind
from rtls.model.site_map import Floor, Radio, SiteMap
from rtls.model.units import Metre, TagId
from rtls.positioning.anchor_check import AnchorState, check_anchors
from rtls.positioning.calibration import Calibration
from rtls.positioning.path_loss import fit_path_loss
from rtls.positioning.placed_readings import PLACED_DTYPE, PlacedReadings, samples_of
from rtls.positioning.range_calibration import fit_ranges
from tests.reference.radio_site import site_with

GRID = tuple((x, y, 3.0) for y in (3.0, 12.0) for x in (3.0, 12.0, 21.0))


def shop(radio: Radio) -> SiteMap:
    site = site_with(GRID, exponent=2.2)
    floor = Floor(floor=0, name="0", width_m=Metre(24), height_m=Metre(15))
    return replace(
        site, floors=(floor,), anchors=tuple(replace(a, radio=radio) for a in site.anchors)
    )


def survey(site: SiteMap, noise: float, seed: int) -> PlacedReadings:
    draw = np.random.default_rng(seed)
    kind = ReadingKind.RANGE if site.anchors[0].radio is Radio.UWB else ReadingKind.RSSI
    rows = []
    for stop in range(24):
        x, y = 2.0 + 4.0 * (stop % 6), 2.0 + 3.5 * (stop // 6)
        for index, a in enumerate(site.anchors):
            d = np.linalg.norm((a.x_m - x, a.y_m - y, a.z_m - 1.0))
            true = d + 0.18 if kind is ReadingKind.RANGE else -61.0 - 22.0 * np.log10(d)
            value = true + draw.normal(0.0, noise)
            rows.append((stop, 0, index, kind, 0, x, y, 1.0, value, 0.0))
    return PlacedReadings(rows=np.array(rows, PLACED_DTYPE), tags=(TagId("staff"),))


def states(site: SiteMap, placed: PlacedReadings) -> dict[str, AnchorState]:
    if site.anchors[0].radio is Radio.UWB:
        fit = fit_ranges(site, placed)
        known = Calibration(ranges=fit.ranges, links=fit.links)
    else:
        known = fit_path_loss(site, tuple(samples_of(site, placed)))
    return {v.anchor: v.state for v in check_anchors(site, placed, known)}


@pytest.mark.parametrize(("radio", "noise"), [(Radio.UWB, 0.08), (Radio.BLE, 4.0)])
def test_a_sound_shop_has_good_anchors_only(radio: Radio, noise: float) -> None:
    """A report that always warns is read once."""
    for seed in range(5):
        site = shop(radio)
        found = states(site, survey(site, noise, seed))
        assert set(found.values()) == {AnchorState.GOOD}, seed


@pytest.mark.parametrize(("radio", "noise", "within_m"), [(Radio.UWB, 0.08, 0.3),
                                                          (Radio.BLE, 3.0, 4.0)])  # fmt: skip
def test_an_anchor_that_hangs_elsewhere_is_named_with_its_place(
    radio: Radio, noise: float, within_m: float
) -> None:
    """The ladder stood one aisle further: the most usual mistake of an installation."""
    true = shop(radio)
    moved = replace(true.anchors[1], x_m=Metre(3.0), y_m=Metre(12.0))
    drawn = replace(true, anchors=(true.anchors[0], moved, *true.anchors[2:]))
    placed = survey(true, noise, 1)
    assert states(drawn, placed)["a1"] is AnchorState.MISPLACED
    fit = fit_path_loss(drawn, tuple(samples_of(drawn, placed))) if radio is Radio.BLE else (
        Calibration(ranges=fit_ranges(drawn, placed).ranges)
    )  # fmt: skip
    verdict = next(v for v in check_anchors(drawn, placed, fit) if v.anchor == "a1")
    assert verdict.better_m is not None
    assert np.linalg.norm(np.array(verdict.better_m) - (12.0, 3.0)) < within_m


def test_a_dead_anchor_and_one_in_a_corner_are_told_apart() -> None:
    """Silent: send somebody up the ladder. Few: walk nearer to it."""
    site = shop(Radio.UWB)
    placed = survey(site, 0.08, 1)
    rows = placed.rows
    kept = rows[(rows["anchor"] != 2) & ((rows["anchor"] != 4) | (rows["stop"] < 2))]
    found = states(site, replace(placed, rows=kept))
    assert found["a2"] is AnchorState.SILENT
    assert found["a4"] is AnchorState.FEW
    assert found["a0"] is AnchorState.GOOD


def test_an_anchor_that_guesses_is_erratic() -> None:
    """A broken antenna: readings without a place that would explain them."""
    site = shop(Radio.UWB)
    placed = survey(site, 0.08, 1)
    rows = placed.rows.copy()
    own = rows["anchor"] == 5
    rows["value"][own] = np.random.default_rng(9).permutation(rows["value"][own])
    assert states(site, replace(placed, rows=rows))["a5"] in {
        AnchorState.ERRATIC,
        AnchorState.MISPLACED,
    }


def test_a_dozen_noisy_places_do_not_move_an_anchor() -> None:
    """Among nine hundred places one always fits a little better by chance."""
    site = shop(Radio.BLE)
    for seed in range(8):
        placed = survey(site, 6.0, seed)
        few = replace(placed, rows=placed.rows[placed.rows["stop"] % 2 == 0])
        assert AnchorState.MISPLACED not in set(states(site, few).values()), seed
