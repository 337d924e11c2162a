"""Take what a coupon costs from all budgets that it falls under, and give it back.

Layer: flow. Takes: a `Coupon` at each step of its life. Gives: nothing but counters that agree with
it, to the handlers that issue, hold, settle, return and end. The limits in force are those of the
campaign's current revision and of the site; what a coupon has had set aside stays its own.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from offers.checkout.budget_charges import (
    Spender,
    charges_of,
    counts_days,
    day_of,
    reserved_charges,
)
from offers.checkout.funding import partner_charges
from offers.model.campaigns.budget import BudgetId, BudgetKey, BudgetStage, Charge
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.ids import CampaignId, RedemptionId, ShopperId
from offers.model.money import Money
from offers.model.offering.coupon import Coupon
from offers.model.till.redemption import Discount
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs


def reserve_at_issue(coupon: Coupon, revision: CampaignRevision, *, work: UnitOfWork) -> bool:
    """Set aside what the revision reserves; False where a budget does not allow it."""
    return all(
        work.budgets.reserve(coupon.coupon, BudgetStage.ISSUE, [charge])
        for charge in _reserved(coupon, revision)
    )


def reserve_at_till(
    coupon: Coupon, discount: Discount, *, work: UnitOfWork, now_ms: UnixMs
) -> bool:
    """Set aside what the coupon will use, as far as it is not; False where a budget is spent."""
    charges = _charges(coupon, discount.total, with_partners=True, work=work, now_ms=now_ms)
    capped = [charge for charge in charges if charge.cap is not None]
    return work.budgets.reserve(coupon.coupon, BudgetStage.TILL, capped)


def release_at_till(coupon: Coupon, *, work: UnitOfWork) -> None:
    """Give back what a till had set aside, and keep what was set aside at the issue."""
    work.budgets.release(coupon.coupon, BudgetStage.TILL)


def release_all(coupon: Coupon, *, work: UnitOfWork) -> None:
    """Give back all that the coupon holds: it ends unused."""
    work.budgets.release(coupon.coupon)


def use_budgets(
    coupon: Coupon,
    redemption: RedemptionId,
    discount: Discount,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> bool:
    """Count the redemption and its money; False where a budget has just been spent."""
    charges = _charges(coupon, discount.total, work=work, now_ms=now_ms)
    return work.budgets.use(coupon.coupon, redemption, charges)


def use_budgets_over(
    coupon: Coupon,
    redemption: RedemptionId,
    discount: Discount,
    *,
    work: UnitOfWork,
    at_ms: UnixMs,
) -> tuple[BudgetKey, ...]:
    """Count what has been promised or given away already; return the budgets that it overdrew."""
    charges = _charges(coupon, discount.total, work=work, now_ms=at_ms)
    return work.budgets.use_over(coupon.coupon, redemption, charges)


def give_budgets_back(
    coupon: Coupon, redemption: RedemptionId, *, is_good_again: bool, work: UnitOfWork
) -> None:
    """Take back what a reversed redemption used; a coupon that is good again holds its part."""
    work.budgets.give_back(redemption)
    if is_good_again:
        revision = work.campaigns.revision(coupon.campaign, coupon.revision)
        for charge in _reserved(coupon, revision):
            # Where a later and lower limit stands against it, the till will ask again.
            work.budgets.reserve(coupon.coupon, BudgetStage.ISSUE, [charge])


def overdrawing(
    applied: Sequence[tuple[Coupon, Discount]], *, work: UnitOfWork, now_ms: UnixMs
) -> list[Coupon]:
    """Return the coupons that budgets have no room for beside those before them."""
    refused: list[Coupon] = []
    taken: Counter[BudgetId] = Counter()
    for coupon, discount in applied:
        charges = _charges(coupon, discount.total, with_partners=True, work=work, now_ms=now_ms)
        beside = charges
        if taken:  # one coupon stands beside none
            beside = tuple(replace(c, amount=c.amount + taken[c.key.budget]) for c in charges)
        if work.budgets.has_room(beside, coupon=coupon.coupon):
            taken.update({charge.key.budget: charge.amount for charge in charges})
        else:
            refused.append(coupon)
    return refused


def spent_campaigns(
    site: SiteId, shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs
) -> frozenset[CampaignId | None]:
    """Return the campaigns with nothing left for the shopper today; None: the whole site."""
    day = day_of(now_ms, time_zone=work.sites.budgets(site).time_zone)
    return work.budgets.spent(site, shopper=shopper, day=day)


def _reserved(coupon: Coupon, revision: CampaignRevision) -> tuple[Charge, ...]:
    spender = Spender(site=coupon.site, campaign=coupon.campaign, shopper=coupon.shopper, day="")
    return reserved_charges(spender, of_campaign=revision.limits, benefit=revision.benefit)


def _charges(
    coupon: Coupon,
    discount: Money,
    *,
    with_partners: bool = False,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> tuple[Charge, ...]:
    """Return what the coupon takes from budgets.

    The bounds of partners only concern a till that has promised nothing yet: what partners bear in
    the end is counted with the entry in the book (`fund_costs`).
    """
    shared = work.sites.budgets(coupon.site)
    campaign = work.campaigns.find(coupon.campaign)
    assert campaign is not None  # a foreign key
    current = campaign.revision
    spender = Spender(
        site=coupon.site,
        campaign=coupon.campaign,
        shopper=coupon.shopper,
        day=day_of(now_ms, time_zone=shared.time_zone)
        if counts_days(current.limits, shared.limits)
        else "",
    )
    charges = charges_of(
        spender, of_campaign=current.limits, of_site=shared.limits, discount=discount
    )
    if not with_partners or current.funding is None:
        return charges
    bounds = partner_charges(coupon.site, coupon.campaign, current.funding, cost=discount)
    return tuple(sorted((*charges, *bounds), key=lambda charge: charge.key.budget))
