"""Note a purchase, or a return, in the shopper's profile.

Layer: flow. Takes: a `Purchase`, a `PurchaseReturn` from the handlers of the till, in their
transaction. Gives: nothing; the facts are there and the segment is looked at soon or,
without `personalise`, neither.
"""

from collections.abc import Sequence

from offers.handlers.profile.note_fact import note_facts
from offers.handlers.profile.refresh_segment import mark_segment_due
from offers.loyalty.purchase_facts import purchase_facts, return_facts
from offers.model.conditions.fact import Fact
from offers.model.ids import ShopperId
from offers.model.till.purchase import Purchase, PurchaseReturn
from offers.ports import UnitOfWork


def note_purchase(purchase: Purchase, *, work: UnitOfWork) -> None:
    """Note what was bought, where the card was shown."""
    if purchase.shopper is not None:
        _note(purchase.shopper, purchase_facts(purchase), work=work)


def note_return(returned: PurchaseReturn, purchase: Purchase, *, work: UnitOfWork) -> None:
    """Note what was brought back, where the card had been shown."""
    if purchase.shopper is not None:
        _note(purchase.shopper, return_facts(returned, purchase), work=work)


def _note(shopper: ShopperId, facts: Sequence[Fact], *, work: UnitOfWork) -> None:
    whole = facts[0]
    if note_facts(shopper, facts, work=work, now_ms=whole.at_ms):
        mark_segment_due(shopper, whole.site, work=work, now_ms=whole.at_ms)
