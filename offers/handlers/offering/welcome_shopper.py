"""Welcome a new shopper, as soon as the shopper lets offers be chosen.

Layer: flow. Takes: a shopper who has enrolled or granted `personalise`. Gives: the welcome offer,
once a person and site. Before that consent nothing may be chosen for the shopper, so an app that
asks for it after the enrolment brings the welcome then.
"""

from offers.handlers.offering.on_occasion import on_occasion
from offers.model.ids import ShopperId
from offers.model.offering.decision import Decision
from offers.model.offering.occasion import Enrolled
from offers.model.people.consent import Purpose
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def welcome_shopper(
    shopper: ShopperId, site: SiteId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Decision | None:
    """Decide about the welcome; None where it may not be yet, or was before."""
    if work.consents.state_of(shopper).granted(Purpose.PERSONALISE) is None:
        return None
    return on_occasion(
        Enrolled(), shopper=shopper, site=site, work=work, now_ms=now_ms, secrets=secrets
    )
