"""Share the cost of a campaign among its partners and the retailer, to the minor unit.

Layer: rules. Takes: a `Funding` and what was given away. Gives: shares, and the budgets of the
partners that bound them, to the handlers fund_costs and coupon_budgets. Largest remainders: the
shares sum to the cost, and nobody bears a whole unit more than the exact share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offers.checkout.discount import split_by_largest_remainder
from offers.model.campaigns.budget import BudgetKey, Charge
from offers.model.campaigns.funding import WHOLE_BP, Funding, PartnerShare
from offers.model.ids import CampaignId
from offers.model.money import Money
from rtls.model.units import SiteId

PER_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CostShares:
    """Who bears how much of one cost."""

    partners_minor: tuple[int, ...]
    """in the order of the funding"""
    retailer_minor: int


def cost_shares(cost: Money, funding: Funding) -> CostShares:
    """Return the shares of a cost; in a currency that is not the partners' the retailer's is all.

    Examples
    --------
    >>> from offers.model.campaigns.funding import PartnerId
    >>> third = Money(amount_minor=10_000, currency="EUR")
    >>> funding = Funding(
    ...     partners=tuple(
    ...         PartnerShare(partner=PartnerId(p), name=p, share_bp=3_333, amount_max=third)
    ...         for p in ("a", "b")
    ...     )
    ... )
    >>> cost_shares(Money(amount_minor=200, currency="EUR"), funding)
    CostShares(partners_minor=(67, 66), retailer_minor=67)
    """
    if cost.amount_minor == 0 or cost.currency != funding.currency:
        nothing = (0,) * len(funding.partners)
        return CostShares(partners_minor=nothing, retailer_minor=cost.amount_minor)
    shares_bp = [one.share_bp for one in funding.partners]
    shares_bp.append(WHOLE_BP - sum(shares_bp))
    # Weights no smaller than what is split: scaled up, the proportions stay.
    scaled = [share_bp * cost.amount_minor for share_bp in shares_bp]
    *partners, retailer_minor = split_by_largest_remainder(cost.amount_minor, scaled)
    return CostShares(partners_minor=tuple(partners), retailer_minor=retailer_minor)


def partner_charge(
    site: SiteId, campaign: CampaignId, partner: PartnerShare, amount_minor: int
) -> Charge:
    """Return what a partner's share takes from the partner's bound."""
    bound = partner.amount_max
    key = BudgetKey(site=site, campaign=campaign, partner=partner.partner, unit=bound.currency)
    return Charge(key=key, cap=bound.amount_minor, amount=amount_minor)


def partner_charges(
    site: SiteId, campaign: CampaignId, funding: Funding, *, cost: Money
) -> tuple[Charge, ...]:
    """Return what a cost takes from the bounds of all partners that bear a part of it."""
    shares = cost_shares(cost, funding).partners_minor
    return tuple(
        partner_charge(site, campaign, partner, minor)
        for partner, minor in zip(funding.partners, shares, strict=True)
        if minor
    )


def worth_of_lines(units: Sequence[int], worth_per_100: int) -> tuple[int, ...]:
    """Return what points of each line are worth in money, rounded down once for all of them.

    Examples
    --------
    >>> worth_of_lines([5, 5, 0], 33)
    (2, 1, 0)
    """
    total_minor = sum(units) * worth_per_100 // PER_HUNDRED
    if total_minor == 0:
        return (0,) * len(units)
    return split_by_largest_remainder(total_minor, [unit * worth_per_100 for unit in units])


def returned_worth(worth_minor: int, *, of: int, gone: int, now: int) -> int:
    """Return the part of a line's worth that some of its pieces take back after others.

    Examples
    --------
    >>> [returned_worth(10, of=3, gone=gone, now=1) for gone in range(3)]
    [3, 3, 4]
    """
    return worth_minor * (gone + now) // of - worth_minor * gone // of
