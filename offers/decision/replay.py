"""Take a decision again from what the log says it stood on, and name what comes out otherwise.

Layer: rules. Takes: a logged `Decision` and the revisions that its ground names. Gives: the
decision as these rules take it now, and the members in which the two differ. The answers that a
shopper's past gave are those of the log; all else is worked out by the code that decides live.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from offers.decision.eligibility import Standing
from offers.decision.push_choice import with_foreseen_push
from offers.decision.settle import Question, settle
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.errors import InvalidOffer
from offers.model.experiments.experiment import Experiment
from offers.model.ids import CampaignId, ExperimentId
from offers.model.offering.decision import Candidate, Decision
from offers.model.offering.decision_ground import CandidateGround, DecisionGround
from offers.model.offering.refusal import Refusal
from offers.model.ranking.panel import Numbers
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.model.visits.site_rules import SiteRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A decision, taken again."""

    decision: Decision | None
    """None where a campaign came far enough to need an answer that the log does not hold"""
    differs_in: tuple[str, ...]
    """the members that are not as logged; empty: the same bit for bit"""


def replay(
    logged: Decision,
    *,
    revisions: Mapping[CampaignId, CampaignRevision],
    experiments: Mapping[ExperimentId, Experiment],
    rules: SiteRules,
) -> Replayed:
    """Decide again.

    Parameters
    ----------
    logged
        The decision as it was written down, with its ground.
    revisions, experiments
        What its ground names.
    rules
        What the site asked of decisions then.

    Raises
    ------
    InvalidOffer
        If the decision is from before grounds were written down.
    """
    ground = logged.ground
    if ground is None:
        raise InvalidOffer(
            f"decision {logged.decision} holds no ground; expected one of this release or a later "
            "one. What it stood on was not written down then."
        )
    asked = _question(logged, ground, revisions, experiments, rules)
    try:
        again = settle(asked, _Recorded(logged, ground))
    except _NotRecorded:
        return Replayed(decision=None, differs_in=("ground",))
    if ground.push is not None and again.chosen is not None:
        again = with_foreseen_push(again, ground.push, rules)
    names = (member.name for member in fields(Decision))
    differs = tuple(name for name in names if getattr(again, name) != getattr(logged, name))
    return Replayed(decision=again, differs_in=differs)


class _NotRecorded(Exception):
    """A campaign comes further than it did, so that nobody knows the answer."""


class _Recorded:
    """The answers of the log (`offers.decision.findings.Findings`)."""

    def __init__(self, logged: Decision, ground: DecisionGround) -> None:
        self._stay_refusal = ground.stay_refusal
        self._of_campaign = {one.campaign: one for one in ground.candidates}
        self._unmet = {
            entry.campaign: entry.place
            for entry in logged.passed_over
            if entry.refusal is Refusal.CONDITION_UNMET
        }

    def stay_refusal(self) -> Refusal | None:
        """Return what stood against the stay itself, or None."""
        return self._stay_refusal

    def is_woken(self, revision: CampaignRevision) -> bool:
        """Say whether what happened was what the campaign waits for."""
        return self._of_campaign[revision.campaign].is_woken

    def unmet_place(self, revision: CampaignRevision) -> str | None:
        """Return where in the campaign's document the first unmet term stood, or None."""
        return self._unmet.get(revision.campaign)

    def features(self, revisions: Sequence[CampaignRevision], _ranking: RankingPolicy) -> Numbers:
        """Return (n_campaigns, n_features) numbers as they were weighed.

        Raises
        ------
        _NotRecorded
            If one of them was not weighed then.
        """
        rows = [self._of_campaign[revision.campaign].features for revision in revisions]
        told = [row for row in rows if row is not None]
        if len(told) < len(rows):
            raise _NotRecorded
        return np.array(told, np.float64)


def _question(
    logged: Decision,
    ground: DecisionGround,
    revisions: Mapping[CampaignId, CampaignRevision],
    experiments: Mapping[ExperimentId, Experiment],
    rules: SiteRules,
) -> Question:
    return Question(
        decision=logged.decision,
        event_id=logged.event_id,
        shopper=logged.shopper,
        site=logged.site,
        occasion=logged.occasion,
        zone=logged.zone,
        visit=logged.visit,
        at_ms=logged.at_ms,
        needs_locate=ground.needs_locate,
        standing=Standing(
            locate=ground.locate, personalise=ground.personalise, may_notify=ground.may_notify
        ),
        candidates=[_candidate(one, revisions[one.campaign]) for one in ground.candidates],
        offers_in_trip=ground.offers_in_trip,
        rules=rules,
        is_suspended=ground.is_suspended,
        is_paused=ground.is_paused,
        experiments=experiments,
    )


def _candidate(ground: CandidateGround, revision: CampaignRevision) -> Candidate:
    return Candidate(
        revision=revision,
        cap_taken_at_ms=ground.cap_taken_at_ms,
        is_offered=ground.is_offered,
        dismissed_at_ms=ground.dismissed_at_ms,
        has_budget=ground.has_budget,
    )
