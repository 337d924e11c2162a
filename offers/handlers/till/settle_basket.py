"""Make a purchase of a basket: the one way in which coupons become money.

Layer: flow. Takes: a `HeldBasket` whose amounts are fixed. Gives: `Settled`, the purchase, to
commit_basket and redeem_coupon. Coupons, budgets, redemptions, purchase, offers and outbox in one
transaction: each is there exactly if all are.

Each step that uses something up is one conditional statement, and the UNIQUE constraint of the
redemption stands behind them: reading first and writing then gave 178 redemptions for a limit of
100 when tried with 200 clients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offers.checkout.tender import tender_shares
from offers.handlers.loyalty.convert_referral import convert_referral
from offers.handlers.messages.note_event import note_event
from offers.handlers.note_audit import note_audit
from offers.handlers.offering.on_purchase import on_purchase
from offers.handlers.profile.note_purchase import note_purchase
from offers.handlers.random_id import random_id
from offers.handlers.till.coupon_budgets import use_budgets, use_budgets_over
from offers.handlers.till.end_hold import move_or_busy
from offers.handlers.till.fund_costs import fund_redemptions
from offers.handlers.till.purchase_points import earn_for, spend_for
from offers.model.audit import Actor, AuditAction
from offers.model.campaigns.budget import BudgetKey
from offers.model.errors import Busy
from offers.model.ids import PurchaseId, RedemptionId, TillId
from offers.model.messages.webhook import WebhookEventKind
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import TillRefusal
from offers.model.outbox import OutboxKind
from offers.model.people.shopper import Role
from offers.model.till.held_basket import HeldBasket
from offers.model.till.purchase import Purchase, PurchaseLine
from offers.model.till.redemption import Discount, Redemption
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A purchase, and the coupons used with it."""

    purchase: Purchase
    redemptions: tuple[Redemption, ...]
    overdrawn: tuple[BudgetKey, ...] = ()
    """budgets of which more was promised than there was"""


