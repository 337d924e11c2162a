"""Decide about a moment, write down why, and make the offer that was chosen.

Layer: flow. Takes: a `Moment` from on_visit or on_occasion. Gives: its `Decision`. The questions to
the database are as many for one campaign as for five hundred.
"""

from offers.decision.decide import decide
from offers.decision.push_choice import with_foreseen_push
from offers.decision.ranking.campaign_features import with_past
from offers.decision.situation import asked_of
from offers.handlers.experiments.note_assignments import note_assignments
from offers.handlers.offering.issue_offer import issue_offer
from offers.handlers.random_id import random_id
from offers.handlers.till.coupon_budgets import spent_campaigns
from offers.model.campaigns.campaign import COOL_DOWN_S_MAX
from offers.model.conditions.shopper_facts import ShopperFacts
from offers.model.experiments.experiment import Experiment
from offers.model.ids import CampaignId, DecisionId, ExperimentId, ShopperId
from offers.model.loyalty.programme import ProgrammeRevision
from offers.model.loyalty.site_settings import DEFAULT_SITE_SETTINGS
from offers.model.messages.contact import DeliveryChannel
from offers.model.offering.decision import Candidate, Decision
from offers.model.offering.decision_ground import PushGround
from offers.model.offering.occasion import Moment
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.model.visits.site_rules import QUIET_FROM, QUIET_UNTIL, SiteRules
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def decide_moment(
    moment: Moment,
    *,
    work: UnitOfWork,
    secrets: SecretSource,
    is_always_logged: bool = True,
    only: CampaignId | None = None,
) -> Decision | None:
    """Weigh all campaigns that wait for such a moment, and make at most one offer.

    Parameters
    ----------
    moment
        To whom what has happened.
    work, secrets
        The transaction and the source of randomness.
    is_always_logged
        Whether a moment that no campaign waits for is a decision too. A reached dwell threshold
        is; that somebody entered a zone happens too often to be written down for nothing.
    only
        Weigh this campaign alone: the shopper has asked for it by name.

    Returns
    -------
    Decision or None
        None where no campaign waits and nothing is to be logged.
    """
    candidates = candidates_of(moment, work=work)
    if only is not None:
        candidates = [entry for entry in candidates if entry.revision.campaign == only]
    if not candidates and not is_always_logged:
        return None
    rules = rules_of(moment.site, work=work)
    decision = decide(
        moment,
        decision=DecisionId(random_id(secrets)),
        consents=work.consents.state_of(moment.shopper),
        candidates=candidates,
        facts=_facts_for(candidates, moment, rules.ranking, work=work),
        offers_in_trip=_offers_in_trip(moment, work=work),
        rules=rules,
        is_suspended=work.suspensions.open_of(moment.shopper) is not None,
        is_paused=_is_paused(moment, work=work),
        experiments=_experiments_of(candidates, work=work),
    )
    if decision.chosen is not None:
        # What stands against a push is written down; the offer waits in the app then.
        push = _push_ground(moment.shopper, work=work)
        decision = with_foreseen_push(decision, push, rules)
    work.decisions.append(decision)
    note_assignments(decision, holdout=rules.holdout, work=work)
    if decision.chosen is not None:
        issue_offer(decision, work=work, secrets=secrets)
    return decision


def rules_of(site: SiteId, *, work: UnitOfWork) -> SiteRules:
    """Return what the site asks of every decision: its clocks, and what its programme sets."""
    newest = work.programmes.newest(site)
    return rules_from(newest, time_zone=work.sites.budgets(site).time_zone)


def rules_from(revision: ProgrammeRevision | None, *, time_zone: str) -> SiteRules:
    """Return what a revision of a site's programme asks of every decision."""
    settings = DEFAULT_SITE_SETTINGS if revision is None else revision.programme.settings
    return SiteRules(
        time_zone=time_zone,
        offers_a_trip_max=settings.offers_a_trip_max,
        quiet_from=settings.quiet_from or QUIET_FROM,
        quiet_until=settings.quiet_until or QUIET_UNTIL,
        ranking=settings.ranking,
        holdout=settings.holdout,
        programme=None if revision is None else revision.revision,
    )


def _is_paused(moment: Moment, *, work: UnitOfWork) -> bool:
    """Say whether the shopper wants no offers of places now."""
    if not moment.needs_locate:
        return False
    return work.contacts.wishes_of(moment.shopper).is_paused(now_ms=moment.now_ms)


def _push_ground(shopper: ShopperId, *, work: UnitOfWork) -> PushGround:
    """Return what the shopper wishes about pushes now."""
    wishes = work.contacts.wishes_of(shopper)
    return PushGround(
        wants_push=wishes.wants_push,
        frequency=wishes.frequency,
        last_pushed_at_ms=work.contacts.last_addressed(shopper, DeliveryChannel.PUSH),
    )


def candidates_of(moment: Moment, *, work: UnitOfWork) -> list[Candidate]:
    """Return the campaigns that wait for a moment of this kind and place, with the past of each."""
    revisions = work.campaigns.waiting_for(moment.site, moment.kind, zone=moment.zone)
    if not revisions:
        return []
    past = work.offers.past_of(
        moment.shopper,
        occasion=moment.key,
        since_ms=UnixMs(moment.now_ms - COOL_DOWN_S_MAX * 1_000),
    )
    spent = spent_campaigns(moment.site, moment.shopper, work=work, now_ms=moment.now_ms)
    return [
        Candidate(
            revision=revision,
            cap_taken_at_ms=past.cap_taken_at_ms.get(revision.campaign, ()),
            is_offered=revision.campaign in past.offered,
            dismissed_at_ms=past.dismissed_at_ms.get(revision.campaign),
            has_budget=not revision.has_coupon or not spent & {revision.campaign, None},
        )
        for revision in revisions
    ]


def _experiments_of(
    candidates: list[Candidate], *, work: UnitOfWork
) -> dict[ExperimentId, Experiment]:
    """Return the experiments that campaigns name and nobody has stopped."""
    parts = (candidate.revision.part for candidate in candidates)
    named = {part.experiment for part in parts if part is not None}
    runs = (work.experiments.find(experiment) for experiment in named)
    return {
        run.experiment.experiment: run.experiment
        for run in runs
        if run is not None and run.stopped_at_ms is None
    }


def _facts_for(
    candidates: list[Candidate],
    moment: Moment,
    ranking: RankingPolicy | None,
    *,
    work: UnitOfWork,
) -> ShopperFacts | None:
    needs = asked_of(candidate.revision for candidate in candidates)
    if ranking is not None and candidates:
        needs = with_past(needs)
    if needs is None:
        return None
    return work.facts.of_shopper(moment.shopper, needs, site=moment.site, as_of_ms=moment.now_ms)


def _offers_in_trip(moment: Moment, *, work: UnitOfWork) -> int:
    trip = work.trips.newest(moment.shopper, moment.site) if moment.needs_locate else None
    if trip is None:
        return 0
    return work.offers.count_since(moment.shopper, moment.site, since_ms=trip.began_at_ms)
