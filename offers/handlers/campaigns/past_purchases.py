"""Find the baskets, purchases and habits of the past that would have woken a campaign.

Layer: flow. Takes: a trigger and a `Past`. Gives: occasions to past_moments, made by the same
functions as at the till, from the facts that were known at the instant.
"""

from offers.handlers.campaigns.past_span import MOMENTS_MAX, Found, Past
from offers.handlers.offering.on_purchase import NEEDS as SUM_NEEDS
from offers.handlers.offering.on_purchase import purchased
from offers.handlers.offering.propose_regular import NEEDS as HABIT_NEEDS
from offers.loyalty.regularity import regular_categories
from offers.model.campaigns.history import PastPurchase
from offers.model.campaigns.trigger import Measure, RegularPurchaseTrigger
from offers.model.conditions.fact import FactKind
from offers.model.offering.occasion import BasketShown, BoughtRegularly, CountGrown


def baskets(past: Past) -> Found:
    """Yield the baskets that were shown with a card."""
    shown = past.work.history.baskets(
        past.site, from_ms=past.since_ms, until_ms=past.until_ms, limit=MOMENTS_MAX
    )
    for held in shown:
        occasion = BasketShown(basket=held.basket, reference=held.basket_id)
        yield held.shopper, occasion, held.at_ms


def purchases_counted(past: Past) -> Found:
    """Yield how the count of purchases grew."""
    for bought in _purchases(past):
        grown = CountGrown(measure=Measure.PURCHASES, before=bought.number - 1, after=bought.number)
        yield bought.shopper, grown, bought.at_ms


def sums(past: Past) -> Found:
    """Yield each purchase with those before it."""
    for bought in _purchases(past):
        facts = past.work.facts.of_shopper(
            bought.shopper, SUM_NEEDS, site=past.site, as_of_ms=bought.at_ms
        )
        occasion = purchased(bought.purchase, bought.paid, at_ms=bought.at_ms, facts=facts)
        yield bought.shopper, occasion, bought.at_ms


def habits(trigger: RegularPurchaseTrigger, past: Past) -> Found:
    """Yield who was seen to buy of the category regularly, with the purchase that showed it."""
    for bought in _purchases(past):
        facts = past.work.facts.of_shopper(
            bought.shopper, HABIT_NEEDS, site=past.site, as_of_ms=bought.at_ms
        )
        lines = () if facts is None else facts.past.get(FactKind.PURCHASE_LINE, ())
        known = [
            line
            for line in lines
            if line.site == past.site
            and line.at_ms <= bought.at_ms
            and line.category == trigger.category
        ]
        if regular_categories(known, now_ms=bought.at_ms):
            yield bought.shopper, BoughtRegularly(category=trigger.category), bought.at_ms


def _purchases(past: Past) -> tuple[PastPurchase, ...]:
    return past.work.history.purchases(
        past.site, from_ms=past.since_ms, until_ms=past.until_ms, limit=MOMENTS_MAX
    )
