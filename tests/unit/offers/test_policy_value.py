"""Off-policy evaluation: what another policy would have earned, from the log alone."""

from dataclasses import replace

import numpy as np
import pytest

from offers.insight.policy_value import (
    PolicyValue,
    clipped,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)
from offers.model.errors import InvalidSample
from offers.model.experiments.logged_choices import LoggedChoices, TargetPolicy
from offers.model.ids import DecisionId
from tests.reference.experiment_runs import played_bandit
from tests.reference.experiments import policy_values

ESTIMATORS = [inverse_propensity, self_normalised, doubly_robust]


def standard_errors_off(found: PolicyValue, truth: float) -> float:
    return abs(found.value - truth) / found.standard_error


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_estimate_is_within_three_standard_errors_of_the_known_truth(
    estimator, seed: int
) -> None:
    """A policy that looks good on the log must be good, or nobody will launch the next one."""
    bandit = played_bandit(seed, decisions=20_000)
    assert standard_errors_off(estimator(bandit.target), bandit.truth) < 3.0


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_standard_error_is_as_large_as_the_spread_over_many_logs(estimator) -> None:
    """An error bar that is too short is worse than none; 95 % of 600 logs, give or take 2.7 %."""
    played = [played_bandit(seed, decisions=1_000) for seed in range(600)]
    off = [standard_errors_off(estimator(bandit.target), bandit.truth) for bandit in played]
    assert 0.923 <= np.mean(np.array(off) < 1.96) <= 0.977


def test_the_naive_mean_of_the_log_is_far_from_the_truth() -> None:
    """Negative control: what the old policy earned says nothing about the new one."""
    bandit = played_bandit(1, decisions=20_000)
    reward = bandit.target.log.reward
    assert abs(reward.mean() - bandit.truth) > 10 * reward.std() / np.sqrt(len(reward))


def test_a_propensity_that_is_logged_wrongly_is_found_out() -> None:
    """Planted bug: the log says that all were equally likely, which they were not."""
    bandit = played_bandit(1, decisions=20_000)
    flat = np.full_like(bandit.target.log.propensity, 0.25)
    lying = replace(bandit.target, log=replace(bandit.target.log, propensity=flat))
    assert standard_errors_off(inverse_propensity(lying), bandit.truth) > 3.0


def test_clipping_is_said_to_be_biased_and_is() -> None:
    """It is calmer and too low; who reads the figure has to be told."""
    bandit = played_bandit(1, decisions=20_000)
    found = clipped(bandit.target, limit=1.0)
    assert found.is_biased
    assert found.value < bandit.truth - 3 * found.standard_error
    assert found.standard_error < inverse_propensity(bandit.target).standard_error
    assert not clipped(bandit.target, limit=1e6).is_biased


def test_the_walk_over_the_log_says_the_same() -> None:
    """The slow twin takes one decision after the other."""
    target = played_bandit(4, decisions=300).target
    twin = policy_values(target, limit=1.5)
    found = [estimator(target) for estimator in ESTIMATORS] + [clipped(target, limit=1.5)]
    assert {one.estimator: (one.value, one.standard_error) for one in found} == {
        name: pytest.approx(figures) for name, figures in twin.items()
    }


def test_the_policy_that_logged_is_worth_what_it_earned() -> None:
    """All weights are 1, so every decision counts fully."""
    target = played_bandit(5, decisions=500).target
    same = replace(target, probability=target.log.propensity)
    found = inverse_propensity(same)
    assert found.value == pytest.approx(target.log.reward.mean())
    assert found.effective_decisions == pytest.approx(500)


def log_of_two(**changed: object) -> LoggedChoices:
    """Two decisions: the first among three candidates, the second among two."""
    fields: dict[str, object] = {
        "decisions": (DecisionId("first"), DecisionId("second")),
        "start": np.array([0, 3, 5]),
        "propensity": np.array([0.5, 0.3, 0.2, 0.6, 0.4]),
        "chosen": np.array([0, 1]),
        "reward": np.array([10.0, 0.0]),
    }
    return LoggedChoices(**{**fields, **changed})  # type: ignore[arg-type]


def test_decisions_may_have_different_numbers_of_candidates() -> None:
    """By hand: (1.0/0.5 × 10 + 0.5/0.4 × 0) / 2 = 10."""
    target = TargetPolicy(log=log_of_two(), probability=np.array([1.0, 0.0, 0.0, 0.5, 0.5]))
    assert inverse_propensity(target).value == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"propensity": np.array([0.5, 0.5, 0.0, 0.6, 0.4])},
            r"decision 'first': propensity is 0.0; expected above 0 and at most 1",
        ),
        (
            {"propensity": np.array([0.5, 0.3, 0.2, 1.4, 0.4])},
            r"decision 'second': propensity is 1.4",
        ),
        (
            {"propensity": np.array([0.5, 0.3, 0.2, 0.6, np.nan])},
            r"decision 'second': propensity is nan.*Leave out decisions",
        ),
        (
            {"propensity": np.array([0.5, 0.3, 0.2, 0.6, 0.3])},
            r"decision 'second': sum of propensities is 0.89.*expected 1",
        ),
        ({"propensity": np.ones(4)}, r"propensity has 4 rows, start ends at 5"),
        ({"chosen": np.array([0, 2])}, r"decision 'second': chosen is 2; expected a candidate"),
        ({"chosen": np.array([0])}, r"chosen has the shape \(1,\)"),
        ({"reward": np.array([1.0, np.nan])}, r"decision 'second': reward is nan"),
        ({"start": np.array([0, 0, 5])}, r"decision 'first': candidates is 0; expected one"),
        ({"start": np.array([0, 5])}, r"start has the shape \(2,\) for 2 decisions"),
    ],
)
def test_a_log_that_proves_nothing_is_refused_and_the_decision_named(
    changed: dict[str, object], said: str
) -> None:
    """One decision with a lost propensity would be weighed endlessly, or not at all."""
    with pytest.raises(InvalidSample, match=said):
        log_of_two(**changed)


@pytest.mark.parametrize(
    ("probability", "expected_reward", "said"),
    [
        (np.array([1.0, 0.0, 0.0, 0.5]), None, r"probability has the shape \(4,\)"),
        (np.array([1.0, 0.0, 0.0, 0.5, 0.4]), None, r"decision 'second': sum of target"),
        (np.array([1.5, -0.5, 0.0, 0.5, 0.5]), None, r"decision 'first': target probability"),
        (
            np.array([1.0, 0.0, 0.0, 0.5, 0.5]),
            np.array([0.0, 0.0, 0.0, np.inf, 0.0]),
            r"decision 'second': expected_reward is inf",
        ),
    ],
)
def test_a_policy_that_cannot_be_is_refused(probability, expected_reward, said: str) -> None:
    """Its value would be that of no policy."""
    with pytest.raises(InvalidSample, match=said):
        TargetPolicy(log=log_of_two(), probability=probability, expected_reward=expected_reward)


def test_a_policy_without_overlap_or_model_is_told_what_is_missing() -> None:
    """Zero divided by zero is no value."""
    other = TargetPolicy(log=log_of_two(), probability=np.array([0.0, 1.0, 0.0, 1.0, 0.0]))
    with pytest.raises(InvalidSample, match=r"expected some overlap"):
        self_normalised(other)
    with pytest.raises(InvalidSample, match=r"expected_reward is missing"):
        doubly_robust(other)
    with pytest.raises(InvalidSample, match=r"limit is 0; expected a number above zero"):
        clipped(other, limit=0)
    assert inverse_propensity(other).effective_decisions == 0.0
