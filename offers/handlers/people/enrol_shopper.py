"""Take a new shopper in: a random key, a secret for the app, and the consents given.

Layer: flow. Takes: a language and consent wishes. Gives: `Enrolment` to the app, once. Nothing
about the person is asked for, and no consent is assumed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offers.handlers.messages.note_event import note_event
from offers.handlers.offering.welcome_shopper import welcome_shopper
from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.handlers.people.issue_credential import issue_credential
from offers.handlers.random_id import random_id
from offers.model.ids import ShopperId
from offers.model.messages.webhook import WebhookEventKind
from offers.model.people.consent import ConsentState
from offers.model.people.shopper import Credential, Locale, Role, Shopper
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Enrolment:
    """A new shopper, and the app's secret, which is shown this once. Not printed by `repr`."""

    shopper: Shopper
    credential: Credential
    secret: str
    consents: ConsentState


def enrol_shopper(
    locale: Locale,
    *,
    wishes: Sequence[ConsentWish] = (),
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    site: SiteId | None = None,
) -> Enrolment:
    """Write a new shopper with the consents given.

    The answer holds a secret, so it must not be kept under an idempotency key: whoever asks twice
    becomes two shoppers, of whom one is never seen again, and nothing of value has moved.

    Parameters
    ----------
    locale
        The language of the app.
    wishes
        What the shopper agreed to on the way in; may be empty.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    site
        Whose campaigns may welcome the shopper; None for one who belongs to no site yet.
    """
    shopper = Shopper(shopper=ShopperId(random_id(secrets)), enrolled_at_ms=now_ms, locale=locale)
    work.shoppers.add(shopper)
    issued = issue_credential(
        Role.SHOPPER, work=work, now_ms=now_ms, secrets=secrets, shopper=shopper.shopper
    )
    note_event(
        WebhookEventKind.SHOPPER_ENROLLED,
        subject=shopper.shopper,
        shopper=shopper.shopper,
        work=work,
        now_ms=now_ms,
    )
    consents = ConsentState()
    for wish in wishes:
        consents = change_consent(shopper.shopper, wish, work=work, now_ms=now_ms, secrets=secrets)
    if site is not None:
        welcome_shopper(shopper.shopper, site, work=work, now_ms=now_ms, secrets=secrets)
    return Enrolment(
        shopper=shopper, credential=issued.credential, secret=issued.secret, consents=consents
    )
