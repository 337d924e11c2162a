"""Say which consents a decision stands on, or which is missing.

Layer: rules. Takes: a shopper's `ConsentState`. Gives: the records that allow an offer, or a
refusal, to decide. Without `locate` and `personalise` no offer is made; without `notify` an offer
waits in the app and is never pushed.
"""

from dataclasses import dataclass

from offers.model.consent import ConsentState, Purpose
from offers.model.ids import ConsentId
from offers.model.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """The records that allow an offer to be made."""

    locate: ConsentId
    personalise: ConsentId
    may_notify: bool


def eligibility(consents: ConsentState) -> Eligibility | Refusal:
    """Return what allows an offer, or the first purpose that is missing."""
    locate = consents.granted(Purpose.LOCATE)
    if locate is None:
        return Refusal.CONSENT_LOCATE_MISSING
    personalise = consents.granted(Purpose.PERSONALISE)
    if personalise is None:
        return Refusal.CONSENT_PERSONALISE_MISSING
    return Eligibility(
        locate=locate.consent,
        personalise=personalise.consent,
        may_notify=consents.granted(Purpose.NOTIFY) is not None,
    )
