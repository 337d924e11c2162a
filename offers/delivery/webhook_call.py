"""Write a webhook's call: body, headers and signature after Standard Webhooks.

Layer: edges. Takes: a `WebhookCall` and the secret. Gives: bytes and headers to the sender. The
signature covers id, time and body; a receiver refuses what is older than five minutes, and knows by
the id what it has already.
"""

import base64
import hashlib
import hmac
import json

from offers.model.messages.webhook import WebhookCall
from rtls.model.units import UnixMs


def render_call(call: WebhookCall) -> bytes:
    """Return the body: always the same bytes for the same event."""
    event = call.event
    body = {
        "type": event.kind.value,
        "id": event.event_id,
        "cursor": call.sequence,
        "at_ms": event.at_ms,
        "data": {
            "site": event.site,
            "shopper": event.shopper,
            "subject": event.subject,
            "detail": dict(event.detail),
        },
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def sign_call(call: WebhookCall, body: bytes, *, secret: str, now_ms: UnixMs) -> dict[str, str]:
    """Return the headers.

    Parameters
    ----------
    call, body
        What is told; ``body`` as `render_call` gives it.
    secret
        ``whsec_`` and base64.
    now_ms
        When it is sent: another time at each attempt.
    """
    sent_s = str(now_ms // 1_000)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{call.event.event_id}.{sent_s}.".encode() + body
    seal = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": call.event.event_id,
        "webhook-timestamp": sent_s,
        "webhook-signature": f"v1,{seal}",
    }
