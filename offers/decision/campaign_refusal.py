"""Name the first thing that speaks against a campaign at a moment.

Layer: rules. Takes: a `Candidate` and the `Ground` that all share. Gives: a `Refusal` or None to
settle. What concerns the moment comes first, then the shopper's consent, then the campaign, then
experiments, then what has been offered before: the reason that is logged is the one that would have
to change first. Up to experiments nothing depends on arms, so who meets one is the same in each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from offers.decision.eligibility import Eligibility
from offers.decision.experiment import arm_now, is_held_out
from offers.decision.findings import Findings
from offers.decision.frequency_cap import is_within_cap
from offers.decision.schedule import WallTime, is_scheduled
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.experiments.experiment import Arm, Experiment, Holdout
from offers.model.ids import ShopperId
from offers.model.offering.decision import Candidate
from offers.model.offering.refusal import Refusal
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is the same for every campaign that is weighed at a moment."""

    now_ms: UnixMs
    allowed: Eligibility | Refusal
    stay_refusal: Refusal | None
    shown: WallTime
    is_trip_full: bool


def early_refusal(candidate: Candidate, ground: Ground, findings: Findings) -> Refusal | None:
    """Return what speaks against it before any experiment is asked, or None."""
    revision = candidate.revision
    if not findings.is_woken(revision):
        return Refusal.OTHER_TRIGGER
    if ground.stay_refusal is not None:
        return ground.stay_refusal
    if isinstance(ground.allowed, Refusal):
        return ground.allowed
    return _refusal_of_time(revision, ground) or (
        None if findings.unmet_place(revision) is None else Refusal.CONDITION_UNMET
    )


def late_refusal(candidate: Candidate, ground: Ground) -> Refusal | None:
    """Return what speaks against it of all that has been offered before, or None."""
    for refusal, is_true in _CHECKS:  # in this order: what is refused early costs no more
        if is_true(candidate, ground):
            return refusal
    return None


@dataclass(slots=True, kw_only=True)
class Arms:
    """The arms of one shopper at one moment; each is worked out when it is asked for."""

    shopper: ShopperId
    holdout: Holdout | None
    now_ms: UnixMs
    held_out: bool

    @classmethod
    def of(cls, shopper: ShopperId, *, holdout: Holdout | None, now_ms: UnixMs) -> "Arms":
        """Return them for a shopper."""
        held_out = holdout is not None and is_held_out(holdout, shopper)
        return cls(shopper=shopper, holdout=holdout, now_ms=now_ms, held_out=held_out)

    def arm(self, experiment: Experiment) -> Arm | None:
        """Return the arm that applies now, or None."""
        return arm_now(experiment, self.shopper, holdout=self.holdout, now_ms=self.now_ms)

    def refusal(self, revision: CampaignRevision, experiment: Experiment | None) -> Refusal | None:
        """Return what holdout and experiment say against a campaign, or None."""
        if self.held_out:
            return Refusal.HELD_OUT
        if revision.part is None:
            return None
        arm = None if experiment is None else self.arm(experiment)
        if experiment is None or arm is None or revision.part.misfit(experiment) is not None:
            return Refusal.EXPERIMENT_NOT_RUNNING
        return None if revision.part.plays_for(arm, experiment) else Refusal.OTHER_ARM


def _refusal_of_time(revision: CampaignRevision, ground: Ground) -> Refusal | None:
    if ground.now_ms < revision.validity.from_ms:
        return Refusal.NOT_YET_VALID
    if ground.now_ms >= revision.validity.until_ms:
        return Refusal.NO_LONGER_VALID
    is_in_schedule = is_scheduled(revision.schedule, ground.shown)
    return None if is_in_schedule else Refusal.OUT_OF_SCHEDULE


def _is_already_offered(candidate: Candidate, _ground: Ground) -> bool:
    return candidate.is_offered


def _is_capped(candidate: Candidate, ground: Ground) -> bool:
    cap, taken_at_ms = candidate.revision.frequency_cap, candidate.cap_taken_at_ms
    return bool(taken_at_ms) and not is_within_cap(cap, taken_at_ms, now_ms=ground.now_ms)


def _is_cooling_down(candidate: Candidate, ground: Ground) -> bool:
    dismissed_at_ms = candidate.dismissed_at_ms
    cool_down_ms = candidate.revision.cool_down_s * 1_000
    return dismissed_at_ms is not None and ground.now_ms - dismissed_at_ms < cool_down_ms


def _is_trip_full(_candidate: Candidate, ground: Ground) -> bool:
    return ground.is_trip_full


def _is_spent(candidate: Candidate, _ground: Ground) -> bool:
    return not candidate.has_budget


_CHECKS: Final[tuple[tuple[Refusal, Callable[[Candidate, Ground], bool]], ...]] = (
    (Refusal.ALREADY_OFFERED, _is_already_offered),
    (Refusal.FREQUENCY_CAP, _is_capped),
    (Refusal.COOL_DOWN, _is_cooling_down),
    (Refusal.TRIP_CAP, _is_trip_full),
    (Refusal.BUDGET_SPENT, _is_spent),
)
