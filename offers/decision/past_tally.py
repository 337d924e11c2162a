"""Count and sum a shopper's past, each question once a decision.

Layer: rules. Takes: a term about the past. Gives: a function of `ShopperFacts` to the terms of
conditions. Fifty campaigns that ask for the same count share one answer.
"""

from bisect import bisect_right
from collections.abc import Callable

from offers.model.conditions.condition_terms import Events, Measure, PastCount, PastSum
from offers.model.conditions.fact import DAY_MS, TAKEN_BACK_BY, Fact, FactKind
from offers.model.conditions.shopper_facts import ShopperFacts

Tally = Callable[[ShopperFacts], int]
Worth = Callable[[Fact], int]


def tally_of(term: PastCount | PastSum) -> Tally:
    """Return the function that answers the term's question, and remembers the answer."""
    key = _question(term)
    tally = _count(term.events) if isinstance(term, PastCount) else _net_sum(term)

    def remembered(facts: ShopperFacts) -> int:
        found = facts.tallies.get(key)
        if found is None:
            found = facts.tallies[key] = tally(facts)
        return found

    return remembered


def _question(term: PastCount | PastSum) -> str:
    """Return a text that is the same for two terms exactly if they ask the same of the past."""
    events = term.events
    asked = "count" if isinstance(term, PastCount) else (term.measure.value, term.currency)
    filters = [sorted(names) for names in _filters(events)]
    return repr((asked, events.kind.value, events.within_days, filters))


def _count(events: Events) -> Tally:
    return _summed(events, events.kind, lambda _: 1)


def _net_sum(term: PastSum) -> Tally:
    worth = _worth(term)
    gross = _summed(term.events, term.events.kind, worth)
    opposite = TAKEN_BACK_BY.get(term.events.kind)
    if opposite is None:
        return gross
    back = _summed(term.events, opposite, worth)
    return lambda facts: gross(facts) - back(facts)


def _worth(term: PastSum) -> Worth:
    if term.measure is Measure.QUANTITY:
        return lambda fact: fact.quantity

    def worth(fact: Fact) -> int:
        amount = fact.amount
        return 0 if amount is None or amount.currency != term.currency else amount.amount_minor

    return worth


def _summed(events: Events, kind: FactKind, worth: Worth) -> Tally:
    window_ms = events.within_days * DAY_MS
    is_meant = _filter(events)

    def total(facts: ShopperFacts) -> int:
        past = facts.past.get(kind, ())
        # Half open, as every window here: a fact exactly n days old no longer counts.
        first = bisect_right(past, facts.as_of_ms - window_ms, key=_at_ms)
        return sum(worth(fact) for fact in past[first:] if is_meant(fact))

    return total


def _filter(events: Events) -> Callable[[Fact], bool]:
    categories, skus, zones, sites = _filters(events)
    if not (categories or skus or zones or sites):
        return lambda _: True

    def is_meant(fact: Fact) -> bool:
        return (
            (not categories or fact.category in categories)
            and (not skus or fact.sku in skus)
            and (not zones or fact.zone in zones)
            and (not sites or fact.site in sites)
        )

    return is_meant


def _filters(events: Events) -> tuple[frozenset[str], ...]:
    return events.categories, events.skus, frozenset(events.zones), frozenset(events.sites)


def _at_ms(fact: Fact) -> int:
    return fact.at_ms
