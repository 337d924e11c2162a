"""Put the cost of a campaign on its partners and the retailer, and take it back with the goods.

Layer: flow. Takes: redemptions of a purchase, points of an offer, a return. Gives: entries in the
book, in the transaction of the thing itself, to settle_basket, return_purchase and
earn_for_offer. What a partner bears is counted against its bound in the same statement that checks
it; a share that no longer fits, since it was promised before or is of points, is the retailer's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offers.checkout.discount import split_by_largest_remainder
from offers.checkout.funding import cost_shares, partner_charge, returned_worth, worth_of_lines
from offers.handlers.loyalty.earn_points import granted_by_coupons
from offers.handlers.random_id import random_id
from offers.handlers.till.purchase_points import paid_with, worth_per_100
from offers.model.campaigns.budget import BudgetKey
from offers.model.campaigns.funding import Funding, PartnerId
from offers.model.ids import CampaignId, RedemptionId, TransactionId
from offers.model.loyalty.funding_entry import (
    Funded,
    FundedCost,
    FundingEntry,
    FundingKind,
    FundingReason,
    postings_of,
)
from offers.model.loyalty.ledger import POINTS, LedgerUnit
from offers.model.loyalty.points import Earned
from offers.model.money import Money
from offers.model.offering.offer import Offer
from offers.model.till.purchase import Purchase, PurchaseReturn
from offers.model.till.redemption import Redemption
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What a campaign gave away."""

    site: SiteId
    campaign: CampaignId
    money: Money
    reason: FundingReason
    reference: str | None
    at_ms: UnixMs


def fund_redemptions(
    purchase: Purchase,
    used: Sequence[Redemption],
    *,
    work: UnitOfWork,
    secrets: SecretSource,
) -> None:
    """Put discount, points and cashback of each redemption on who bears them.

    Parameters
    ----------
    purchase
        What was paid; its points have been posted.
    used
        Its redemptions, in their order.
    work, secrets
        The transaction, the source of names.
    """
    fundings = [funding_of(one.campaign, work=work) for one in used]
    if not any(fundings):
        return
    grants = _granted_worth(purchase, used, work=work)
    for redemption, funding, worth_minor in zip(used, fundings, grants, strict=True):
        if funding is None:
            continue
        off = redemption.discount.total
        points = Money(amount_minor=sum(worth_minor), currency=off.currency)
        work.partners.note_lines(redemption.redemption, worth_minor)
        for reason, money in (
            (FundingReason.DISCOUNT, off),
            (FundingReason.POINTS, points),
        ):
            cost = _Cost(
                site=redemption.site,
                campaign=redemption.campaign,
                money=money,
                reason=reason,
                reference=_reference(redemption.redemption, reason),
                at_ms=redemption.at_ms,
            )
            _fund(cost, funding, work=work, secrets=secrets)


