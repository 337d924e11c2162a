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
class Standing:
    """Which records grant what; None: nothing does, or it was not asked for."""

    locate: ConsentId | None
    personalise: ConsentId | None
    may_notify: bool

    @classmethod
    def of(cls, consents: ConsentState, *, needs_locate: bool) -> "Standing":
        """Return what has been granted of all that is asked for."""
        locate = consents.granted(Purpose.LOCATE) if needs_locate else None
        personalise = consents.granted(Purpose.PERSONALISE)
        return cls(
            locate=None if locate is None else locate.consent,
            personalise=None if personalise is None else personalise.consent,
            may_notify=consents.granted(Purpose.NOTIFY) is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """The records that allow an offer to be made."""

    locate: ConsentId | None
    """None where it was not asked for"""
    personalise: ConsentId
    may_notify: bool


def eligibility(consents: ConsentState, *, needs_locate: bool) -> Eligibility | Refusal:
    """Return what allows an offer now, or the first purpose that is missing."""
    standing = Standing.of(consents, needs_locate=needs_locate)
    return eligibility_on(standing, needs_locate=needs_locate)


def eligibility_on(standing: Standing, *, needs_locate: bool) -> Eligibility | Refusal:
    """Return what allows an offer by these records, or the first purpose that is missing."""
    if needs_locate and standing.locate is None:
        return Refusal.CONSENT_LOCATE_MISSING
    if standing.personalise is None:
        return Refusal.CONSENT_PERSONALISE_MISSING
    return Eligibility(
        locate=standing.locate,
        personalise=standing.personalise,
        may_notify=standing.may_notify,
    )
