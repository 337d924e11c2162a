"""An experiment from its first revision to its report, through the parts that the service runs.

Shoppers stand at the shelf, buy at the till with their cards, and the report says what the arms
earned. What each buys is planted, so the truth is known to the cent.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from offers.decision import experiment as assignment
from offers.handlers.experiments.judge_experiment import judge_experiment, judge_holdout
from offers.handlers.experiments.start_experiment import start_experiment
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.till.settle_basket import Settled
from offers.insight.experiment_report import Advice, ExperimentReport
from offers.insight.guardrail import GuardrailVerdict
from offers.model.errors import InvalidExperiment, NotFound
from offers.model.experiments.experiment import (
    Dimension,
    Experiment,
    Factor,
    Guardrail,
    Holdout,
    WorseWhen,
)
from offers.model.experiments.experiment_part import ExperimentPart
from offers.model.experiments.metric import Metric
from offers.model.ids import ExperimentId, ShopperId
from offers.model.loyalty.site_settings import SiteSettings
from rtls.model.units import UnixMs
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    Shop,
    asked,
    campaign,
    memory_engine,
    scratch_work,
)
from tests.unit.offers.test_site_settings import PROGRAMME
from tests.unit.offers.till import Till

DAY_MS = 86_400_000
SHOPPERS = 220
END_MS = UnixMs(START_MS + 20 * DAY_MS)
SHELF = Experiment(
    experiment=ExperimentId("shelf-coupon"),
    revision=1,
    question="Does a coupon at the shelf pay?",
    salt="9f2c6a11",
    factors=(Factor(name="offer", dimension=Dimension.BENEFIT, levels=("none", "two-off")),),
    metric="revenue-minor",
    guardrails=(Guardrail(metric="purchases", worse_when=WorseWhen.LOWER, margin=0.9),),
    from_ms=START_MS,
    until_ms=END_MS,
)
TWO_OFF = replace(
    campaign(),
    part=ExperimentPart(experiment=SHELF.experiment, levels={"offer": frozenset({"two-off"})}),
)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with memory_engine() as engine, scratch_work(engine) as work:
        yield Shop(work)


def buy(shop: Shop, shopper: ShopperId, cents: int, *, at_ms: int) -> None:
    """Let the shopper pay for one item at the till, with the card shown."""
    till = Till(shop, now_ms=at_ms)
    held = till.ask(replace(asked(prices_minor=(cents,)), card=till.scan(shopper)))
    assert isinstance(till.commit(held.held.held), Settled)


def live(shop: Shop, spend: Callable[[bool], int], *, seed: int = 1, count: int = SHOPPERS) -> None:
    """Let shoppers come: each bought something last month, stands at the shelf, and buys again.

    ``spend`` says what a shopper with, or without, the offer spends more.
    """
    drawn = np.random.default_rng(seed)
    for number in range(count):
        tag = f"tag:{number}"
        shopper = shop.shopper(tag=tag)
        habit = int(drawn.gamma(4.0, 500.0)) + 1
        buy(shop, shopper, habit, at_ms=START_MS - 20 * DAY_MS)
        decision = shop.stand(tag, at_ms=START_MS + (10 + number) * MINUTE_MS)
        more = spend(decision.chosen is not None)
        cents = habit + int(drawn.normal(0.0, 150.0)) + more
        buy(shop, shopper, max(cents, 1), at_ms=START_MS + 5 * DAY_MS)


def report(shop: Shop, experiment: Experiment = SHELF) -> ExperimentReport:
    return judge_experiment(experiment.experiment, site=SITE, work=shop.work, now_ms=END_MS)


def begin(shop: Shop) -> None:
    start_experiment(SHELF, site=SITE, work=shop.work, now_ms=START_MS)
    shop.start(TWO_OFF)


def test_a_planted_effect_is_found_in_money_and_the_guardrail_holds(shop: Shop) -> None:
    """Three euro more for whoever gets the offer: the interval says so."""
    begin(shop)
    live(shop, lambda has_offer: 300 if has_offer else 0)
    found = report(shop)
    assert found.advice is Advice.BETTER
    assert sum(arm.shoppers for arm in found.arms) == SHOPPERS
    assert [arm.name for arm in found.arms] == ["none", "two-off"]
    assert not found.ratio.is_alarm
    (lift,) = found.lifts
    assert lift.fixed.low < 300 < lift.fixed.high
    assert lift.sequential.low > 0
    assert lift.variance_reduction > 0.9  # habit explains nearly all of what is bought
    assert lift.whole_minor == pytest.approx(300 * found.arms[1].shoppers, rel=0.2)
    (guarded,) = found.guardrails
    assert (guarded.arm, guarded.report.verdict) == ("two-off", GuardrailVerdict.HOLDS)


def test_where_nothing_is_planted_nothing_is_found(shop: Shop) -> None:
    """An A/A experiment: an effect here would be one of our own making."""
    begin(shop)
    live(shop, lambda _has_offer: 0)
    found = report(shop)
    assert found.advice is Advice.OPEN
    (lift,) = found.lifts
    assert lift.sequential.has_zero
    assert abs(lift.per_shopper.value) < 4 * lift.per_shopper.standard_error


def test_a_split_that_is_off_raises_the_alarm_before_any_other_word(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine of ten in one arm: whatever else the numbers say, something is broken."""
    begin(shop)
    fair = assignment.place_of

    def crooked(experiment: str, *, salt: str, shopper: ShopperId) -> int:
        place = fair(experiment, salt=salt, shopper=shopper)
        return place if place % 10 == 0 else place | 1 << 63

    monkeypatch.setattr(assignment, "place_of", crooked)
    for number in range(160):
        shop.shopper(tag=f"tag:{number}")
        shop.stand(f"tag:{number}", at_ms=START_MS + (10 + number) * MINUTE_MS)
    found = report(shop)
    assert found.ratio.is_alarm
    assert found.advice is Advice.REPAIR_SPLIT


