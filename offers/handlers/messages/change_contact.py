"""Take what a shopper wishes about messages: browsers, channels, frequency, mail address.

Layer: flow. Takes: a `ContactChange`, or a browser that subscribes. Gives: the `ContactWishes` and
subscriptions as they are then. A new mail address gets one question first; until its owner has said
yes, no other mail goes there.
"""

from dataclasses import dataclass, replace

from offers.handlers.random_id import random_id
from offers.model.errors import NotFound
from offers.model.ids import PushSubscriptionId, ShopperId
from offers.model.messages.contact import ContactWishes, Frequency
from offers.model.messages.mail import MailKind
from offers.model.messages.push import SUBSCRIPTIONS_A_SHOPPER_MAX, PushSubscription
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    """What the app sends: all wishes at once."""

    wants_push: bool
    wants_mail: bool
    frequency: Frequency
    mail_address: str | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Browser:
    """What a browser gives when its user allows pushes. Not printed by `repr`."""

    endpoint: str
    browser_key: bytes
    browser_secret: bytes


def change_contact(
    shopper: ShopperId, change: ContactChange, *, work: UnitOfWork, now_ms: UnixMs
) -> ContactWishes:
    """Write the wishes; a mail address that is new is asked whether it is the shopper's."""
    before = work.contacts.wishes_of(shopper)
    is_same = change.mail_address == before.mail_address
    after = replace(
        before,
        wants_push=change.wants_push,
        wants_mail=change.wants_mail,
        frequency=change.frequency,
        mail_address=change.mail_address,
        mail_confirmed_at_ms=before.mail_confirmed_at_ms if is_same else None,
    )
    work.contacts.set_wishes(shopper, after)
    if after.mail_address is not None and not is_same:
        # One question a day and shopper: nobody's mailbox is to be filled by a stranger.
        day = str(now_ms // 86_400_000)
        work.mails.add(MailKind.CONFIRM_ADDRESS, shopper=shopper, subject=day, at_ms=now_ms)
    return after


def subscribe_browser(
    shopper: ShopperId,
    browser: Browser,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> PushSubscription:
    """Keep a browser for pushes; the same browser again replaces itself.

    It does not switch pushes on again: apps subscribe at every start, also after a shopper has
    followed an unsubscribe link.

    Raises `InvalidTarget` if the endpoint must not be called, or a key is none.
    """
    subscription = PushSubscription(
        subscription=PushSubscriptionId(random_id(secrets)),
        shopper=shopper,
        endpoint=browser.endpoint,
        browser_key=browser.browser_key,
        browser_secret=browser.browser_secret,
        created_at_ms=now_ms,
    )
    work.push_subscriptions.keep(subscription, slots=SUBSCRIPTIONS_A_SHOPPER_MAX)
    return subscription


def unsubscribe_browser(
    shopper: ShopperId, subscription: PushSubscriptionId, *, work: UnitOfWork
) -> None:
    """Forget one browser.

    Raises
    ------
    NotFound
        If it is unknown, or another's.
    """
    mine = work.push_subscriptions.of_shopper(shopper)
    if all(one.subscription != subscription for one in mine):
        raise NotFound("no such subscription; expected one from the shopper's own list.")
    work.push_subscriptions.remove(subscription)
