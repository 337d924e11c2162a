"""Forget a shopper, and remember only that somebody was forgotten.

Layer: flow. Takes: a shopper. Gives: whether there was one to erase. What hangs on the shopper ends
as it would by itself: pairings, so that locating forgets the tag; offers and coupons, so that the
campaigns get their budgets back; wallets, by an entry that brings them to zero. Then every row
goes, or is cut off where law asks to keep it.
"""

from collections.abc import Collection
from typing import Final

from offers.handlers.loyalty.close_account import close_account
from offers.handlers.messages.note_event import note_event
from offers.handlers.note_audit import note_audit, shopper_pseudonym
from offers.handlers.offering.end_offer import end_offer
from offers.handlers.people.end_pairing import end_pairing
from offers.handlers.till.coupon_budgets import release_all
from offers.handlers.till.end_hold import end_hold, end_holds_of
from offers.model.audit import SYSTEM, Actor, AuditAction
from offers.model.ids import CouponId, ShopperId
from offers.model.messages.webhook import WebhookEventKind
from offers.model.offering.coupon import CouponState
from offers.model.offering.offer import OfferState
from offers.model.people.pairing import PairingEnd
from offers.model.people.personal_data import Erasure
from offers.model.till.held_basket import HoldState
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

ERASURE_PURPOSE: Final = "erasure"
ENDING_STATES: Final = (
    OfferState.ISSUED,
    OfferState.DELIVERED,
    OfferState.OPENED,
    OfferState.REDEEMED,
)
PAGE: Final = 500


def erase_shopper(
    shopper: ShopperId,
    *,
    by: Actor = SYSTEM,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> bool:
    """Erase the shopper; False where there is none, and then nothing is done.

    Parameters
    ----------
    shopper
        Whom to forget. The credential goes too: the next call with it is refused.
    by
        Who asked for it.
    work, now_ms, secrets
        The transaction, the time, the key of fingerprints.
    """
    if work.shoppers.find(shopper) is None:
        return False
    for pairing in work.pairings.open_of_shopper(shopper):
        end_pairing(pairing, PairingEnd.UNPAIRED, work=work, now_ms=now_ms)
    end_holds_of(shopper, work=work, now_ms=now_ms)
    _end_offers(shopper, work=work, now_ms=now_ms)
    close_account(shopper, work=work, now_ms=now_ms)
    work.personal_data.erase(shopper)
    work.personal_data.note_erasure(
        Erasure(fingerprint=erasure_fingerprint(shopper, secrets=secrets), at_ms=now_ms)
    )
    # Behind the erasure, which would take it along: the receivers have to forget the shopper, too.
    note_event(
        WebhookEventKind.SHOPPER_ERASED, subject=shopper, shopper=shopper, work=work, now_ms=now_ms
    )
    note_audit(
        AuditAction.SHOPPER_ERASED,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=by,
        work=work,
        now_ms=now_ms,
    )
    return True


def erasure_fingerprint(shopper: ShopperId, *, secrets: SecretSource) -> str:
    """Return under what an erased shopper is remembered."""
    return secrets.fingerprint(shopper, purpose=ERASURE_PURPOSE)


def replay_erasures(
    erased: Collection[str], *, after: str, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> tuple[int, str | None]:
    """Erase those again whom a restored backup brought back.

    Parameters
    ----------
    erased
        Fingerprints of who was erased.
    after
        The key that an earlier call ended at; empty at first.
    work, now_ms, secrets
        The transaction, the time, the key of fingerprints.

    Returns
    -------
    tuple
        How many of one page were erased, and where the next page begins; None behind the last.
    """
    page = work.personal_data.shoppers(after=after, limit=PAGE)
    back = [who for who in page if erasure_fingerprint(who, secrets=secrets) in erased]
    for shopper in back:
        erase_shopper(shopper, work=work, now_ms=now_ms, secrets=secrets)
    return len(back), page[-1] if len(page) == PAGE else None


def _end_offers(shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    cursor = 0
    while cards := work.offers.cards_of(shopper, after=cursor, limit=PAGE, states=ENDING_STATES):
        for card in cards:
            if card.coupon is not None:
                _end_hold(card.coupon.coupon, work=work, now_ms=now_ms)
            if not card.offer.is_over:
                end_offer(card.offer, OfferState.REVOKED, work=work, now_ms=now_ms)
            elif card.coupon is not None:
                _revoke_given_back(card.coupon.coupon, work=work)
        cursor = cards[-1].sequence


def _end_hold(coupon: CouponId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    held = work.held_baskets.holding(coupon)
    if held is not None:
        end_hold(held, HoldState.CANCELLED, work=work, now_ms=now_ms)


def _revoke_given_back(coupon: CouponId, *, work: UnitOfWork) -> None:
    # Used, and given back by a return: it is good again although its offer is over.
    found = work.coupons.find(coupon)
    if found is None or found.state is not CouponState.ISSUED:
        return
    if work.coupons.move(coupon, before=found.state, after=CouponState.REVOKED):
        release_all(found, work=work)
