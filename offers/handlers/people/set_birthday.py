"""Take a birthday; from a child, take back every consent instead.

Layer: flow. Takes: a `Birthday` and the day of the site. Gives: whether the shopper is of age. The
birthday is an attribute as any other, and stands on `personalise`. Who is told to be younger than
16 gets no profile and no offers: what was granted is withdrawn, and cannot be granted again before
the day on which the shopper comes of age, which is all that is stored.
"""

from datetime import date

from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.handlers.profile.note_fact import note_attribute
from offers.model.conditions.attribute import Attribute
from offers.model.ids import ShopperId
from offers.model.loyalty.birthday import Birthday, check_told_year
from offers.model.people.consent import ConsentChannel, Purpose
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

ATTRIBUTE = "birthday"
TEXT_VERSION = "under-16"


def set_birthday(
    shopper: ShopperId,
    birthday: Birthday,
    *,
    today: date,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> bool:
    """Keep the birthday, and return True; for a child withdraw everything, and return False.

    Parameters
    ----------
    shopper
        Whose it is, from the credential.
    birthday
        What he says.
    today
        The day at the site.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    It raises `InvalidShopper` for a year in which nobody alive was born, `ConsentMissing` where
    `personalise` is not granted and nothing could be kept.
    """
    check_told_year(birthday, today=today)
    of_age_on = birthday.of_age_on
    is_child = of_age_on is not None and today < of_age_on
    was_child = work.minors.of_age_on(shopper) is not None
    if of_age_on is not None:
        work.minors.put(shopper, of_age_on if is_child else None)
    if is_child:
        _withdraw_all(shopper, work=work, now_ms=now_ms, secrets=secrets)
        return False
    if was_child:
        return True  # the year is put right; what was withdrawn has to be granted anew first
    attribute = Attribute(name=ATTRIBUTE, values=frozenset({birthday.text}))
    note_attribute(shopper, attribute, work=work, now_ms=now_ms)
    return True


def _withdraw_all(
    shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> None:
    for record in work.consents.state_of(shopper).newest:
        if record.is_granted:
            wish = ConsentWish(
                purpose=Purpose(record.purpose),
                is_granted=False,
                text_version=TEXT_VERSION,
                locale=record.locale,
                channel=ConsentChannel.SYSTEM,
            )
            change_consent(shopper, wish, work=work, now_ms=now_ms, secrets=secrets)
