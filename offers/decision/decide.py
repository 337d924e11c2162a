"""Choose at most one campaign for a moment, and say of every other why not.

Layer: rules. Takes: a `Moment`, `ConsentState` and `Candidate`s. Gives: a `Decision` to the handler
decide_moment. Same input, same decision: nothing depends on order, and what a ranking draws is
seeded by the decision's id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from offers.decision.eligibility import Eligibility, eligibility
from offers.decision.frequency_cap import is_within_cap
from offers.decision.ranking.campaign_features import campaign_features
from offers.decision.ranking.thompson import choose
from offers.decision.schedule import WallTime, is_scheduled, wall_time
from offers.decision.situation import Situation, situation_of, unmet_place
from offers.decision.trigger import is_triggered
from offers.model.conditions.shopper_facts import ShopperFacts
from offers.model.ids import CampaignId, DecisionId
from offers.model.offering.decision import Candidate, Choice, Decision, PassedOver, Weighed
from offers.model.offering.occasion import Moment, ZoneOccasion
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import ConsentState
from offers.model.ranking.ranking_policy import POLICY as RANKED
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.model.visits.site_rules import DEFAULT_RULES, SiteRules

POLICY: Final = "priority/1"


def decide(
    moment: Moment,
    *,
    decision: DecisionId,
    consents: ConsentState,
    candidates: Sequence[Candidate],
    facts: ShopperFacts | None = None,
    offers_in_trip: int = 0,
    rules: SiteRules = DEFAULT_RULES,
    is_suspended: bool = False,
) -> Decision:
    """Return which campaign is offered now, if any.

    Of the campaigns that nothing speaks against, the one with the highest priority is chosen, and
    among equals the first by id; where the site has a ranking, one is drawn by what is believed of
    each.

    Parameters
    ----------
    moment
        To whom what has happened, as of now.
    decision
        The id to give to the answer.
    consents
        What the shopper has agreed to.
    candidates
        The campaigns to weigh, each once.
    facts
        What conditions ask about the shopper; None where no campaign has any.
    offers_in_trip
        How many offers of places the shopper got since the trip began.
    rules
        What the site asks of every decision.
    is_suspended
        Whether the shopper's card is.
    """
    ground = Ground(
        moment=moment,
        allowed=Refusal.CARD_SUSPENDED
        if is_suspended
        else eligibility(consents, needs_locate=moment.needs_locate),
        shown=wall_time(moment.now_ms, rules.zone),
        situation=situation_of(moment, facts, rules=rules),
        is_trip_full=moment.needs_locate and offers_in_trip >= rules.offers_a_trip_max,
    )
    ranked = sorted(candidates, key=_rank)
    refusals = [refusal_of(candidate, ground) for candidate in ranked]
    eligible = [entry for entry, refusal in zip(ranked, refusals, strict=True) if refusal is None]
    weighed = _weighed(eligible, facts, rules.ranking, decision=decision, moment=moment)
    winner = eligible[weighed.index] if eligible else None
    passed_over = tuple(
        _passed_over(candidate, refusal or Refusal.OUTRANKED, ground, weighed.of(candidate))
        for candidate, refusal in zip(ranked, refusals, strict=True)
        if candidate is not winner
    )
    chosen = None
    if winner is not None:
        assert isinstance(ground.allowed, Eligibility)  # or every candidate had been refused
        chosen = _choice(winner, ground.allowed, weighed.of(winner))
    return Decision(
        decision=decision,
        event_id=moment.event_id,
        shopper=moment.shopper,
        site=moment.site,
        occasion=moment.key,
        zone=moment.zone,
        visit=moment.open_visit,
        at_ms=moment.now_ms,
        policy=POLICY if rules.ranking is None else RANKED,
        chosen=chosen,
        passed_over=passed_over,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is the same for every campaign that is weighed at a moment."""

    moment: Moment
    allowed: Eligibility | Refusal
    shown: WallTime
    situation: Situation
    is_trip_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighing:
    """Which of the eligible campaigns is chosen, and what a ranking said of each."""

    index: int = 0
    of_campaign: Mapping[CampaignId, Weighed] = field(default_factory=dict)

    def of(self, candidate: Candidate) -> Weighed | None:
        """Return what was said of a campaign; None of those that were not weighed."""
        return self.of_campaign.get(candidate.revision.campaign)