def test_a_broken_guardrail_stops_an_experiment_that_earns(shop: Shop) -> None:
    """More money and everybody annoyed is no success: the harm is told first."""
    strict = Guardrail(metric="revenue-minor", worse_when=WorseWhen.LOWER, margin=100.0)
    guarded = replace(SHELF, metric="purchases", guardrails=(strict,))
    start_experiment(guarded, site=SITE, work=shop.work, now_ms=START_MS)
    shop.start(TWO_OFF)
    live(shop, lambda has_offer: -300 if has_offer else 0)
    found = report(shop, guarded)
    assert found.advice is Advice.STOP
    assert found.guardrails[0].report.verdict is GuardrailVerdict.BROKEN


def test_before_anybody_came_the_report_says_wait(shop: Shop) -> None:
    """The first look of the first day must not fail."""
    begin(shop)
    empty = report(shop)
    assert (empty.advice, empty.ratio, empty.lifts) == (Advice.WAIT, None, ())
    live(shop, lambda _has_offer: 0, count=3)
    assert report(shop).advice is Advice.WAIT


def test_the_holdout_says_what_all_campaigns_are_worth(shop: Shop) -> None:
    """Of five shoppers one is held out; the others spend four euro more."""
    holdout = Holdout(salt="0b5d7e3c", per_mille=200)
    settings = SiteSettings(holdout=holdout, margin_per_mille=400)
    start_programme(replace(PROGRAMME, settings=settings), work=shop.work, now_ms=START_MS)
    shop.start(campaign())
    live(shop, lambda has_offer: 400 if has_offer else 0)
    found = judge_holdout(Metric.REVENUE, site=SITE, work=shop.work, now_ms=END_MS)
    assert found.advice is Advice.BETTER
    assert [arm.share for arm in found.arms] == [0.2, 0.8]
    assert sum(arm.shoppers for arm in found.arms) == SHOPPERS
    (lift,) = found.lifts
    assert (lift.treated, lift.control) == ("addressed", "held-out")
    assert lift.fixed.low < 400 < lift.fixed.high
    in_margin = judge_holdout(Metric.MARGIN, site=SITE, work=shop.work, now_ms=END_MS)
    assert in_margin.lifts[0].per_shopper.value == pytest.approx(0.4 * lift.per_shopper.value)


def test_without_a_holdout_or_a_margin_the_report_says_what_is_missing(shop: Shop) -> None:
    """Zero would be read as 'worth nothing'."""
    with pytest.raises(NotFound, match="no holdout is in force"):
        judge_holdout(Metric.REVENUE, site=SITE, work=shop.work, now_ms=END_MS)
    holdout = Holdout(salt="0b5d7e3c", per_mille=200)
    settings = SiteSettings(holdout=holdout)
    start_programme(replace(PROGRAMME, settings=settings), work=shop.work, now_ms=START_MS)
    with pytest.raises(InvalidExperiment, match=r"settings\.margin_per_mille"):
        judge_holdout(Metric.MARGIN, site=SITE, work=shop.work, now_ms=END_MS)
