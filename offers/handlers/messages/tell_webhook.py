"""Say which calls a webhook is due, and write what became of each.

Layer: flow. Takes: a webhook and the answers of its receiver. Gives: `WebhookCall`s to the sender.
A call that fails waits longer each time, and its shopper's later events with it; after a day it is
a dead letter. A receiver that took nothing for a day is suspended until an operator replays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offers.model.ids import WebhookId
from offers.model.messages.webhook import Webhook, WebhookCall, WebhookState
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

CALLS_MAX: Final = 50
TRY_FOR_MS: Final = 24 * 3_600_000
WAIT_MS: Final = 2_000
WAIT_MS_MAX: Final = 3_600_000
EVENTS_KEPT_MS: Final = 30 * 24 * 3_600_000
_DOUBLINGS_MAX: Final = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCalls:
    """What one receiver is to be told now, in order."""

    webhook: Webhook
    calls: tuple[WebhookCall, ...]


def due_calls(webhook: WebhookId, *, work: UnitOfWork, now_ms: UnixMs) -> DueCalls | None:
    """Return what is due, or None where the webhook is gone or suspended."""
    found = work.webhooks.find(webhook)
    if found is None or found.state is not WebhookState.ACTIVE:
        return None
    calls = work.webhooks.due(webhook, now_ms=now_ms, limit=CALLS_MAX)
    return DueCalls(webhook=found, calls=calls)


def note_calls(
    webhook: WebhookId,
    *,
    told: Sequence[WebhookCall],
    failed: Sequence[WebhookCall],
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> None:
    """Write what was taken and what was not.

    Parameters
    ----------
    webhook
        Whose receiver it is.
    told, failed
        Calls that were made.
    work, now_ms, secrets
        The transaction, the time, the source of jitter.
    """
    found = work.webhooks.find(webhook)
    if found is None:
        return  # removed meanwhile
    if told:
        work.webhooks.told(webhook, [call.sequence for call in told], at_ms=now_ms)
    is_buried = False
    for call in failed:
        if now_ms - call.queued_at_ms >= TRY_FOR_MS:
            work.webhooks.bury(webhook, call.sequence)
            is_buried = True
        else:
            until_ms = UnixMs(now_ms + wait_ms(call.attempts, secrets))
            work.webhooks.postpone(webhook, call.sequence, until_ms=until_ms)
    if is_buried and not told and now_ms - found.succeeded_at_ms >= TRY_FOR_MS:
        work.webhooks.set_state(webhook, WebhookState.SUSPENDED, at_ms=now_ms)
        work.webhooks.bury_all(webhook)


def wait_ms(attempts: int, secrets: SecretSource) -> int:
    """Return how long to wait after so many failed attempts: doubled each time, half of it drawn.

    Drawn, so that receivers which fail together are not asked together for ever.
    """
    longest_ms = min(WAIT_MS << min(attempts, _DOUBLINGS_MAX), WAIT_MS_MAX)
    drawn = int.from_bytes(secrets.random_bytes(2), "big") / 0x1_0000
    return round(longest_ms * (0.5 + 0.5 * drawn))
