"""Take pieces of a purchase back: money, discounts, coupons and budgets.

Layer: flow. Takes: a `ReturnRequest`. Gives: a `PurchaseReturn`, or a `TillRefusal`. Call it
through `answer_once`. A redemption is reversed when all that its discount lay on is back; the
coupon can then be used again if its campaign says so and its time is not over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from offers.checkout.returns import returned_lines, undone_redemptions
from offers.handlers.messages.note_event import note_event
from offers.handlers.note_audit import note_audit
from offers.handlers.profile.note_purchase import note_return
from offers.handlers.random_id import random_id
from offers.handlers.till.coupon_budgets import give_budgets_back
from offers.handlers.till.fund_costs import take_back_costs
from offers.handlers.till.purchase_points import undo_points
from offers.model.audit import Actor, AuditAction
from offers.model.errors import Busy, InvalidBasket, NotFound
from offers.model.ids import PurchaseId, RedemptionId, ReturnId, ReversalId, TillId
from offers.model.messages.webhook import WebhookEventKind
from offers.model.offering.coupon import CouponState
from offers.model.offering.refusal import TillRefusal
from offers.model.outbox import OutboxKind
from offers.model.people.shopper import Role
from offers.model.till.basket import LINES_MAX
from offers.model.till.purchase import Purchase, PurchaseReturn
from offers.model.till.redemption import Reversal
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

PIECES_MIN: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRequest:
    """Pieces of a purchase that come back at one till."""

    purchase: PurchaseId
    till: TillId
    site: SiteId
    """where the till stands, from its credential"""
    pieces: Mapping[int, int]
    """place of a line in the purchase, from 0 → how many"""

    def __post_init__(self) -> None:
        if not 1 <= len(self.pieces) <= LINES_MAX:
            raise InvalidBasket(
                f"the return has {len(self.pieces)} lines; expected 1 to {LINES_MAX}."
            )
        for place, quantity in self.pieces.items():
            if quantity < PIECES_MIN:
                raise InvalidBasket(f"line {place}: quantity is {quantity}; expected 1 or more.")


def return_purchase(
    request: ReturnRequest, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> PurchaseReturn | TillRefusal:
    """Write the return and undo what it undoes, in one transaction.

    Raises `NotFound` as `purchase_of_site` does.

    Raises
    ------
    Busy
        If another return of the purchase came between; nothing is done, and the retry sees it.
    """
    purchase = purchase_of_site(request.purchase, request.site, work=work)
    earlier = work.purchases.returns_of(purchase.purchase)
    lines = returned_lines(purchase, earlier, request.pieces)
    if isinstance(lines, TillRefusal):
        return lines
    returned = PurchaseReturn(
        returned=ReturnId(random_id(secrets)),
        purchase=purchase.purchase,
        number=len(earlier) + 1,
        site=request.site,
        till=request.till,
        at_ms=now_ms,
        currency=purchase.currency,
        lines=lines,
    )
    if not work.purchases.add_return(returned):
        raise Busy(f"purchase {purchase.purchase}: another return came between. Try again.")
    undo_points(purchase, returned, work=work, now_ms=now_ms)
    take_back_costs(purchase, returned, work=work, secrets=secrets)
    note_return(returned, purchase, work=work)
    for place in undone_redemptions(purchase, earlier, lines):
        _reverse(purchase.redemptions[place], returned, work=work, now_ms=now_ms, secrets=secrets)
    return returned


def purchase_of_site(purchase: PurchaseId, site: SiteId, *, work: UnitOfWork) -> Purchase:
    """Return the purchase of this id at this site.

    Raises
    ------
    NotFound
        If it is unknown or of another site: the two are told apart nowhere.
    """
    found = work.purchases.find(purchase)
    if found is None or found.site != site:
        raise NotFound("no such purchase; expected one that was made at this site.")
    return found


def _reverse(
    redemption: RedemptionId,
    returned: PurchaseReturn,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> None:
    undone = work.coupons.find_redemption(redemption)
    if undone is None:
        return  # the shopper was erased since: the money goes back, and no coupon is anybody's
    coupon = work.coupons.find(undone.coupon)
    assert coupon is not None
    revision = work.campaigns.revision(coupon.campaign, coupon.revision)
    is_given_back = revision.is_coupon_given_back and now_ms < coupon.expires_at_ms
    reversal = Reversal(
        reversal=ReversalId(random_id(secrets)),
        redemption=redemption,
        coupon=coupon.coupon,
        returned_with=returned.returned,
        at_ms=now_ms,
        is_given_back=is_given_back,
    )
    after = CouponState.ISSUED if is_given_back else CouponState.REVERSED
    is_written = work.coupons.add_reversal(reversal) and work.coupons.move(
        coupon.coupon, before=CouponState.REDEEMED, after=after
    )
    if not is_written:
        raise Busy(f"redemption {redemption} has just been reversed. Try again.")
    give_budgets_back(coupon, redemption, is_good_again=is_given_back, work=work)
    work.outbox.add(
        OutboxKind.COUPON_REVERSED, shopper=coupon.shopper, subject=coupon.offer, at_ms=now_ms
    )
    note_event(
        WebhookEventKind.REDEMPTION_REVERSED,
        subject=redemption,
        shopper=coupon.shopper,
        site=returned.site,
        detail={"campaign": coupon.campaign, "offer": coupon.offer},
        work=work,
        now_ms=now_ms,
    )
    note_audit(
        AuditAction.REDEMPTION_REVERSED,
        subject=redemption,
        by=Actor(role=Role.TILL, ref=returned.till),
        details={"campaign": coupon.campaign, "is_given_back": is_given_back},
        work=work,
        now_ms=now_ms,
    )
