"""standing: up at once, down when the time and its grace are over."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.loyalty.tier import credits_matter_since, standing
from offers.model.errors import InvalidProgramme
from offers.model.loyalty.tier import Credit, Tier, TierLadder, TierWindow
from rtls.model.units import UnixMs

DAY_MS = 86_400_000
START_MS = round(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000
SILVER = Tier(tier="silver", name="Silver", threshold_minor=100)
GOLD = Tier(tier="gold", name="Gold", threshold_minor=300)
ROLLING = TierLadder(
    currency="EUR",
    window=TierWindow.ROLLING,
    time_zone="Europe/Berlin",
    tiers=(SILVER, GOLD),
    window_days=30,
    grace_days=10,
)
YEARLY = replace(ROLLING, window=TierWindow.CALENDAR_YEAR, grace_days=90)


def day(number: float) -> UnixMs:
    return UnixMs(START_MS + round(number * DAY_MS))


def bought(*given_: tuple[float, int]) -> list[Credit]:
    return [Credit(at_ms=day(at), amount_minor=amount) for at, amount in given_]


def tier_on(ladder: TierLadder, spendings: list[Credit], at: float) -> str | None:
    tier = standing(ladder, spendings, now_ms=day(at)).tier
    return None if tier is None else tier.tier


def test_the_purchase_that_reaches_the_threshold_lifts_at_once() -> None:
    """C45: unattended, in the same minute."""
    assert tier_on(ROLLING, bought((0, 60)), 5) is None
    assert tier_on(ROLLING, bought((0, 60), (5, 40)), 5) == "silver"
    assert tier_on(ROLLING, bought((0, 300)), 0) == "gold"


def test_the_app_shows_the_day_of_the_fall_and_it_falls_on_that_day() -> None:
    """60 leave the window after 30 days; ten days of grace later silver is over, not before."""
    spent = bought((0, 60), (5, 40))
    assert standing(ROLLING, spent, now_ms=day(5)).ends_at_ms == day(40)
    assert tier_on(ROLLING, spent, 39.99) == "silver"
    assert tier_on(ROLLING, spent, 40) is None


def test_buying_in_the_grace_keeps_the_tier() -> None:
    """That is what the grace is for."""
    spent = bought((0, 100), (35, 100))
    assert tier_on(ROLLING, spent, 39) == "silver"
    assert standing(ROLLING, spent, now_ms=day(39)).ends_at_ms == day(75)


def test_what_is_missing_to_the_next_tier_is_told() -> None:
    """Whoever is 20 euro short of gold may want to know."""
    now = standing(ROLLING, bought((0, 60), (5, 220)), now_ms=day(6))
    assert (now.counted_minor, now.missing_minor, now.next_tier) == (280, 20, GOLD)
    top = standing(ROLLING, bought((0, 300)), now_ms=day(1))
    assert (top.next_tier, top.missing_minor) == (None, 0)


def test_a_return_counts_as_if_nothing_had_been_bought() -> None:
    """Otherwise gold costs one expensive afternoon and a receipt."""
    spent = bought((0, 300), (0, -250))
    assert tier_on(ROLLING, spent, 1) is None


def test_a_year_lasts_until_the_end_of_the_next_and_a_grace() -> None:
    """Reached on the last of December as well as on the first of January."""
    new_year = datetime(2027, 12, 31, 23, 0, tzinfo=UTC)  # midnight in Berlin
    end_ms = round(new_year.timestamp()) * 1_000 + 90 * DAY_MS
    assert standing(YEARLY, bought((0, 100)), now_ms=day(0)).ends_at_ms == end_ms
    spent = bought((0, 100))
    just_before = standing(YEARLY, spent, now_ms=UnixMs(end_ms - 1))
    assert just_before.tier == SILVER
    assert just_before.counted_minor == 0
    assert standing(YEARLY, spent, now_ms=UnixMs(end_ms)).tier is None


def test_the_year_is_that_of_the_site() -> None:
    """00:30 on New Year's Day in Berlin is still last year in London."""
    at = datetime(2027, 1, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    spent = [Credit(at_ms=UnixMs(round(at.timestamp()) * 1_000), amount_minor=100)]
    in_march = UnixMs(round(datetime(2027, 3, 1, tzinfo=UTC).timestamp()) * 1_000)
    assert standing(YEARLY, spent, now_ms=in_march).counted_minor == 100
    london = replace(YEARLY, time_zone="Europe/London")
    assert standing(london, spent, now_ms=in_march).counted_minor == 0


SPENDINGS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 250)), min_size=0, max_size=12
).map(sorted)


