"""Try a campaign on what happened in the last days, before it makes a single offer.

Layer: flow. Takes: a `CampaignRevision` and how far to look back. Gives: a `Simulation`. The same
`decide` is asked as in the shop, with the consents and facts of each moment; nothing is written.
Other campaigns are left out, so it tells how much this one could do at most.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from offers.decision.decide import decide
from offers.decision.situation import asked_of
from offers.model.campaigns.benefit_money import money_max
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.trigger import (
    KIND_OF_TRIGGER,
    EnterTrigger,
    LeaveTrigger,
    VisitTrigger,
    WelcomeTrigger,
    ZoneTrigger,
)
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import InvalidCampaign
from offers.model.ids import DecisionId, ShopperId
from offers.model.money import Money
from offers.model.offering.decision import Candidate, Decision
from offers.model.offering.occasion import Enrolled, Moment, Occasion, ZoneOccasion, moment_of
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import ConsentState
from offers.model.visits.site_rules import SiteRules
from offers.model.visits.stay import Stay
from offers.ports import UnitOfWork
from rtls.model.units import Second, UnixMs

DAYS_MAX: Final = 30  # as long as stays are kept
MOMENTS_MAX: Final = 20_000
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
    """how many of the offers may be pushed; the cap of one a trip lowers that further"""
    cost_max: Money | None
    """if every offer is redeemed in full; None where the benefit has no bound in money"""
    refusals: Mapping[Refusal, int]


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

    Raises
    ------
    InvalidCampaign
        If its trigger is of a kind whose occasions are not kept.
    """
    if not isinstance(revision.trigger, ZoneTrigger | WelcomeTrigger):
        kind = KIND_OF_TRIGGER[type(revision.trigger)].value
        raise InvalidCampaign(
            f"campaign {revision.campaign}: trigger.kind is {kind!r}; expected 'visit', 'enter', "
            "'leave' or 'welcome', of which the past is kept. Ask for the audience's size instead."
        )
    since_ms = UnixMs(now_ms - days * DAY_MS)
    replay = _Replay(revision, work)
    moments = 0
    for moment in _moments(revision, since_ms=since_ms, work=work, now_ms=now_ms):
        replay.take(moment)
        moments += 1
    return replay.result(moments)


class _Replay:
    """Asks moment after moment, and remembers caps and budget as the shop would."""

    def __init__(self, revision: CampaignRevision, work: UnitOfWork) -> None:
        self._revision = revision
        self._work = work
        self._rules = SiteRules(time_zone=work.sites.budgets(revision.site).time_zone)
        self._needs = asked_of([revision])
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
        self._pushes += decision.chosen.may_notify
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
        )

    def _decided(self, moment: Moment) -> Decision:
        shopper, budget = moment.shopper, self._revision.budget
        history = self._work.consents.history_of(shopper)
        facts = (
            None
            if self._needs is None
            else self._work.facts.of_shopper(
                shopper, self._needs, site=moment.site, as_of_ms=moment.now_ms
            )
        )
        candidate = Candidate(
            revision=self._revision,
            cap_taken_at_ms=tuple(self._taken.get(shopper, ())),
            is_offered=(shopper, moment.key) in self._on,
            has_budget=budget is None or self._offers < budget.redemptions_max,
        )
        return decide(
            moment,
            decision=_ID,
            consents=ConsentState.of(said for said in history if said.at_ms <= moment.now_ms),
            candidates=[candidate],
            facts=facts,
            rules=self._rules,
        )


def _moments(
    revision: CampaignRevision, *, since_ms: UnixMs, work: UnitOfWork, now_ms: UnixMs
) -> Iterator[Moment]:
    trigger, site = revision.trigger, revision.site
    if isinstance(trigger, WelcomeTrigger):
        enrolled = work.occasions.enrolments(from_ms=since_ms, until_ms=now_ms, limit=MOMENTS_MAX)
        for shopper, at_ms in enrolled:
            yield moment_of(Enrolled(), shopper=shopper, site=site, now_ms=at_ms)
        return
    assert isinstance(trigger, ZoneTrigger)
    stays = work.occasions.stays(
        site, trigger.zone, from_ms=since_ms, until_ms=now_ms, limit=MOMENTS_MAX
    )
    for stay in stays:
        found = _occasion(trigger, stay)
        if found is not None:
            occasion, at_ms = found
            yield Moment(
                event_id=stay.visit,
                shopper=stay.shopper,
                site=site,
                occasion=occasion,
                now_ms=at_ms,
            )


def _occasion(trigger: ZoneTrigger, stay: Stay) -> tuple[Occasion, UnixMs] | None:
    lasted_s = stay.lasted_s
    match trigger:
        case VisitTrigger(dwell_s=dwell_s):
            at_ms = UnixMs(stay.entered_at_ms + round(dwell_s * 1_000))
            is_reached = lasted_s is None or lasted_s >= dwell_s
            return (_stay_occasion(trigger, stay, dwell_s), at_ms) if is_reached else None
        case EnterTrigger():
            return _stay_occasion(trigger, stay, Second(0.0)), stay.entered_at_ms
        case LeaveTrigger():
            if lasted_s is None or stay.left_at_ms is None:
                return None
            return _stay_occasion(trigger, stay, lasted_s), stay.left_at_ms
        case _:
            assert_never(trigger)


def _stay_occasion(trigger: ZoneTrigger, stay: Stay, dwell_s: Second) -> ZoneOccasion:
    return ZoneOccasion(
        kind=KIND_OF_TRIGGER[type(trigger)],
        zone=trigger.zone,
        visit=stay.visit,
        dwell_s=dwell_s,
        is_late=False,
        is_visit_open=True,
    )
