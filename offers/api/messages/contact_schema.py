"""Say what goes between the app and us about messages.

Layer: edges. Takes: wishes and subscriptions. Gives: bodies to the contact routes, and their
schemas to the OpenAPI document. Keys of browsers come in and never go out again.
"""

from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from offers.api.schema import HEX_32, Body, Instant, render_instant
from offers.handlers.messages.change_contact import Browser, ContactChange
from offers.model.messages.contact import MAIL_CHARACTERS_MAX, ContactWishes, Frequency
from offers.model.messages.push import PushSubscription, parse_base64url
from offers.model.messages.target import URL_CHARACTERS_MAX, Target

KEY_EXAMPLE = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
Base64Url = Annotated[StrictStr, Field(min_length=1, max_length=130)]
MailAddress = Annotated[StrictStr, Field(max_length=MAIL_CHARACTERS_MAX)]


class PushKeyBody(Body):
    """What a browser needs to subscribe."""

    public_key: str | None = Field(
        description="applicationServerKey, base64url; null where this shop does not push",
        examples=[KEY_EXAMPLE],
    )


class BrowserKeysBody(Body):
    """The keys of `PushSubscription.toJSON()`."""

    p256dh: Base64Url = Field(examples=[KEY_EXAMPLE])
    auth: Base64Url = Field(examples=["BTBZMqHH6r4Tts7J_aSIgg"])


class BrowserBody(Body):
    """`PushSubscription.toJSON()` of the browser."""

    endpoint: Annotated[StrictStr, Field(min_length=1, max_length=URL_CHARACTERS_MAX)] = Field(
        examples=["https://updates.push.services.example.com/wpush/v2/gAAAAABl"]
    )
    keys: BrowserKeysBody
    expirationTime: float | None = Field(  # noqa: N815 - as browsers write it
        default=None, description="not used: a browser that ends tells its push service"
    )

    def noun(self) -> Browser:
        """Return the browser that is meant."""
        return Browser(
            endpoint=self.endpoint,
            browser_key=parse_base64url("p256dh", self.keys.p256dh),
            browser_secret=parse_base64url("auth", self.keys.auth),
        )


class PushSubscriptionBody(Body):
    """One browser that pushes go to."""

    subscription: str = Field(examples=[HEX_32])
    service: str = Field(examples=["updates.push.services.example.com"])
    created_at: Instant

    @classmethod
    def of(cls, subscription: PushSubscription) -> "PushSubscriptionBody":
        """Render a subscription."""
        return cls(
            subscription=subscription.subscription,
            service=Target.parse(subscription.endpoint).host,
            created_at=render_instant(subscription.created_at_ms),
        )


class PushSubscriptionsBody(Body):
    """The shopper's browsers, newest first."""

    subscriptions: tuple[PushSubscriptionBody, ...]


class ContactWishBody(Body):
    """How the shopper wishes to be addressed."""

    wants_push: StrictBool = True
    wants_mail: StrictBool = True
    frequency: Frequency = Field(
        default=Frequency.NORMAL, description="`fewer`: one push a week, one mail a month at most"
    )
    mail_address: MailAddress | None = Field(default=None, examples=["anna@example.org"])

    def noun(self) -> ContactChange:
        """Return the wishes that are meant."""
        return ContactChange(
            wants_push=self.wants_push,
            wants_mail=self.wants_mail,
            frequency=self.frequency,
            mail_address=self.mail_address,
        )


class ContactBody(ContactWishBody):
    """The wishes, and whether the address has been confirmed."""

    is_mail_confirmed: bool

    @classmethod
    def of(cls, wishes: ContactWishes) -> "ContactBody":
        """Render wishes."""
        return cls(
            wants_push=wishes.wants_push,
            wants_mail=wishes.wants_mail,
            frequency=wishes.frequency,
            mail_address=wishes.mail_address,
            is_mail_confirmed=wishes.mail_confirmed_at_ms is not None,
        )