def slow_tier(spendings: list[Credit], at: int) -> str | None:
    """Walk the days: a tier is held while the window holds enough, and ten days after."""
    held = None
    for tier in (SILVER, GOLD):
        for past in range(at - ROLLING.grace_days, at + 1):
            window = sum(
                c.amount_minor
                for c in spendings
                if c.at_ms <= day(past) and c.at_ms > day(past - ROLLING.window_days)
            )
            # The grace of day `past` lasts until ten days after its window has emptied.
            if window >= tier.threshold_minor:
                held = tier.tier
    return held


@given(SPENDINGS, st.integers(0, 500))
def test_the_tier_is_that_of_a_walk_over_the_days(spent, at: int) -> None:
    """Day by day, without sorting anything: purchases at noon, looked at in the evening."""
    spendings = [c for c in bought(*spent) if c.at_ms <= day(at)]
    found = standing(ROLLING, spendings, now_ms=UnixMs(day(at) + 1)).tier
    assert (None if found is None else found.tier) == slow_tier(spendings, at)


@given(st.sampled_from([ROLLING, YEARLY]), SPENDINGS, st.integers(0, 500), st.integers(0, 400))
def test_who_buys_more_never_stands_lower(ladder, spent, at: int, more: int) -> None:
    """Neither in the tier nor in how long it lasts."""
    less = [c for c in bought(*spent) if c.at_ms <= day(at)]
    extra = bought((min(more, at), 50))
    low = standing(ladder, less, now_ms=day(at))
    high = standing(ladder, less + extra, now_ms=day(at))
    heights = {None: 0, "silver": 1, "gold": 2}
    low_height = heights[low.tier.tier if low.tier else None]
    high_height = heights[high.tier.tier if high.tier else None]
    assert high_height >= low_height
    if low.tier == high.tier and low.ends_at_ms is not None:
        assert high.ends_at_ms >= low.ends_at_ms


@given(st.sampled_from([ROLLING, YEARLY]), SPENDINGS, st.integers(0, 900))
def test_credits_that_are_said_not_to_matter_do_not(ladder, spent, at: int) -> None:
    """They are deleted: whatever they could still hold would be lost with them."""
    spendings = [c for c in bought(*spent) if c.at_ms <= day(at)]
    kept = [c for c in spendings if c.at_ms >= credits_matter_since(ladder, now_ms=day(at))]
    assert standing(ladder, kept, now_ms=day(at)) == standing(ladder, spendings, now_ms=day(at))


@given(st.sampled_from([ROLLING, YEARLY]), SPENDINGS, st.integers(0, 500))
def test_the_shown_end_is_kept(ladder, spent, at: int) -> None:
    """If nothing more is bought the tier is held until that millisecond and not one longer."""
    spendings = [c for c in bought(*spent) if c.at_ms <= day(at)]
    now = standing(ladder, spendings, now_ms=day(at))
    if now.ends_at_ms is not None:
        assert standing(ladder, spendings, now_ms=UnixMs(now.ends_at_ms - 1)).tier == now.tier
        assert standing(ladder, spendings, now_ms=now.ends_at_ms).tier != now.tier


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tiers": ()}, "0 tiers"),
        ({"tiers": (GOLD, SILVER)}, "Put the lowest tier first"),
        ({"tiers": (SILVER, replace(GOLD, tier="silver"))}, "same id"),
        ({"currency": "eur"}, "tiers.currency is 'eur'"),
        ({"time_zone": "Berlin/Europe"}, "time_zone is 'Berlin/Europe'"),
        ({"window_days": 0}, "window_days is 0"),
        ({"grace_days": -1}, "grace_days is -1"),
    ],
)
def test_a_ladder_that_nobody_can_climb_is_refused(changes, message: str) -> None:
    """Told to who writes it, with the field and what to do."""
    with pytest.raises(InvalidProgramme, match=message):
        replace(ROLLING, **changes)
