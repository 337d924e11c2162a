"""Tell a shopper in plain words why an offer was made, and why others were not.

Layer: rules. Takes: a `Decision` about the shopper and the titles of the campaigns it names.
Gives: `Told` reasons and sentences in German and English to the shopper's routes. What is told is
about the shopper: no budget, no campaign that is yet to come, none that is meant for others by
name, and nothing of what an experiment gives to whom.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from offers.decision.said import Said, both
from offers.decision.situation import AUDIENCE
from offers.decision.why_words import CAUSES, CHOSEN_BY, NOTHING, NOTHING_WAITED, SILENT, WORDS
from offers.model.campaigns.trigger import TriggerKind
from offers.model.ids import CampaignId
from offers.model.offering.decision import Decision, PassedOver
from offers.model.offering.refusal import Refusal
from offers.model.people.shopper import Locale


class Reason(StrEnum):
    """A refusal, as far as a shopper may know it."""

    CARD_SUSPENDED = "card_suspended"
    PAUSED = "paused"
    EVENT_LATE = "event_late"
    VISIT_ENDED = "visit_ended"
    CONSENT_LOCATE_MISSING = "consent_locate_missing"
    CONSENT_PERSONALISE_MISSING = "consent_personalise_missing"
    NO_LONGER_VALID = "no_longer_valid"
    OUT_OF_SCHEDULE = "out_of_schedule"
    CONDITION_UNMET = "condition_unmet"
    FOR_OTHERS = "for_others"
    """the shopper is not of its audience"""
    HELD_OUT = "held_out"
    TRIAL = "trial"
    """something is tried out, and somebody else got this"""
    ALREADY_OFFERED = "already_offered"
    FREQUENCY_CAP = "frequency_cap"
    COOL_DOWN = "cool_down"
    TRIP_CAP = "trip_cap"
    NOT_AVAILABLE = "not_available"
    OUTRANKED = "outranked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Why a campaign was passed over, for the shopper it was passed over for."""

    reason: Reason
    campaign: CampaignId | None
    """None: it is none of the shopper's business which one"""


UNNAMED = frozenset(
    {
        Reason.CARD_SUSPENDED,
        Reason.PAUSED,
        Reason.EVENT_LATE,
        Reason.VISIT_ENDED,
        Reason.CONSENT_LOCATE_MISSING,
        Reason.CONSENT_PERSONALISE_MISSING,
        Reason.FOR_OTHERS,
        Reason.HELD_OUT,
        Reason.TRIAL,
        Reason.TRIP_CAP,
    }
)


def told_of(decision: Decision) -> tuple[Told, ...]:
    """Return each reason once; those that concern no campaign in particular do not name any."""
    found: dict[Told, None] = {}
    for entry in decision.passed_over:
        reason = reason_of(entry)
        if reason is not None:
            campaign = None if reason in UNNAMED else entry.campaign
            found[Told(reason=reason, campaign=campaign)] = None
    return tuple(found)


def reason_of(entry: PassedOver) -> Reason | None:
    """Return what a shopper may know of a refusal, or None: nothing."""
    match entry.refusal:
        case Refusal.OTHER_TRIGGER | Refusal.NOT_YET_VALID | Refusal.EXPERIMENT_NOT_RUNNING:
            return None  # it waits for something else, or its time is the retailer's secret
        case Refusal.CONDITION_UNMET:
            is_of_audience = (entry.place or AUDIENCE).startswith(AUDIENCE)
            return Reason.FOR_OTHERS if is_of_audience else Reason.CONDITION_UNMET
        case Refusal.OTHER_ARM:
            return Reason.TRIAL
        case Refusal.BUDGET_SPENT:
            return Reason.NOT_AVAILABLE
        case _:
            return Reason(entry.refusal.value)


def sentences(
    decision: Decision,
    *,
    titles: Mapping[CampaignId, Mapping[Locale, str]],
    place: str | None,
    locale: Locale,
) -> tuple[str, ...]:
    """Return what happened, in sentences, the offer first.

    Parameters
    ----------
    decision
        What was decided about the shopper.
    titles
        What the offers of the campaigns are called, for all that `told_of` names and the chosen.
    place
        What people call the zone; None where the occasion has none.
    locale
        The language.
    """
    told = told_of(decision)
    said = [*_of_choice(decision, place)] if decision.chosen is not None else []
    if decision.chosen is None:
        said.append((NOTHING if told else NOTHING_WAITED, None))
    said += [(WORDS[one.reason.value], one.campaign) for one in told]
    return tuple(
        words.in_language(locale).format(
            title="" if campaign is None else titles[campaign][locale], place=place or ""
        )
        for words, campaign in said
    )


def _of_choice(decision: Decision, place: str | None) -> list[tuple[Said, CampaignId | None]]:
    chosen = decision.chosen
    assert chosen is not None
    kind = TriggerKind(decision.occasion.partition(":")[0])
    cause = CAUSES[kind]
    where = Said(de=" bei {place}", en=" at {place}") if place else both("")
    begun = Said(
        de=f"Sie bekamen „{{title}}“{cause.de.replace('{where}', where.de)}.",
        en=f"You got “{{title}}” {cause.en.replace('{where}', where.en)}.",
    )
    said: list[tuple[Said, CampaignId | None]] = [(begun, chosen.campaign)]
    if any(entry.refusal is Refusal.OUTRANKED for entry in decision.passed_over):
        said.append((CHOSEN_BY[chosen.weighed is not None], None))
    if chosen.push_refusal is not None:
        said.append((SILENT[chosen.push_refusal], None))
    return said
