"""Say for which tag a shopper's phone may report what it hears.

Layer: flow. Takes: a shopper, and which of his pairings he means. Gives: the paired tag, never a
name that the phone made up, so that a phone can move nobody but its own shopper.
"""

from offers.model.errors import Conflict, ConsentMissing, NotFound
from offers.model.ids import PairingId, ShopperId
from offers.model.people.consent import Purpose
from offers.ports import UnitOfWork
from rtls.model.units import TagId, UnixMs


def tag_of_scan(
    shopper: ShopperId, pairing: PairingId | None, *, work: UnitOfWork, now_ms: UnixMs
) -> TagId:
    """Return the tag that the scan is about.

    Parameters
    ----------
    shopper
        Who scans, from the credential.
    pairing
        Which of the shopper's pairings the phone is; None where there is one only.
    work, now_ms
        The transaction, the time.

    Raises
    ------
    ConsentMissing
        If the shopper has not granted `locate`, or has withdrawn it.
    Conflict
        If no tag is paired, or several are and none is named.
    NotFound
        If the named pairing is not an active one of the shopper's own.
    """
    if work.consents.state_of(shopper).granted(Purpose.LOCATE) is None:
        raise ConsentMissing(
            "purpose locate is not granted; expected it before a phone says where it is. "
            "Ask the shopper."
        )
    active = work.pairings.active_of_shopper(shopper, now_ms=now_ms)
    if pairing is not None:
        meant = next((own for own in active if own.pairing == pairing), None)
        if meant is None:
            raise NotFound("no such pairing; expected one of the shopper's own that is active.")
        return meant.tag
    if len(active) != 1:
        raise Conflict(
            f"the shopper has {len(active)} pairings; expected 1, or `pairing` to say which of "
            "them the phone is. Pair the phone's own tag first."
        )
    return active[0].tag
