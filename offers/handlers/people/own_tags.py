"""Say by which tags a shopper may be found, if he wants to be.

Layer: flow. Takes: a shopper. Gives: his paired tags, each with the instant since which it is his:
a trolley's way before that was somebody else's.
"""

from collections.abc import Mapping

from offers.model.errors import ConsentMissing
from offers.model.ids import ShopperId
from offers.model.people.consent import Purpose
from offers.ports import UnitOfWork
from rtls.model.units import TagId, UnixMs


def own_tags(shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs) -> Mapping[TagId, UnixMs]:
    """Return the tags that stand for the shopper now.

    Raises
    ------
    ConsentMissing
        If the shopper has not granted `locate`, or has withdrawn it.
    """
    if work.consents.state_of(shopper).granted(Purpose.LOCATE) is None:
        raise ConsentMissing(
            "purpose locate is not granted; expected it before anybody looks where the shopper "
            "is. Ask the shopper, or send `start`."
        )
    active = work.pairings.active_of_shopper(shopper, now_ms=now_ms)
    return {pairing.tag: pairing.paired_at_ms for pairing in active}
