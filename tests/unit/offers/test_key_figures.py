"""Key figures: counted as a reader would count them, and told of nobody who is alone."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.insight.complement import complement
from offers.insight.incremental_cost import Controlled, cost_per_incremental_euro
from offers.insight.kpi_groups import kpi_groups
from offers.insight.kpi_report import KpiInput, kpi_report
from offers.insight.lift import lift_of
from offers.insight.offer_figures import funnels
from offers.insight.site_figures import (
    beside_others,
    member_figures,
    ratio_of_sums,
    receipt_figures,
)
from offers.insight.weekly_figures import weekly_series
from offers.model.experiments.estimate import Sample
from offers.model.insight.funnel import Step
from offers.model.insight.kpi import DEFINITIONS, KpiName, KpiUnit, Withheld, rounded
from offers.model.insight.kpi_columns import SEGMENTS, ZoneStops
from offers.model.insight.kpi_window import day_number, site_days
from offers.model.insight.till_day import TillDay
from rtls.model.errors import InvalidReport
from tests.reference import key_figures as twin
from tests.reference.key_figures import Made, Receipt
from tests.unit.offers.kpi_columns import BERLIN, ZONES, offers, purchases, window
from tests.unit.offers.shop import SITE

MONDAY = day_number(date(2026, 11, 2))
NOVEMBER = window(date(2026, 11, 2), date(2026, 11, 30))


def drawn_receipts(seed: int, count: int) -> list[Receipt]:
    """Receipts of two windows; a shopper is in one segment at the end, or in none."""
    rng = np.random.default_rng(seed)
    shoppers = rng.integers(-5, 25, count).tolist()
    days = rng.integers(MONDAY - 28, MONDAY + 28, count).tolist()
    paid = rng.integers(1, 50_000, count).tolist()
    return [
        Receipt(shopper, day, minor, segment=-1 if shopper < 0 else shopper % 5 - 1)
        for shopper, day, minor in zip(shoppers, days, paid, strict=True)
    ]


def drawn_offers(seed: int, count: int) -> list[Made]:
    """Offers; each step only where the one before was."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 4, count).tolist()
    return [
        Made(
            shopper=int(rng.integers(0, 30)),
            day=int(rng.integers(MONDAY, MONDAY + 28)),
            zone=int(rng.integers(-1, 2)),
            is_seen=step >= 1,
            is_redeemed=step >= 2,
            is_bought=step >= 3,
        )
        for step in steps
    ]


SEEDS = st.integers(0, 2**32 - 1)
RECEIPTS = st.builds(drawn_receipts, SEEDS, st.integers(0, 150))
OFFERS = st.builds(drawn_offers, SEEDS, st.integers(0, 120))
QUICK = settings(max_examples=60)


@QUICK
@given(RECEIPTS)
def test_the_figures_are_those_of_a_plain_count(rows: list[Receipt]) -> None:
    """The columns must say what a loop over the receipts says."""
    columns = purchases(rows)
    now, before = columns.between(MONDAY, MONDAY + 28), columns.between(MONDAY - 28, MONDAY)
    expected = twin.figures(
        [row for row in rows if row.day >= MONDAY], [row for row in rows if row.day < MONDAY]
    )
    for kpi in (*member_figures(now, before), *receipt_figures(now, {})):
        if kpi.name.value not in expected:
            continue
        value, shoppers = expected[kpi.name.value]
        if shoppers < 10:
            assert kpi.withheld is Withheld.FEW_SHOPPERS
        else:
            assert kpi.value == pytest.approx(rounded(value, kpi.definition.unit), rel=6e-3)


