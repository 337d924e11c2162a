"""Note what a shopper did, for conditions and segments; nothing without the purpose `personalise`.

Layer: flow. Takes: `Fact`s from the handlers that saw them happen. Gives: how many were new. Call
it in the transaction of the thing itself: a purchase and the facts of it exist together or not at
all. The same reference is noted once, so a repeat adds nothing.
"""

from collections.abc import Sequence

from offers.model.conditions.attribute import ATTRIBUTES_MAX, Attribute
from offers.model.conditions.fact import DAY_MS, PLACE_DAYS_MAX, Fact, days_kept
from offers.model.errors import ConsentMissing, InvalidShopper
from offers.model.ids import ConsentId, ShopperId
from offers.model.people.consent import Purpose
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def note_facts(
    shopper: ShopperId, facts: Sequence[Fact], *, work: UnitOfWork, now_ms: UnixMs
) -> int:
    """Write the facts that are not known yet.

    Returns
    -------
    int
        How many were new; 0 where the shopper has not granted `personalise`, or all are older
        than facts are kept.
    """
    consent = _consent(shopper, work=work)
    kept = [fact for fact in facts if fact.at_ms > now_ms - days_kept(fact.kind) * DAY_MS]
    if consent is None or not kept:
        return 0
    return work.facts.append(shopper, kept, consent=consent)


def forget_places(*, work: UnitOfWork, now_ms: UnixMs, limit: int) -> int:
    """Delete facts that say where somebody stood too long ago; return how many."""
    return work.facts.forget_places(UnixMs(now_ms - PLACE_DAYS_MAX * DAY_MS), limit=limit)


def note_attribute(
    shopper: ShopperId, attribute: Attribute, *, work: UnitOfWork, now_ms: UnixMs
) -> None:
    """Write what a shopper said about himself, in place of what he said before.

    Raises
    ------
    ConsentMissing
        If `personalise` is not granted: it would serve no purpose.
    InvalidShopper
        If there are `ATTRIBUTES_MAX` others already.
    """
    consent = _consent(shopper, work=work)
    if consent is None:
        raise ConsentMissing(
            "consent to 'personalise' is missing; expected it before anything is kept that "
            "offers are chosen by. Ask for it in the app."
        )
    others = [
        known for known in work.attributes.of_shopper(shopper) if known.name != attribute.name
    ]
    if len(others) >= ATTRIBUTES_MAX and attribute.values:
        raise InvalidShopper(
            f"{len(others)} attributes are known; expected at most {ATTRIBUTES_MAX}. Delete one "
            "that no campaign asks about."
        )
    work.attributes.put(shopper, attribute, consent=consent, at_ms=now_ms)


def note_answers(
    shopper: ShopperId, answers: Sequence[Attribute], *, work: UnitOfWork, now_ms: UnixMs
) -> None:
    """Write what a shopper answered as attributes, as far as they are allowed and have room.

    An answer to a survey counts whether a campaign may use it or not, so nothing is refused here.
    """
    consent = _consent(shopper, work=work)
    if consent is None:
        return
    known = {attribute.name for attribute in work.attributes.of_shopper(shopper)}
    for attribute in answers:
        if attribute.name in known or len(known) < ATTRIBUTES_MAX:
            work.attributes.put(shopper, attribute, consent=consent, at_ms=now_ms)
            known.add(attribute.name)


def erase_profile(shopper: ShopperId, *, work: UnitOfWork) -> None:
    """Delete what stood on `personalise`: facts, attributes, segments."""
    work.facts.erase(shopper)
    work.attributes.erase(shopper)
    work.segments.erase(shopper)
    work.memberships.erase(shopper)


def _consent(shopper: ShopperId, *, work: UnitOfWork) -> ConsentId | None:
    granted = work.consents.state_of(shopper).granted(Purpose.PERSONALISE)
    return None if granted is None else granted.consent
