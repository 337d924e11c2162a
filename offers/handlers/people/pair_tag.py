"""Link a tag to a shopper who agreed to be located, for a while; and take the link away.

Layer: flow. Takes: a shopper and a tag. Gives: the `Pairing`; locating is told to admit the tag.
"""

from typing import Final

from offers.handlers.people.end_pairing import end_pairing
from offers.handlers.random_id import random_id
from offers.model.errors import Conflict, ConsentMissing, NotFound, TagTaken
from offers.model.ids import ConsentId, PairingId, ShopperId
from offers.model.outbox import OutboxKind
from offers.model.people.consent import Purpose
from offers.model.people.pairing import Pairing, PairingEnd
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import TagId, UnixMs

PAIRING_MS: Final = 8 * 3_600_000  # longer than anybody shops, shorter than a night
PAIRINGS_MAX: Final = 4  # a phone, a trolley, a card, and one to spare


def pair_tag(
    shopper: ShopperId,
    tag: TagId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    lasts_ms: int = PAIRING_MS,
) -> Pairing:
    """Pair the tag; pairing one's own tag again renews the time.

    Parameters
    ----------
    shopper
        Who carries the tag, from the credential.
    tag
        As gateways report it.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    lasts_ms
        When the pairing ends by itself.

    Raises
    ------
    ConsentMissing
        If the shopper has not granted `locate`.
    TagTaken
        If another shopper is paired with the tag.
    """
    consent = work.consents.state_of(shopper).granted(Purpose.LOCATE)
    if consent is None:
        raise ConsentMissing(
            "purpose locate is not granted; expected it before a tag is paired. Ask the shopper."
        )
    pairing = Pairing(
        pairing=PairingId(random_id(secrets)),
        tag=tag,
        shopper=shopper,
        consent=ConsentId(consent.consent),
        paired_at_ms=now_ms,
        expires_at_ms=UnixMs(now_ms + lasts_ms),
    )
    renewed = _make_room(pairing, work=work, now_ms=now_ms)
    if not work.pairings.add(pairing):
        raise TagTaken("the tag has just been paired; expected a free one. Try again.")
    if renewed is not None:
        # The stay goes on: neither locating nor the open visits notice the renewal.
        work.visits.hand_over(renewed.pairing, pairing.pairing)
    work.outbox.add(OutboxKind.TAG_ADMITTED, shopper=shopper, subject=tag, at_ms=now_ms)
    return pairing


def unpair_tag(shopper: ShopperId, pairing: PairingId, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """End one of the shopper's own pairings.

    Raises
    ------
    NotFound
        If the shopper has no such active pairing.
    """
    active = work.pairings.active_of_shopper(shopper, now_ms=now_ms)
    found = next((own for own in active if own.pairing == pairing), None)
    if found is None:
        raise NotFound("no such pairing; expected one of the shopper's own that is active.")
    end_pairing(found, PairingEnd.UNPAIRED, work=work, now_ms=now_ms)


def _make_room(wanted: Pairing, *, work: UnitOfWork, now_ms: UnixMs) -> Pairing | None:
    # What stands in the way is ended. Given back is the shopper's own pairing that is renewed.
    renewed = None
    held = work.pairings.open_of_tag(wanted.tag)
    if held is not None and not held.is_active(now_ms):
        end_pairing(held, PairingEnd.EXPIRED, work=work, now_ms=now_ms)
    elif held is not None and held.shopper == wanted.shopper:
        work.pairings.end(held.pairing, at_ms=now_ms, end=PairingEnd.RENEWED)
        renewed = held
    elif held is not None:
        raise TagTaken(
            "the tag is paired with another shopper; expected a free one. It is free again when "
            "the other shopper unpairs it, or when that pairing expires."
        )
    count = len(work.pairings.active_of_shopper(wanted.shopper, now_ms=now_ms))
    if count >= PAIRINGS_MAX:
        raise Conflict(
            f"the shopper has {count} pairings; expected at most {PAIRINGS_MAX}. Unpair one first."
        )
    return renewed
