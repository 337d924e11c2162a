"""End what has run out of time, and forget what need not be remembered.

Layer: flow. Takes: the time. Gives: how much was done. A door calls it every few seconds; each call
does a bounded amount, so that it never holds up the writer. Rules look at the clock themselves: a
late sweep makes nothing good that has expired, it only gives budgets back later.
"""

from dataclasses import dataclass
from typing import Final

from offers.checkout.budget_charges import day_of
from offers.handlers.loyalty.convert_referral import lapse_referrals
from offers.handlers.loyalty.expire_points import expire_points
from offers.handlers.loyalty.return_reward import return_reward
from offers.handlers.loyalty.review_tiers import review_tiers
from offers.handlers.messages.forget_contacts import forget_contacts
from offers.handlers.offering.end_offer import end_offer
from offers.handlers.people.end_pairing import end_pairing
from offers.handlers.profile.note_fact import forget_places
from offers.handlers.profile.request_staff import lapse_requests
from offers.handlers.till.coupon_budgets import release_all
from offers.handlers.till.end_hold import end_hold
from offers.handlers.till.reveal_card import forget_card_steps
from offers.model.conditions.fact import DAY_MS
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.offer import OfferState
from offers.model.people.pairing import PairingEnd
from offers.model.till.held_basket import HoldState
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

SWEEP_EVERY_S: Final = 5.0
"""how often a door does this, of real time"""
A_CALL_MAX: Final = 200
EVENTS_KEPT_MS: Final = 30 * DAY_MS  # as long as dwell events may be kept at all
ANSWERS_KEPT_MS: Final = 30 * DAY_MS
# Goods come back within a year or so; until then the day that paid for them can get its part back.
BUDGET_DAYS_KEPT: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """How much one call did; all zero when there is nothing left to do."""

    holds: int
    offers: int
    coupons: int
    pairings: int
    wallets: int
    """those whose points were over"""
    tiers: int
    """shoppers who came to another tier"""
    forgotten: int


def expire_overdue(*, work: UnitOfWork, now_ms: UnixMs) -> Expired:
    """Expire holds, offers, coupons, pairings, points; delete old events, visits, answers."""
    holds = work.held_baskets.overdue(now_ms=now_ms, limit=A_CALL_MAX)
    for held in holds:
        end_hold(held, HoldState.EXPIRED, work=work, now_ms=now_ms)
    offers = work.offers.overdue(now_ms=now_ms, limit=A_CALL_MAX)
    for offer in offers:
        end_offer(offer, OfferState.EXPIRED, work=work, now_ms=now_ms)
    coupons = work.coupons.overdue(now_ms=now_ms, limit=A_CALL_MAX)
    for coupon in coupons:
        _expire_coupon(coupon, work=work, now_ms=now_ms)
    pairings = work.pairings.overdue(now_ms=now_ms, limit=A_CALL_MAX)
    for pairing in pairings:
        end_pairing(pairing, PairingEnd.EXPIRED, work=work, now_ms=now_ms)
    lapse_requests(work=work, now_ms=now_ms, limit=A_CALL_MAX)
    lapse_referrals(work=work, now_ms=now_ms, limit=A_CALL_MAX)
    wallets = expire_points(work=work, now_ms=now_ms, limit=A_CALL_MAX)
    tiers = review_tiers(work=work, now_ms=now_ms, limit=A_CALL_MAX)
    events_before = UnixMs(now_ms - EVENTS_KEPT_MS)
    answers_before = UnixMs(now_ms - ANSWERS_KEPT_MS)
    forgotten = work.visits.forget_before(events_before, limit=A_CALL_MAX)
    forgotten += forget_card_steps(work=work, now_ms=now_ms, limit=A_CALL_MAX)
    forgotten += work.held_baskets.forget_before(answers_before, limit=A_CALL_MAX)
    forgotten += work.answers.forget_before(answers_before, limit=A_CALL_MAX)
    old_day = day_of(UnixMs(now_ms - BUDGET_DAYS_KEPT * DAY_MS), time_zone="UTC")
    forgotten += work.budgets.forget_days_before(old_day, limit=A_CALL_MAX)
    forgotten += work.goodwill.forget_before(old_day, limit=A_CALL_MAX)
    forgotten += work.card_claims.forget_overdue(now_ms=now_ms, limit=A_CALL_MAX)
    forgotten += forget_places(work=work, now_ms=now_ms, limit=A_CALL_MAX)
    forgotten += forget_contacts(work=work, now_ms=now_ms, limit=A_CALL_MAX)
    forgotten += work.retention.forget_old(now_ms=now_ms, limit=A_CALL_MAX)
    return Expired(
        holds=len(holds),
        offers=len(offers),
        coupons=len(coupons),
        pairings=len(pairings),
        wallets=wallets,
        tiers=len(tiers),
        forgotten=forgotten,
    )


def _expire_coupon(coupon: Coupon, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    offer = work.offers.find(coupon.offer)
    assert offer is not None
    if not offer.is_over:
        end_offer(offer, OfferState.EXPIRED, work=work, now_ms=now_ms)
        return
    if work.coupons.move(coupon.coupon, before=coupon.state, after=CouponState.EXPIRED):
        release_all(coupon, work=work)
        return_reward(offer, work=work, now_ms=now_ms)
