"""Zone report, shelf report, what-if and ground, with numbers that can be checked by hand."""

import numpy as np
import pytest

from rtls.footfall.blocks import WindowBlocks
from rtls.footfall.cell_ground import cell_grounds
from rtls.footfall.release import ReleaseRules
from rtls.footfall.shelf_report import ShelfFigures, shelf_figures, told_offers
from rtls.footfall.what_if import Place, move_estimate
from rtls.footfall.zone_report import DwellQuantile, ZoneFigures, dwell_quantiles
from rtls.model.errors import InvalidReport
from rtls.model.footfall import DWELL_EDGES_S, WHOLE_DAY, Block
from rtls.model.site_map import Fixture, Floor, SiteMap, Walkable
from rtls.model.units import Metre
from rtls.model.zone_offers import ZoneOffers
from tests.reference.shelf_site import rectangle


def bins(**stops: int) -> np.ndarray:
    """Return stops by the low end of their bin, e.g. s30=4."""
    lows = [0, *DWELL_EDGES_S]
    found = np.zeros(len(lows), np.int64)
    for low, count in stops.items():
        found[lows.index(int(low[1:]))] = count
    return found


def test_a_quantile_is_the_bin_it_lies_in() -> None:
    """Of 20 stops, 8 below 45 s and 12 from 120 to 180 s: the fifth is in the first, half not."""
    found = dwell_quantiles(bins(s30=8, s120=12))
    assert found == (
        DwellQuantile(share=0.25, low_s=30, high_s=45),
        DwellQuantile(share=0.5, low_s=120, high_s=180),
        DwellQuantile(share=0.75, low_s=120, high_s=180),
    )


def test_a_quantile_of_a_few_is_not_told() -> None:
    """The ninth decile of 20 stops is the dwell of two persons; of 50 it is that of five."""
    assert [one.share for one in dwell_quantiles(bins(s30=20))] == [0.25, 0.5, 0.75]
    assert [one.share for one in dwell_quantiles(bins(s30=50))] == [0.25, 0.5, 0.75, 0.9]
    assert dwell_quantiles(bins(s30=9)) == ()


def test_the_last_bin_has_no_end() -> None:
    """Somebody who stays for an hour is in it, too."""
    assert dwell_quantiles(bins(s1800=10))[0] == DwellQuantile(share=0.5, low_s=1800, high_s=None)


def place(visitors: float, stoppers: float, turned_back: float) -> Place:
    return Place(visitors=visitors, stoppers=stoppers, turned_back=turned_back, blocks=1)


def test_a_moved_category_is_computed_as_the_docs_say() -> None:
    """V_A 100, S_A 40, T_A 20; V_B 300, T_B 60: q = 20/80, visitors 240 + 20, stoppers 20 + 60."""
    estimate = move_estimate(
        category_zone="dowels", to_zone="entry", here=place(100, 40, 20), there=place(300, 90, 60)
    )
    assert (estimate.visitors.expected, estimate.visitors.change) == (260.0, 160.0)
    assert (estimate.stoppers.expected, estimate.stoppers.change) == (80.0, 40.0)
    assert estimate.stoppers.change_low < 40.0 < estimate.stoppers.change_high
    # Nobody came for it: q = 40/100 of 240. All 40 stops did: 40 follow, and q is 0.
    assert estimate.stoppers.change_if_nobody_came_for_it == pytest.approx(56.0)
    assert estimate.stoppers.change_if_all_stops_came_for_it == pytest.approx(0.0)


def test_the_interval_of_a_move_holds_chance_and_rounding() -> None:
    """Visitors: change = V_B - T_B + T_A - V_A, each of variance n + 4."""
    estimate = move_estimate(
        category_zone="dowels", to_zone="entry", here=place(100, 40, 20), there=place(300, 90, 60)
    )
    half = 1.959964 * np.sqrt((300 + 4) + (60 + 4) + (20 + 4) + (100 + 4))
    assert estimate.visitors.change_high - 160.0 == pytest.approx(half, rel=1e-5)


def test_the_interval_covers_what_comes_out() -> None:
    """Of 2,000 months drawn around a truth, 95 of 100 intervals hold its change, or more."""
    rng = np.random.default_rng(1)
    true_change, hits, months = 300 - 60 + 20 - 100, 0, 2000
    for _ in range(months):
        turned_a, turned_b = rng.poisson(20), rng.poisson(60)
        here = place(turned_a + rng.poisson(80), turned_a, turned_a)
        there = place(turned_b + rng.poisson(240), 90, turned_b)
        found = move_estimate(category_zone="a", to_zone="b", here=here, there=there).visitors
        hits += found.change_low <= true_change <= found.change_high
    assert hits / months > 0.94


def test_a_category_does_not_move_to_where_it_stands() -> None:
    """The question is a slip of the mouse."""
    with pytest.raises(InvalidReport, match="two zones"):
        move_estimate(category_zone="a", to_zone="a", here=place(10, 5, 0), there=place(10, 5, 0))


def figures(stoppers: int | None) -> ZoneFigures:
    return ZoneFigures(
        zone="dowels",
        hour=None,
        visitors=100,
        passers=50,
        stoppers=stoppers,
        stop_rate=None,
        dwell_s_mean=None,
        quantiles=(),
    )


def shelf(stoppers: int | None, *, bought: int) -> ShelfFigures:
    offers = ZoneOffers(
        block=Block.DAY,
        day=np.array([3], np.int32),
        hour=np.array([WHOLE_DAY], np.int8),
        zone=np.array([0], np.int32),
        zone_names=("dowels",),
        offered=np.array([60], np.int64),
        seen=np.array([9], np.int64),
        redeemed=np.array([30], np.int64),
        bought=np.array([bought], np.int64),
    )
    rules = ReleaseRules(key=bytes(32))
    blocks = WindowBlocks(days=frozenset({3}), hours=frozenset())
    return shelf_figures([figures(stoppers)], [told_offers(offers, rules)], blocks)[0]


def test_dwell_without_purchase_is_the_rest_of_the_stoppers() -> None:
    """80 stopped and 40 bought: half of them went without; each count within its step."""
    row = shelf(80, bought=40)
    assert row.dwell_without_purchase == pytest.approx(0.5, abs=0.06)
    assert row.redemption_rate == pytest.approx(0.5, abs=0.07)
    assert row.seen is None  # nine persons


def test_what_is_withheld_withholds_what_is_made_of_it() -> None:
    """A rate of a withheld count would tell the count."""
    assert shelf(None, bought=40).dwell_without_purchase is None
    assert shelf(80, bought=9).dwell_without_purchase is None


def test_the_ground_of_a_cell_is_what_one_can_stand_on() -> None:
    """2 m cells; ground 4 x 2 m, of which a shelf takes 1 x 2 m; a sliver of 0.2 m is left out."""
    site_map = SiteMap(
        site="ground",
        name="Ground",
        floors=(Floor(floor=0, name="0", width_m=Metre(6.0), height_m=Metre(2.0)),),
        zones=(),
        anchors=(),
        walkable=(Walkable(floor=0, ring=rectangle(0, 0, 4.2, 2)),),
        fixtures=(Fixture(fixture="shelf", floor=0, ring=rectangle(1, 0, 2, 2)),),
    )
    (ground,) = cell_grounds(site_map, Metre(2.0))
    assert ground.area_m2.tolist() == [[2.0, 4.0, 0.0]]
