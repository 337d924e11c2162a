"""Write decisions as rows, and read rows as decisions.

Layer: edges. Takes: `Decision`s. Gives: rows to `SqlDecisions`, and back. What was passed over, and
what the decision stood on, are JSON texts as short as they can be: they are read as a whole or not
at all, and one is written for every stay at a shelf.
"""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.ids import CampaignId, ConsentId, DecisionId, ExperimentId, ShopperId, VisitId
from offers.model.messages.contact import Frequency
from offers.model.offering.decision import Choice, Decision, PassedOver, Weighed
from offers.model.offering.decision_ground import CandidateGround, DecisionGround, PushGround
from offers.model.offering.refusal import PushRefusal, Refusal
from offers.model.offering.trial import NO_TRIAL, ArmTaken, Trial
from rtls.model.units import SiteId, UnixMs, ZoneId

_USUAL = (True, True, False, None, (), None)
"""what most candidates are: woken, with budget, not offered, not dismissed, no slot, not ranked"""


def decision_row(decision: Decision) -> dict[str, object]:
    """Return the columns of a decision."""
    chosen, trial, ground = decision.chosen, decision.trial, decision.ground
    return {
        "decision_id": decision.decision,
        "event_id": decision.event_id,
        "shopper_id": decision.shopper,
        "site": decision.site,
        "occasion": decision.occasion,
        "zone": decision.zone,
        "visit_id": decision.visit,
        "at_ms": decision.at_ms,
        "policy": decision.policy,
        "chosen": None if chosen is None else _render_choice(chosen),
        "passed_over": json.dumps([_render_passed_over(one) for one in decision.passed_over]),
        "trial": None if trial == NO_TRIAL else _render_trial(trial),
        "ground": None if ground is None else _render_ground(ground),
    }


def decision_of(row: sa.Row[*tuple[object, ...]]) -> Decision:
    """Return the decision of a row with all columns."""
    return Decision(
        decision=DecisionId(row.decision_id),
        event_id=row.event_id,
        shopper=ShopperId(row.shopper_id),
        site=SiteId(row.site),
        occasion=row.occasion,
        zone=None if row.zone is None else ZoneId(row.zone),
        visit=None if row.visit_id is None else VisitId(row.visit_id),
        at_ms=UnixMs(row.at_ms),
        policy=row.policy,
        chosen=None if row.chosen is None else _parse_choice(row.chosen),
        passed_over=tuple(_parse_passed_over(*entry) for entry in json.loads(row.passed_over)),
        trial=NO_TRIAL if row.trial is None else _parse_trial(row.trial),
        ground=None if row.ground is None else _parse_ground(row.ground),
    )


def _render_passed_over(entry: PassedOver) -> list[object]:
    """Return an entry as short as it can be: most have neither a place nor a ranking."""
    row: list[object] = [entry.campaign, entry.revision, entry.refusal.value]
    if entry.place is not None or entry.weighed is not None:
        row.append(entry.place)
    if entry.weighed is not None:
        row.append(_render_weighed(entry.weighed))
    return row


def _parse_passed_over(
    campaign: str,
    revision: int,
    refusal: str,
    place: str | None = None,
    weighed: list[float] | None = None,
) -> PassedOver:
    return PassedOver(
        campaign=CampaignId(campaign),
        revision=revision,
        refusal=Refusal(refusal),
        place=place,
        weighed=_parse_weighed(weighed),
    )


def _render_weighed(weighed: Weighed | None) -> list[float] | None:
    return None if weighed is None else [weighed.score, weighed.propensity]


def _parse_weighed(given: list[float] | None) -> Weighed | None:
    return None if given is None else Weighed(score=given[0], propensity=given[1])


def _render_choice(chosen: Choice) -> str:
    return json.dumps(
        {
            "campaign": chosen.campaign,
            "revision": chosen.revision,
            "locate_consent": chosen.locate_consent,
            "personalise_consent": chosen.personalise_consent,
            "may_notify": chosen.may_notify,
            "push_refusal": chosen.push_refusal,
            "weighed": _render_weighed(chosen.weighed),
        }
    )


