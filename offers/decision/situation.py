"""Ask the conditions of a campaign about a shopper in a situation.

Layer: rules. Takes: a `CampaignRevision`, `ShopperFacts`, a `Moment`. Gives: the place of the first
term that stands against an offer, to decide, and what has to be read of a shopper, to its handler.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from offers.decision.condition import CompiledCondition, compile_condition, needs_of
from offers.model.campaign import CampaignRevision
from offers.model.condition import Condition
from offers.model.occasion import BasketShown, Moment, ZoneOccasion
from offers.model.shopper_facts import FactNeeds, ShopperFacts, Surroundings, local_time
from offers.model.site_rules import SiteRules

AUDIENCE: Final = "audience"
CONDITIONS: Final = "conditions"
COMPILED_MAX: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A shopper, and what surrounds the shopper at the moment."""

    facts: ShopperFacts | None
    """None where nothing was read, since no campaign asks"""
    surroundings: Surroundings


def situation_of(moment: Moment, facts: ShopperFacts | None, *, rules: SiteRules) -> Situation:
    """Return what conditions may ask about at a moment."""
    occasion = moment.occasion
    return Situation(
        facts=facts,
        surroundings=Surroundings(
            zone=moment.zone,
            dwell_s=occasion.dwell_s if isinstance(occasion, ZoneOccasion) else None,
            basket=occasion.basket if isinstance(occasion, BasketShown) else None,
            local=local_time(moment.now_ms, rules.zone),
        ),
    )


def unmet_place(revision: CampaignRevision, situation: Situation) -> str | None:
    """Return where in the campaign's document the first unmet term stands, or None."""
    for path, condition in ((AUDIENCE, revision.audience), (CONDITIONS, revision.conditions)):
        if condition is None:
            continue
        if situation.facts is None:
            return path  # nothing is known of the shopper, so nothing can be shown to hold
        place = _compiled(condition, path).unmet(situation.facts, situation.surroundings)
        if place is not None:
            return place
    return None


def asked_of(revisions: Iterable[CampaignRevision]) -> FactNeeds | None:
    """Return what has to be read of a shopper to weigh all these; None where nothing has."""
    asked = [
        condition
        for revision in revisions
        for condition in (revision.audience, revision.conditions)
        if condition is not None
    ]
    return needs_of(*asked) if asked else None


@lru_cache(maxsize=COMPILED_MAX)
def _compiled(condition: Condition, path: str) -> CompiledCondition:
    return compile_condition(condition, path)
