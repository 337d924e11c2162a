"""Experiments in live decisions: who gets which campaign, and what is written down of it."""

from collections import Counter
from dataclasses import replace

import pytest

from offers.decision.decide import decide
from offers.decision.experiment import arm_of, is_held_out
from offers.handlers.experiments.replay_decision import replay_decision, replay_logged
from offers.handlers.experiments.start_experiment import start_experiment, stop_experiment
from offers.handlers.loyalty.start_programme import start_programme
from offers.model.campaigns.campaign import FrequencyCap
from offers.model.campaigns.campaign_json import parse_campaigns, render_campaign
from offers.model.errors import (
    InvalidCampaign,
    InvalidExperiment,
    InvalidOffer,
    NotFound,
    WrongState,
)
from offers.model.experiments.experiment import (
    Dimension,
    Experiment,
    Factor,
    Guardrail,
    Holdout,
    WorseWhen,
)
from offers.model.experiments.experiment_part import ExperimentPart
from offers.model.ids import DecisionId, ExperimentId
from offers.model.loyalty.site_settings import SiteSettings
from offers.model.offering.decision import Candidate, Decision
from offers.model.offering.refusal import PushRefusal, Refusal
from offers.model.people.consent import Purpose
from offers.model.ranking.ranking_policy import RankingPolicy
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign
from tests.unit.offers.test_decide import ALL, MOMENT
from tests.unit.offers.test_site_settings import PROGRAMME

COFFEE = Experiment(
    experiment=ExperimentId("shelf-coffee"),
    revision=1,
    question="Does a coupon at the shelf pay?",
    salt="9f2c6a11",
    factors=(Factor(name="offer", dimension=Dimension.BENEFIT, levels=("none", "five", "ten")),),
    metric="revenue-minor",
    guardrails=(Guardrail(metric="dismissals", worse_when=WorseWhen.HIGHER, margin=0.1),),
    from_ms=UnixMs(START_MS - 1),
    until_ms=UnixMs(START_MS + 30 * 86_400_000),
)
HOLDOUT = Holdout(salt="0b5d7e3c", per_mille=200)


def part(*levels: str, factor: str = "offer") -> ExperimentPart:
    return ExperimentPart(experiment=COFFEE.experiment, levels={factor: frozenset(levels)})


FIVE = replace(campaign("five-off"), part=part("five"))
TEN = replace(campaign("ten-off"), part=part("ten"))


def start(shop: Shop, experiment: Experiment = COFFEE, *, now_ms: int = START_MS) -> None:
    start_experiment(experiment, site=SITE, work=shop.work, now_ms=UnixMs(now_ms))


def settle_site(shop: Shop, **settings: object) -> None:
    programme = replace(PROGRAMME, settings=SiteSettings(**settings))
    start_programme(programme, work=shop.work, now_ms=START_MS)


def crowd(shop: Shop, count: int) -> list[Decision]:
    """Let so many shoppers stand at the shelf, each with a tag of their own."""
    decisions = []
    for number in range(count):
        tag = f"tag:{number}"
        shop.shopper(tag=tag)
        decision = shop.stand(tag)
        assert decision is not None
        decisions.append(decision)
    return decisions


def refusals(decision: Decision) -> dict[str, Refusal]:
    return {entry.campaign: entry.refusal for entry in decision.passed_over}


def test_each_arm_gets_its_own_campaign_and_the_control_gets_none(shop: Shop) -> None:
    """What nobody is given in the control is what the benefit is judged by."""
    start(shop)
    shop.start(FIVE, TEN)
    seen: Counter[str] = Counter()
    for decision in crowd(shop, 40):
        level = arm_of(COFFEE, decision.shopper).name
        chosen = None if decision.chosen is None else decision.chosen.campaign
        assert chosen == {"none": None, "five": "five-off", "ten": "ten-off"}[level]
        assert set(refusals(decision).values()) == {Refusal.OTHER_ARM}
        (arm,) = decision.trial.arms
        assert (arm.name, arm.revision, arm.salt) == (level, 1, COFFEE.salt)
        seen[level] += 1
    assert all(seen[level] >= 5 for level in ("none", "five", "ten"))


