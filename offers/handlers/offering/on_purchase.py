"""Ask the campaigns that wait for a sum spent or a count of purchases.

Layer: flow. Takes: a `Purchase` that has just been written, in its transaction. Gives: the offers
that it brings. Sums are of what was paid less what was given back, out of the shopper's profile;
without `personalise` there is neither profile nor offer.
"""

from typing import Final

from offers.handlers.offering.on_occasion import on_occasion
from offers.model.campaigns.trigger import DAYS_MAX, Measure, TriggerKind
from offers.model.conditions.fact import Fact, FactKind
from offers.model.conditions.shopper_facts import FactNeeds, ShopperFacts
from offers.model.ids import ShopperId
from offers.model.money import Money
from offers.model.offering.occasion import SPENT_MAX, CountGrown, Purchased, Spent
from offers.model.till.purchase import Purchase
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

KINDS: Final = (FactKind.PURCHASE, FactKind.RETURN)
NEEDS: Final = FactNeeds(days=dict.fromkeys(KINDS, DAYS_MAX))


def on_purchase(purchase: Purchase, *, work: UnitOfWork, secrets: SecretSource) -> None:
    """Decide about the thresholds and milestones that the purchase may have passed."""
    shopper = purchase.shopper
    if shopper is None:
        return
    if work.campaigns.waiting_for(purchase.site, TriggerKind.SPEND_THRESHOLD, zone=None):
        _ask_sums(purchase, shopper, work=work, secrets=secrets)
    if work.campaigns.waiting_for(purchase.site, TriggerKind.MILESTONE, zone=None):
        count = work.occasions.purchase_count(shopper)
        grown = CountGrown(measure=Measure.PURCHASES, before=count - 1, after=count)
        on_occasion(
            grown,
            shopper=shopper,
            site=purchase.site,
            work=work,
            now_ms=purchase.at_ms,
            secrets=secrets,
        )


def purchased(
    purchase: str, paid: Money, *, at_ms: UnixMs, facts: ShopperFacts | None
) -> Purchased:
    """Return a purchase with what was spent before it.

    Parameters
    ----------
    purchase, paid, at_ms
        What was bought for how much, and when.
    facts
        With what `NEEDS` asks for; None where nothing is known of the shopper.
    """
    past = () if facts is None else [f for kind in KINDS for f in facts.past.get(kind, ())]
    earlier = [
        spent
        for fact in past
        if fact.reference != purchase
        and fact.at_ms <= at_ms
        and (spent := _spent(fact)) is not None
    ]
    newest_first = sorted(earlier, key=lambda spent: -spent.at_ms)[:SPENT_MAX]
    return Purchased(
        purchase=purchase,
        newest=Spent(amount=paid, at_ms=at_ms),
        earlier=tuple(newest_first),
    )


def _ask_sums(
    purchase: Purchase, shopper: ShopperId, *, work: UnitOfWork, secrets: SecretSource
) -> None:
    facts = work.facts.of_shopper(shopper, NEEDS, site=purchase.site, as_of_ms=purchase.at_ms)
    bought = purchased(purchase.purchase, purchase.paid, at_ms=purchase.at_ms, facts=facts)
    on_occasion(
        bought,
        shopper=shopper,
        site=purchase.site,
        work=work,
        now_ms=purchase.at_ms,
        secrets=secrets,
    )


def _spent(fact: Fact) -> Spent | None:
    amount = fact.amount
    if amount is None:
        return None
    sign = -1 if fact.kind is FactKind.RETURN else 1
    paid = Money(amount_minor=sign * amount.amount_minor, currency=amount.currency)
    return Spent(amount=paid, at_ms=fact.at_ms)