def settle_basket(
    held: HeldBasket,
    coupons: Sequence[Coupon],
    *,
    till: TillId,
    before: CouponState,
    may_overdraw: bool = False,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Settled | TillRefusal:
    """Use up the coupons of the basket and write what was paid.

    Parameters
    ----------
    held
        The basket; it has just been ended as committed, or was never written.
    coupons
        Its coupons, in its order.
    till
        Where it is paid.
    before
        `HELD`, or `ISSUED` where the basket was never held.
    may_overdraw
        Whether it has been promised or given away already. A limit that came after a hold does not
        break it: what it lacks is told as overdrawn.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    Raises
    ------
    Busy
        If another writer used a coupon or the rest of a budget meanwhile; nothing is done, and the
        retry is told so.
    """
    purchase = PurchaseId(random_id(secrets))
    tender_minor = tender_shares(held.tender, _paid_minor(held))
    spent = spend_for(held, purchase, tender_minor, work=work, now_ms=now_ms, secrets=secrets)
    if isinstance(spent, TillRefusal):  # first of all, so that nothing is half done
        return spent
    redemptions: list[Redemption] = []
    overdrawn: list[BudgetKey] = []
    for coupon, named in zip(coupons, held.coupons, strict=True):
        move_or_busy(coupon, before, CouponState.REDEEMED, work=work)
        redemption = _redemption(
            coupon, named.discount, held, purchase, till=till, now_ms=now_ms, secrets=secrets
        )
        is_promised = may_overdraw or before is CouponState.HELD
        overdrawn += _use_budgets(redemption, coupon, held, is_promised=is_promised, work=work)
        if not work.coupons.add_redemption(redemption):
            raise Busy(f"coupon {coupon.coupon} has just been used. Try again.")
        _finish_offer(coupon, work=work, now_ms=now_ms)
        redemptions.append(redemption)
    paid = _purchase(purchase, held, redemptions, tender_minor, till=till, now_ms=now_ms)
    earned = earn_for(paid, redemptions, work=work, now_ms=now_ms, secrets=secrets)
    if earned or spent is not None:
        paid = replace(paid, points=earned if spent is None else (spent, *earned))
    work.purchases.add(paid)
    fund_redemptions(paid, redemptions, work=work, secrets=secrets)
    note_purchase(paid, work=work)
    if paid.shopper is not None:
        convert_referral(paid.shopper, site=paid.site, work=work, now_ms=now_ms, secrets=secrets)
    on_purchase(paid, work=work, secrets=secrets)
    for redemption in redemptions:
        _note(redemption, work=work)
        _tell(redemption, work=work)
    return Settled(purchase=paid, redemptions=tuple(redemptions), overdrawn=tuple(overdrawn))


def _use_budgets(
    redemption: Redemption,
    coupon: Coupon,
    held: HeldBasket,
    *,
    is_promised: bool,
    work: UnitOfWork,
) -> tuple[BudgetKey, ...]:
    used, discount, at_ms = redemption.redemption, redemption.discount, held.held_at_ms
    if is_promised:
        return use_budgets_over(coupon, used, discount, work=work, at_ms=at_ms)
    if not use_budgets(coupon, used, discount, work=work, now_ms=at_ms):
        raise Busy(f"campaign {coupon.campaign}: its budget has just been spent. Try again.")
    return ()


def _redemption(
    coupon: Coupon,
    discount: Discount,
    held: HeldBasket,
    purchase: PurchaseId,
    *,
    till: TillId,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Redemption:
    return Redemption(
        redemption=RedemptionId(random_id(secrets)),
        purchase=purchase,
        coupon=coupon.coupon,
        offer=coupon.offer,
        shopper=coupon.shopper,
        campaign=coupon.campaign,
        revision=coupon.revision,
        till=till,
        site=held.site,
        at_ms=now_ms,
        basket_total=held.basket.total,
        discount=discount,
    )


def _note(redemption: Redemption, *, work: UnitOfWork) -> None:
    # By the redemption's own id: erasing the shopper then leaves no thread from one to the next.
    note_audit(
        AuditAction.COUPON_REDEEMED,
        subject=redemption.redemption,
        by=Actor(role=Role.TILL, ref=redemption.till),
        details={
            "campaign": redemption.campaign,
            "revision": redemption.revision,
            "site": redemption.site,
            "discount_minor": redemption.discount.total.amount_minor,
            "currency": redemption.discount.currency,
        },
        work=work,
        now_ms=redemption.at_ms,
    )


def _tell(redemption: Redemption, *, work: UnitOfWork) -> None:
    note_event(
        WebhookEventKind.COUPON_REDEEMED,
        subject=redemption.redemption,
        shopper=redemption.shopper,
        site=redemption.site,
        detail={"campaign": redemption.campaign, "offer": redemption.offer},
        work=work,
        now_ms=redemption.at_ms,
    )


def _finish_offer(coupon: Coupon, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    offer = work.offers.find(coupon.offer)
    assert offer is not None
    # A coupon that came back is used again under an offer that was redeemed before; and what a till
    # without a line took in time may have expired before it is told.
    if not offer.is_over and not work.offers.move(
        offer, offer.in_state(OfferState.REDEEMED, at_ms=now_ms)
    ):
        raise Busy(f"offer {offer.offer} has just changed; expected {offer.state}. Try again.")
    work.outbox.add(
        OutboxKind.OFFER_REDEEMED, shopper=coupon.shopper, subject=coupon.offer, at_ms=now_ms
    )


def _purchase(
    purchase: PurchaseId,
    held: HeldBasket,
    redemptions: list[Redemption],
    tender_minor: tuple[int, ...],
    *,
    till: TillId,
    now_ms: UnixMs,
) -> Purchase:
    return Purchase(
        purchase=purchase,
        site=held.site,
        till=till,
        shopper=held.shopper,
        at_ms=now_ms,
        currency=held.basket.currency,
        lines=tuple(
            PurchaseLine(
                item=item,
                discounts_minor=tuple(used.discount.lines_minor[place] for used in redemptions),
                tender_minor=tender_minor[place],
            )
            for place, item in enumerate(held.basket.lines)
        ),
        redemptions=tuple(used.redemption for used in redemptions),
    )


def _paid_minor(held: HeldBasket) -> list[int]:
    lines = zip(held.basket.lines, held.discount.lines_minor, strict=True)
    return [line.total_minor - off_minor for line, off_minor in lines]
