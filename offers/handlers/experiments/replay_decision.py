"""Take decisions of the log again, with the revisions that were in force then.

Layer: flow. Takes: the id of a decision, or how many. Gives: `Replayed` and `ReplayTally` to
operators. Nothing is written.
"""

from dataclasses import dataclass, field
from typing import Final

from offers.decision.replay import Replayed, replay
from offers.handlers.offering.decide_moment import rules_from
from offers.model.errors import NotFound
from offers.model.experiments.experiment import Experiment
from offers.model.ids import DecisionId, ExperimentId
from offers.model.offering.decision import Decision
from offers.model.offering.decision_ground import DecisionGround
from offers.model.visits.site_rules import SiteRules
from offers.ports import UnitOfWork
from rtls.model.units import SiteId

PAGE: Final = 500
DIFFERING_MAX: Final = 20


@dataclass(slots=True, kw_only=True)
class ReplayTally:
    """What came of the newest decisions, taken again."""

    same: int = 0
    different: int = 0
    without_ground: int = 0
    """those of before grounds were written down: nothing can be said about them"""
    differing: list[tuple[DecisionId, tuple[str, ...]]] = field(default_factory=list)
    """the first of those that come out otherwise, with the members in which they do"""


def replay_newest(limit: int, *, work: UnitOfWork) -> ReplayTally:
    """Take the newest decisions again, page by page; return what came of them."""
    tally, before, left = ReplayTally(), None, limit
    while left > 0:
        page = work.decisions.newest(before=before, limit=min(PAGE, left))
        if not page:
            break
        for place, logged in page:
            _count(tally, logged, work=work)
            before = place
        left -= len(page)
    return tally


def _count(tally: ReplayTally, logged: Decision, *, work: UnitOfWork) -> None:
    if logged.ground is None:
        tally.without_ground += 1
        return
    differs_in = replay_logged(logged, work=work).differs_in
    if not differs_in:
        tally.same += 1
        return
    tally.different += 1
    if len(tally.differing) < DIFFERING_MAX:
        tally.differing.append((logged.decision, differs_in))


def replay_decision(decision: DecisionId, *, site: SiteId, work: UnitOfWork) -> Replayed:
    """Return the decision as it is taken now, and what differs from the log.

    It raises `InvalidOffer` if it is from before grounds were written down.

    Raises
    ------
    NotFound
        If the site has no such decision.
    """
    logged = work.decisions.find(decision)
    if logged is None or logged.site != site:
        raise NotFound("no such decision; expected one of the key's own site.")
    return replay_logged(logged, work=work)


def replay_logged(logged: Decision, *, work: UnitOfWork) -> Replayed:
    """Return a decision of the log as it is taken now; see `replay_decision`."""
    ground = logged.ground
    candidates = () if ground is None else ground.candidates
    return replay(
        logged,
        revisions={
            one.campaign: work.campaigns.revision(one.campaign, one.revision) for one in candidates
        },
        experiments={} if ground is None else _experiments(ground, work=work),
        rules=SiteRules() if ground is None else _rules(ground, logged.site, work=work),
    )


def _experiments(ground: DecisionGround, *, work: UnitOfWork) -> dict[ExperimentId, Experiment]:
    named = {name: work.experiments.revision(name, number) for name, number in ground.experiments}
    return {name: revision for name, revision in named.items() if revision is not None}


def _rules(ground: DecisionGround, site: SiteId, *, work: UnitOfWork) -> SiteRules:
    number = ground.programme
    revision = None if number is None else work.programmes.revision(site, number)
    return rules_from(revision, time_zone=ground.time_zone)
