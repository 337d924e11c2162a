"""Figures that change: found, told once, and not where there is nothing but chance and season."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.handlers.insight.note_changes import note_changes
from offers.insight.drift import LEARNT_WEEKS_MIN, LIMIT, ODD_MAX, SLACK, changes_of, deviates
from offers.model.insight.drift import Change, Direction, WeeklySeries
from offers.model.insight.kpi import KpiName
from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId, UnixMs
from tests.reference import key_figures as twin
from tests.unit.offers.shop import SITE, START_MS, Shop

FIRST_WEEK = date(2024, 1, 1)


def series(values: list[float | None], name: KpiName = KpiName.MEAN_BASKET) -> WeeklySeries:
    return WeeklySeries(name=name, first_week=FIRST_WEEK, values=tuple(values))


def noise(seed: int, weeks: int) -> np.ndarray:
    return 0.05 * np.random.default_rng(seed).standard_normal(weeks)


def alarms(runs: int, weeks: int, *, season: bool = False, step: float = 0.0) -> float:
    """The share of series in which a change is found, from the last 26 weeks on if there is one."""
    found = 0
    at = np.arange(weeks)
    for seed in range(runs):
        level = noise(seed, weeks) + step * (at >= weeks - 26)
        if season:
            level = level + 0.1 * np.sin(2 * np.pi * at / 52.18) + 0.3 * (at % 52 >= 49)
        since = FIRST_WEEK + timedelta(weeks=weeks - 26 if step else 0)
        changes = changes_of(series(np.exp(level).tolist()))
        found += any(change.found_week >= since for change in changes)
    return found / runs


def test_chance_alone_is_seldom_called_a_change() -> None:
    """Of 1,000 series of two years without a change at most 4 % raise an alarm."""
    assert alarms(1_000, 104) <= 0.04


def test_a_season_is_no_change_once_a_year_is_known() -> None:
    """Christmas lifts every basket by a third, each year again."""
    assert alarms(100, 156, season=True) <= 0.15


def test_a_change_of_two_standard_deviations_is_found_within_half_a_year() -> None:
    """Of planted ones nine of ten; in a season, too."""
    assert alarms(100, 104, step=0.1) >= 0.85
    assert alarms(60, 156, season=True, step=0.1) >= 0.85


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(14, 60), st.sampled_from([0.0, 0.15]))
def test_it_is_the_plain_chart_of_a_week_at_a_time(seed: int, weeks: int, step: float) -> None:
    """Running sums must say what judging each week from scratch says."""
    level = noise(seed, weeks) + step * (np.arange(weeks) >= 13)
    expected = twin.first_alarm(
        level.tolist(), learnt=LEARNT_WEEKS_MIN, slack=SLACK, limit=LIMIT, odd_max=ODD_MAX
    )
    found = changes_of(series(np.exp(level).tolist()))
    week = None if not found else (found[0].direction.value, (found[0].found_week - FIRST_WEEK))
    assert week == (None if expected is None else (expected[0], timedelta(weeks=expected[1])))


def test_each_week_is_as_odd_as_judged_from_scratch() -> None:
    """To the last digit: a hundredth too much a week is an alarm too many a year."""
    values = noise(5, 40)
    found = deviates(values)
    assert not found[:LEARNT_WEEKS_MIN].any()
    expected = [twin.oddness(values[:n].tolist(), values[n]) for n in range(LEARNT_WEEKS_MIN, 40)]
    assert found[LEARNT_WEEKS_MIN:] == pytest.approx(np.clip(expected, -ODD_MAX, ODD_MAX))


def test_a_change_says_when_it_began_and_from_what_to_what() -> None:
    """A basket of 20 euro that falls to 15 in the 31st week; gaps are passed over."""
    values: list[float | None] = [2_000.0 + (n % 3) for n in range(30)]
    values += [None, None] + [1_500.0 + (n % 3) for n in range(10)]
    (change,) = changes_of(series(values))
    assert change.direction is Direction.DOWN
    assert change.since_week == FIRST_WEEK + timedelta(weeks=32)
    assert change.found_week <= FIRST_WEEK + timedelta(weeks=36)
    assert (round(change.before), round(change.after)) == (2_001, 1_501)


def test_one_odd_week_is_no_change() -> None:
    """A flood closed the shop for six days."""
    values: list[float | None] = list(np.exp(noise(4, 52)))
    values[30] = 0.01
    assert changes_of(series(values)) == ()


@pytest.mark.parametrize("values", [[], [None] * 20, [0.5] * 40, [0.0] * 40])
def test_what_does_not_move_has_not_changed(values: list[float | None]) -> None:
    """Also where there is nothing at all."""
    assert changes_of(series(values, KpiName.REPEAT_RATE)) == ()


def test_a_week_begins_on_a_monday() -> None:
    """Weeks that begin on different days cannot be compared."""
    with pytest.raises(InvalidReport, match="expected a Monday"):
        WeeklySeries(name=KpiName.RETENTION, first_week=date(2024, 1, 2), values=())


def change(found: int, since: int, direction: Direction = Direction.UP) -> Change:
    return Change(
        name=KpiName.RETENTION,
        direction=direction,
        found_week=FIRST_WEEK + timedelta(weeks=found),
        since_week=FIRST_WEEK + timedelta(weeks=since),
        before=0.25,
        after=0.5,
    )


def test_a_change_is_told_once_however_often_it_is_seen(shop: Shop) -> None:
    """The week in which it is found may move as older weeks fall out of sight."""
    at_ms = UnixMs(START_MS)
    assert note_changes(SITE, [change(30, 27)], work=shop.work, now_ms=at_ms) == 1
    again = [change(30, 27), change(31, 27)]
    assert note_changes(SITE, again, work=shop.work, now_ms=at_ms) == 0
    more = [change(30, 27, Direction.DOWN), change(50, 45)]
    assert note_changes(SITE, more, work=shop.work, now_ms=at_ms) == 2
    alerts = shop.work.kpi_alerts.after(SITE, after=0, limit=10)
    assert [alert.change for alert in alerts] == [change(30, 27), *more]
    assert shop.work.kpi_alerts.after(SITE, after=alerts[1].number, limit=1) == alerts[2:]
    assert shop.work.kpi_alerts.after(SiteId("elsewhere"), after=0, limit=10) == ()


def test_an_alert_is_forgotten_after_three_years(shop: Shop) -> None:
    """What grows has a bound."""
    note_changes(SITE, [change(30, 27)], work=shop.work, now_ms=UnixMs(START_MS))
    later = UnixMs(START_MS + 1_097 * 86_400_000)
    note_changes(SITE, [change(90, 87)], work=shop.work, now_ms=later)
    alerts = shop.work.kpi_alerts.after(SITE, after=0, limit=10)
    assert [alert.change for alert in alerts] == [change(90, 87)]