def _parse_choice(text: str) -> Choice:
    given = json.loads(text)
    locate = given["locate_consent"]
    refusal = given.get("push_refusal")  # decisions of before do not say
    return Choice(
        campaign=CampaignId(given["campaign"]),
        revision=given["revision"],
        locate_consent=None if locate is None else ConsentId(locate),
        personalise_consent=ConsentId(given["personalise_consent"]),
        may_notify=given["may_notify"],
        push_refusal=None if refusal is None else PushRefusal(refusal),
        weighed=_parse_weighed(given.get("weighed")),
    )


def _render_trial(trial: Trial) -> str:
    arms = [[arm.experiment, arm.revision, arm.salt, arm.number, arm.name] for arm in trial.arms]
    return json.dumps([trial.is_held_out, arms])


def _parse_trial(text: str) -> Trial:
    is_held_out, arms = json.loads(text)
    return Trial(
        is_held_out=is_held_out,
        arms=tuple(
            ArmTaken(
                experiment=ExperimentId(experiment),
                revision=revision,
                salt=salt,
                number=number,
                name=name,
            )
            for experiment, revision, salt, number, name in arms
        ),
    )


def _render_ground(ground: DecisionGround) -> str:
    refusal = ground.stay_refusal
    # What is rare is left out, and so is it in decisions of earlier releases.
    paused = {"paused": True} if ground.is_paused else {}
    return json.dumps(
        {
            "needs_locate": ground.needs_locate,
            "stay": None if refusal is None else refusal.value,
            "granted": [ground.locate, ground.personalise, ground.may_notify],
            "suspended": ground.is_suspended,
            "in_trip": ground.offers_in_trip,
            "rules": [ground.time_zone, ground.programme],
            "experiments": ground.experiments,
            "candidates": [_render_candidate(candidate) for candidate in ground.candidates],
            "push": None if ground.push is None else _render_push(ground.push),
            **paused,
        },
        separators=(",", ":"),
    )


def _render_candidate(one: CandidateGround) -> list[object]:
    told: list[object] = [
        one.is_woken,
        one.has_budget,
        one.is_offered,
        one.dismissed_at_ms,
        one.cap_taken_at_ms,
        one.features,
    ]
    while told and told[-1] == _USUAL[len(told) - 1]:
        told.pop()
    return [one.campaign, one.revision, *told]


def _parse_ground(text: str) -> DecisionGround:
    given = json.loads(text)
    locate, personalise, may_notify = given["granted"]
    time_zone, programme = given["rules"]
    return DecisionGround(
        needs_locate=given["needs_locate"],
        stay_refusal=None if given["stay"] is None else Refusal(given["stay"]),
        locate=None if locate is None else ConsentId(locate),
        personalise=None if personalise is None else ConsentId(personalise),
        may_notify=may_notify,
        is_suspended=given["suspended"],
        offers_in_trip=given["in_trip"],
        time_zone=time_zone,
        programme=programme,
        experiments=tuple(
            (ExperimentId(experiment), revision) for experiment, revision in given["experiments"]
        ),
        candidates=tuple(_parse_candidate(*entry) for entry in given["candidates"]),
        push=None if given.get("push") is None else _parse_push(*given["push"]),
        is_paused=given.get("paused", False),
    )


def _render_push(push: PushGround) -> list[object]:
    return [push.wants_push, push.frequency.value, push.last_pushed_at_ms]


def _parse_push(wants_push: bool, frequency: str, last_ms: int | None) -> PushGround:  # noqa: FBT001
    return PushGround(
        wants_push=wants_push,
        frequency=Frequency(frequency),
        last_pushed_at_ms=None if last_ms is None else UnixMs(last_ms),
    )


def _parse_candidate(
    campaign: str,
    revision: int,
    is_woken: bool = True,  # noqa: FBT001, FBT002 - the places of a JSON list
    has_budget: bool = True,  # noqa: FBT001, FBT002
    is_offered: bool = False,  # noqa: FBT001, FBT002
    dismissed_at_ms: int | None = None,
    cap_taken_at_ms: Sequence[int] = (),
    features: Sequence[float] | None = None,
) -> CandidateGround:
    return CandidateGround(
        campaign=CampaignId(campaign),
        revision=revision,
        is_woken=is_woken,
        has_budget=has_budget,
        is_offered=is_offered,
        dismissed_at_ms=None if dismissed_at_ms is None else UnixMs(dismissed_at_ms),
        cap_taken_at_ms=tuple(UnixMs(at_ms) for at_ms in cap_taken_at_ms),
        features=None if features is None else tuple(features),
    )
