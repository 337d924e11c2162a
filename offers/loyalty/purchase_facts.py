"""Turn a purchase, or a return, into the facts that conditions and segments count.

Layer: rules. Takes: a `Purchase`, a `PurchaseReturn`. Gives: `Fact`s to the handlers of the till.
The basket is one fact and each line one more, with what was paid and not what the shelf said.
"""

from offers.model.conditions.fact import Fact, FactKind
from offers.model.money import Money
from offers.model.till.basket import BasketLine
from offers.model.till.purchase import Purchase, PurchaseReturn


def purchase_facts(purchase: Purchase) -> tuple[Fact, ...]:
    """Return the facts of a purchase: the whole, each line, and each coupon used."""
    whole = Fact(
        kind=FactKind.PURCHASE,
        reference=purchase.purchase,
        at_ms=purchase.at_ms,
        site=purchase.site,
        amount=purchase.paid,
    )
    lines = (
        _line_fact(whole, FactKind.PURCHASE_LINE, n, line.item, line.item.quantity, line.paid_minor)
        for n, line in enumerate(purchase.lines)
    )
    coupons = (
        Fact(
            kind=FactKind.REDEMPTION,
            reference=redemption,
            at_ms=purchase.at_ms,
            site=purchase.site,
            amount=Money(
                amount_minor=sum(line.discounts_minor[n] for line in purchase.lines),
                currency=purchase.currency,
            ),
        )
        for n, redemption in enumerate(purchase.redemptions)
    )
    return whole, *lines, *coupons


def return_facts(returned: PurchaseReturn, purchase: Purchase) -> tuple[Fact, ...]:
    """Return the facts of a return: the whole, and each line with what was given back for it."""
    whole = Fact(
        kind=FactKind.RETURN,
        reference=returned.returned,
        at_ms=returned.at_ms,
        site=returned.site,
        amount=returned.refund,
    )
    lines = (
        _line_fact(
            whole,
            FactKind.RETURN_LINE,
            line.line,
            purchase.lines[line.line].item,
            line.quantity,
            line.refund_minor,
        )
        for line in returned.lines
    )
    return whole, *lines


def _line_fact(
    whole: Fact, kind: FactKind, number: int, item: BasketLine, quantity: int, paid_minor: int
) -> Fact:
    assert whole.amount is not None
    return Fact(
        kind=kind,
        reference=f"{whole.reference}:{number}",
        at_ms=whole.at_ms,
        site=whole.site,
        category=item.category,
        sku=item.sku,
        amount=Money(amount_minor=paid_minor, currency=whole.amount.currency),
        quantity=quantity,
    )
