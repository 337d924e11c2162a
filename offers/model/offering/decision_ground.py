"""State what a decision stood on, so that it can be taken again years later.

Layer: nouns. Takes: what decide was given and what it found. Gives: `DecisionGround` to the log of
decisions and to replay. Of a shopper's past it holds the answers that rules got (was the trigger
met, which numbers did a ranking weigh), not a copy of what was bought: the log must not become a
second history of purchases. What else rules read are revisions, which never change, by number.
"""

from dataclasses import dataclass

from offers.model.ids import CampaignId, ConsentId, ExperimentId
from offers.model.messages.contact import Frequency
from offers.model.offering.refusal import Refusal
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateGround:
    """One campaign as it was weighed; what is usual is left out of the log."""

    campaign: CampaignId
    revision: int
    is_woken: bool = True
    """whether what happened was what it waits for"""
    has_budget: bool = True
    is_offered: bool = False
    dismissed_at_ms: UnixMs | None = None
    cap_taken_at_ms: tuple[UnixMs, ...] = ()
    features: tuple[float, ...] | None = None
    """what a ranking weighed; None: none did"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushGround:
    """What the shopper wished about pushes when an offer was chosen."""

    wants_push: bool
    frequency: Frequency
    last_pushed_at_ms: UnixMs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionGround:
    """What was read at the moment of a decision."""

    needs_locate: bool
    stay_refusal: Refusal | None
    """what stood against the stay itself: late, or over"""
    locate: ConsentId | None
    personalise: ConsentId | None
    """the records that granted it; None: not granted"""
    may_notify: bool
    is_suspended: bool
    offers_in_trip: int
    time_zone: str
    programme: int | None
    """the revision of the site's programme, whose settings held; None: there was none"""
    experiments: tuple[tuple[ExperimentId, int], ...]
    """those that campaigns named and nobody had stopped, with their revisions"""
    candidates: tuple[CandidateGround, ...]
    push: PushGround | None = None
    """None: nothing was chosen, so nothing could be pushed"""
    is_paused: bool = False
    """whether the shopper had asked to be left alone; of earlier releases nobody had"""
