"""Hold the right to a benefit at the checkout.

Layer: nouns. Takes: an offer. Gives: `Coupon` to checkout and storage. The code is not here: it is
shown once to its owner, and storage keeps a keyed fingerprint of it only.
"""

from dataclasses import dataclass
from enum import StrEnum

from offers.model.errors import InvalidOffer
from offers.model.ids import CampaignId, CouponId, OfferId, ShopperId, check_random_id
from rtls.model.units import SiteId, UnixMs


class CouponState(StrEnum):
    """Whether the coupon can still be used."""

    ISSUED = "issued"
    HELD = "held"
    """by one basket at one till, until it is paid, given up, or ten minutes old"""
    REDEEMED = "redeemed"
    REVERSED = "reversed"
    """what it was used for has been returned, and the campaign does not give it back"""
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """The right of one shopper to one benefit, once, at one site."""

    coupon: CouponId
    offer: OfferId
    shopper: ShopperId
    campaign: CampaignId
    revision: int
    site: SiteId
    state: CouponState
    issued_at_ms: UnixMs
    expires_at_ms: UnixMs
    is_reserved: bool
    """whether the campaign's budget has set one redemption aside for it"""

    def __post_init__(self) -> None:
        check_random_id("coupon", self.coupon, error=InvalidOffer)
        if self.expires_at_ms <= self.issued_at_ms:
            raise InvalidOffer(
                f"expires_at_ms is {self.expires_at_ms}, issued_at_ms {self.issued_at_ms}; "
                "expected a coupon to expire after it is issued."
            )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CouponCode:
    """What the shopper shows at the till. Not printed by `repr`, so that no log holds it."""

    coupon: CouponId
    code: str
    expires_at_ms: UnixMs
    gs1: str | None = None
    """the same right as a GS1 element string, where the campaign has a reference there"""
