"""Ask the conditions of a campaign about a shopper in a situation.

Layer: rules. Takes: a `CampaignRevision`, `ShopperFacts`, a `Moment`. Gives: the place of the first
term that stands against an offer, to decide, and what has to be read of a shopper, to its handler.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from typing_extensions import override

from offers.decision.condition import CompiledCondition, compile_condition
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.conditions.fact import FactKind
from offers.model.conditions.shopper_facts import FactNeeds, ShopperFacts, Surroundings, local_time
from offers.model.offering.occasion import BasketShown, Moment, ZoneOccasion
from offers.model.visits.site_rules import SiteRules

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
    if revision.audience is None and revision.conditions is None:
        return None
    for path, compiled in _compiled(_Same(revision)):
        if situation.facts is None:
            return path  # nothing is known of the shopper, so nothing can be shown to hold
        place = compiled.unmet(situation.facts, situation.surroundings)
        if place is not None:
            return place
    return None


def asked_of(revisions: Iterable[CampaignRevision]) -> FactNeeds | None:
    """Return what has to be read of a shopper to weigh all these; None where nothing has."""
    days: dict[FactKind, int] = {}
    is_asked = False
    for revision in revisions:
        if revision.audience is None and revision.conditions is None:
            continue
        is_asked = True
        for _, compiled in _compiled(_Same(revision)):
            for kind, within in compiled.needs.days.items():
                days[kind] = max(days.get(kind, 0), within)
    return FactNeeds(days=days) if is_asked else None


class _Same:
    """A revision as itself: hashing all of its conditions costs more than asking them."""

    __slots__ = ("revision",)

    def __init__(self, revision: CampaignRevision) -> None:
        self.revision = revision

    @override
    def __hash__(self) -> int:
        return id(self.revision)  # it lives as long as this entry, so the id stays its own

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.revision is other.revision


@lru_cache(maxsize=COMPILED_MAX)
def _compiled(same: _Same) -> tuple[tuple[str, CompiledCondition], ...]:
    given = ((AUDIENCE, same.revision.audience), (CONDITIONS, same.revision.conditions))
    return tuple((path, compile_condition(c, path)) for path, c in given if c is not None)