@QUICK
@given(RECEIPTS)
def test_a_share_is_between_nothing_and_all(rows: list[Receipt]) -> None:
    """And the interval holds the share: a report with 103 % is not believed again."""
    columns = purchases(rows)
    now, before = columns.between(MONDAY, MONDAY + 28), columns.between(MONDAY - 28, MONDAY)
    for kpi in (*member_figures(now, before), *receipt_figures(now, {})):
        if kpi.definition.unit is KpiUnit.SHARE and kpi.value is not None:
            assert kpi.interval is not None
            assert 0.0 <= kpi.interval.low <= kpi.value <= kpi.interval.high <= 1.0


@QUICK
@given(RECEIPTS)
def test_segments_add_up_to_all_members(rows: list[Receipt]) -> None:
    """Whoever adds the segments up must not find a shopper twice, or miss one."""
    members = purchases(rows).of_members()
    parts = [members.rows(members.segment == code) for code in (-1, *range(len(SEGMENTS)))]
    assert sum(len(part.shopper) for part in parts) == len(members.shopper)
    assert sum(len(np.unique(part.shopper)) for part in parts) == len(np.unique(members.shopper))
    assert sum(int(part.paid_minor.sum()) for part in parts) == int(members.paid_minor.sum())


@QUICK
@given(OFFERS, st.booleans())
def test_the_funnel_never_rises_and_counts_as_a_loop_does(
    rows: list[Made],
    has_footfall: bool,  # noqa: FBT001 - drawn
) -> None:
    """Rounding and withholding must not let more people redeem than were asked."""
    stops = [
        ZoneStops(zone=ZONES[0], visitors=30, stoppers=10),
        ZoneStops(zone=ZONES[1], visitors=None, stoppers=None),
    ]
    whole, zones = funnels(offers(rows), stops if has_footfall else None)
    for one in (whole, *zones):
        counts = [step.count for step in one.steps if step.count is not None]
        assert counts == sorted(counts, reverse=True)
    exact = twin.funnel(rows)
    for step, count in zip(whole.steps[2:], exact, strict=True):
        assert step.withheld is Withheld.FEW_SHOPPERS or abs((step.count or 0) - count) <= 2


def test_a_zone_of_few_is_not_had_from_all_zones_less_the_others() -> None:
    """22 were made an offer, 15 of them at the dowels: the drills must not come out as seven."""
    rows = [Made(shopper=n, day=MONDAY, zone=int(n >= 15)) for n in range(22)]
    whole, (dowels, drills) = funnels(offers(rows), None)
    offered = list(Step).index(Step.OFFERED)
    assert whole.steps[offered].count == 20
    assert drills.steps[offered].withheld is Withheld.FEW_SHOPPERS
    assert dowels.steps[offered].withheld is Withheld.COMPLEMENT


def test_who_is_offered_something_has_stopped_and_come_by() -> None:
    """Footfall withholds days of few: it may tell of fewer than were made an offer there."""
    rows = [Made(shopper=n, day=MONDAY, zone=0) for n in range(20)]
    whole, _ = funnels(offers(rows), [ZoneStops(zone=ZONES[0], visitors=15, stoppers=10)])
    assert [step.count for step in whole.steps[:3]] == [20, 20, 20]


def test_without_footfall_the_funnel_begins_with_the_offer() -> None:
    """And says why."""
    rows = [Made(shopper=n, day=MONDAY, zone=0) for n in range(20)]
    whole, _ = funnels(offers(rows), None)
    assert [one.withheld for one in whole.steps[:2]] == [Withheld.NO_FOOTFALL] * 2
    assert [one.step for one in whole.steps] == list(Step)


def test_a_group_of_few_is_withheld_and_so_is_the_one_that_would_tell_it() -> None:
    """All members and all segments but one are told: the last one would be their difference."""
    rows = [
        Receipt(shopper=n, day=MONDAY + n % 28, paid_minor=1_000, segment=segment)
        for segment, members in ((0, range(40)), (1, range(40, 47)), (2, range(47, 62)))
        for n in members
    ]
    groups = kpi_groups(purchases(rows), purchases([]), offers([]))
    by_segment = {
        group.segment: next(kpi for kpi in group.kpis if kpi.name is KpiName.PURCHASE_FREQUENCY)
        for group in groups
    }
    assert by_segment[SEGMENTS[0]].value == 1.0
    assert by_segment[SEGMENTS[1]].withheld is Withheld.FEW_SHOPPERS
    assert by_segment[SEGMENTS[2]].withheld is Withheld.COMPLEMENT


