"""Suspend a card that is abused, hear its holder, and lift the suspension.

Layer: flow. Takes: a card's number and a reason from a store admin, an appeal from the shopper.
Gives: the `Suspension`. From that transaction on no offer is made, none that waits is delivered,
no coupon is taken and no point is spent; each is refused with this as its reason.
"""

from dataclasses import replace

from offers.handlers.note_audit import note_audit, shopper_actor, shopper_pseudonym
from offers.handlers.offering.end_offer import end_offer
from offers.handlers.random_id import random_id
from offers.model.audit import Actor, AuditAction
from offers.model.errors import Conflict, NotFound
from offers.model.ids import ShopperId, SuspensionId
from offers.model.offering.offer import OfferState
from offers.model.people.card import CardNumber
from offers.model.people.shopper import Credential
from offers.model.people.suspension import Suspension, SuspensionReason
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def suspend_card(
    card: CardNumber,
    reason: SuspensionReason,
    *,
    by: Credential,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Suspension:
    """Suspend the card with this number.

    Parameters
    ----------
    card
        The number on the card, as the till's receipt shows it.
    reason
        What the shopper is told.
    by
        The store admin's credential.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    Raises
    ------
    NotFound
        If there is no such card.
    Conflict
        If it is suspended already.
    """
    shopper = work.cards.holder_of(card)
    if shopper is None:
        raise NotFound("no such card; expected the number of one that was handed out.")
    assert by.site is not None
    suspension = Suspension(
        suspension=SuspensionId(random_id(secrets)),
        shopper=shopper,
        site=by.site,
        reason=reason,
        by=by.credential,
        at_ms=now_ms,
    )
    if not work.suspensions.add(suspension):
        raise Conflict("the card is suspended already; expected one that is not.")
    for offer in work.offers.undelivered_of_shopper(shopper):
        end_offer(offer, OfferState.REVOKED, work=work, now_ms=now_ms)
    note_audit(
        AuditAction.CARD_SUSPENDED,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=Actor.of(by),
        details={"reason": reason.value, "site": by.site},
        work=work,
        now_ms=now_ms,
    )
    return suspension


def appeal_suspension(
    shopper: ShopperId, text: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Suspension:
    """Write what the shopper says to the suspension of his card, once.

    Raises
    ------
    NotFound
        If the card is not suspended.
    Conflict
        If there is an appeal already.
    """
    found = work.suspensions.open_of(shopper)
    if found is None:
        raise NotFound("the card is not suspended; expected a suspension to say something to.")
    appealed = replace(found, appeal=text, appealed_at_ms=now_ms)
    if not work.suspensions.appeal(found.suspension, text, at_ms=now_ms):
        raise Conflict(
            "there is an appeal already; expected one a suspension. Wait for the answer."
        )
    note_audit(
        AuditAction.SUSPENSION_APPEALED,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=shopper_actor(shopper, secrets=secrets),
        work=work,
        now_ms=now_ms,
    )
    return appealed


def lift_suspension(
    suspension: SuspensionId,
    *,
    by: Credential,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> None:
    """End a suspension; lifting one twice is as good as once.

    Parameters
    ----------
    suspension
        One of the store admin's own site.
    by
        The store admin's credential.
    work, now_ms, secrets
        The transaction, the time, the key of pseudonyms.

    Raises
    ------
    NotFound
        If it is unknown or of another site: the two are told apart nowhere.
    """
    found = work.suspensions.find(suspension)
    if found is None or found.site != by.site:
        raise NotFound("no such suspension; expected one of the key's own site.")
    if not work.suspensions.lift(suspension, at_ms=now_ms):
        return
    note_audit(
        AuditAction.CARD_RESTORED,
        subject=shopper_pseudonym(found.shopper, secrets=secrets),
        by=Actor.of(by),
        work=work,
        now_ms=now_ms,
    )
