"""Say what goes between us and tills that were without a line.

Layer: edges. Takes: JSON of the till; outcomes. Gives: checked bodies to the offline routes, and
their schemas to the OpenAPI document.
"""

import base64
from collections.abc import Mapping
from typing import Final

from pydantic import AwareDatetime, Field, StrictStr

from offers.api.schema import Body, Id, Instant, Minor, render_instant
from offers.api.till.till_schema import BasketBody
from offers.checkout.offline_coupon import CHARACTERS_MAX
from offers.model.ids import TillId
from offers.model.till.basket import LINES_MAX
from offers.model.till.offline_coupon import (
    REFERENCE_CHARACTERS_MAX,
    FirstUse,
    OfflineItem,
    OfflineOutcome,
    OfflineReason,
)
from offers.model.till.redemption import Discount
from rtls.model.units import UnixMs

ITEMS_MAX: Final = 50


class OfflineItemBody(Body):
    """A coupon that was taken without asking."""

    reference: StrictStr = Field(
        min_length=1,
        max_length=REFERENCE_CHARACTERS_MAX,
        description="the till's own name of the receipt; one redemption has one",
        examples=["2026-11-21/0042"],
    )
    signed: StrictStr = Field(
        min_length=1,
        max_length=CHARACTERS_MAX,
        description="the text of the QR code",
        examples=["IC1.0a1b2c3d.eyJi.c2ln"],
    )
    redeemed_at: AwareDatetime = Field(examples=["2026-11-21T09:30:00Z"])
    basket: BasketBody
    discount_lines_minor: list[Minor] = Field(min_length=1, max_length=LINES_MAX)

    def item(self) -> OfflineItem:
        """Return the noun."""
        return OfflineItem(
            reference=self.reference,
            signed=self.signed,
            redeemed_at_ms=UnixMs(round(self.redeemed_at.timestamp() * 1_000)),
            basket=self.basket.basket(),
            discount=Discount(
                currency=self.basket.currency, lines_minor=tuple(self.discount_lines_minor)
            ),
        )


class OfflineBatchBody(Body):
    """What a till did while it had no line."""

    items: list[OfflineItemBody] = Field(min_length=1, max_length=ITEMS_MAX)


class FirstUseBody(Body):
    """The redemption that came first."""

    redemption: Id
    till: str
    at: Instant
    reference: str | None = Field(description="that till's own name of it, where it had no line")

    @classmethod
    def of(cls, first: FirstUse) -> "FirstUseBody":
        """Render a first use."""
        return cls(
            redemption=first.redemption,
            till=first.till,
            at=render_instant(first.at_ms),
            reference=first.reference,
        )


class OfflineOutcomeBody(Body):
    """What became of one item: booked, perhaps with a remark; or a conflict, and nothing booked."""

    reference: str
    redemption: Id | None = Field(description="null where nothing was booked")
    reasons: tuple[OfflineReason, ...] = Field(description="empty where all is well")
    first: FirstUseBody | None = Field(description="of a coupon that had been used")

    @classmethod
    def of(cls, outcome: OfflineOutcome) -> "OfflineOutcomeBody":
        """Render an outcome."""
        return cls(
            reference=outcome.reference,
            redemption=outcome.redemption,
            reasons=outcome.reasons,
            first=None if outcome.first is None else FirstUseBody.of(outcome.first),
        )


class OfflineOutcomesBody(Body):
    """What became of each item, in the order of the batch."""

    outcomes: tuple[OfflineOutcomeBody, ...]


class OfflineConflictBody(OfflineOutcomeBody):
    """An item that needs somebody's attention."""

    till: str

    @classmethod
    def at(cls, till: TillId, outcome: OfflineOutcome) -> "OfflineConflictBody":
        """Render an outcome with its till."""
        return cls(till=till, **OfflineOutcomeBody.of(outcome).model_dump())


class OfflineConflictsBody(Body):
    """One page of the conflict report."""

    conflicts: tuple[OfflineConflictBody, ...]
    cursor: int
    has_more: bool


class TillKeyBody(Body):
    """A public key."""

    key: str = Field(description="its id, the second part of a signed coupon")
    algorithm: str = Field(examples=["Ed25519"])
    public_key: str = Field(description="32 bytes in base64url without padding")


class TillKeysBody(Body):
    """The keys by which a till checks coupons without asking; the newest last."""

    keys: tuple[TillKeyBody, ...]

    @classmethod
    def of(cls, keys: Mapping[str, bytes]) -> "TillKeysBody":
        """Render the keys."""
        return cls(
            keys=tuple(
                TillKeyBody(
                    key=name,
                    algorithm="Ed25519",
                    public_key=base64.urlsafe_b64encode(key).rstrip(b"=").decode(),
                )
                for name, key in keys.items()
            )
        )


class OfflineCouponBody(Body):
    """A coupon that a till can take without asking us."""

    text: str = Field(description="to be shown as a QR code", examples=["IC1.0a1b2c3d.eyJi.c2ln"])
    expires_at: Instant
