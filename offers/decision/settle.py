"""Choose at most one campaign, and write down all that the choice stood on.

Layer: rules. Takes: a `Question` and the `Findings` that answer what it asks. Gives: a `Decision`
with its ground to decide and to replay, which both call this: what is decided live and what is
taken again years later is one piece of code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from offers.decision.campaign_refusal import Arms, Ground, early_refusal, late_refusal
from offers.decision.eligibility import Eligibility, Standing, eligibility_on
from offers.decision.findings import Findings
from offers.decision.ranking.thompson import choose
from offers.decision.schedule import wall_time
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.experiments.experiment import Experiment
from offers.model.ids import CampaignId, DecisionId, ExperimentId, ShopperId, VisitId
from offers.model.offering.decision import Candidate, Choice, Decision, PassedOver, Weighed
from offers.model.offering.decision_ground import CandidateGround, DecisionGround
from offers.model.offering.refusal import Refusal
from offers.model.offering.trial import ArmTaken, Trial
from offers.model.ranking.panel import Numbers
from offers.model.ranking.ranking_policy import POLICY as RANKED
from offers.model.visits.site_rules import SiteRules
from rtls.model.units import SiteId, UnixMs, ZoneId

POLICY: Final = "priority/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who is decided about, what is weighed, and what has been read of it."""

    decision: DecisionId
    event_id: str
    shopper: ShopperId
    site: SiteId
    occasion: str
    zone: ZoneId | None
    visit: VisitId | None
    at_ms: UnixMs
    needs_locate: bool
    standing: Standing
    candidates: Sequence[Candidate]
    offers_in_trip: int
    rules: SiteRules
    is_suspended: bool
    is_paused: bool
    experiments: Mapping[ExperimentId, Experiment]


def settle(asked: Question, findings: Findings) -> Decision:
    """Return which campaign is offered, if any, with the reason for each that is not."""
    ground = _ground(asked, findings)
    ranked = sorted(asked.candidates, key=_rank)
    refusals, trial = _refusals(ranked, ground, asked, findings)
    eligible = [one for one, refusal in zip(ranked, refusals, strict=True) if refusal is None]
    weighed = _weighed(eligible, asked, findings)
    winner = eligible[weighed.index] if eligible else None
    passed_over = tuple(
        _passed_over(one.revision, refusal or Refusal.OUTRANKED, findings, weighed)
        for one, refusal in zip(ranked, refusals, strict=True)
        if one is not winner
    )
    chosen = None
    if winner is not None:
        assert isinstance(ground.allowed, Eligibility)  # or every candidate had been refused
        chosen = _choice(winner, ground.allowed, weighed)
    return Decision(
        decision=asked.decision,
        event_id=asked.event_id,
        shopper=asked.shopper,
        site=asked.site,
        occasion=asked.occasion,
        zone=asked.zone,
        visit=asked.visit,
        at_ms=asked.at_ms,
        policy=POLICY if asked.rules.ranking is None else RANKED,
        chosen=chosen,
        passed_over=passed_over,
        trial=trial,
        ground=_written(asked, ground, findings, weighed),
    )


def _ground(asked: Question, findings: Findings) -> Ground:
    allowed: Eligibility | Refusal = eligibility_on(asked.standing, needs_locate=asked.needs_locate)
    if asked.is_paused:
        allowed = Refusal.PAUSED
    if asked.is_suspended:
        allowed = Refusal.CARD_SUSPENDED
    is_full = asked.needs_locate and asked.offers_in_trip >= asked.rules.offers_a_trip_max
    return Ground(
        now_ms=asked.at_ms,
        allowed=allowed,
        stay_refusal=findings.stay_refusal(),
        shown=wall_time(asked.at_ms, asked.rules.zone),
        is_trip_full=is_full,
    )


def _refusals(
    ranked: Sequence[Candidate], ground: Ground, asked: Question, findings: Findings
) -> tuple[list[Refusal | None], Trial]:
    arms = Arms.of(asked.shopper, holdout=asked.rules.holdout, now_ms=asked.at_ms)
    refusals: list[Refusal | None] = []
    met: dict[ExperimentId, Experiment] = {}
    has_met = False
    for candidate in ranked:
        refusal = early_refusal(candidate, ground, findings)
        if refusal is None:
            has_met = True
            experiment = _experiment_of(candidate, asked)
            if experiment is not None:
                met[experiment.experiment] = experiment
            refusal = arms.refusal(candidate.revision, experiment) or late_refusal(
                candidate, ground
            )
        refusals.append(refusal)
    taken = (_arm_taken(arms, experiment) for _, experiment in sorted(met.items()))
    has_holdout = has_met and asked.rules.holdout is not None
    return refusals, Trial(
        arms=tuple(arm for arm in taken if arm is not None),
        is_held_out=arms.held_out if has_holdout else None,
    )