def test_cadence_is_tried_with_two_frequency_caps(shop: Shop) -> None:
    """How often is too often: the same benefit once a day, or as often as one stands there."""
    pace = replace(
        COFFEE,
        factors=(Factor(name="pace", dimension=Dimension.CADENCE, levels=("rare", "often")),),
    )
    start(shop, pace)
    rare = replace(campaign("rare", cap=FrequencyCap()), part=part("rare", factor="pace"))
    often = campaign("often", cap=FrequencyCap(offers_max=20, window_s=86_400))
    shop.start(rare, replace(often, part=part("often", factor="pace")))
    got: dict[str, set[int]] = {"rare": set(), "often": set()}
    for number in range(12):
        shopper = shop.shopper(tag=f"tag:{number}")
        moments = (shop.stand(f"tag:{number}", at_ms=START_MS + n * 10 * MINUTE_MS) for n in (1, 2))
        made = sum(decision.chosen is not None for decision in moments)
        got[arm_of(pace, shopper).name].add(made)
    assert got == {"rare": {1}, "often": {2}}


def test_who_is_held_out_gets_nothing_and_is_in_no_arm(shop: Shop) -> None:
    """The holdout says what all campaigns together are worth: one offer to it would spoil that."""
    settle_site(shop, holdout=HOLDOUT)
    start(shop)
    shop.start(FIVE, campaign("for-all"))
    held = 0
    for decision in crowd(shop, 30):
        assert decision.trial.is_held_out == is_held_out(HOLDOUT, decision.shopper)
        if decision.trial.is_held_out:
            held += 1
            assert set(refusals(decision).values()) == {Refusal.HELD_OUT}
            assert decision.trial.arms == ()
        else:
            assert decision.chosen is not None
    assert 1 <= held <= 15


def test_outside_its_time_and_once_stopped_its_campaigns_rest(shop: Shop) -> None:
    """A variant that lives on after the experiment would be a campaign that nobody decided on."""
    start(shop)
    shop.start(FIVE)
    shop.shopper()
    stop_experiment(COFFEE.experiment, site=SITE, work=shop.work, now_ms=UnixMs(START_MS + 1))
    decision = shop.stand()
    assert refusals(decision) == {"five-off": Refusal.EXPERIMENT_NOT_RUNNING}
    assert decision.trial.arms == ()


@pytest.mark.parametrize(
    ("changes", "levels"),
    [
        ({"from_ms": UnixMs(START_MS + 1)}, ("five",)),
        ({"until_ms": START_MS}, ("five",)),
        ({}, ("seven",)),
    ],
    ids=["not begun", "over", "level that is gone"],
)
def test_a_campaign_without_a_running_design_rests(changes, levels) -> None:
    """Also where a revision took its level away in the same instant as it was started."""
    design = replace(COFFEE, from_ms=UnixMs(START_MS - 9))
    decision = decide(
        MOMENT,
        decision=DecisionId("d" * 32),
        consents=ALL,
        candidates=[Candidate(revision=replace(FIVE, part=part(*levels)))],
        experiments={COFFEE.experiment: replace(design, **changes)},
    )
    assert refusals(decision) == {"five-off": Refusal.EXPERIMENT_NOT_RUNNING}


def test_who_does_not_come_that_far_is_not_assigned(shop: Shop) -> None:
    """Who has not agreed would be in no arm's numbers for a reason that arms know nothing of."""
    settle_site(shop, holdout=HOLDOUT)
    start(shop)
    shop.start(FIVE)
    shop.shopper(Purpose.LOCATE)
    decision = shop.stand()
    assert refusals(decision) == {"five-off": Refusal.CONSENT_PERSONALISE_MISSING}
    assert decision.trial.arms == ()
    assert decision.trial.is_held_out is None


