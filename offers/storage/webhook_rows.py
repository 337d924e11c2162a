"""Turn rows into webhooks and calls.

Layer: edges. Takes: rows. Gives: `Webhook` and `WebhookCall` to sql_webhooks.
"""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.ids import ShopperId, WebhookId
from offers.model.messages.webhook import (
    Webhook,
    WebhookCall,
    WebhookEvent,
    WebhookEventKind,
    WebhookState,
)
from rtls.model.units import SiteId, UnixMs


def webhook_of_row(row: sa.Row[*tuple[object, ...]], kinds: Sequence[str]) -> Webhook:
    """Return the webhook that a row and its kinds hold."""
    return Webhook(
        webhook=WebhookId(row.webhook_id),
        site=SiteId(row.site),
        url=row.url,
        kinds=frozenset(WebhookEventKind(kind) for kind in kinds),
        secret_version=row.secret_version,
        state=WebhookState(row.state),
        created_at_ms=UnixMs(row.created_at_ms),
        succeeded_at_ms=UnixMs(row.succeeded_at_ms),
    )


def call_of_row(row: sa.Row[*tuple[object, ...]]) -> WebhookCall:
    """Return the call that a row of queue and event holds."""
    return WebhookCall(
        webhook=WebhookId(row.webhook_id),
        sequence=row.event_sequence,
        event=WebhookEvent(
            kind=WebhookEventKind(row.kind),
            site=None if row.site is None else SiteId(row.site),
            shopper=None if row.shopper_id is None else ShopperId(row.shopper_id),
            subject=row.subject,
            at_ms=UnixMs(row.at_ms),
            detail=json.loads(row.detail),
        ),
        attempts=row.attempts,
        queued_at_ms=UnixMs(row.queued_at_ms),
        due_at_ms=UnixMs(row.due_at_ms),
    )
