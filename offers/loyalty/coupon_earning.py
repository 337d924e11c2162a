"""Say what a coupon makes a purchase earn: more points, or cashback.

Layer: rules. Takes: the benefits of the coupons used with a basket. Gives: rules and
`PurchaseEarning`s to the handler earn_points, which adds them to what the programme promises.
"""

from collections.abc import Sequence

from offers.loyalty.earning import rounded
from offers.model.campaigns.benefit import Benefit, Cashback, PointsMultiplier
from offers.model.loyalty.earning_rule import EarningRule, Multiplier, PurchaseEarning
from offers.model.loyalty.ledger import POINTS, LedgerUnit
from offers.model.till.basket import Basket


def rules_of_benefits(benefits: Sequence[Benefit]) -> tuple[EarningRule, ...]:
    """Return a rule for each coupon that multiplies points; with others the largest counts."""
    return tuple(
        EarningRule(
            rule=f"coupon-{number}",
            unit=POINTS,
            earns=Multiplier(percent=benefit.percent, applies_to=benefit.applies_to),
        )
        for number, benefit in enumerate(benefits)
        if isinstance(benefit, PointsMultiplier)
    )


def cashback_of_benefits(
    benefits: Sequence[Benefit], basket: Basket, discounts_minor: Sequence[int]
) -> tuple[PurchaseEarning, ...]:
    """Return what each cashback coupon earns of what was paid for the lines in scope.

    Rounded down once for the basket, and split over the lines by largest remainder.
    """
    paid = [line.total_minor - off for line, off in zip(basket.lines, discounts_minor, strict=True)]
    return tuple(
        _cashback(benefit, basket, paid) for benefit in benefits if isinstance(benefit, Cashback)
    )


def summed(earned: Sequence[PurchaseEarning]) -> tuple[PurchaseEarning, ...]:
    """Return one earning for each unit, line by line the sum; none where nothing is earned."""
    sums: dict[LedgerUnit, tuple[int, ...]] = {}
    for part in earned:
        before = sums.get(part.unit, (0,) * len(part.lines_minor))
        sums[part.unit] = tuple(a + b for a, b in zip(before, part.lines_minor, strict=True))
    return tuple(
        PurchaseEarning(unit=unit, lines_minor=lines) for unit, lines in sums.items() if any(lines)
    )


def beyond(
    more: Sequence[PurchaseEarning], less: Sequence[PurchaseEarning]
) -> tuple[PurchaseEarning, ...]:
    """Return what is earned in the first case and not in the second; in total never below zero.

    A share that a line loses by the rounding of the other case goes to the lines that gain.
    """
    before = {part.unit: part for part in less}
    found = [_difference(part, before.get(part.unit)) for part in more]
    return tuple(part for part in found if any(part.lines_minor))


def _difference(more: PurchaseEarning, less: PurchaseEarning | None) -> PurchaseEarning:
    if less is None:
        return more
    gained = [max(0, a - b) for a, b in zip(more.lines_minor, less.lines_minor, strict=True)]
    total_minor = max(0, more.total_minor - less.total_minor)
    lines = rounded([total_minor * share for share in gained], sum(gained)) if total_minor else ()
    return PurchaseEarning(unit=more.unit, lines_minor=tuple(lines) or (0,) * len(more.lines_minor))


def _cashback(benefit: Cashback, basket: Basket, paid: Sequence[int]) -> PurchaseEarning:
    parts = [
        benefit.percent * paid_minor
        if benefit.applies_to.covers(sku=line.sku, category=line.category)
        else 0
        for line, paid_minor in zip(basket.lines, paid, strict=True)
    ]
    shares = rounded(parts, 100)
    total_minor = sum(shares)
    most = benefit.cashback_max
    if most is not None and total_minor > most.amount_minor:
        shares = rounded([most.amount_minor * part for part in parts], sum(parts))
    return PurchaseEarning(unit=LedgerUnit(basket.currency), lines_minor=tuple(shares))