def test_a_week_is_counted_as_it_stood_when_it_ended() -> None:
    """Of older weeks more has been redeemed since: the newest would always look like a fall."""
    rows = [Made(shopper=n, day=MONDAY, zone=0, is_seen=True, is_redeemed=True) for n in range(20)]
    made = offers(rows)
    late = np.where(np.arange(20) < 5, MONDAY + 6, MONDAY + 7).astype(np.int32)
    series = weekly_series(
        purchases([]),
        replace(made, redeemed_day=late),
        {},
        first_week=date(2026, 11, 2),
        weeks=1,
    )
    values = {one.name: one.values for one in series}
    assert values[KpiName.REDEMPTION_RATE] == (0.25,)


@QUICK
@given(st.lists(st.integers(0, 60), min_size=2, max_size=6))
def test_what_is_missing_is_never_the_group_of_a_few(sizes: list[int]) -> None:
    """Taken from all members, the told groups leave ten at least, or nobody."""
    groups = dict(enumerate(sizes))
    further = complement(groups)
    missing = sum(n for code, n in groups.items() if n < 10 or code == further)
    assert missing == 0 or missing >= 10 or all(n < 10 for n in sizes)


def totals(sales_minor: int, receipts: int) -> dict[int, TillDay]:
    return {
        MONDAY: TillDay(
            site=SITE,
            day=date(2026, 11, 2),
            currency="EUR",
            receipts=receipts,
            sales_minor=sales_minor,
        )
    }


def test_members_stand_beside_others_where_the_tills_say_what_they_took() -> None:
    """20 receipts of 10 euro with a card, 80 of 5 euro without."""
    rows = [Receipt(shopper=n, day=MONDAY, paid_minor=1_000) for n in range(20)]
    found = {kpi.name: kpi.value for kpi in beside_others(purchases(rows), totals(60_000, 100))}
    assert found == {
        KpiName.MEMBERS_SHARE: 0.333,
        KpiName.OTHERS_MEAN_BASKET: 500.0,
        KpiName.BASKET_DIFFERENCE: 500.0,
    }


@pytest.mark.parametrize(
    ("members", "told_totals", "why"),
    [
        (9, totals(60_000, 100), Withheld.FEW_SHOPPERS),
        (20, totals(24_000, 28), Withheld.FEW_SHOPPERS),
        (20, {}, Withheld.NO_TILL_TOTALS),
        (20, totals(19_999, 100), Withheld.NO_TILL_TOTALS),
        (20, totals(20_000, 20), Withheld.NOTHING_HAPPENED),
    ],
)
def test_few_members_do_not_show_between_all_and_others(
    members: int, told_totals: dict[int, TillDay], why: Withheld
) -> None:
    """Whoever knows what the tills took has the members from the others by subtraction."""
    rows = [Receipt(shopper=n, day=MONDAY, paid_minor=1_000) for n in range(members)]
    found = list(beside_others(purchases(rows), told_totals))
    assert [kpi.withheld for kpi in found] == [why] * 3


def test_a_day_without_its_total_is_no_day_without_customers() -> None:
    """Else the members would have made more than everything."""
    rows = [Receipt(shopper=n, day=MONDAY + n % 2, paid_minor=1_000) for n in range(20)]
    found = list(beside_others(purchases(rows), totals(60_000, 100)))
    assert {kpi.withheld for kpi in found} == {Withheld.NO_TILL_TOTALS}


