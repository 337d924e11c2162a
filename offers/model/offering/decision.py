"""Answer "which offer, if any, now?", with the reason for each campaign passed over.

Layer: nouns. Takes: what the rules found. Gives: `Decision` to handlers, the log and "why?".
A decision is written once and never changed, so that it can be judged later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from offers.model.campaigns.campaign import CampaignRevision
from offers.model.errors import InvalidOffer
from offers.model.ids import (
    CampaignId,
    ConsentId,
    DecisionId,
    ShopperId,
    VisitId,
    check_random_id,
)
from offers.model.offering.decision_ground import DecisionGround
from offers.model.offering.refusal import PushRefusal, Refusal
from offers.model.offering.trial import NO_TRIAL, Trial
from rtls.model.units import SiteId, UnixMs, ZoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPast:
    """What earlier offers to a shopper say about another one, campaign by campaign."""

    cap_taken_at_ms: Mapping[CampaignId, tuple[UnixMs, ...]]
    """when the slots of each frequency cap were last taken"""
    offered: frozenset[CampaignId]
    """those offered on this very occasion, whatever became of it"""
    dismissed_at_ms: Mapping[CampaignId, UnixMs]
    """when each was last dismissed, within the longest cool-down there is"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One campaign, with what this shopper's past and its budget say."""

    revision: CampaignRevision
    cap_taken_at_ms: tuple[UnixMs, ...] = ()
    """when the shopper was last addressed by it, as far as the cap counts"""
    is_offered: bool = False
    """on this very occasion, e.g. in this visit"""
    dismissed_at_ms: UnixMs | None = None
    """when the shopper last dismissed it"""
    has_budget: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a ranking said of an eligible campaign."""

    score: float
    """the expected reward"""
    propensity: float
    """the true probability with which it was to be chosen"""

    def __post_init__(self) -> None:
        if not (isfinite(self.score) and 0.0 < self.propensity <= 1.0):
            raise InvalidOffer(
                f"weighed says score {self.score}, propensity {self.propensity}; expected a finite "
                "score and a probability above zero."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A campaign that was not chosen, and why."""

    campaign: CampaignId
    revision: int
    refusal: Refusal
    place: str | None = None
    """which term of its conditions is not met, as in "audience.and[1]"; None for other reasons"""
    weighed: Weighed | None = None
    """what a ranking said of it, where it was eligible; None: none did"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The campaign that was chosen, and the consents that allow it."""

    campaign: CampaignId
    revision: int
    locate_consent: ConsentId | None
    """None where the occasion does not stand on where the shopper is"""
    personalise_consent: ConsentId
    may_notify: bool
    """whether the offer may be pushed while the app is closed"""
    push_refusal: PushRefusal | None = None
    """what stood against a push already then: the offer waits in the app; None: nothing did"""
    weighed: Weighed | None = None
    """what a ranking said of it; None: priority chose"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided at one moment. Every candidate is chosen or passed over, none twice."""

    decision: DecisionId
    event_id: str
    shopper: ShopperId
    site: SiteId
    occasion: str
    """its kind and key: what the campaigns were woken by"""
    zone: ZoneId | None
    visit: VisitId | None
    """with whose end an offer ends, where there is one"""
    at_ms: UnixMs
    policy: str
    """name and version of the rule that chose"""
    chosen: Choice | None
    passed_over: tuple[PassedOver, ...]
    trial: Trial = NO_TRIAL
    """which experiments the shopper met, in which arm"""
    ground: DecisionGround | None = None
    """what it stood on; None: it is from before that was written down"""

    def __post_init__(self) -> None:
        check_random_id("decision", self.decision, error=InvalidOffer)
        named = [entry.campaign for entry in self.passed_over]
        if self.chosen is not None:
            named.append(self.chosen.campaign)
        if len(set(named)) != len(named):
            raise InvalidOffer(f"the decision names {sorted(named)}; expected each campaign once.")