def _experiment_of(candidate: Candidate, asked: Question) -> Experiment | None:
    part = candidate.revision.part
    return None if part is None else asked.experiments.get(part.experiment)


def _arm_taken(arms: Arms, experiment: Experiment) -> ArmTaken | None:
    arm = arms.arm(experiment)
    if arm is None:
        return None
    return ArmTaken(
        experiment=experiment.experiment,
        revision=experiment.revision,
        salt=experiment.salt,
        number=arm.number,
        name=arm.name,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighing:
    """Which of the eligible campaigns is chosen, and what a ranking said of each."""

    index: int = 0
    of_campaign: Mapping[CampaignId, Weighed] = field(default_factory=dict)
    features: Mapping[CampaignId, tuple[float, ...]] = field(default_factory=dict)


def _weighed(eligible: Sequence[Candidate], asked: Question, findings: Findings) -> _Weighing:
    """Let the eligible campaigns compete; without a ranking the first of them wins."""
    ranking = asked.rules.ranking
    if ranking is None or not eligible:
        return _Weighing()
    revisions = [candidate.revision for candidate in eligible]
    x: Numbers = findings.features(revisions, ranking)
    chosen = choose(ranking.belief, x, seed=asked.decision, chance_left=ranking.chance_left)
    chances = np.minimum(chosen.propensities, 1.0)
    names = [revision.campaign for revision in revisions]
    scored = zip(names, chosen.scores.tolist(), chances.tolist(), strict=True)
    return _Weighing(
        index=chosen.index,
        of_campaign={name: Weighed(score=score, propensity=p) for name, score, p in scored},
        features={name: tuple(row) for name, row in zip(names, x.tolist(), strict=True)},
    )


def _passed_over(
    revision: CampaignRevision, refusal: Refusal, findings: Findings, weighed: _Weighing
) -> PassedOver:
    is_about_terms = refusal is Refusal.CONDITION_UNMET
    return PassedOver(
        campaign=revision.campaign,
        revision=revision.revision,
        refusal=refusal,
        place=findings.unmet_place(revision) if is_about_terms else None,
        weighed=weighed.of_campaign.get(revision.campaign),
    )


def _choice(candidate: Candidate, allowed: Eligibility, weighed: _Weighing) -> Choice:
    return Choice(
        campaign=candidate.revision.campaign,
        revision=candidate.revision.revision,
        locate_consent=allowed.locate,
        personalise_consent=allowed.personalise,
        may_notify=allowed.may_notify,
        weighed=weighed.of_campaign.get(candidate.revision.campaign),
    )


def _rank(candidate: Candidate) -> tuple[int, str]:
    return (-candidate.revision.priority, candidate.revision.campaign)


def _written(
    asked: Question, ground: Ground, findings: Findings, weighed: _Weighing
) -> DecisionGround:
    standing, named = asked.standing, asked.experiments.values()
    return DecisionGround(
        needs_locate=asked.needs_locate,
        stay_refusal=ground.stay_refusal,
        locate=standing.locate,
        personalise=standing.personalise,
        may_notify=standing.may_notify,
        is_suspended=asked.is_suspended,
        is_paused=asked.is_paused,
        offers_in_trip=asked.offers_in_trip,
        time_zone=asked.rules.time_zone,
        programme=asked.rules.programme,
        experiments=tuple(sorted((one.experiment, one.revision) for one in named)),
        candidates=tuple(
            CandidateGround(
                campaign=one.revision.campaign,
                revision=one.revision.revision,
                is_woken=findings.is_woken(one.revision),
                has_budget=one.has_budget,
                is_offered=one.is_offered,
                dismissed_at_ms=one.dismissed_at_ms,
                cap_taken_at_ms=one.cap_taken_at_ms,
                features=weighed.features.get(one.revision.campaign),
            )
            for one in sorted(asked.candidates, key=_name)
        ),
    )


def _name(candidate: Candidate) -> str:
    return candidate.revision.campaign
