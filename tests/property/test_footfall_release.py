"""What is told of footfall: never of few, never changed by one shopper more than a step."""

import dataclasses
import datetime as dt
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.footfall.blocks import blocks_of
from rtls.footfall.heatmap import Heatmap
from rtls.footfall.release import (
    K_FLOOR,
    ROUNDING,
    SECONDS,
    ReleaseRules,
    block_words,
    told_counts,
    told_seconds,
)
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.errors import InvalidReport
from rtls.model.footfall import ReportWindow
from rtls.model.units import UnixMs
from tests.reference.footfall import MONDAY, Fix, MemoryHistory, instant, whole_days
from tests.reference.shelf_site import make_site, shelf_zones

KEY = bytes(range(32))
RULES = ReleaseRules(key=KEY, k=5)
LATER_MS = UnixMs(instant(MONDAY + dt.timedelta(days=400)))


@pytest.mark.parametrize("k", [4, 0, -5, 7, 1005])
def test_nobody_can_set_k_below_the_floor(k: int) -> None:
    """The floor stands in code, so that no setting undoes it; multiples of 5 keep counts >= k."""
    with pytest.raises(InvalidReport, match=f"k is {k}"):
        ReleaseRules(key=KEY, k=k)


def test_a_short_key_is_refused_and_no_key_is_printed() -> None:
    """Whoever knows the key can undo the rounding."""
    with pytest.raises(InvalidReport, match="key"):
        ReleaseRules(key=b"secret")
    assert "key" not in repr(RULES)


counts = st.lists(st.integers(0, 40), min_size=1, max_size=30)


@given(counts, st.integers(0, 2**32))
def test_nothing_below_k_is_told_and_nothing_told_is_below_k(values: list[int], day: int) -> None:
    """Each block for itself, whatever was drawn for it."""
    visitors = np.array(values, np.int64)
    n = len(values)
    words = block_words(np.arange(n), day)
    told = told_counts(visitors, words, kind="test", rules=RULES, sums=None)
    assert not told.is_told[visitors < K_FLOOR].any()
    assert told.is_told[visitors >= K_FLOOR + 4].all()
    shown = told.counts[told.is_told]
    assert (shown >= K_FLOOR).all()
    assert (shown % ROUNDING == 0).all()
    assert (np.abs(shown - visitors[told.is_told]) < ROUNDING).all()


@given(counts, st.integers(0, 2**32))
def test_what_is_missing_of_a_sum_is_k_visitors_at_least(values: list[int], day: int) -> None:
    """Or it would be the total less what is told."""
    visitors = np.array(values, np.int64)
    n = len(values)
    words = block_words(np.arange(n), day)
    told = told_counts(visitors, words, kind="test", rules=RULES, sums=np.zeros(n, np.int64))
    missing = int(visitors[~told.is_told].sum())
    assert missing >= K_FLOOR or not told.is_told.any()


@given(counts, st.integers(0, 29), st.integers(0, 2**32))
def test_one_shopper_more_changes_a_told_count_by_one_step_at_most(
    values: list[int], place: int, day: int
) -> None:
    """Pairs of data that differ in one shopper; blocks that are told of both."""
    before = np.array(values, np.int64)
    after = before.copy()
    after[place % len(values)] += 1
    words = block_words(np.arange(len(values)), day)
    one, other = (
        told_counts(v, words, kind="test", rules=RULES, sums=np.zeros(len(values), np.int64))
        for v in (before, after)
    )
    both = one.is_told & other.is_told
    assert (np.abs(one.counts - other.counts)[both] <= ROUNDING).all()


def test_counts_and_seconds_are_right_on_average() -> None:
    """Over 20,000 blocks of 13 visitors and 100 s: a bias of rounding would add up in totals."""
    n = 20_000
    words = block_words(np.arange(n), 1)
    visitors = np.full(n, 13, np.int64)
    told = told_counts(visitors, words, kind="test", rules=RULES, sums=None)
    assert told.is_told.all()
    assert abs(told.counts.mean() - 13.0) < 0.1
    seconds = told_seconds(np.full(n, 100.0), told)
    assert set(seconds.tolist()) == {SECONDS, 2 * SECONDS}
    assert abs(seconds.mean() - 100.0) < 1.0