def _weighed(
    eligible: Sequence[Candidate],
    facts: ShopperFacts | None,
    ranking: RankingPolicy | None,
    *,
    decision: DecisionId,
    moment: Moment,
) -> _Weighing:
    """Let the eligible campaigns compete; without a ranking the first of them wins."""
    if ranking is None or not eligible:
        return _Weighing()
    revisions = [candidate.revision for candidate in eligible]
    x = campaign_features(revisions, facts, ranking, now_ms=moment.now_ms)
    chosen = choose(ranking.belief, x, seed=decision, chance_left=ranking.chance_left)
    return _Weighing(
        index=chosen.index,
        of_campaign={
            revision.campaign: Weighed(score=float(score), propensity=min(float(chance), 1.0))
            for revision, score, chance in zip(
                revisions, chosen.scores, chosen.propensities, strict=True
            )
        },
    )


def refusal_of(candidate: Candidate, ground: Ground) -> Refusal | None:
    """Return the first thing that speaks against the campaign now, or None.

    What concerns the moment comes first, then the shopper's consent, then the campaign: the reason
    that is logged is the one that would have to change first.
    """
    if not is_triggered(candidate.revision.trigger, ground.moment):
        return Refusal.OTHER_TRIGGER
    return (
        _refusal_of_moment(ground.moment)
        or (ground.allowed if isinstance(ground.allowed, Refusal) else None)
        or _refusal_of_campaign(candidate, ground)
    )


def _refusal_of_moment(moment: Moment) -> Refusal | None:
    occasion = moment.occasion
    if not isinstance(occasion, ZoneOccasion):
        return None
    if occasion.is_late:
        return Refusal.EVENT_LATE
    return None if occasion.is_visit_open else Refusal.VISIT_ENDED


def _refusal_of_campaign(candidate: Candidate, ground: Ground) -> Refusal | None:
    for refusal, is_true in _CHECKS:  # in this order: what is refused early costs no more
        if is_true(candidate, ground):
            return refusal
    return None


def _is_not_yet_valid(candidate: Candidate, ground: Ground) -> bool:
    return ground.moment.now_ms < candidate.revision.validity.from_ms


def _is_no_longer_valid(candidate: Candidate, ground: Ground) -> bool:
    return ground.moment.now_ms >= candidate.revision.validity.until_ms


def _is_out_of_schedule(candidate: Candidate, ground: Ground) -> bool:
    return not is_scheduled(candidate.revision.schedule, ground.shown)


def _is_unmet(candidate: Candidate, ground: Ground) -> bool:
    return unmet_place(candidate.revision, ground.situation) is not None


def _is_already_offered(candidate: Candidate, _ground: Ground) -> bool:
    return candidate.is_offered


def _is_capped(candidate: Candidate, ground: Ground) -> bool:
    cap, taken_at_ms = candidate.revision.frequency_cap, candidate.cap_taken_at_ms
    return bool(taken_at_ms) and not is_within_cap(cap, taken_at_ms, now_ms=ground.moment.now_ms)


def _is_cooling_down(candidate: Candidate, ground: Ground) -> bool:
    dismissed_at_ms = candidate.dismissed_at_ms
    cool_down_ms = candidate.revision.cool_down_s * 1_000
    now_ms = ground.moment.now_ms
    return dismissed_at_ms is not None and now_ms - dismissed_at_ms < cool_down_ms


def _is_trip_full(_candidate: Candidate, ground: Ground) -> bool:
    return ground.is_trip_full


def _is_spent(candidate: Candidate, _ground: Ground) -> bool:
    return not candidate.has_budget


_CHECKS: Final = (
    (Refusal.NOT_YET_VALID, _is_not_yet_valid),
    (Refusal.NO_LONGER_VALID, _is_no_longer_valid),
    (Refusal.OUT_OF_SCHEDULE, _is_out_of_schedule),
    (Refusal.CONDITION_UNMET, _is_unmet),
    (Refusal.ALREADY_OFFERED, _is_already_offered),
    (Refusal.FREQUENCY_CAP, _is_capped),
    (Refusal.COOL_DOWN, _is_cooling_down),
    (Refusal.TRIP_CAP, _is_trip_full),
    (Refusal.BUDGET_SPENT, _is_spent),
)


def _passed_over(
    candidate: Candidate, refusal: Refusal, ground: Ground, weighed: Weighed | None
) -> PassedOver:
    revision = candidate.revision
    is_about_terms = refusal is Refusal.CONDITION_UNMET
    return PassedOver(
        campaign=revision.campaign,
        revision=revision.revision,
        refusal=refusal,
        place=unmet_place(revision, ground.situation) if is_about_terms else None,
        weighed=weighed,
    )


def _rank(candidate: Candidate) -> tuple[int, str]:
    return (-candidate.revision.priority, candidate.revision.campaign)


def _choice(candidate: Candidate, allowed: Eligibility, weighed: Weighed | None) -> Choice:
    return Choice(
        campaign=candidate.revision.campaign,
        revision=candidate.revision.revision,
        locate_consent=allowed.locate,
        personalise_consent=allowed.personalise,
        may_notify=allowed.may_notify,
        weighed=weighed,
    )
