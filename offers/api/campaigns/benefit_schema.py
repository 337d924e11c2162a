"""Say how a benefit looks on the wire: its kind, and the members that kind has.

Layer: edges. Takes: a `Benefit`. Gives: `BenefitBody` to the bodies of offers, and its schema to
the OpenAPI document. One flat body for all kinds: an app that does not know a kind still shows
title and body.
"""

from pydantic import Field

from offers.api.schema import Body, Instant, MoneyBody, render_instant
from offers.model.campaigns.benefit import (
    Benefit,
    Cashback,
    EarlyAccess,
    Event,
    FreeDelivery,
    FreeItem,
    Gift,
    Information,
    MoneyOff,
    PercentOff,
    Points,
    PointsMultiplier,
    Service,
)
from offers.model.campaigns.benefit_json import KIND_OF_BENEFIT, BenefitKind


class BenefitBody(Body):
    """What the shopper gets."""

    kind: BenefitKind
    amount: MoneyBody | None = None
    percent: int | None = Field(default=None, description="off, back, or of the usual points")
    points: int | None = None
    quantity: int | None = Field(default=None, description="pieces that are free")
    with_bought: int | None = Field(default=None, description="pieces to be paid beside them")
    name: str | None = Field(default=None, description="of the gift, event, item or service")
    at: Instant | None = Field(default=None, description="the event's start; public from")
    discount_max: MoneyBody | None = None
    cashback_max: MoneyBody | None = None
    basket_min: MoneyBody | None = None

    @classmethod
    def of(cls, benefit: Benefit) -> "BenefitBody":
        """Render a benefit."""
        body = cls(kind=KIND_OF_BENEFIT[type(benefit)])
        match benefit:
            case MoneyOff():
                members: dict[str, object] = {"amount": MoneyBody.of(benefit.amount)}
            case PercentOff():
                most = MoneyBody.of_limit(benefit.discount_max)
                members = {"percent": benefit.percent, "discount_max": most}
            case Cashback():
                most = MoneyBody.of_limit(benefit.cashback_max)
                members = {"percent": benefit.percent, "cashback_max": most}
            case FreeItem():
                members = {"quantity": benefit.quantity, "with_bought": benefit.with_bought}
            case PointsMultiplier():
                members = {"percent": benefit.percent}
            case _:
                members = _named_members(benefit)
        least = getattr(benefit, "basket_min", None)
        return body.model_copy(update=members | {"basket_min": MoneyBody.of_limit(least)})


def _named_members(
    benefit: Gift | Points | FreeDelivery | EarlyAccess | Event | Service | Information,
) -> dict[str, object]:
    members: dict[str, object] = {}
    match benefit:
        case Points():
            members = {"points": benefit.points}
        case Gift():
            members = {"name": benefit.item}
        case Service():
            members = {"name": benefit.service}
        case EarlyAccess():
            members = {"name": benefit.item, "at": render_instant(benefit.public_from_ms)}
        case Event():
            members = {"name": benefit.name, "at": render_instant(benefit.starts_at_ms)}
        case FreeDelivery() | Information():
            pass  # the kind says all
    return members
