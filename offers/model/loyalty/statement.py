"""Put on one sheet what a shopper has: points, tier, coupons, and what was saved so far.

Layer: nouns. Takes: what the handlers of points, tiers and coupons read. Gives: `Statement` to the
handler write_statement and, as paper, to the API.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.loyalty.ledger import LedgerUnit, Wallet
from offers.model.loyalty.tier import TierStanding
from offers.model.messages.brand import Brand
from offers.model.money import Money
from offers.model.offering.coupon import CouponCode
from offers.model.offering.offer import OfferCard
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs

COUPONS_MAX: Final = 20
"""on one sheet; the soonest to expire come first, the others stay in the app"""
EXPIRES_SOON_DAYS: Final = 90
AFTER_PURCHASE_MS_MAX: Final = 10 * 60_000
"""for so long a till may print it for a purchase: then the shopper stands there no longer"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringAmount:
    """What is gone at an instant unless it is spent before."""

    unit: LedgerUnit
    amount_minor: int
    expires_at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PrintedCoupon:
    """A coupon with the code to show at the till. Not printed by `repr`: the code is a secret."""

    card: OfferCard
    code: CouponCode


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Statement:
    """What one shopper has at one instant. Not printed by `repr`, so that no log holds it."""

    at_ms: UnixMs
    locale: Locale
    card_ending: str | None
    """the last digits of the card, so that a household can tell two sheets apart"""
    wallets: tuple[Wallet, ...]
    """as they are now, without what is over"""
    expiring: tuple[ExpiringAmount, ...]
    """within `EXPIRES_SOON_DAYS`, soonest first"""
    standing: TierStanding | None
    """None where the site has no tiers"""
    tier_currency: str | None
    saved: tuple[Money, ...]
    """what coupons took off, less what went back with returns; one for each currency"""
    coupons: tuple[PrintedCoupon, ...]
    has_more_coupons: bool
    brand: Brand | None
    """of the site where it is handed out"""