def crowd(seed: int, persons: int = 60, days: int = 2) -> list[Fix]:
    """Return persons who stand in a few cells of a few hours."""
    rng = random.Random(seed)
    rows: list[Fix] = []
    for person in range(persons):
        for day in range(days):
            for _ in range(6):
                hour, second = rng.randint(9, 12), rng.randint(0, 3000)
                at_ms = instant(MONDAY + dt.timedelta(days=day), hour, second)
                x_m, y_m = rng.randint(0, 1) + 0.5, 0.5
                cohort = ("new", "old")[person % 2]
                rows.append((at_ms, 1000 * day + person, 0, x_m, y_m, 20.0, cohort))
    return rows


def reports_on(rows: list[Fix], *, tells_cohorts: bool = False) -> FootfallReports:
    settings = ReportSettings(rules=ReleaseRules(key=KEY), tells_cohorts=tells_cohorts)
    return FootfallReports(
        MemoryHistory(rows), site_map=make_site(shelf_zones()), settings=settings
    )


@settings(max_examples=15)
@given(st.integers(0, 50), st.integers(9, 12), st.integers(1, 4))
def test_a_window_says_no_more_than_its_hours(seed: int, first: int, length: int) -> None:
    """However windows are chosen, one taken from the other is a sum of hours told anyway."""
    reports = reports_on(crowd(seed, days=1))

    def hours(begin: int, end: int) -> ReportWindow:
        window = whole_days(MONDAY, MONDAY)
        start_ms, end_ms = instant(MONDAY, begin), instant(MONDAY, end)
        return dataclasses.replace(window, start_ms=start_ms, end_ms=end_ms)

    whole = reports.heatmap(hours(first, first + length), now_ms=LATER_MS).floors[0]
    parts = [
        reports.heatmap(hours(hour, hour + 1), now_ms=LATER_MS).floors[0]
        for hour in range(first, first + length)
    ]
    assert whole.visitors.tolist() == sum(part.visitors for part in parts).tolist()
    assert whole.person_s.tolist() == sum(part.person_s for part in parts).tolist()


def test_a_choice_of_floors_or_weekdays_tells_a_block_no_other_way() -> None:
    """The same cell of the same day is rounded the same, whatever was asked for besides."""
    reports = reports_on(crowd(1))
    tuesday = MONDAY + dt.timedelta(days=1)
    plain = reports.heatmap(whole_days(tuesday, tuesday), now_ms=LATER_MS).floors[0]
    chosen = reports.heatmap(
        whole_days(MONDAY, tuesday, floor=0, weekdays=frozenset({1})), now_ms=LATER_MS
    ).floors[0]
    assert plain.is_told.any()
    assert plain.visitors.tolist() == chosen.visitors.tolist()


def test_hours_of_a_cohort_are_not_told() -> None:
    """Hours and cohorts of one day would be a table whose both margins are told."""
    with pytest.raises(InvalidReport, match="single hours of the cohort 'new'"):
        blocks_of(whole_days(MONDAY, MONDAY, cohort="new", hours=frozenset({10})))


def test_a_day_that_is_not_over_is_not_told() -> None:
    """Each look at it would be a moving window."""
    reports, today = reports_on(crowd(1)), whole_days(MONDAY, MONDAY)
    with pytest.raises(InvalidReport, match="told from 2026-03-03T01:00"):
        reports.heatmap(today, now_ms=UnixMs(instant(MONDAY, 23)))
    reports.heatmap(today, now_ms=UnixMs(instant(MONDAY, 25)))


@pytest.mark.parametrize("persons", [0, 18, 60])
def test_where_cohorts_are_told_everybody_is_their_sum(persons: int) -> None:
    """Of 18 persons no cohort may be told in a cell, and so nobody; all of them alone might be."""
    reports = reports_on(crowd(1, persons=persons), tells_cohorts=True)
    tuesday = MONDAY + dt.timedelta(days=1)

    def told(cohort: str | None) -> Heatmap:
        window = whole_days(MONDAY, tuesday, cohort=cohort)
        return reports.heatmap(window, now_ms=LATER_MS).floors[0]

    everybody, parts = told(None), [told("new"), told("old")]
    assert everybody.visitors.tolist() == sum(part.visitors for part in parts).tolist()
    assert everybody.person_s.tolist() == sum(part.person_s for part in parts).tolist()
    assert int(everybody.blocks_told.max()) <= 2
    assert everybody.is_told.any() == (persons == 60)


def test_a_site_that_tells_no_cohorts_refuses_to() -> None:
    """Cohorts beside everybody would give away what is in neither."""
    with pytest.raises(InvalidReport, match="tells none"):
        reports_on(crowd(1)).heatmap(whole_days(MONDAY, MONDAY, cohort="new"), now_ms=LATER_MS)
