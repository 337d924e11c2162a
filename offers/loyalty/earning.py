"""Compute what a purchase or an activity earns, to the point.

Layer: rules. Takes: earning rules, a basket with its discounts, the time. Gives: `PurchaseEarning`
per unit, line by line, to the handler earn_points, and what a returned line takes back.

Rounding: what the lines earn is added up exactly and rounded down once for the purchase; then it is
split over the lines by largest remainder (Hamilton), of equal remainders the earlier line first. So
ten lines of 0.99 earn the 9 points of 9.90 and not ten times nothing, and the lines of a purchase
that come back one by one take back what the purchase earned, no more and no less.
"""

import math
from collections.abc import Sequence

from offers.model.conditions.fact import DAY_MS
from offers.model.ids import ShopperId
from offers.model.loyalty.earning_rule import (
    EarningRule,
    EarningTerms,
    ForActivity,
    HowOften,
    Multiplier,
    PerAmount,
    PerItem,
    PurchaseEarning,
    ThresholdBonus,
)
from offers.model.loyalty.ledger import LedgerUnit, PostingReason
from offers.model.loyalty.points import Earning
from offers.model.till.basket import Basket, BasketLine
from rtls.model.units import SiteId, UnixMs

PERCENT = 100


def points_of_purchase(
    rules: Sequence[EarningRule],
    basket: Basket,
    discounts_minor: Sequence[int],
    *,
    now_ms: UnixMs,
) -> tuple[PurchaseEarning, ...]:
    """Return what the purchase earns, for each unit in which it earns anything.

    Parameters
    ----------
    rules
        Of the programme; those that are not valid now, or of another currency, earn nothing.
    basket
        What was bought.
    discounts_minor : (n_lines,)
        What each line was made cheaper by, all discounts together: they do not earn.
    now_ms
        When it was paid.

    Examples
    --------
    >>> from offers.model.till.basket import BasketLine
    >>> from offers.model.loyalty.ledger import POINTS
    >>> each_euro = PerAmount(amount_minor=1, per_minor=100, currency="EUR")
    >>> line = BasketLine(sku="4006209", category="dowels", quantity=1, unit_price_minor=599)
    >>> points_of_purchase(
    ...     [EarningRule(rule="base", unit=POINTS, earns=each_euro)],
    ...     Basket(currency="EUR", lines=(line, line)),
    ...     [0, 100],
    ...     now_ms=UnixMs(0),
    ... )
    (PurchaseEarning(unit='points', lines_minor=(6, 4)),)
    """
    assert len(discounts_minor) == len(basket.lines)
    paid = [line.total_minor - off for line, off in zip(basket.lines, discounts_minor, strict=True)]
    assert min(paid) >= 0
    valid = [rule for rule in rules if rule.is_valid(now_ms)]
    units = dict.fromkeys(rule.unit for rule in valid)
    found = [_of_unit(unit, valid, basket, paid) for unit in units]
    return tuple(earning for earning in found if earning.total_minor)


def points_of_items(line_minor: int, *, quantity: int, gone: int, now: int) -> int:
    """Return what some pieces of a line take back, after others have been returned before.

    Returned in whatever portions, all pieces together take back the line's whole.

    Parameters
    ----------
    line_minor
        What the line earned.
    quantity
        How many pieces were bought.
    gone
        How many came back before.
    now
        How many come back now.
    """
    assert 0 <= gone <= gone + now <= quantity
    return line_minor * (gone + now) // quantity - line_minor * gone // quantity


def points_of_activity(
    rules: Sequence[EarningRule], activity: PostingReason, *, now_ms: UnixMs
) -> tuple[tuple[EarningRule, ForActivity], ...]:
    """Return the valid rules that an activity earns by."""
    return tuple(
        (rule, rule.earns)
        for rule in rules
        if isinstance(rule.earns, ForActivity)
        and rule.earns.activity is activity
        and rule.is_valid(now_ms)
    )