def test_every_decision_names_each_campaign_once_and_comes_out_the_same_again(shop: Shop) -> None:
    """The auditor's question: would the program say today what it said then? Bit for bit."""
    ranking = RankingPolicy(appeal={"five-off": 0.4}, chance_left=0.3)
    settle_site(shop, holdout=HOLDOUT, ranking=ranking)
    start(shop)
    campaigns = (FIVE, TEN, campaign("for-all"), campaign("for-all-too"))
    shop.start(*campaigns)
    decisions = crowd(shop, 20)
    decisions.append(shop.stand("tag:0", at_ms=START_MS + 30 * MINUTE_MS))  # capped now
    settle_site(shop)  # the site thinks otherwise since
    stop_experiment(COFFEE.experiment, site=SITE, work=shop.work, now_ms=UnixMs(START_MS + 1))
    shop.start(replace(FIVE, priority=9))
    for decision in decisions:
        chosen = [] if decision.chosen is None else [decision.chosen.campaign]
        assert sorted([*chosen, *refusals(decision)]) == sorted(c.campaign for c in campaigns)
        logged = shop.work.decisions.find(decision.decision)
        assert logged == decision
        assert replay_decision(decision.decision, site=SITE, work=shop.work).differs_in == ()


def test_a_log_that_was_tampered_with_is_found(shop: Shop) -> None:
    """A replay that never finds anything proves nothing."""
    settle_site(shop, ranking=RankingPolicy())
    start(shop)
    shop.start(FIVE, campaign("for-all"), campaign("for-all-too"))
    shop.shopper()
    logged = shop.stand()
    chosen, ground = logged.chosen, logged.ground
    capped = tuple(
        replace(one, cap_taken_at_ms=(START_MS,)) if one.campaign == chosen.campaign else one
        for one in ground.candidates
    )
    colder = replace(chosen, weighed=replace(chosen.weighed, propensity=0.25))
    for planted, differs_in in (
        (replace(logged, chosen=colder), "chosen"),
        (replace(logged, chosen=None), "chosen"),
        (replace(logged, policy="priority/1"), "policy"),
        (replace(logged, passed_over=logged.passed_over[1:]), "passed_over"),
        (replace(logged, ground=replace(ground, candidates=capped)), "chosen"),
        (replace(logged, chosen=replace(chosen, push_refusal=PushRefusal.TOO_SOON)), "chosen"),
        (replace(logged, decision=DecisionId("9" * 32)), "chosen"),
        (replace(logged, trial=replace(logged.trial, is_held_out=True)), "trial"),
    ):
        assert differs_in in replay_logged(planted, work=shop.work).differs_in
    assert replay_logged(logged, work=shop.work).differs_in == ()


def test_what_the_log_does_not_hold_is_not_made_up(shop: Shop) -> None:
    """A campaign that now comes further than it did was never weighed: nobody knows its numbers."""
    settle_site(shop, ranking=RankingPolicy())
    shop.start(campaign("once"), campaign("always", cap=FrequencyCap(offers_max=20)))
    shop.shopper()
    shop.stand(at_ms=START_MS + 10 * MINUTE_MS)
    shop.stand(at_ms=START_MS + 30 * MINUTE_MS)
    logged = shop.stand(at_ms=START_MS + 50 * MINUTE_MS)
    assert refusals(logged)["once"] is Refusal.FREQUENCY_CAP
    fresh = tuple(replace(one, cap_taken_at_ms=()) for one in logged.ground.candidates)
    planted = replace(logged, ground=replace(logged.ground, candidates=fresh))
    again = replay_logged(planted, work=shop.work)
    assert (again.decision, again.differs_in) == (None, ("ground",))
    with pytest.raises(InvalidOffer, match="holds no ground"):
        replay_logged(replace(logged, ground=None), work=shop.work)


def test_a_decision_of_another_site_cannot_be_looked_at(shop: Shop) -> None:
    """Nor can one that there is not."""
    shop.start(campaign())
    shop.shopper()
    decision = shop.stand()
    for site, name in ((SiteId("away"), decision.decision), (SITE, DecisionId("0" * 32))):
        with pytest.raises(NotFound, match="no such decision"):
            replay_decision(name, site=site, work=shop.work)


