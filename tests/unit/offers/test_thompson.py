"""thompson: choose while learning, and say truly how likely each candidate was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.decision.ranking.thompson import choose, drawn_by, learnt, propensities
from offers.model.errors import InvalidPanel
from offers.model.ranking.belief import Belief, belief_about

NAMES = ("own", "popularity", "margin")
SURE = belief_about(NAMES, np.array([1.0, 0.5, 0.1]), sigma=np.full(3, 0.2))


def candidates(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, len(NAMES)))


@given(st.integers(0, 10**6), st.integers(1, 50))
def test_every_candidate_has_a_chance_and_all_chances_make_one(seed: int, count: int) -> None:
    """A candidate with probability zero can never be judged from the log."""
    chosen = choose(SURE, candidates(seed, count), seed=str(seed), chance_left=0.02)
    assert chosen.propensities.sum() == pytest.approx(1.0)
    assert chosen.propensities.min() >= 0.02 / count - 1e-12
    assert 0 <= chosen.index < count


@given(st.integers(0, 10**6))
def test_the_same_decision_is_drawn_again_bit_for_bit(seed: int) -> None:
    """A replay of the log must find what was shown, or the log proves nothing."""
    x = candidates(seed, 12)
    first, second = (choose(SURE, x, seed=f"id{seed}") for _ in range(2))
    assert first.index == second.index
    assert first.propensities.tobytes() == second.propensities.tobytes()


def test_choices_are_drawn_as_often_as_was_said() -> None:
    """Inverse propensity weighting divides by these numbers: 4 of 10 must mean 4 of 10.

    Each of 2,000 decisions has its own propensities; what was drawn less what was said has mean
    zero, and a spread that the propensities themselves foretell.
    """
    x = candidates(1, 6)
    belief = belief_about(NAMES, np.array([0.3, 0.2, 0.0]), sigma=np.full(3, 0.5))
    said, drawn, variance = np.zeros(6), np.zeros(6), np.zeros(6)
    for number in range(2_000):
        chosen = choose(belief, x, seed=f"decision {number}")
        said += chosen.propensities
        drawn[chosen.index] += 1
        variance += chosen.propensities * (1.0 - chosen.propensities)
    assert np.all(np.abs(drawn - said) < 4.0 * np.sqrt(variance))


def test_the_value_of_another_policy_is_found_from_the_log() -> None:
    """Choosing at random would have earned 0.25: the log of the learner says so, without bias."""
    truth = np.array([0.1, 0.2, 0.3, 0.4])
    x = np.eye(4)
    belief = belief_about(("a", "b", "c", "d"), np.zeros(4), sigma=np.full(4, 0.3))
    draws = np.random.default_rng(5)
    weighed = []
    for number in range(2_000):
        chosen = choose(belief, x, seed=f"visit {number}", chance_left=0.2)
        reward = float(draws.random() < truth[chosen.index])
        weighed.append(0.25 * reward / chosen.propensities[chosen.index])
        belief = learnt(belief, x[[chosen.index]], np.array([reward]))
    error = np.std(weighed) / np.sqrt(len(weighed))
    assert abs(np.mean(weighed) - 0.25) < 3.0 * error
    assert int(np.argmax(belief.mean)) == 3


def test_equal_candidates_are_equally_likely() -> None:
    """Otherwise the campaign that is written first would be shown more often for nothing."""
    x = np.array([[1.0, 0.0, 0.0], [0.2, 0.1, 0.0], [1.0, 0.0, 0.0]])
    p = propensities(SURE, x, seed="here", chance_left=0.03)
    assert p[0] == p[2] > p[1]


def test_learning_at_once_or_one_by_one_is_the_same() -> None:
    """Rewards come late and in any order."""
    x, rewards = candidates(3, 20), np.random.default_rng(2).random(20)
    at_once = learnt(SURE, x, rewards)
    one_by_one = SURE
    for row in range(19, -1, -1):
        one_by_one = learnt(one_by_one, x[[row]], rewards[[row]])
    assert at_once.mean == pytest.approx(one_by_one.mean)
    ridge = np.linalg.solve(
        np.eye(3) / 0.04 + x.T @ x / 0.09,
        SURE.pull + x.T @ rewards / 0.09,
    )
    assert at_once.mean == pytest.approx(ridge)


def test_a_draw_near_one_takes_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probabilities add up to a hair less than one; the draw must still land somewhere."""

    class NearOne:
        def random(self) -> float:
            return 1.0

    monkeypatch.setattr("offers.decision.ranking.thompson._generator", lambda *_: NearOne())
    assert drawn_by(np.full(3, 1.0 / 3.0), seed="any") == 2


@pytest.mark.parametrize(
    ("x", "chance_left", "named"),
    [
        (np.zeros((0, 3)), 0.1, "one row or more"),
        (np.zeros((2, 2)), 0.1, "3 features"),
        (np.array([[0.0, np.nan, 0.0]]), 0.1, "popularity nan"),
        (np.zeros((2, 3)), 0.0, "chance_left is 0.0"),
    ],
)
def test_what_cannot_be_weighed_is_refused(x: np.ndarray, chance_left: float, named: str) -> None:
    """A NaN would silently win or lose every comparison."""
    with pytest.raises(InvalidPanel, match=named):
        choose(SURE, x, seed="any", chance_left=chance_left)


@pytest.mark.parametrize(
    ("precision", "pull", "noise"),
    [
        (np.zeros((3, 3)), np.zeros(3), 0.3),
        (np.eye(2), np.zeros(3), 0.3),
        (np.eye(3), np.full(3, np.nan), 0.3),
        (np.eye(3), np.zeros(3), 0.0),
        (np.eye(3) + np.eye(3, k=1), np.zeros(3), 0.3),
    ],
)
def test_a_broken_belief_is_refused(precision: np.ndarray, pull: np.ndarray, noise: float) -> None:
    """A model file that was cut or edited by hand must not choose for anybody."""
    with pytest.raises(InvalidPanel, match="belief"):
        Belief(features=NAMES, precision=precision, pull=pull, noise=noise)
