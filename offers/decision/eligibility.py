"""Say which consents a decision stands on, or which is missing.

Layer: rules. Takes: a shopper's `ConsentState`. Gives: the records that allow an offer, or a
refusal, to decide. Without `personalise` no offer is made, and without `locate` none that stands on
where the shopper is; without `notify` an offer waits in the app and is never pushed.
"""

from dataclasses import dataclass

from offers.model.ids import ConsentId
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import ConsentState, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """The records that allow an offer to be made."""

    locate: ConsentId | None
    """None where it was not asked for"""
    personalise: ConsentId
    may_notify: bool


def eligibility(consents: ConsentState, *, needs_locate: bool) -> Eligibility | Refusal:
    """Return what allows an offer, or the first purpose that is missing."""
    locate = consents.granted(Purpose.LOCATE) if needs_locate else None
    if needs_locate and locate is None:
        return Refusal.CONSENT_LOCATE_MISSING
    personalise = consents.granted(Purpose.PERSONALISE)
    if personalise is None:
        return Refusal.CONSENT_PERSONALISE_MISSING
    return Eligibility(
        locate=None if locate is None else locate.consent,
        personalise=personalise.consent,
        may_notify=consents.granted(Purpose.NOTIFY) is not None,
    )