def fund_offer_points(
    offer: Offer, earned: Earned, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> None:
    """Put the points of an offer that needs no purchase on who bears them; twice is as once.

    Parameters
    ----------
    offer
        What was opened.
    earned
        What it brought.
    work, now_ms, secrets
        The transaction, the time, the source of names.
    """
    funding = funding_of(offer.campaign, work=work)
    if funding is None or not earned.is_new:
        return
    worth = worth_per_100(POINTS, funding.currency, offer.site, work=work)
    (worth_minor,) = worth_of_lines([earned.amount_minor], worth)
    cost = _Cost(
        site=offer.site,
        campaign=offer.campaign,
        money=Money(amount_minor=worth_minor, currency=funding.currency),
        reason=FundingReason.POINTS,
        reference=None,  # the earning's own reference makes it happen once; offers are erased
        at_ms=now_ms,
    )
    _fund(cost, funding, work=work, secrets=secrets)


def take_back_costs(
    purchase: Purchase, returned: PurchaseReturn, *, work: UnitOfWork, secrets: SecretSource
) -> None:
    """Take back what the pieces of a return had cost, from whom it is on, in their proportions.

    Parameters
    ----------
    purchase
        As it was before the return.
    returned
        The pieces, with their shares of each discount.
    work, secrets
        The transaction, the source of names.
    """
    for place, redemption in enumerate(purchase.redemptions):
        off_minor = sum(line.discounts_minor[place] for line in returned.lines)
        worth = work.partners.worth_of_lines(redemption)
        points_minor = _returned_points(purchase, returned, worth)
        for reason, back_minor in (
            (FundingReason.DISCOUNT, off_minor),
            (FundingReason.POINTS, points_minor),
        ):
            if back_minor:
                _take_back(redemption, reason, back_minor, returned, work=work, secrets=secrets)


def funding_of(campaign: CampaignId, *, work: UnitOfWork) -> Funding | None:
    """Return who pays for the campaign now; as all limits, by its current revision."""
    found = work.campaigns.find(campaign)
    assert found is not None  # a foreign key
    return found.revision.funding


def _fund(cost: _Cost, funding: Funding, *, work: UnitOfWork, secrets: SecretSource) -> None:
    if cost.money.amount_minor == 0:
        return
    shares = cost_shares(cost.money, funding)
    borne: dict[PartnerId, int] = {}
    for partner, minor in zip(funding.partners, shares.partners_minor, strict=True):
        charge = partner_charge(cost.site, cost.campaign, partner, minor)
        if minor and work.budgets.count(charge):
            borne[partner.partner] = minor
    funded = Funded(
        site=cost.site, campaign=cost.campaign, currency=LedgerUnit(cost.money.currency)
    )
    retailer_minor = cost.money.amount_minor - sum(borne.values())
    entry = FundingEntry(
        transaction=TransactionId(random_id(secrets)),
        funded=funded,
        kind=FundingKind.FUND,
        reason=cost.reason,
        postings=postings_of(funded, borne, retailer_minor),
        at_ms=cost.at_ms,
        reference=cost.reference,
    )
    work.partners.post(entry)


def _take_back(
    redemption: RedemptionId,
    reason: FundingReason,
    back_minor: int,
    returned: PurchaseReturn,
    *,
    work: UnitOfWork,
    secrets: SecretSource,
) -> None:
    cost = work.partners.cost_of(_reference(redemption, reason), returned.currency)
    if cost is None:  # no partner bears a part of this campaign
        return
    partners, retailer_minor = _parts_back(cost, back_minor)
    for name, minor in partners.items():
        key = BudgetKey(
            site=cost.funded.site,
            campaign=cost.funded.campaign,
            partner=name,
            unit=cost.funded.currency,
        )
        work.budgets.count_back(key, minor)
    entry = FundingEntry(
        transaction=TransactionId(random_id(secrets)),
        funded=cost.funded,
        kind=FundingKind.TAKE_BACK,
        reason=reason,
        postings=postings_of(
            cost.funded, {name: -minor for name, minor in partners.items()}, -retailer_minor
        ),
        at_ms=returned.at_ms,
        reference=f"{returned.returned}:{_reference(redemption, reason)}",
        reverses=cost.transaction,
    )
    work.partners.post(entry)


def _parts_back(cost: FundedCost, back_minor: int) -> tuple[Mapping[PartnerId, int], int]:
    # Of what has not come back yet: so no part is below zero, and with the last piece all is back.
    names = list(cost.partners)
    left_minor = [*(cost.partners[name] for name in names), cost.retailer_minor]
    *parts, retailer_minor = split_by_largest_remainder(back_minor, left_minor)
    return dict(zip(names, parts, strict=True)), retailer_minor


def _returned_points(purchase: Purchase, returned: PurchaseReturn, worth: Mapping[int, int]) -> int:
    return sum(
        returned_worth(
            worth.get(line.line, 0),
            of=purchase.lines[line.line].item.quantity,
            gone=purchase.lines[line.line].returned,
            now=line.quantity,
        )
        for line in returned.lines
    )


def _granted_worth(
    purchase: Purchase, used: Sequence[Redemption], *, work: UnitOfWork
) -> list[tuple[int, ...]]:
    """Return what points and cashback of each coupon are worth, line by line."""
    nothing = (0,) * len(purchase.lines)
    worth = [nothing for _ in used]
    if purchase.shopper is None:
        return worth
    paid = paid_with(purchase, used, work=work)
    granted = granted_by_coupons(paid, work=work, now_ms=purchase.at_ms)
    for place, earnings in enumerate(granted):
        for part in earnings:
            per_100 = worth_per_100(part.unit, purchase.currency, purchase.site, work=work)
            lines = worth_of_lines(part.lines_minor, per_100)
            worth[place] = tuple(a + b for a, b in zip(worth[place], lines, strict=True))
    return worth


def _reference(redemption: RedemptionId, reason: FundingReason) -> str:
    return f"{redemption}:{reason}"
