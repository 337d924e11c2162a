"""Turn a purchase, or a return, into the facts that conditions and segments count.

Layer: rules. Takes: a basket with its discount. Gives: `Fact`s to the handlers of the till. The
basket is one fact and each line one more, with what was paid and not what the shelf said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offers.model.basket import Basket, BasketLine
from offers.model.fact import Fact, FactKind
from offers.model.money import Money
from rtls.model.units import SiteId, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLine:
    """Some pieces of one line that are brought back, and what is given back for them."""

    line: BasketLine
    quantity: int
    paid_minor: int


def purchase_facts(
    basket: Basket,
    shares_minor: Sequence[int],
    *,
    purchase: str,
    site: SiteId,
    at_ms: UnixMs,
) -> tuple[Fact, ...]:
    """Return the facts of a purchase.

    Parameters
    ----------
    basket
        What was bought.
    shares_minor
        The discount of each line, in the basket's order.
    purchase
        The purchase's id; makes the references of the facts.
    site, at_ms
        Where and when it was paid for.
    """
    paid = [
        line.total_minor - share for line, share in zip(basket.lines, shares_minor, strict=True)
    ]
    lines = tuple(
        _line_fact(
            FactKind.PURCHASE_LINE,
            line,
            reference=f"{purchase}:{n}",
            quantity=line.quantity,
            amount=Money(amount_minor=paid[n], currency=basket.currency),
            site=site,
            at_ms=at_ms,
        )
        for n, line in enumerate(basket.lines)
    )
    whole = Fact(
        kind=FactKind.PURCHASE,
        reference=purchase,
        at_ms=at_ms,
        site=site,
        amount=Money(amount_minor=sum(paid), currency=basket.currency),
    )
    return whole, *lines


def return_facts(
    lines: Sequence[ReturnedLine],
    *,
    currency: str,
    returned: str,
    site: SiteId,
    at_ms: UnixMs,
) -> tuple[Fact, ...]:
    """Return the facts of a return.

    Parameters
    ----------
    lines
        What is brought back.
    currency
        Of the purchase.
    returned
        The return's id; makes the references of the facts.
    site, at_ms
        Where and when it is brought back.
    """
    facts = tuple(
        _line_fact(
            FactKind.RETURN_LINE,
            item.line,
            reference=f"{returned}:{n}",
            quantity=item.quantity,
            amount=Money(amount_minor=item.paid_minor, currency=currency),
            site=site,
            at_ms=at_ms,
        )
        for n, item in enumerate(lines)
    )
    total_minor = sum(item.paid_minor for item in lines)
    whole = Fact(
        kind=FactKind.RETURN,
        reference=returned,
        at_ms=at_ms,
        site=site,
        amount=Money(amount_minor=total_minor, currency=currency),
    )
    return whole, *facts


def _line_fact(
    kind: FactKind,
    line: BasketLine,
    *,
    reference: str,
    quantity: int,
    amount: Money,
    site: SiteId,
    at_ms: UnixMs,
) -> Fact:
    return Fact(
        kind=kind,
        reference=reference,
        at_ms=at_ms,
        site=site,
        category=line.category,
        sku=line.sku,
        amount=amount,
        quantity=quantity,
    )