def test_ten_receipts_of_one_shopper_are_those_of_one_shopper() -> None:
    """Also of one who must not be followed."""
    rows = [Receipt(shopper=-2, day=MONDAY, paid_minor=1_000)] * 50
    assert next(receipt_figures(purchases(rows), {})).withheld is Withheld.FEW_SHOPPERS


def test_every_figure_says_its_formula_and_its_source() -> None:
    """Merchandisers argue about definitions: no figure goes out without its own."""
    assert set(DEFINITIONS) == set(KpiName)
    assert all(one.formula and one.source and one.title for one in DEFINITIONS.values())


def test_an_empty_window_is_a_report_full_of_reasons() -> None:
    """A shop that has just opened is no error."""
    report = kpi_report(
        KpiInput(window=NOVEMBER, receipts=purchases([]), is_long=False, offers=offers([]))
    )
    assert {kpi.name for kpi in report.kpis} == set(KpiName)
    assert all(kpi.value is None for kpi in report.kpis)


def test_an_interval_of_receipts_knows_that_those_of_one_shopper_hang_together() -> None:
    """One who buys a hundred times is one shopper, not a hundred."""
    sums, counts = np.array([100_000.0, 10.0]), np.array([100.0, 1.0])
    value, error = ratio_of_sums(sums, counts)
    assert value == pytest.approx(100_010 / 101)
    assert error > 10 * np.std([1_000.0] * 100 + [10.0]) / 101


def test_without_a_control_there_is_no_cost_of_a_further_euro() -> None:
    """What would have been bought anyway is not known: the reason stands where the number would."""
    assert cost_per_incremental_euro(None).withheld is Withheld.NO_EXPERIMENT


def test_the_cost_of_a_further_euro_is_cost_over_lift() -> None:
    """Coupons for 500 euro that brought 1,000 euro more cost half a euro for each."""
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((2, 5_000))
    treated, control = (
        Sample(arm=name, values=mean + 100.0 * column)
        for name, mean, column in zip(("a", "b"), (1_020.0, 1_000.0), noise, strict=True)
    )
    lift = lift_of(treated, control)
    kpi = cost_per_incremental_euro(Controlled(sales=lift, cost_minor=50_000))
    assert kpi.value == rounded(50_000 / lift.whole_minor, KpiUnit.EACH)
    assert kpi.interval is not None
    assert kpi.interval.low < kpi.value < kpi.interval.high
    nothing = lift_of(treated, Sample(arm="b", values=treated.values[::-1]))
    unclear = cost_per_incremental_euro(Controlled(sales=nothing, cost_minor=50_000))
    assert unclear.withheld is Withheld.NO_CLEAR_LIFT
    lost = Controlled(sales=lift, cost_minor=50_000, is_split_off=True)
    assert cost_per_incremental_euro(lost).withheld is Withheld.SPLIT_IS_OFF


@pytest.mark.parametrize(
    ("from_day", "until_day"),
    [
        (date(2026, 11, 2), date(2026, 11, 8)),
        (date(2026, 11, 9), date(2026, 11, 2)),
        (date(2025, 11, 2), date(2026, 11, 4)),
    ],
)
def test_a_window_is_a_week_to_a_year(from_day: date, until_day: date) -> None:
    """A day's figure would be about the few of a day."""
    with pytest.raises(InvalidReport, match="expected 7 to 366"):
        window(from_day, until_day)


def test_a_day_begins_by_the_clocks_of_the_site() -> None:
    """The last hour of a day in Berlin is the first of the next in no other way; clocks change."""
    night = window(date(2026, 3, 23), date(2026, 3, 30))
    assert (night.until_ms - night.from_ms) // 3_600_000 == 7 * 24 - 1
    at_ms = np.array([night.until_ms - 1, night.until_ms, night.from_ms], np.int64)
    assert site_days(at_ms, BERLIN).tolist() == [
        day_number(date(2026, 3, 29)),
        day_number(date(2026, 3, 30)),
        day_number(date(2026, 3, 23)),
    ]
