"""group_sums: what is told of zones, added up, and nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtls.footfall.blocks import blocks_of
from rtls.footfall.group_sums import GroupSums, group_sums, joined
from rtls.footfall.release import ReleaseRules
from rtls.footfall.shelf_report import told_offers
from rtls.footfall.zone_report import ToldZones, told_zones, zone_figures
from rtls.model.footfall import DWELL_EDGES_S, WHOLE_DAY, Block, ZoneStays
from rtls.model.zone_offers import ZoneOffers
from rtls.storage.history.site_days import day_number
from tests.unit.storage.history_days import DAY, window

RULES = ReleaseRules(key=b"sixteen random bytes")
ZONES = ("dowels", "screws", "paint", "till")
WINDOW = window()


def stays(visitors: list[int], *, day: int | None = None) -> ZoneStays:
    """One day; of the visitors of each zone two thirds stop, for half a minute each."""
    counts = np.array(visitors, np.int64)
    stoppers = counts * 2 // 3
    bins = np.zeros((len(counts), len(DWELL_EDGES_S) + 1), np.int64)
    bins[:, 5] = stoppers
    return ZoneStays(
        block=Block.DAY,
        day=np.full(len(counts), day_number(DAY) if day is None else day, np.int32),
        hour=np.full(len(counts), WHOLE_DAY, np.int8),
        zone=np.arange(len(counts), dtype=np.int32),
        zone_names=ZONES[: len(counts)],
        visitors=counts,
        passers=counts - stoppers,
        stoppers=stoppers,
        stops=stoppers,
        dwell_s=stoppers * 30.0,
        stops_in_bin=bins,
    )


def told(visitors: list[int]) -> ToldZones:
    return told_zones(stays(visitors), RULES)


def sums_of(visitors: list[int], groups: dict[str, str]) -> dict[str, GroupSums]:
    return group_sums([told(visitors)], [], blocks_of(WINDOW), groups)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_a_group_of_one_zone_says_what_the_zone_report_says(visitors: list[int]) -> None:
    """The report of a store is the peer: a chain must not come to other numbers."""
    figures = zone_figures([told(visitors)], blocks_of(WINDOW), ZONES)
    sums = sums_of(visitors, {zone: zone for zone in ZONES})
    for one in figures:
        found = sums[one.zone]
        assert found.visitors == one.visitors
        assert found.passers == one.passers
        assert found.stoppers == one.stoppers
        assert found.stop_rate == one.stop_rate
        if one.stoppers:
            assert found.dwell_s_mean == one.dwell_s_mean


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4), st.integers(1, 14))
def test_a_sum_is_that_of_the_told_parts_and_of_nothing_else(
    visitors: list[int], chosen: int
) -> None:
    """Taking one sum from another gives told numbers alone: nobody is found by subtraction."""
    alone = sums_of(visitors, {zone: zone for zone in ZONES})
    few = {zone: "few" for bit, zone in enumerate(ZONES) if chosen >> bit & 1}
    together = sums_of(visitors, dict.fromkeys(ZONES, "all"))["all"]
    some = sums_of(visitors, few)["few"]
    assert together == joined(alone.values())
    rest = joined(one for zone, one in alone.items() if zone not in few)
    assert (together.visitors or 0) - (some.visitors or 0) == (rest.visitors or 0)


def test_of_few_nothing_is_in_any_sum() -> None:
    """Nine shoppers of a zone are nine persons, in whatever region they are hidden."""
    few = sums_of([9, 9, 9, 9], dict.fromkeys(ZONES, "all"))["all"]
    assert few == GroupSums()
    many = sums_of([9, 9, 9, 40], dict.fromkeys(ZONES, "all"))["all"]
    assert many.visitors in {40, 35, 45}
    assert many.blocks == 1


def test_zones_of_no_group_and_days_of_no_window_are_in_no_sum() -> None:
    """A row that slipped in would be counted twice by another report."""
    sums = sums_of([40, 40], {"dowels": "one"})
    assert list(sums) == ["one"]
    other = told_zones(stays([40, 40], day=day_number(DAY) + 1), RULES)
    assert group_sums([other], [], blocks_of(WINDOW), {"dowels": "one"})["one"] == GroupSums()


def test_conversions_are_told_by_the_same_rules() -> None:
    """Redeemed of offered and bought of stoppers, each count told or withheld by itself."""
    counts = stays([40, 40])
    offers = ZoneOffers(
        block=Block.DAY,
        day=counts.day,
        hour=counts.hour,
        zone=counts.zone,
        zone_names=counts.zone_names,
        offered=np.array([40, 4], np.int64),
        seen=np.array([30, 4], np.int64),
        redeemed=np.array([20, 3], np.int64),
        bought=np.array([25, 2], np.int64),
    )
    found = group_sums(
        [told([40, 40])],
        [told_offers(offers, RULES)],
        blocks_of(WINDOW),
        {"dowels": "a", "screws": "b"},
    )
    assert found["b"].offered is None
    assert found["b"].redemption_rate is None
    assert found["a"].redemption_rate is not None
    assert abs(found["a"].redemption_rate - 0.5) < 0.2
    assert found["a"].purchase_rate is not None


def test_a_window_of_nothing_has_no_rates() -> None:
    """A rate of nobody is no number."""
    nothing = GroupSums()
    assert nothing.stop_rate is None
    assert nothing.dwell_s_mean is None
    assert nothing.purchase_rate is None
