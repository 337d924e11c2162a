"""faults: what goes wrong, and that it goes wrong the same way each time."""

from collections import Counter

import pytest

from firmware_sim.errors import InvalidScenario
from firmware_sim.faults import FaultPlan, FaultyLink
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.scenario import STARTS_AT_MS, Scenario, ScenarioSettings
from rtls.model.site_map import SiteMap
from rtls.model.units import AnchorId

MESSAGES = 2_000


def published(plan: FaultPlan, *, seed: int = 1) -> list[int]:
    """Publish numbered messages, one a millisecond, and return what came out, in order."""
    link = MemoryLink()
    faulty = FaultyLink(link, plan=plan, seed=seed)
    faulty.open(subscription="", will=LineMessage("will", b""))
    for number in range(MESSAGES):
        faulty.turn(number)
        faulty.publish(LineMessage("up", b"%d" % number))
    faulty.turn(MESSAGES + plan.delay_ms_max)
    return [int(message.payload) for message in link.take_sent()]


def test_a_plan_without_faults_changes_nothing() -> None:
    """The negative control of every test with faults."""
    assert not FaultPlan().has_line_faults
    assert published(FaultPlan()) == list(range(MESSAGES))


def test_one_message_in_ten_is_lost() -> None:
    """And none of the others is touched."""
    out = published(FaultPlan(drop=0.1))
    assert len(out) == pytest.approx(MESSAGES * 0.9, rel=0.05)
    assert out == sorted(set(out))


def test_one_message_in_ten_comes_twice() -> None:
    """QoS 1 does so by itself after every broken line."""
    counts = Counter(published(FaultPlan(duplicate=0.1)))
    assert set(counts) == set(range(MESSAGES))
    assert sum(count == 2 for count in counts.values()) == pytest.approx(MESSAGES * 0.1, rel=0.25)


def test_reordered_messages_change_places_with_their_next() -> None:
    """None is lost, and none moves by more than one place."""
    out = published(FaultPlan(reorder=0.2))
    assert out != sorted(out)
    assert set(out) >= set(range(MESSAGES - 1))
    assert max(abs(number - place) for place, number in enumerate(out)) <= 1


def test_delayed_messages_come_within_their_bound_and_others_overtake_them() -> None:
    """500 ms here are 500 messages."""
    out = published(FaultPlan(delay=0.1, delay_ms_max=500))
    assert sorted(out) == list(range(MESSAGES))
    lateness = [place - number for place, number in enumerate(out)]
    assert max(lateness) > 100
    assert max(lateness) <= 501


def test_the_same_seed_gives_the_same_faults() -> None:
    """A failing run must be run again."""
    plan = FaultPlan(drop=0.1, duplicate=0.1, delay=0.1, reorder=0.1)
    assert published(plan, seed=5) == published(plan, seed=5)
    assert published(plan, seed=5) != published(plan, seed=6)


def test_births_pass_unharmed() -> None:
    """A plan of lost readings is not a plan of gateways that were never there."""
    link = MemoryLink()
    faulty = FaultyLink(link, plan=FaultPlan(drop=1.0), seed=1)
    faulty.open(subscription="", will=LineMessage("will", b""))
    faulty.publish(LineMessage("status", b"birth", is_retained=True))
    assert [message.payload for message in link.take_sent()] == [b"birth"]


def test_an_anchor_dies_when_its_time_has_come(shop: SiteMap) -> None:
    """Silence from an instant on, as a broken cable makes it."""
    scenario = Scenario(shop, seed=1, settings=ScenarioSettings(shoppers=1, channel="exact"))
    plan = FaultPlan(dead={AnchorId("u03"): STARTS_AT_MS + 100})
    index = shop.anchor_index[AnchorId("u03")]
    plan.kill_anchors(scenario)
    assert not scenario.hearing.is_dead[index]
    scenario.step()
    plan.kill_anchors(scenario)
    assert scenario.hearing.is_dead[index]


def test_a_plan_that_cannot_be_is_refused(shop: SiteMap) -> None:
    """A share of 10 is 10 %, the author thought."""
    with pytest.raises(InvalidScenario, match="drop is 10; expected 0 to 1"):
        FaultPlan(drop=10)
    scenario = Scenario(shop, seed=1, settings=ScenarioSettings(shoppers=1, channel="exact"))
    with pytest.raises(InvalidScenario, match="'u99' is not in the site map"):
        FaultPlan(dead={AnchorId("u99"): 0}).kill_anchors(scenario)
