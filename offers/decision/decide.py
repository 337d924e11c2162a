"""Choose at most one campaign for a moment, and say of every other why not.

Layer: rules. Takes: a `Moment`, `ConsentState` and `Candidate`s. Gives: a `Decision` to the handler
decide_moment. Same input, same decision: nothing depends on order, and what a ranking draws is
seeded by the decision's id.
"""

from collections.abc import Mapping, Sequence

from offers.decision.eligibility import Standing
from offers.decision.findings import FreshFindings
from offers.decision.settle import Question, settle
from offers.model.conditions.shopper_facts import ShopperFacts
from offers.model.experiments.experiment import Experiment
from offers.model.ids import DecisionId, ExperimentId
from offers.model.offering.decision import Candidate, Decision
from offers.model.offering.occasion import Moment
from offers.model.people.consent import ConsentState
from offers.model.visits.site_rules import DEFAULT_RULES, SiteRules


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
    is_paused: bool = False,
    experiments: Mapping[ExperimentId, Experiment] | None = None,
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
    is_paused
        Whether the shopper wants no offers of places now; what comes on other occasions comes.
    experiments
        Those that campaigns name and nobody has stopped, by id; None: no campaign names any.
    """
    asked = Question(
        decision=decision,
        event_id=moment.event_id,
        shopper=moment.shopper,
        site=moment.site,
        occasion=moment.key,
        zone=moment.zone,
        visit=moment.open_visit,
        at_ms=moment.now_ms,
        needs_locate=moment.needs_locate,
        standing=Standing.of(consents, needs_locate=moment.needs_locate),
        candidates=candidates,
        offers_in_trip=offers_in_trip,
        rules=rules,
        is_suspended=is_suspended,
        is_paused=is_paused and moment.needs_locate,
        experiments={} if experiments is None else experiments,
    )
    return settle(asked, FreshFindings(moment=moment, facts=facts, rules=rules))
