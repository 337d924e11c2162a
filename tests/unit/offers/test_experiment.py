"""Experiments: the document, and who gets into which arm."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from offers.decision.experiment import PLACES, arm_now, arm_of, is_held_out, place_of
from offers.model.errors import InvalidExperiment
from offers.model.experiments.experiment import (
    Dimension,
    Experiment,
    Factor,
    Guardrail,
    Holdout,
    WorseWhen,
)
from offers.model.experiments.experiment_json import parse_experiment, render_experiment
from offers.model.ids import ExperimentId, ShopperId
from rtls.model.units import UnixMs

OFFER = Factor(name="offer", dimension=Dimension.BENEFIT, levels=("none", "five", "ten"))
TONE = Factor(name="tone", dimension=Dimension.MESSAGE, levels=("plain", "friendly"))
PACE = Factor(name="pace", dimension=Dimension.CADENCE, levels=("weekly", "daily"))
COFFEE = Experiment(
    experiment=ExperimentId("shelf-coffee"),
    revision=1,
    question="Does a coupon at the shelf pay?",
    salt="9f2c6a11",
    factors=(OFFER, TONE),
    metric="margin-minor",
    guardrails=(Guardrail(metric="visits", worse_when=WorseWhen.LOWER, margin=0.1),),
    from_ms=UnixMs(1_000),
    until_ms=UnixMs(2_000),
)
HOLDOUT = Holdout(salt="0b5d7e3c")
SHOPPERS = [ShopperId(f"shopper-{number}") for number in range(12_000)]


@cache
def arms_taken(experiment: Experiment) -> list[int]:
    return [arm_of(experiment, shopper).number for shopper in SHOPPERS]


def p_of_independence(one: list[int], other: list[int]) -> float:
    table = np.zeros((max(one) + 1, max(other) + 1))
    np.add.at(table, (one, other), 1)
    return float(stats.chi2_contingency(table).pvalue)


@pytest.mark.parametrize("salt", [f"salt-number-{number}" for number in range(3)])
def test_arms_get_equal_shares_to_within_counting_error(salt: str) -> None:
    """Six arms of 2,000 shoppers each; χ² finds nothing to complain of."""
    counts = np.bincount(arms_taken(replace(COFFEE, salt=salt)), minlength=6)
    assert stats.chisquare(counts).pvalue > 0.001


@given(st.text(alphabet="0123456789abcdef", min_size=1, max_size=32))
def test_a_shopper_always_gets_the_same_arm(shopper: str) -> None:
    """Also in a later revision: who saw ten percent must not see five tomorrow."""
    later = replace(COFFEE, revision=2, question="Does it still pay?")
    first = arm_of(COFFEE, ShopperId(shopper))
    assert arm_of(COFFEE, ShopperId(shopper)) == arm_of(later, ShopperId(shopper)) == first


def test_the_arm_of_a_shopper_can_be_worked_out_by_hand() -> None:
    """An auditor takes sha256 of "shelf-coffee␟9f2c6a11␟shopper-1"; a release must not move it."""
    place = place_of("shelf-coffee", salt="9f2c6a11", shopper=ShopperId("shopper-1"))
    assert f"{place:016x}" == "a522466c45c8fcef"
    assert arm_of(COFFEE, ShopperId("shopper-1")).number == place * 6 // PLACES


@pytest.mark.parametrize("number", range(3))
def test_experiments_are_independent_of_each_other_and_of_the_holdout(number: int) -> None:
    """Otherwise the effect of one would be read as that of the other."""
    tea = replace(COFFEE, experiment=ExperimentId("shelf-tea"), salt=f"another-{number}")
    assert p_of_independence(arms_taken(COFFEE), arms_taken(tea)) > 0.001
    held = [int(is_held_out(Holdout(salt=f"held-out-{number}"), one)) for one in SHOPPERS]
    assert p_of_independence(arms_taken(COFFEE), held) > 0.001


def test_without_name_and_salt_experiments_would_repeat_each_other() -> None:
    """Negative control: a hash of the shopper alone, which the test above has to find."""
    unsalted = [place_of("", salt="", shopper=one) * 6 // PLACES for one in SHOPPERS]
    again = [place_of("", salt="", shopper=one) * 2 // PLACES for one in SHOPPERS]
    assert p_of_independence(unsalted, again) < 1e-100


def test_five_percent_are_held_out_of_everything() -> None:
    """12,000 shoppers: 600 give or take four times 24."""
    held = sum(is_held_out(HOLDOUT, shopper) for shopper in SHOPPERS)
    assert abs(held - 600) < 4 * 24


def test_who_is_held_out_is_in_no_arm_and_nobody_is_before_or_after() -> None:
    """The control shops under all other campaigns, the holdout under none: never mix them."""
    held = next(one for one in SHOPPERS if is_held_out(HOLDOUT, one))
    free = next(one for one in SHOPPERS if not is_held_out(HOLDOUT, one))
    assert arm_now(COFFEE, held, holdout=HOLDOUT, now_ms=UnixMs(1_500)) is None
    assert arm_now(COFFEE, free, holdout=HOLDOUT, now_ms=UnixMs(1_500)) == arm_of(COFFEE, free)
    assert arm_now(COFFEE, free, holdout=HOLDOUT, now_ms=UnixMs(999)) is None
    assert arm_now(COFFEE, free, holdout=HOLDOUT, now_ms=UnixMs(2_000)) is None


def test_factors_make_an_arm_of_each_combination_and_the_first_is_the_control() -> None:
    """Benefit, message and cadence are varied at once; 3 × 2 × 2 levels are 12 arms."""
    arms = replace(COFFEE, factors=(OFFER, TONE, PACE)).arms
    assert len(arms) == 12
    assert [arm.name for arm in arms if arm.is_control] == ["none+plain+weekly"]
    assert arms[-1].levels == ("ten", "friendly", "daily")


def test_a_document_comes_back_as_it_was() -> None:
    """What is kept is what was sent."""
    assert parse_experiment(render_experiment(COFFEE)) == COFFEE


def test_a_revision_may_not_change_the_factors_under_the_same_salt() -> None:
    """Shoppers would keep their place among other arms, with what they got before in mind."""
    changed = replace(COFFEE, revision=2, factors=(TONE,))
    with pytest.raises(InvalidExperiment, match=r"salt is '9f2c6a11'.*expected a new salt"):
        changed.check_follows(COFFEE)
    replace(changed, salt="1c44d0aa").check_follows(COFFEE)
    with pytest.raises(InvalidExperiment, match=r"revision is 3.*expected 2"):
        replace(COFFEE, revision=3).check_follows(COFFEE)


@pytest.mark.parametrize(
    ("member", "wrong", "said"),
    [
        ("salt", "short", r"salt is 'short'; expected 8 characters.*Draw it"),
        ("revision", 0, r"revision is 0; expected 1 or more"),
        ("revision", "1", r"revision is '1'; expected a whole number"),
        ("until", "1970-01-01T00:00:00Z", r"until_ms is 0, from_ms 1000; expected an end after"),
        ("factors", [], r"factors are \[\]; expected 1 to 4"),
        ("factors", None, r"factors is NoneType; expected a list"),
        ("experiment", "Coffee!", r"experiment is 'Coffee!'; expected 1 to 63"),
        ("budgett", 1, r"unknown members \['budgett'\]"),
        (
            "factors",
            [{"name": "offer", "dimension": "colour", "levels": ["a", "b"]}],
            r"dimension is 'colour'; expected one of \['benefit', 'message', 'cadence'\]",
        ),
        (
            "factors",
            [{"name": "offer", "dimension": "benefit", "levels": ["a", "a"]}],
            r"levels is \['a', 'a'\]; expected two or more different",
        ),
        (
            "factors",
            [{"name": "offer", "dimension": "benefit", "levels": ["a", 5]}],
            r"factor.levels has 5; expected a text",
        ),
        (
            "guardrails",
            [{"metric": "visits", "worse_when": "lower", "margin": -1}],
            r"margin is -1.0; expected a number of zero or more",
        ),
        (
            "guardrails",
            [{"metric": "visits", "worse_when": "lower", "margin": "1"}],
            r"margin is '1'; expected a number",
        ),
        (
            "guardrails",
            [{"metric": "visits", "worse_when": "lower", "margin": 1}] * 2,
            r"guardrails are \['visits', 'visits'\]; expected at most 20, each metric once",
        ),
    ],
)
def test_a_wrong_document_is_refused_by_name_value_and_remedy(
    member: str, wrong: object, said: str
) -> None:
    """An experiment that cannot work costs weeks before anybody notices."""
    with pytest.raises(InvalidExperiment, match=said):
        parse_experiment({**render_experiment(COFFEE), member: wrong})


def test_too_many_arms_are_refused() -> None:
    """A hundred arms of equal shares would leave too few shoppers in each."""
    wide = replace(OFFER, levels=tuple(f"level-{number}" for number in range(33)))
    with pytest.raises(InvalidExperiment, match=r"factors make 66 arms; expected at most 64"):
        replace(COFFEE, factors=(wide, TONE))


def test_a_holdout_of_more_than_half_is_refused() -> None:
    """It is there to judge campaigns, not to switch them off."""
    with pytest.raises(InvalidExperiment, match=r"per_mille is 501; expected 0 to 500"):
        Holdout(salt="0b5d7e3c", per_mille=501)
