"""Move points and cashback with a purchase: spend them, earn them, and undo both with a return.

Layer: flow. Takes: a held basket, a `Purchase`, a `PurchaseReturn`. Gives: `PurchasePoints`, line
by line, to settle_basket; postings to return_purchase. All of it happens in the transaction of the
purchase: what is earned at the till can be spent at the till in the same minute.
"""

from collections.abc import Sequence

from offers.checkout.discount import split_by_largest_remainder
from offers.checkout.tender import WORTH_OF_MONEY, tender_of
from offers.handlers.loyalty.earn_points import PaidPurchase, earn_for_purchase
from offers.handlers.loyalty.post_points import spend
from offers.handlers.loyalty.reverse_points import claw_back, give_back
from offers.handlers.loyalty.review_tiers import count_spending
from offers.model.ids import PurchaseId, ShopperId
from offers.model.loyalty.ledger import LedgerUnit, PostingReason
from offers.model.loyalty.points import LedgerRefusal, Spending
from offers.model.loyalty.tier import CountedSpending
from offers.model.money import Money
from offers.model.offering.refusal import TillRefusal
from offers.model.till.basket import Basket
from offers.model.till.held_basket import CardHint, HeldBasket, SpendWish, Tender
from offers.model.till.purchase import PointsMove, Purchase, PurchasePoints, PurchaseReturn
from offers.model.till.redemption import Redemption
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def tender_for(
    wish: SpendWish,
    shopper: ShopperId | None,
    *,
    to_pay: Money,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> Tender | TillRefusal | None:
    """Return what the wallet would pay of a basket, without taking it out.

    Parameters
    ----------
    wish, shopper
        What is to be spent, and by whom; None where no card was shown.
    to_pay
        What the basket costs after all discounts.
    site
        Where; its programme says what points are worth.
    work, now_ms
        The transaction and the time.
    """
    if shopper is None:
        return TillRefusal.SPEND_WITHOUT_CARD
    if work.suspensions.open_of(shopper) is not None:
        return TillRefusal.CARD_SUSPENDED
    found = [x for x in work.ledger.wallets_of(shopper) if x.account.unit == wish.unit]
    available_minor = sum(
        wallet.without_overdue(now_ms).available_minor(now_ms) for wallet in found
    )
    per_100 = worth_per_100(wish.unit, to_pay.currency, site, work=work)
    return tender_of(wish, to_pay=to_pay, worth_per_100=per_100, available_minor=available_minor)


def hint_of(shopper: ShopperId, site: SiteId, *, work: UnitOfWork, now_ms: UnixMs) -> CardHint:
    """Return what the holder of a card can spend now, and the tier; a suspended one nothing."""
    if work.suspensions.open_of(shopper) is not None:
        return CardHint(tier=work.tiers.tier_of(shopper, site))
    wallets = [one.without_overdue(now_ms) for one in work.ledger.wallets_of(shopper)]
    return CardHint(
        spendable={one.account.unit: one.available_minor(now_ms) for one in wallets},
        tier=work.tiers.tier_of(shopper, site),
    )


def spend_for(
    held: HeldBasket,
    purchase: PurchaseId,
    shares_minor: tuple[int, ...],
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> PurchasePoints | TillRefusal | None:
    """Take the tender of the basket out of the shopper's wallet, all of it or nothing.

    Parameters
    ----------
    held
        The basket.
    purchase
        What is paid; it spends once.
    shares_minor : (n_lines,)
        What the tender pays of each line.
    work, now_ms, secrets
        The transaction, the time, the source of a new wallet's name.
    """
    if held.tender is None:
        return None
    assert held.shopper is not None
    spending = Spending(
        unit=held.tender.unit,
        amount_minor=held.tender.amount_minor,
        reason=PostingReason.PAYMENT,
        reference=purchase,
        site=held.site,
    )
    spent = spend(held.shopper, spending, work=work, now_ms=now_ms, secrets=secrets)
    if isinstance(spent, LedgerRefusal):
        return TillRefusal.BALANCE_TOO_LOW
    return PurchasePoints(
        move=PointsMove.SPENT,
        unit=held.tender.unit,
        transaction=spent.transaction,
        lines_minor=units_of_lines(held.tender, shares_minor),
    )


def units_of_lines(tender: Tender, shares_minor: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many units pay each line, in proportion to what they pay of it.

    Cashback in the currency of the basket pays cent by cent; of points, a line that was paid with
    the same money may have cost one unit more than another.
    """
    if tender.amount_minor == tender.worth.amount_minor:
        return shares_minor
    # Weights no smaller than what is split: scaled up, the proportions stay.
    scaled = [share * tender.amount_minor for share in shares_minor]
    return split_by_largest_remainder(tender.amount_minor, scaled)


def earn_for(
    purchase: Purchase,
    used: Sequence[Redemption],
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> tuple[PurchasePoints, ...]:
    """Post what the purchase earns on what was paid for in money, and count it for the tier.

    Parameters
    ----------
    purchase
        What was paid; where no card was shown it earns nothing.
    used
        Its redemptions: some coupons multiply points or give cashback.
    work, now_ms, secrets
        The transaction, the time, the source of a new wallet's name.
    """
    if purchase.shopper is None:
        return ()
    paid = paid_with(purchase, used, work=work)
    outcome = earn_for_purchase(purchase.shopper, paid, work=work, now_ms=now_ms, secrets=secrets)
    return tuple(
        PurchasePoints(
            move=PointsMove.EARNED,
            unit=earned.unit,
            transaction=earned.transaction,
            lines_minor=earned.lines_minor,
        )
        for earned in outcome.earned
    )


def paid_with(purchase: Purchase, used: Sequence[Redemption], *, work: UnitOfWork) -> PaidPurchase:
    """Return what was paid in money, and with which coupons."""
    items = tuple(line.item for line in purchase.lines)
    return PaidPurchase(
        purchase=purchase.purchase,
        site=purchase.site,
        basket=Basket(currency=purchase.currency, lines=items),
        discounts_minor=tuple(line.discount_minor + line.tender_minor for line in purchase.lines),
        benefits=tuple(work.campaigns.revision(x.campaign, x.revision).benefit for x in used),
    )


def undo_points(
    purchase: Purchase, returned: PurchaseReturn, *, work: UnitOfWork, now_ms: UnixMs
) -> None:
    """Take back what the pieces had earned, and give back what had paid for them.

    What was spent comes first, so that it can repay what was earned and is spent already. Where the
    shopper has been erased there is nobody to take from or give to.
    """
    if purchase.shopper is None:
        return
    moved = sorted(enumerate(purchase.points), key=lambda part: part[1].move is PointsMove.EARNED)
    for place, points in moved:
        amount_minor = returned.points_minor(place)
        undo = claw_back if points.move is PointsMove.EARNED else give_back
        if amount_minor:
            undo(
                points.transaction,
                amount_minor,
                reference=returned.returned,
                work=work,
                now_ms=now_ms,
            )
    less = CountedSpending(
        site=purchase.site,
        reference=returned.returned,
        currency=purchase.currency,
        amount_minor=-returned.refund.amount_minor,
        bought_at_ms=purchase.at_ms,
    )
    count_spending(purchase.shopper, less, work=work, now_ms=now_ms)


def worth_per_100(unit: LedgerUnit, currency: str, site: SiteId, *, work: UnitOfWork) -> int:
    """Return what a hundred units pay in a currency at the site, in minor units; 0: nothing."""
    if unit == currency:
        return WORTH_OF_MONEY
    programme = work.programmes.current(site)
    terms = () if programme is None else programme.terms
    return next((one.worth_minor_per_100 for one in terms if one.unit == unit), 0)