def activity_reference(
    rule: EarningRule, how_often: HowOften, *, shopper: ShopperId, subject: str, day: str
) -> str:
    """Return the name under which an activity earns once: for ever, that day, or that subject."""
    told = {HowOften.ONCE: "once", HowOften.DAILY: day, HowOften.EACH: subject}[how_often]
    return f"{rule.rule}:{shopper}:{told}"


def earning_of(
    amount_minor: int,
    terms: EarningTerms,
    *,
    reason: PostingReason,
    reference: str,
    site: SiteId,
    now_ms: UnixMs,
) -> Earning:
    """Return the earning of an amount under the programme's terms for its unit."""
    active_at_ms = UnixMs(now_ms + terms.pending_days * DAY_MS)
    return Earning(
        unit=terms.unit,
        amount_minor=amount_minor,
        reason=reason,
        reference=reference,
        active_at_ms=active_at_ms,
        expires_at_ms=UnixMs(active_at_ms + terms.lasts_days * DAY_MS),
        site=site,
    )


def rounded(parts: Sequence[int], whole: int) -> list[int]:
    """Return the parts in wholes, rounded down together and split by largest remainder.

    Parameters
    ----------
    parts : (n,)
        Not negative; ``whole`` of them are one.
    whole
        The denominator, above 0.

    Examples
    --------
    >>> rounded([150, 150, 90], 100)
    [1, 1, 1]
    """
    shares = [part // whole for part in parts]
    missing = sum(parts) // whole - sum(shares)
    served = sorted(range(len(parts)), key=lambda line: (-(parts[line] % whole), line))
    for line in served[:missing]:
        shares[line] += 1
    return shares


def _of_unit(
    unit: LedgerUnit, rules: Sequence[EarningRule], basket: Basket, paid: Sequence[int]
) -> PurchaseEarning:
    mine = [rule.earns for rule in rules if rule.unit == unit]
    rates = [e for e in mine if isinstance(e, PerAmount) and e.currency == basket.currency]
    items = [earns for earns in mine if isinstance(earns, PerItem)]
    multipliers = [earns for earns in mine if isinstance(earns, Multiplier)]
    bonuses = [e for e in mine if isinstance(e, ThresholdBonus) and e.currency == basket.currency]
    # All fractions over one denominator: whole numbers add up exactly.
    whole = PERCENT * math.lcm(*(rate.per_minor for rate in rates))
    parts = [
        _percent(line, multipliers)
        * (
            sum(
                rate.amount_minor * paid_minor * (whole // PERCENT // rate.per_minor)
                for rate in rates
                if _covers(rate, line)
            )
            + sum(
                item.amount_minor * line.quantity * (whole // PERCENT)
                for item in items
                if _covers(item, line)
            )
        )
        for line, paid_minor in zip(basket.lines, paid, strict=True)
    ]
    shares = rounded(parts, whole)
    for bonus in bonuses:
        shares = _with_bonus(shares, bonus, basket, paid)
    return PurchaseEarning(unit=unit, lines_minor=tuple(shares))


def _covers(earns: PerAmount | PerItem | ThresholdBonus | Multiplier, line: BasketLine) -> bool:
    return earns.applies_to.covers(sku=line.sku, category=line.category)


def _percent(line: BasketLine, multipliers: Sequence[Multiplier]) -> int:
    return max((m.percent for m in multipliers if _covers(m, line)), default=PERCENT)


def _with_bonus(
    shares: Sequence[int], bonus: ThresholdBonus, basket: Basket, paid: Sequence[int]
) -> list[int]:
    weights = [
        paid_minor if _covers(bonus, line) else 0
        for line, paid_minor in zip(basket.lines, paid, strict=True)
    ]
    total = sum(weights)
    if total < bonus.threshold_minor:
        return list(shares)
    extra = rounded([bonus.amount_minor * weight for weight in weights], total)
    return [share + more for share, more in zip(shares, extra, strict=True)]
