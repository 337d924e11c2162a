"""End the link between a tag and a shopper, and all that hangs on it.

Layer: flow. Takes: a `Pairing` and why it ends. Gives: nothing; visits are closed, and locating is
told to forget the tag.
"""

from offers.model.outbox import OutboxKind
from offers.model.people.pairing import Pairing, PairingEnd
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def end_pairing(pairing: Pairing, end: PairingEnd, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """End the pairing; one that is ended already stays as it is."""
    if not work.pairings.end(pairing.pairing, at_ms=now_ms, end=end):
        return
    work.visits.close_of_pairing(pairing.pairing, at_ms=now_ms)
    work.outbox.add(
        OutboxKind.TAG_WITHDRAWN, shopper=pairing.shopper, subject=pairing.tag, at_ms=now_ms
    )
