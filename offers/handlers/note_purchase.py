"""Note a purchase, or a return, in the shopper's profile.

Layer: flow. Takes: a `Purchase`, a `PurchaseReturn` from the handlers of the till, in their
transaction. Gives: nothing; the facts are there or, without `personalise`, are not.
"""

from offers.handlers.note_fact import note_facts
from offers.loyalty.purchase_facts import purchase_facts, return_facts
from offers.model.purchase import Purchase, PurchaseReturn
from offers.ports import UnitOfWork


def note_purchase(purchase: Purchase, *, work: UnitOfWork) -> None:
    """Note what was bought, where the card was shown."""
    if purchase.shopper is not None:
        note_facts(purchase.shopper, purchase_facts(purchase), work=work, now_ms=purchase.at_ms)


def note_return(returned: PurchaseReturn, purchase: Purchase, *, work: UnitOfWork) -> None:
    """Note what was brought back, where the card had been shown."""
    if purchase.shopper is not None:
        facts = return_facts(returned, purchase)
        note_facts(purchase.shopper, facts, work=work, now_ms=returned.at_ms)
