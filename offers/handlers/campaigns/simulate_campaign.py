"""Try a campaign on what happened in the last days, before it makes a single offer.

Layer: flow. Takes: a `CampaignRevision` and how far to look back. Gives: a `Simulation`. The same
`decide` is asked as in the shop, with the consents and facts of each moment; nothing is written.
Other campaigns are left out, so it tells how much this one could do at most.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from offers.decision.decide import decide
from offers.decision.push_choice import PushOutlook, foreseen_refusal
from offers.decision.situation import asked_of
from offers.handlers.campaigns.past_moments import left_out, past_moments
from offers.handlers.campaigns.past_shopper import PastShopper
from offers.handlers.campaigns.past_span import MOMENTS_MAX, Past
from offers.handlers.offering.decide_moment import rules_of
from offers.model.campaigns.benefit_money import money_max
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.history import LeftOut
from offers.model.conditions.fact import DAY_MS
from offers.model.ids import DecisionId, ShopperId
from offers.model.money import Money
from offers.model.offering.decision import Candidate, Decision
from offers.model.offering.occasion import Moment
from offers.model.offering.refusal import Refusal
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

DAYS_MAX: Final = 30  # as long as stays are kept
_ID: Final = DecisionId("0" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What the campaign would have done."""

    moments: int
    """how often its occasion came"""
    is_cut: bool
    """there were more than `MOMENTS_MAX`; the oldest of them were looked at"""
    offers: int
    reach: int
    """how many shoppers would have got one"""
    pushes_max: int
    """how many of the offers may be pushed, not in quiet hours; the cap of one a trip and the
    shoppers' own wishes lower that further"""
    cost_max: Money | None
    """if every offer is redeemed in full; None where the benefit has no bound in money"""
    refusals: Mapping[Refusal, int]
    left_out: tuple[LeftOut, ...]
    """what these numbers do not know"""


def simulate_campaign(
    revision: CampaignRevision, *, days: int, work: UnitOfWork, now_ms: UnixMs
) -> Simulation:
    """Replay the last days.

    Parameters
    ----------
    revision
        What is tried; its validity and schedule are those of the days looked at.
    days
        How far to look back.
    work, now_ms
        What is stored, and the time.

    Raises `InvalidCampaign` as `past_moments` does, where nobody can know what would have been.
    """
    past = Past(
        site=revision.site,
        zone=ZoneInfo(work.sites.budgets(revision.site).time_zone),
        since_ms=UnixMs(now_ms - days * DAY_MS),
        until_ms=now_ms,
        work=work,
    )
    replay = _Replay(revision, work)
    moments = 0
    for moment in past_moments(revision, past):
        replay.take(moment)
        moments += 1
    return replay.result(moments)


class _Replay:
    """Asks moment after moment, and remembers caps and budget as the shop would."""

    def __init__(self, revision: CampaignRevision, work: UnitOfWork) -> None:
        self._left_out = left_out(revision)
        # Arms that are drawn for the future did not exist then.
        self._revision = replace(revision, part=None)
        self._work = work
        self._rules = rules_of(revision.site, work=work)
        self._needs = asked_of([revision])
        self._known: dict[ShopperId, PastShopper] = {}
        self._taken: dict[ShopperId, list[UnixMs]] = {}
        self._on: set[tuple[ShopperId, str]] = set()
        self._refusals: Counter[Refusal] = Counter()
        self._offers = 0
        self._pushes = 0

    def take(self, moment: Moment) -> None:
        """Decide about one moment."""
        decision = self._decided(moment)
        if decision.chosen is None:
            self._refusals.update(entry.refusal for entry in decision.passed_over)
            return
        self._offers += 1
        outlook = PushOutlook(
            now_ms=moment.now_ms,
            may_notify=decision.chosen.may_notify,
            is_place=moment.needs_locate,
            is_quiet=self._rules.quiet_hours.covers(moment.now_ms),
        )
        self._pushes += foreseen_refusal(outlook) is None
        self._taken.setdefault(moment.shopper, []).append(moment.now_ms)
        self._on.add((moment.shopper, moment.key))

    def result(self, moments: int) -> Simulation:
        """Return what it came to."""
        worth = money_max(self._revision.benefit)
        cost = (
            None
            if worth is None
            else Money(amount_minor=worth.amount_minor * self._offers, currency=worth.currency)
        )
        return Simulation(
            moments=moments,
            is_cut=moments >= MOMENTS_MAX,
            offers=self._offers,
            reach=len(self._taken),
            pushes_max=self._pushes,
            cost_max=cost if self._revision.has_coupon else None,
            refusals=dict(self._refusals),
            left_out=self._left_out,
        )

    def _decided(self, moment: Moment) -> Decision:
        shopper, budget = moment.shopper, self._revision.budget
        if shopper not in self._known:
            self._known[shopper] = PastShopper.read(shopper, moment.site, work=self._work)
        known = self._known[shopper]
        taken = self._taken.get(shopper, [])
        candidate = Candidate(
            revision=self._revision,
            cap_taken_at_ms=tuple(taken),
            is_offered=(shopper, moment.key) in self._on,
            has_budget=budget is None or self._offers < budget.redemptions_max,
        )
        trip_began_ms = known.trip_began_ms(moment.now_ms)
        return decide(
            moment,
            decision=_ID,
            consents=known.consents_at(moment.now_ms),
            candidates=[candidate],
            facts=None
            if self._needs is None
            else known.facts_at(moment.now_ms, self._needs, work=self._work),
            offers_in_trip=0
            if trip_began_ms is None
            else sum(at_ms >= trip_began_ms for at_ms in taken),
            rules=self._rules,
            is_suspended=known.is_suspended_at(moment.now_ms),
        )
