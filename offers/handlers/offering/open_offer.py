"""Note that a shopper opened or dismissed an offer.

Layer: flow. Takes: a shopper and one of the shopper's own offers. Gives: the `OfferCard` as it is
then. Doing the same twice is no error: a phone that lost our answer asks again.
"""

from offers.handlers.offering.end_offer import end_offer
from offers.model.errors import Busy, Expired, NotFound, WrongState
from offers.model.ids import OfferId, ShopperId
from offers.model.offering.offer import Offer, OfferCard, OfferState
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def open_offer(
    shopper: ShopperId, offer: OfferId, *, work: UnitOfWork, now_ms: UnixMs
) -> OfferCard:
    """Mark the offer as opened; from then on it lasts as long as its coupon.

    Raises `NotFound` as `own_offer` does, and `Busy` if another writer moved the offer meanwhile.

    Raises
    ------
    Expired
        If its time is over.
    WrongState
        If it has ended, or its time is over.
    """
    found = own_offer(shopper, offer, work=work)
    if found.state is OfferState.DELIVERED:
        if now_ms >= found.expires_at_ms:
            raise Expired(f"offer {offer} has expired; expected one whose time is not over.")
        _move(found, found.in_state(OfferState.OPENED, at_ms=now_ms), work=work)
    elif found.state is OfferState.EXPIRED:
        raise Expired(f"offer {offer} has expired; expected one whose time is not over.")
    elif found.state not in {OfferState.OPENED, OfferState.REDEEMED}:
        raise WrongState(f"offer {offer} is {found.state}; expected delivered or opened.")
    return _card(offer, work=work)


def dismiss_offer(
    shopper: ShopperId, offer: OfferId, *, work: UnitOfWork, now_ms: UnixMs
) -> OfferCard:
    """Mark the offer as not wanted; its coupon ends with it.

    Raises `NotFound` as `own_offer` does, and `WrongState` if it has ended in another way.
    """
    found = own_offer(shopper, offer, work=work)
    if found.state is not OfferState.DISMISSED:
        end_offer(found, OfferState.DISMISSED, work=work, now_ms=now_ms)
    return _card(offer, work=work)


def own_offer(shopper: ShopperId, offer: OfferId, *, work: UnitOfWork) -> Offer:
    """Return the shopper's own offer, if the shopper can know of it.

    Raises
    ------
    NotFound
        If it is unknown, another's, or not delivered: the three are told apart nowhere.
    """
    found = work.offers.find(offer)
    is_known = found is not None and found.shopper == shopper and found.delivered_at_ms is not None
    if found is None or not is_known:
        raise NotFound("no such offer; expected one from the shopper's own list.")
    return found


def _move(before: Offer, after: Offer, *, work: UnitOfWork) -> None:
    if not work.offers.move(before, after):
        raise Busy(f"offer {before.offer} has just changed; expected {before.state}. Try again.")


def _card(offer: OfferId, *, work: UnitOfWork) -> OfferCard:
    card = work.offers.card(offer)
    assert card is not None
    return card
