"""What an experiment says: sample ratio, intervals, CUPED, guardrails, lift, factors.

Claims about error rates are counted over thousands of experiments whose truth is known.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from offers.insight.adjusted import adjusted_of
from offers.insight.difference import difference_of, fixed_interval, mean_of
from offers.insight.factorial import interactions, main_effects
from offers.insight.guardrail import GuardrailVerdict, guardrail_report
from offers.insight.lift import lift_of
from offers.insight.sample_ratio import PRIOR_SHOPPERS, log_evidence, sample_ratio
from offers.insight.sequential import reach_in_standard_errors, sequential_interval
from offers.model.errors import InvalidSample
from offers.model.experiments.estimate import Estimate, Interval, Numbers, Sample
from offers.model.experiments.experiment import (
    Dimension,
    Experiment,
    Factor,
    Guardrail,
    WorseWhen,
)
from offers.model.ids import ExperimentId
from rtls.model.units import UnixMs
from tests.reference.experiment_runs import MEAN_MINOR, arms_of_one, looks_at_nothing, spends
from tests.reference.experiments import log_evidence_by_urn, main_effect, theta_by_regression

RUNS = 1_000
DAYS = 28
LEVEL = 0.95


@cache
def false_alarms() -> tuple[float, float]:
    """Look every evening at experiments without an effect: the share that alarms, by each rule."""
    naive, sequential = np.zeros(RUNS, bool), np.zeros(RUNS, bool)
    for look in looks_at_nothing(RUNS, days=DAYS, a_day=100, seed=11):
        off = np.abs(look.difference) / look.standard_error
        naive |= off > 1.96
        sequential |= off > reach_in_standard_errors(
            look.shoppers, level=LEVEL, tightest_at=100 * 2 * DAYS
        )
    return float(naive.mean()), float(sequential.mean())


def test_an_experiment_without_effect_looked_at_daily_is_rarely_called_one() -> None:
    """People look every day and stop when they like what they see; at most 5 % may be fooled."""
    _, sequential = false_alarms()
    assert sequential <= 0.05


def test_the_usual_test_looked_at_daily_fools_many() -> None:
    """Negative control: 28 looks at a 5 % test are wrong several times as often as one."""
    naive, _ = false_alarms()
    assert naive > 0.15


def test_an_effect_is_found_in_spite_of_the_wider_interval() -> None:
    """Safe looks must not be bought with blindness: a tenth more money, 10,000 shoppers."""
    treated, control = arms_of_one(np.random.default_rng(5), 5_000, lift_minor=120.0)
    found = lift_of(treated, control, tightest_at=10_000)
    assert found.sequential.low > 0.0
    assert found.sequential.low < found.fixed.low < found.fixed.high < found.sequential.high


def covered(intervals: list[Interval], truth: float) -> float:
    return sum(one.low <= truth <= one.high for one in intervals) / len(intervals)


def test_95_percent_intervals_of_a_mean_hold_the_truth_in_94_to_96_percent() -> None:
    """Money is skewed, most buy nothing; 1,000 shoppers are enough all the same."""
    rng = np.random.default_rng(21)
    found = [fixed_interval(mean_of(spends(rng, (1_000,)))) for _ in range(4_000)]
    assert 0.94 <= covered(found, MEAN_MINOR) <= 0.96


@pytest.mark.parametrize("is_adjusted", [False, True])
def test_95_percent_intervals_of_a_lift_hold_the_truth_in_94_to_96_percent(
    *, is_adjusted: bool
) -> None:
    """Taking out what was known before must not make the interval too sure of itself."""
    rng = np.random.default_rng(22)
    found = []
    for _ in range(4_000):
        treated, control = arms_of_one(rng, 300, lift_minor=50.0)
        if not is_adjusted:
            treated, control = replace(treated, before=None), replace(control, before=None)
        found.append(lift_of(treated, control).fixed)
    assert 0.94 <= covered(found, 50.0) <= 0.96


def test_what_was_known_before_makes_the_error_smaller_and_leaves_the_lift() -> None:
    """Habit explains half of what these shoppers spend: half of them would have been enough."""
    treated, control = arms_of_one(np.random.default_rng(3), 20_000, lift_minor=40.0)
    adjusted = lift_of(treated, control)
    plain = lift_of(replace(treated, before=None), control)
    assert adjusted.variance_reduction == pytest.approx(0.5, abs=0.02)
    assert plain.variance_reduction is None
    ratio = adjusted.per_shopper.standard_error / plain.per_shopper.standard_error
    assert ratio == pytest.approx(0.5**0.5, abs=0.02)
    assert abs(adjusted.per_shopper.value - 40.0) < 3 * adjusted.per_shopper.standard_error


def test_theta_is_the_slope_of_a_regression() -> None:
    """The slow twin: least squares with a constant of each arm."""
    samples = arms_of_one(np.random.default_rng(4), 200, lift_minor=500.0)
    assert adjusted_of(samples).theta == pytest.approx(theta_by_regression(samples))


def test_nothing_known_before_changes_nothing() -> None:
    """A column of zeros explains nothing; it must not divide by zero either."""
    values = np.array([1.0, 2.0, 3.0])
    flat = Sample(arm="a", values=values, before=np.zeros(3))
    found = adjusted_of([flat])
    assert found.variance_reduction == 0.0
    assert found.samples[0].values.tolist() == values.tolist()


def splits(shares: Numbers, *, runs: int, days: int, a_day: int, seed: int) -> Numbers:
    """Return (runs, days, arms): how many there are in each arm at the end of each day."""
    new = np.random.default_rng(seed).multinomial(a_day, shares, (runs, days))
    return np.asarray(np.cumsum(new, axis=1), np.float64)


def alarmed(counts: Numbers, shares: Numbers) -> Numbers:
    runs, days, arms = counts.shape
    evidence = log_evidence(counts.reshape(-1, arms), shares).reshape(runs, days)
    return (evidence >= np.log(1_000.0)).any(axis=1)


def test_a_planted_split_is_found_and_a_fair_one_is_silent() -> None:
    """A lost log line in one arm of three: 7 % of its shoppers are missing."""
    fair = np.full(3, 1 / 3)
    lost = np.array([1.0, 1.0, 0.93]) / 2.93
    planted = splits(lost, runs=200, days=DAYS, a_day=3_000, seed=31)
    silent = splits(fair, runs=RUNS, days=DAYS, a_day=3_000, seed=32)
    assert alarmed(planted, fair).mean() > 0.99
    assert alarmed(silent, fair).sum() <= 3


def test_the_sample_ratio_of_one_look_by_hand() -> None:
    """5,300 to 4,700: 300² / 5,000 twice is 36; nobody is that unlucky."""
    found = sample_ratio([5_300, 4_700], [0.5, 0.5])
    assert found.chi_square == pytest.approx(36.0)
    assert found.p_value == pytest.approx(1.97e-9, rel=0.01)
    assert found.is_alarm
    assert not sample_ratio([0, 0], [0.5, 0.5]).is_alarm


def test_the_evidence_is_what_an_urn_would_have_won_by_betting() -> None:
    """The slow twin bets on one shopper after the other; the order does not matter."""
    shares = [0.5, 0.3, 0.2]
    arrivals = np.random.default_rng(8).choice(3, 500, p=[0.3, 0.4, 0.3]).tolist()
    counts = np.bincount(arrivals, minlength=3).astype(np.float64)
    assert log_evidence(counts[None, :], np.array(shares))[0] == pytest.approx(
        log_evidence_by_urn(arrivals, shares, PRIOR_SHOPPERS)
    )


@pytest.mark.parametrize(
    ("counts", "shares", "said"),
    [
        ([10], [1.0], r"expected two arms or more"),
        ([10, 10], [0.5, 0.6], r"shares are \[0.5, 0.6\]; expected above 0 and 1 in sum"),
        ([10, -1], [0.5, 0.5], r"counts are \[10.0, -1.0\]; expected 0 or more"),
        ([10, 10], [1.0, 0.0], r"expected above 0"),
    ],
)
def test_a_ratio_of_nonsense_is_refused(counts: list[int], shares: list[float], said: str) -> None:
    """A share of zero would divide by zero and look like a clean bill of health."""
    with pytest.raises(InvalidSample, match=said):
        sample_ratio(counts, shares)


@pytest.mark.parametrize(
    ("harm", "verdict"),
    [
        (0.0, GuardrailVerdict.HOLDS),
        (200.0, GuardrailVerdict.BROKEN),
        (100.0, GuardrailVerdict.OPEN),
    ],
)
@pytest.mark.parametrize("worse_when", list(WorseWhen))
def test_a_guardrail_says_whether_harm_exceeds_its_margin(
    harm: float, verdict: GuardrailVerdict, worse_when: WorseWhen
) -> None:
    """One euro is allowed; at exactly one euro of harm no data can tell."""
    rng = np.random.default_rng(9)
    control = Sample(arm="control", values=rng.normal(1_000.0, 300.0, 4_000))
    sign = -1.0 if worse_when is WorseWhen.LOWER else 1.0
    treated = Sample(arm="treated", values=control.values + sign * harm)
    found = guardrail_report(
        Guardrail(metric="basket", worse_when=worse_when, margin=100.0),
        treated=treated,
        control=control,
    )
    assert found.verdict is verdict
    assert found.harm.low < harm < found.harm.high


def test_the_whole_lift_is_that_of_a_shopper_times_the_shoppers_treated() -> None:
    """Merchandisers ask for euros, not for euros per head."""
    treated = Sample(arm="treated", values=np.array([300.0, 500.0] * 200))
    control = Sample(arm="control", values=np.array([200.0, 400.0] * 300))
    found = lift_of(treated, control)
    assert found.whole_minor == 100 * 400
    assert found.whole.low == pytest.approx(found.sequential.low * 400)
    assert not found.whole.has_zero


DESIGN = Experiment(
    experiment=ExperimentId("three-factors"),
    revision=1,
    question="What does each do?",
    salt="9f2c6a11",
    factors=(
        Factor(name="offer", dimension=Dimension.BENEFIT, levels=("none", "five", "ten")),
        Factor(name="tone", dimension=Dimension.MESSAGE, levels=("plain", "friendly")),
        Factor(name="pace", dimension=Dimension.CADENCE, levels=("weekly", "daily")),
    ),
    metric="margin-minor",
    from_ms=UnixMs(1_000),
    until_ms=UnixMs(2_000),
)
WORTH = {"five": 30.0, "ten": 70.0, "friendly": 20.0, "daily": -10.0}


def samples_of_design(
    rng: np.random.Generator, spread: float, *, shoppers: int = 400
) -> dict[str, Sample]:
    """Friendly words with ten percent are worth 25 more than either alone says."""
    samples = {}
    for arm in DESIGN.arms:
        mean = 500.0 + sum(WORTH.get(level, 0.0) for level in arm.levels)
        mean += 25.0 if {"ten", "friendly"} <= set(arm.levels) else 0.0
        samples[arm.name] = Sample(arm=arm.name, values=rng.normal(mean, spread, shoppers))
    return samples


def test_main_effects_and_interactions_are_told_apart() -> None:
    """With almost no noise every effect is the planted one."""
    samples = samples_of_design(np.random.default_rng(1), 1e-3)
    main = {e.levels[0][1]: e.estimate.value for e in main_effects(DESIGN, samples)}
    both = {
        (e.levels[0][1], e.levels[1][1]): e.estimate.value for e in interactions(DESIGN, samples)
    }
    assert main == pytest.approx(
        {"five": 30.0, "ten": 70.0 + 12.5, "friendly": 20.0 + 25.0 / 3, "daily": -10.0}, abs=0.01
    )
    assert both.pop(("ten", "friendly")) == pytest.approx(25.0, abs=0.01)
    assert all(value == pytest.approx(0.0, abs=0.01) for value in both.values())
    assert len(both) == 4


def test_a_main_effect_is_the_mean_of_the_differences_of_paired_arms() -> None:
    """The slow twin walks over pairs of arms that differ in one level."""
    samples = samples_of_design(np.random.default_rng(2), 100.0)
    means = {arm.levels: float(samples[arm.name].values.mean()) for arm in DESIGN.arms}
    for effect in main_effects(DESIGN, samples):
        name, level = effect.levels[0]
        at = [factor.name for factor in DESIGN.factors].index(name)
        twin = main_effect(means, at, level, DESIGN.factors[at].levels[0])
        assert effect.estimate.value == pytest.approx(twin)


def test_95_percent_intervals_of_an_effect_hold_the_truth_in_94_to_96_percent() -> None:
    """The error of a contrast has to add up those of all its arms."""
    rng = np.random.default_rng(23)
    found = []
    for _ in range(600):
        samples = samples_of_design(rng, 100.0, shoppers=50)
        effects = main_effects(DESIGN, samples) + interactions(DESIGN, samples)
        truth = (30.0, 82.5, 20.0 + 25.0 / 3, -10.0, 0.0, 0.0, 25.0, 0.0, 0.0)
        found += [
            Interval(low=one.low - true, high=one.high - true, level=LEVEL)
            for effect, true in zip(effects, truth, strict=True)
            for one in [fixed_interval(effect.estimate)]
        ]
    assert 0.94 <= covered(found, 0.0) <= 0.96


def test_a_missing_arm_is_named() -> None:
    """Else the effect of one factor would be mixed up with that of another."""
    samples = samples_of_design(np.random.default_rng(2), 1.0)
    del samples["ten+plain+daily"]
    with pytest.raises(InvalidSample, match=r"samples lack the arm 'ten\+plain\+daily'"):
        main_effects(DESIGN, samples)


def test_too_few_shoppers_say_nothing_yet() -> None:
    """The law behind the sequence has not begun: any value is possible."""
    few = Estimate(value=5.0, standard_error=0.1, degrees_of_freedom=98, shoppers=100)
    assert sequential_interval(few).low == -np.inf
    assert sequential_interval(few).has_zero


@pytest.mark.parametrize(
    ("values", "before", "said"),
    [
        ([1.0], None, r"sample 'a': values has the shape \(1,\); expected two shoppers or more"),
        ([1.0, np.nan], None, r"values has nan at 1; expected finite numbers. Give 0"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], r"before has 3 numbers, values 2; expected one of each"),
    ],
)
def test_a_column_that_cannot_be_is_refused(
    values: list[float], before: list[float] | None, said: str
) -> None:
    """A missing value would turn every figure of the report into one."""
    with pytest.raises(InvalidSample, match=said):
        Sample(
            arm="a",
            values=np.array(values),
            before=None if before is None else np.array(before),
        )


def test_wishes_that_cannot_be_met_are_refused() -> None:
    """A level of 95 (percent) is the usual slip."""
    found = Estimate(value=5.0, standard_error=1.0, degrees_of_freedom=998, shoppers=1_000)
    with pytest.raises(InvalidSample, match=r"level is 95; expected above 0 and below 1"):
        fixed_interval(found, level=95)
    with pytest.raises(InvalidSample, match=r"tightest_at is 0; expected 1 or more"):
        sequential_interval(found, tightest_at=0)
    with pytest.raises(InvalidSample, match=r"alarm_level is 2; expected above 0"):
        sample_ratio([1, 1], [0.5, 0.5], alarm_level=2)
    with pytest.raises(InvalidSample, match=r"estimate is nan"):
        Estimate(value=np.nan, standard_error=1.0, degrees_of_freedom=1, shoppers=2)
    with pytest.raises(InvalidSample, match=r"samples is empty"):
        adjusted_of([])
    with pytest.raises(InvalidSample, match=r"sample 'a': before is missing"):
        adjusted_of([Sample(arm="a", values=np.ones(2))])


def test_arms_without_any_spread_have_a_difference_without_error() -> None:
    """Nobody has bought yet: zero give or take zero, and no division by it."""
    nobody = Sample(arm="a", values=np.zeros(10))
    found = difference_of(nobody, nobody)
    assert (found.value, found.standard_error) == (0.0, 0.0)
