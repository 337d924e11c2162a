"""Say what goes between an operator and us about webhooks.

Layer: edges. Takes: webhooks. Gives: bodies to the webhook routes, and their schemas to the OpenAPI
document.
"""

from typing import Annotated

from pydantic import Field, StrictInt, StrictStr

from offers.api.schema import HEX_32, Body, Instant, render_instant
from offers.handlers.messages.manage_webhook import Replay
from offers.model.messages.target import URL_CHARACTERS_MAX
from offers.model.messages.webhook import Webhook, WebhookCall, WebhookEventKind, WebhookState

CURSOR_MAX = 2**63 - 1
EVENTS_MAX = len(WebhookEventKind)


class WebhookWishBody(Body):
    """Whom to tell, and of what."""

    url: Annotated[StrictStr, Field(min_length=1, max_length=URL_CHARACTERS_MAX)] = Field(
        description="https, a public name, port 443 or 8443",
        examples=["https://crm.example.com/inaisle"],
    )
    events: Annotated[tuple[WebhookEventKind, ...], Field(min_length=1, max_length=EVENTS_MAX)]


class WebhookBody(Body):
    """One receiver."""

    webhook: str = Field(examples=[HEX_32])
    url: str
    events: tuple[WebhookEventKind, ...]
    state: WebhookState
    created_at: Instant
    succeeded_at: Instant = Field(description="when it last took an event, or was made or resumed")

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookBody":
        """Render a webhook."""
        return cls(
            webhook=webhook.webhook,
            url=webhook.url,
            events=tuple(sorted(webhook.kinds)),
            state=webhook.state,
            created_at=render_instant(webhook.created_at_ms),
            succeeded_at=render_instant(webhook.succeeded_at_ms),
        )


class WebhooksBody(Body):
    """All receivers of the site, oldest first."""

    webhooks: tuple[WebhookBody, ...]


class WebhookSecretBody(Body):
    """A receiver and the secret that signs its calls. The secret is shown this once."""

    webhook: WebhookBody
    secret: str = Field(
        description="Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`",
        examples=["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="],
    )


class ReplayWishBody(Body):
    """From where to tell again."""

    after: StrictInt = Field(
        default=0, ge=0, le=CURSOR_MAX, description="`cursor` of the last event that is there"
    )


class ReplayBody(Body):
    """How far it came; call again with `cursor` until `queued` is 0."""

    queued: int
    cursor: int

    @classmethod
    def of(cls, replay: Replay) -> "ReplayBody":
        """Render the progress."""
        return cls(queued=replay.queued, cursor=replay.cursor)


class DeadLetterBody(Body):
    """An event that the receiver did not take within a day."""

    cursor: int
    event: str = Field(examples=[HEX_32])
    type: WebhookEventKind
    subject: str
    at: Instant
    attempts: int

    @classmethod
    def of(cls, call: WebhookCall) -> "DeadLetterBody":
        """Render a dead letter."""
        return cls(
            cursor=call.sequence,
            event=call.event.event_id,
            type=call.event.kind,
            subject=call.event.subject,
            at=render_instant(call.event.at_ms),
            attempts=call.attempts,
        )


class DeadLettersBody(Body):
    """A page of dead letters, oldest first."""

    dead_letters: tuple[DeadLetterBody, ...]