def test_a_part_is_read_again_as_it_was_written() -> None:
    """The document of a variant names its experiment and the levels it plays for."""
    both = replace(FIVE, part=part("ten", "five"))
    document = render_campaign(both)
    assert '"experiment": {"experiment": "shelf-coffee", "plays": {"offer": ["five", "ten"]}}' in (
        document
    )
    content = f'{{"version": 1, "campaigns": [{document}]}}'
    assert parse_campaigns(content.encode(), source="it") == (both,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"experiment": "shelf-coffee"}, "experiment.plays is NoneType; expected an object"),
        ({"experiment": "shelf-coffee", "plays": {}}, "expected one to 4 factors"),
        ({"experiment": "shelf-coffee", "plays": {"offer": []}}, "with one level or more"),
        ({"experiment": "shelf-coffee", "plays": {"offer": [5]}}, "offer has 5; expected a text"),
        ({"experiment": "No", "plays": {"offer": ["five"]}}, "experiment.experiment is 'No'"),
        ({"experiment": "shelf-coffee", "play": {}}, "unknown members"),
    ],
)
def test_a_wrong_part_is_refused_with_its_place(given: object, message: str) -> None:
    """At the desk, where somebody reads it."""
    content = render_campaign(campaign())[:-1]
    file = f'{{"version": 1, "campaigns": [{content}, "experiment": {_json(given)}}}]}}'
    with pytest.raises(InvalidCampaign, match=message):
        parse_campaigns(file.encode(), source="it")


def _json(given: object) -> str:
    return str(given).replace("'", '"')


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        (replace(FIVE, part=part("seven")), r"offer names the levels \['seven'\]"),
        (replace(FIVE, part=part("five", factor="tone")), "names the factor 'tone'"),
        (
            replace(
                FIVE,
                part=ExperimentPart(
                    experiment=ExperimentId("tea"), levels={"offer": frozenset({"five"})}
                ),
            ),
            "experiment is 'tea'; expected one of the site",
        ),
    ],
)
def test_a_campaign_that_could_never_play_is_not_started(shop: Shop, revision, message) -> None:
    """A misspelt level would be an arm that gets nothing, found out after four weeks."""
    start(shop)
    with pytest.raises(InvalidCampaign, match=message):
        shop.start(revision)


def test_a_revision_follows_the_one_before_and_nothing_else(shop: Shop) -> None:
    """Two people at two desks, a typing error, a design changed under way: each is told."""
    start(shop)
    shop.start(FIVE)
    start(shop)  # the same again is no change
    longer = replace(COFFEE, revision=2, until_ms=UnixMs(COFFEE.until_ms + 1))
    fewer = replace(
        longer, salt="another-1", factors=(replace(COFFEE.factors[0], levels=("none", "ten")),)
    )
    margin = replace(longer, metric="margin-minor")
    for wrong, message in (
        (replace(longer, revision=3), "revision is 3"),
        (replace(longer, factors=fewer.factors), "expected a new salt"),
        (fewer, "campaign 'five-off' plays in it"),
        (replace(longer, metric="luck"), "metric is 'luck'; expected one of"),
        (margin, "settings.margin_per_mille"),
        (replace(longer, experiment=ExperimentId("tea")), "which is new; expected 1"),
        (replace(longer, until_ms=UnixMs(START_MS)), "until is in the past"),
    ):
        with pytest.raises(InvalidExperiment, match=message):
            start(shop, wrong)
    start(shop, longer)
    assert shop.work.experiments.find(COFFEE.experiment).experiment == longer
    assert shop.work.experiments.revision(COFFEE.experiment, 1) == COFFEE
    with pytest.raises(InvalidExperiment, match="of another site"):
        start_experiment(
            replace(longer, revision=3), site=SiteId("away"), work=shop.work, now_ms=START_MS
        )


def test_what_was_stopped_stays_stopped(shop: Shop) -> None:
    """Taken up again it would mix shoppers of two times under one salt."""
    start(shop)
    stopped = stop_experiment(COFFEE.experiment, site=SITE, work=shop.work, now_ms=START_MS)
    later = UnixMs(START_MS + 5)
    again = stop_experiment(COFFEE.experiment, site=SITE, work=shop.work, now_ms=later)
    assert again == stopped
    assert stopped.ends_at_ms == START_MS
    with pytest.raises(WrongState, match="was stopped"):
        start(shop, replace(COFFEE, revision=2))
    with pytest.raises(NotFound):
        stop_experiment(ExperimentId("tea"), site=SITE, work=shop.work, now_ms=START_MS)


def test_an_experiment_of_more_than_a_year_is_refused() -> None:
    """Who was assigned is forgotten after 13 months; then half of it would be missing."""
    with pytest.raises(InvalidExperiment, match="a year"):
        replace(COFFEE, until_ms=UnixMs(COFFEE.from_ms + 367 * 86_400_000))
