"""day_plan: who comes on one day, drawn from one seed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.day_plan import HOUR_MS, LAST_ENTRY_MS, DayPlanner, DaySettings, DayShopper
from firmware_sim.errors import InvalidScenario
from rtls.model.units import UnixMs, ZoneId
from tests.unit.firmware_sim.demo_shop import demo_shop

OPENS_MS = UnixMs(1_772_434_800_000)
CLOSES_MS = UnixMs(OPENS_MS + 11 * HOUR_MS)
DOWELS = ZoneId("dowels")


def plan(*, shoppers: int = 300, seed: int = 1, opens_ms: int = OPENS_MS) -> tuple[DayShopper, ...]:
    day = DaySettings(
        shoppers=shoppers,
        opens_ms=UnixMs(opens_ms),
        closes_ms=UnixMs(opens_ms + 11 * HOUR_MS),
        popular=(DOWELS,),
    )
    return DayPlanner(demo_shop(), settings=day, seed=seed).draw()


def test_the_same_seed_is_the_same_day_and_another_day_is_another() -> None:
    """A figure of the documents must come out again."""
    assert plan() == plan()
    tomorrow = plan(opens_ms=OPENS_MS + 24 * HOUR_MS)
    assert [one.script.stands for one in tomorrow] != [one.script.stands for one in plan()]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), shoppers=st.integers(1, 400))
def test_nobody_takes_a_trolley_that_somebody_pushes(seed: int, shoppers: int) -> None:
    """One tag in two places would be one walk through walls."""
    free_from: dict[str, int] = {}
    for one in plan(shoppers=shoppers, seed=seed):
        assert one.arrives_at_ms >= free_from.get(one.script.tag, 0)
        stands_s = sum(seconds for _, seconds in one.script.stands) + one.script.pays_s
        free_from[one.script.tag] = one.arrives_at_ms + int(1000 * stands_s)


def test_trolleys_are_used_again_and_phones_come_once() -> None:
    """A trolley with ten holders a day is what a real shop has."""
    tags = [one.script.tag for one in plan()]
    phones = [tag for tag in tags if tag.startswith("app:")]
    assert len(set(phones)) == len(phones) > 40
    assert len(set(tags)) < len(tags) / 2


def test_who_comes_last_comes_early_enough_to_leave_before_closing() -> None:
    arrivals = [one.arrives_at_ms for one in plan()]
    assert arrivals == sorted(arrivals)
    assert arrivals[0] >= OPENS_MS
    assert arrivals[-1] <= CLOSES_MS - LAST_ENTRY_MS


def test_what_is_advertised_is_looked_at_most_and_only_what_was_looked_at_is_bought() -> None:
    """Figures under k are withheld: a day in which all shelves are alike shows nothing."""
    day = plan()
    seen = [zone for one in day for zone, _ in one.script.stands]
    assert max(set(seen), key=seen.count) == DOWELS
    assert all(set(one.buys) <= {zone for zone, _ in one.script.stands} for one in day)


@pytest.mark.parametrize(
    "wrong", [{"shoppers": 0}, {"closes_ms": OPENS_MS}, {"phone_share": 1.5}], ids=str
)
def test_a_day_that_cannot_be_is_refused_by_name(wrong: dict[str, float]) -> None:
    given_ = {"shoppers": 10, "opens_ms": OPENS_MS, "closes_ms": CLOSES_MS} | wrong
    with pytest.raises(InvalidScenario, match="expected"):
        DaySettings(**given_)
