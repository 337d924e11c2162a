"""Write what a shopper has on one sheet, for his own printer or at the till.

Layer: flow. Takes: a shopper, a card that was scanned, or a purchase of a moment ago. Gives: a
`Statement` to the API. Nothing here is a truth of its own: balances, tier and coupons are what the
app shows. A coupon on paper needs a code, and no code is stored, so each is shown a fresh one as in
the app: it stays good until two newer ones have been shown.
"""

from typing import Final

from offers.handlers.loyalty.review_tiers import standing_of
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till.return_purchase import purchase_of_site
from offers.handlers.till.reveal_card import scanned_card
from offers.loyalty.lots import expiring
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import Expired, NotFound
from offers.model.ids import PurchaseId, ShopperId
from offers.model.loyalty.ledger import Wallet
from offers.model.loyalty.statement import (
    AFTER_PURCHASE_MS_MAX,
    COUPONS_MAX,
    EXPIRES_SOON_DAYS,
    ExpiringAmount,
    PrintedCoupon,
    Statement,
)
from offers.model.offering.coupon import CouponState
from offers.model.offering.refusal import TillRefusal
from offers.model.people.card import CARD_DIGITS
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

ENDING_DIGITS: Final = 4


def write_statement(
    shopper: ShopperId, site: SiteId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Statement:
    """Return what the shopper has now, with a code for each coupon that is good at the site.

    Raises
    ------
    NotFound
        If the shopper has been erased.
    """
    found = work.shoppers.find(shopper)
    if found is None:
        raise NotFound("the shopper has been erased; expected one who is enrolled.")
    wallets = tuple(one.without_overdue(now_ms) for one in work.ledger.wallets_of(shopper))
    coupons, has_more = _coupons(shopper, site, work=work, now_ms=now_ms, secrets=secrets)
    programme = work.programmes.current(site)
    tiers = None if programme is None else programme.tiers
    return Statement(
        at_ms=now_ms,
        locale=found.locale,
        card_ending=_card_ending(shopper, work=work),
        wallets=wallets,
        expiring=_expiring(wallets, now_ms=now_ms),
        standing=standing_of(shopper, site, work=work, now_ms=now_ms),
        tier_currency=None if tiers is None else tiers.currency,
        saved=work.purchases.saved_of(shopper),
        coupons=coupons,
        has_more_coupons=has_more,
        brand=None if programme is None else programme.settings.brand,
    )


def statement_for_card(
    card: str, site: SiteId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Statement | TillRefusal:
    """Return the statement of who shows the card; its code is taken, as each is once."""
    scanned = scanned_card(card, work=work, now_ms=now_ms, secrets=secrets)
    if scanned is None or not work.cards.take(scanned.shopper, scanned.step):
        return TillRefusal.CARD_NOT_VALID
    return write_statement(scanned.shopper, site, work=work, now_ms=now_ms, secrets=secrets)


def statement_after_purchase(
    purchase: PurchaseId,
    site: SiteId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Statement:
    """Return the statement of who has just paid: his card was scanned for that very purchase.

    Raises
    ------
    NotFound
        If the purchase is unknown, of another site, or was made without a card.
    Expired
        If it was longer ago than `AFTER_PURCHASE_MS_MAX`: a receipt that somebody finds must not
        tell what its owner has.
    """
    found = purchase_of_site(purchase, site, work=work)
    if found.shopper is None:
        raise NotFound("no card was shown with this purchase; expected one with a card.")
    if now_ms - found.at_ms > AFTER_PURCHASE_MS_MAX:
        raise Expired(
            f"the purchase was {(now_ms - found.at_ms) // 60_000} minutes ago; expected at most "
            f"{AFTER_PURCHASE_MS_MAX // 60_000}. Scan the card."
        )
    return write_statement(found.shopper, site, work=work, now_ms=now_ms, secrets=secrets)


def _expiring(wallets: tuple[Wallet, ...], *, now_ms: UnixMs) -> tuple[ExpiringAmount, ...]:
    until_ms = UnixMs(now_ms + EXPIRES_SOON_DAYS * DAY_MS)
    found = [
        ExpiringAmount(unit=wallet.account.unit, amount_minor=amount, expires_at_ms=at_ms)
        for wallet in wallets
        for at_ms, amount in expiring(wallet, now_ms=now_ms, until_ms=until_ms)
    ]
    return tuple(sorted(found, key=lambda one: (one.expires_at_ms, one.unit)))


def _coupons(
    shopper: ShopperId, site: SiteId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> tuple[tuple[PrintedCoupon, ...], bool]:
    in_hand = work.coupons.in_hand(shopper, site=site, now_ms=now_ms, limit=COUPONS_MAX + 1)
    printed = []
    for coupon in in_hand[:COUPONS_MAX]:
        if coupon.state is not CouponState.ISSUED:
            continue  # a basket holds it: in a moment it is used, or free again
        code = reveal_coupon(shopper, coupon.coupon, work=work, now_ms=now_ms, secrets=secrets)
        card = work.offers.card(coupon.offer)
        assert card is not None
        printed.append(PrintedCoupon(card=card, code=code))
    return tuple(printed), len(in_hand) > COUPONS_MAX


def _card_ending(shopper: ShopperId, *, work: UnitOfWork) -> str | None:
    number = work.cards.number_of(shopper)
    return None if number is None else f"{number:0{CARD_DIGITS}d}"[-ENDING_DIGITS:]
