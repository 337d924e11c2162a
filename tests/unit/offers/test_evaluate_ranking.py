"""What another ranking would have earned, from decisions as they are logged."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from offers.decision.decide import decide
from offers.handlers.experiments.evaluate_ranking import evaluate_ranking, evaluation_of
from offers.insight.policy_value import PolicyValue
from offers.insight.reward_model import expected_rewards
from offers.model.errors import InvalidSample
from offers.model.experiments.logged_choices import LoggedChoices
from offers.model.experiments.ranked_decision import RankedDecision, Reward
from offers.model.ids import DecisionId
from offers.model.offering.decision import Candidate
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.model.visits.site_rules import SiteRules
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign
from tests.unit.offers.test_decide import ALL, MOMENT
from tests.unit.offers.test_ranked_decision import rank_by
from tests.unit.offers.till import Till

REDEEMED = {"paint": 0.30, "plugs": 0.10, "tape": 0.02}
"""how often an offer of each is used: planted, so the truth is known"""
CANDIDATES = [Candidate(revision=campaign(name)) for name in REDEEMED]
CAREFUL = RankingPolicy(chance_left=0.6)
GREEDY = RankingPolicy(appeal={"paint": 0.9}, weights={"appeal": (1.0, 0.05)}, chance_left=0.1)


@cache
def history(count: int = 1_000, seed: int = 5) -> tuple[RankedDecision, ...]:
    """Decisions by the careful ranking, and whether each offer was redeemed."""
    drawn = np.random.default_rng(seed)
    found = []
    for number in range(count):
        decision = decide(
            MOMENT,
            decision=DecisionId(f"{number:032x}"),
            consents=ALL,
            candidates=CANDIDATES,
            rules=SiteRules(ranking=CAREFUL),
        )
        is_redeemed = bool(drawn.random() < REDEEMED[decision.chosen.campaign])
        found.append(
            RankedDecision(
                decision=decision,
                is_opened=is_redeemed,
                is_redeemed=is_redeemed,
                paid_minor=700 * is_redeemed,
            )
        )
    return tuple(found)


def worth(policy: RankingPolicy, found: Sequence[RankedDecision]) -> float:
    """What the policy really earns: its own chances at each moment, times the planted truth."""
    earned = 0.0
    for one in found:
        again = decide(
            MOMENT,
            decision=one.decision.decision,
            consents=ALL,
            candidates=CANDIDATES,
            rules=SiteRules(ranking=policy),
        )
        entries = (again.chosen, *again.passed_over)
        earned += sum(REDEEMED[entry.campaign] * entry.weighed.propensity for entry in entries)
    return earned / len(found)


def is_near(value: PolicyValue, truth: float) -> bool:
    return abs(value.value - truth) < 3.0 * value.standard_error


def test_each_estimator_finds_what_the_other_ranking_really_earns() -> None:
    """27 % against 19 % as it was: worth a launch, and nobody was shown anything for it."""
    found = evaluation_of(history(), GREEDY, Reward.REDEEMED)
    truth = worth(GREEDY, history())
    assert truth > 0.25
    assert [value.estimator for value in found.values] == ["ips", "snips", "doubly robust"]
    assert all(is_near(value, truth) for value in found.values)
    assert is_near(found.logged, worth(CAREFUL, history()))
    assert found.values[2].value > found.logged.value + 3 * found.logged.standard_error
    assert not found.is_thin


def test_the_ranking_that_was_in_force_is_worth_what_was_earned() -> None:
    """Every weight is one: what is left over would be an error of the log or of the replay."""
    found = evaluation_of(history(), CAREFUL, Reward.PAID)
    earned = float(np.mean([one.paid_minor for one in history()]))
    assert found.logged.value == pytest.approx(earned)
    assert found.values[0].value == pytest.approx(earned)
    assert found.values[1].value == pytest.approx(earned)


def test_propensities_that_lie_are_found_out() -> None:
    """A log that claims a sure choice where there was a draw would make every weight wrong."""
    planted = []
    for one in history()[:50]:
        chosen = one.decision.chosen
        sure = replace(chosen, weighed=replace(chosen.weighed, propensity=1.0))
        planted.append(replace(one, decision=replace(one.decision, chosen=sure)))
    with pytest.raises(InvalidSample, match="sum of propensities"):
        evaluation_of(tuple(planted), GREEDY, Reward.REDEEMED)


def test_few_decisions_say_so() -> None:
    """A value that rests on fifty decisions is no ground for a launch."""
    assert evaluation_of(history()[:50], GREEDY, Reward.OPENED).is_thin
    with pytest.raises(InvalidSample, match="1 decisions were taken by a ranking"):
        evaluation_of(history()[:1], GREEDY, Reward.OPENED)


def test_a_model_never_tells_of_rewards_that_it_has_seen() -> None:
    """The second half is told by the first: rewards that are all noise come back as their mean."""
    found = history(400)
    log = LoggedChoices(
        decisions=tuple(one.decision.decision for one in found),
        start=np.arange(401),
        propensity=np.ones(400),
        chosen=np.zeros(400, np.int64),
        reward=np.arange(400) % 2 * 10.0,
    )
    told = expected_rewards(log, np.ones((400, 3)))
    assert set(told[::2]) == {10.0}  # even decisions earned 0, and are told by the odd ones
    assert set(told[1::2]) == {0.0}
    with pytest.raises(InvalidSample, match=r"expected \(400, d\)"):
        expected_rewards(log, np.ones((399, 3)))


def test_the_log_of_a_shop_is_read_with_what_came_of_each_offer(shop: Shop) -> None:
    """Opened, redeemed, paid: from the decision to the till and back, on both databases."""
    shop.start(campaign("paint"), campaign("plugs"))
    rank_by(shop, chance_left=0.5)
    till = Till(shop)
    till.pay(shop.code_in_hand("tag:1"), prices_minor=(1_000,))
    brought_back = till.pay(shop.code_in_hand("tag:2"), prices_minor=(1_000,))
    till.take_back(brought_back.purchase, {0: 1})
    shop.shopper(tag="tag:3")
    shop.stand("tag:3", at_ms=START_MS + 12 * MINUTE_MS)

    def ranked(**changes: object) -> tuple[RankedDecision, ...]:
        given = {"from_ms": START_MS, "until_ms": UnixMs(START_MS + 10**9), "limit": 9}
        return shop.work.decisions.ranked(changes.pop("site", SITE), **(given | changes))

    assert [(one.is_redeemed, one.paid_minor) for one in ranked()] == [
        (False, 0),
        (False, 0),
        (True, 800),
    ]
    assert len(ranked(limit=2)) == 2
    assert ranked(until_ms=START_MS) == ranked(site=SiteId("away")) == ()
    found = evaluate_ranking(
        GREEDY,
        Reward.PAID,
        site=SITE,
        from_ms=START_MS,
        until_ms=UnixMs(START_MS + 10**9),
        work=shop.work,
    )
    assert (found.decisions, found.is_cut, found.is_thin) == (3, False, True)
    assert found.logged.value == pytest.approx(800 / 3)
