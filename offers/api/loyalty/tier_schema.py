"""Say how a tier looks to the app.

Layer: edges. Takes: a `TierStanding`. Gives: bodies to the tier route.
"""

from typing import Self

from pydantic import Field

from offers.api.schema import Body, Currency, Instant, render_instant
from offers.model.loyalty.tier import Perk, Tier, TierLadder, TierStanding


class TierBody(Body):
    """One step of the programme."""

    tier: str = Field(examples=["gold"])
    name: str = Field(examples=["Gold"])
    threshold_minor: int = Field(description="to be spent in the window", examples=[50_000])
    perks: tuple[Perk, ...]

    @classmethod
    def of(cls, tier: Tier) -> Self:
        """Render a step."""
        return cls(
            tier=tier.tier,
            name=tier.name,
            threshold_minor=tier.threshold_minor,
            perks=tuple(sorted(tier.perks)),
        )


class StandingBody(Body):
    """Where the shopper stands, until when, and what is missing to the next step."""

    tier: TierBody | None = Field(description="null: on no tier yet")
    ends_at: Instant | None = Field(description="when it is lost if nothing more is bought")
    next_tier: TierBody | None
    counted_minor: int = Field(description="what counts now", examples=[31_250])
    missing_minor: int = Field(description="what is missing to the next tier", examples=[18_750])
    currency: Currency
    tiers: tuple[TierBody, ...] = Field(description="all steps, the lowest first")

    @classmethod
    def of(cls, standing: TierStanding, ladder: TierLadder) -> Self:
        """Render a standing on its ladder."""
        ends_at_ms = standing.ends_at_ms
        return cls(
            tier=None if standing.tier is None else TierBody.of(standing.tier),
            ends_at=None if ends_at_ms is None else render_instant(ends_at_ms),
            next_tier=None if standing.next_tier is None else TierBody.of(standing.next_tier),
            counted_minor=standing.counted_minor,
            missing_minor=standing.missing_minor,
            currency=ladder.currency,
            tiers=tuple(TierBody.of(tier) for tier in ladder.tiers),
        )
