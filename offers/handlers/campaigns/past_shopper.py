"""Know a shopper as he was known at an instant of the past: consents, segment, tier, what he did.

Layer: flow. Takes: a shopper and the transaction. Gives: `PastShopper` to simulate_campaign. What
happened after the instant is left out, so that a campaign is not tried with hindsight.
"""

from dataclasses import dataclass, replace
from typing import Final

from offers.model.conditions.shopper_facts import FactNeeds, ShopperFacts
from offers.model.ids import ShopperId
from offers.model.loyalty.segment import Membership, Segment
from offers.model.loyalty.tier import TierChange
from offers.model.people.consent import Consent, ConsentState, Purpose
from offers.model.people.suspension import Suspension
from offers.model.visits.trip import Trip
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

TIER_CHANGES_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PastShopper:
    """What is kept of a shopper's past, read once."""

    shopper: ShopperId
    site: SiteId
    consents: tuple[Consent, ...]
    memberships: tuple[Membership, ...]
    tier_changes: tuple[TierChange, ...]
    """newest first"""
    trips: tuple[Trip, ...]
    suspension: Suspension | None
    """the one that is not lifted"""

    @classmethod
    def read(cls, shopper: ShopperId, site: SiteId, *, work: UnitOfWork) -> "PastShopper":
        """Read all that `as_of` needs."""
        return cls(
            shopper=shopper,
            site=site,
            consents=tuple(work.consents.history_of(shopper)),
            memberships=work.memberships.history_of(shopper),
            tier_changes=work.tiers.changes_of(shopper, limit=TIER_CHANGES_MAX),
            trips=work.history.trips_of(shopper, site),
            suspension=work.suspensions.open_of(shopper),
        )

    def consents_at(self, at_ms: UnixMs) -> ConsentState:
        """Return what was agreed to then."""
        return ConsentState.of(said for said in self.consents if said.at_ms <= at_ms)

    def is_suspended_at(self, at_ms: UnixMs) -> bool:
        """Say whether the card was suspended then, and still is."""
        return self.suspension is not None and self.suspension.at_ms <= at_ms

    def trip_began_ms(self, at_ms: UnixMs) -> UnixMs | None:
        """Return when the newest trip of that time had begun, or None."""
        return max((t.began_at_ms for t in self.trips if t.began_at_ms <= at_ms), default=None)

    def facts_at(self, at_ms: UnixMs, needs: FactNeeds, *, work: UnitOfWork) -> ShopperFacts | None:
        """Return what conditions would have been told then."""
        known = work.facts.of_shopper(self.shopper, needs, site=self.site, as_of_ms=at_ms)
        if known is None:
            return None
        consents = self.consents_at(at_ms)
        past = {
            kind: tuple(fact for fact in facts if fact.at_ms <= at_ms)
            for kind, facts in known.past.items()
        }
        return replace(
            known,
            granted=frozenset(p for p in Purpose if consents.granted(p) is not None),
            segment=self._segment_at(at_ms),
            tier=self._tier_at(at_ms, now=known.tier),
            past=past,
            tallies={},
        )

    def _segment_at(self, at_ms: UnixMs) -> Segment | None:
        for stay in self.memberships:
            is_open = stay.left_at_ms is None or at_ms < stay.left_at_ms
            if stay.site == self.site and stay.entered_at_ms <= at_ms and is_open:
                return stay.segment
        return None

    def _tier_at(self, at_ms: UnixMs, *, now: str | None) -> str | None:
        tier = now
        for change in self.tier_changes:
            if change.site != self.site:
                continue
            if change.at_ms <= at_ms:
                return change.after
            tier = change.before
        return tier
