"""Keep whom we tell, what happened, and which call is still to be made.

Layer: ports. Takes: nouns. Gives: `Webhooks` to storage.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.ids import ShopperId, WebhookId
from offers.model.messages.webhook import Webhook, WebhookCall, WebhookEvent, WebhookState
from rtls.model.units import SiteId, UnixMs


class Webhooks(Protocol):
    """Receivers, events, and the queue of each receiver."""

    def add(self, webhook: Webhook, *, slots: int) -> bool:
        """Write a new webhook; False where the site has ``slots`` of them."""
        ...

    def find(self, webhook: WebhookId) -> Webhook | None:
        """Return the webhook, or None."""
        ...

    def of_site(self, site: SiteId) -> tuple[Webhook, ...]:
        """Return the webhooks of a site, oldest first."""
        ...

    def remove(self, webhook: WebhookId) -> None:
        """Delete it, and with it what it was still to be told."""
        ...

    def renew_secret(self, webhook: WebhookId) -> None:
        """Count up the version that the secret follows from."""
        ...

    def set_state(self, webhook: WebhookId, state: WebhookState, *, at_ms: UnixMs) -> None:
        """Suspend it, or resume it as if it had just taken an event."""
        ...

    def is_anybody_told(self) -> bool:
        """Say whether there is any webhook at all."""
        ...

    def note(self, event: WebhookEvent) -> None:
        """Write an event once, and queue it for each active webhook of its site that asked."""
        ...

    def with_calls_due(self, *, now_ms: UnixMs) -> tuple[WebhookId, ...]:
        """Return the webhooks for which a call is due."""
        ...

    def due(self, webhook: WebhookId, *, now_ms: UnixMs, limit: int) -> tuple[WebhookCall, ...]:
        """Return due calls in the order of events; none behind one of its shopper that waits."""
        ...

    def told(self, webhook: WebhookId, sequences: Sequence[int], *, at_ms: UnixMs) -> None:
        """Delete calls that were taken, and note when."""
        ...

    def postpone(self, webhook: WebhookId, sequence: int, *, until_ms: UnixMs) -> None:
        """Write that a call failed, and when the next attempt is due."""
        ...

    def bury(self, webhook: WebhookId, sequence: int) -> None:
        """Make a call a dead letter; it waits for a replay."""
        ...

    def bury_all(self, webhook: WebhookId) -> None:
        """Make dead letters of all calls that wait."""
        ...

    def dead_letters(
        self, webhook: WebhookId, *, after: int, limit: int
    ) -> tuple[WebhookCall, ...]:
        """Return dead letters behind a cursor, oldest first."""
        ...

    def replay(
        self, webhook: WebhookId, *, after: int, limit: int, at_ms: UnixMs
    ) -> tuple[int, int]:
        """Queue kept events behind a cursor again; return how many, and the cursor reached."""
        ...

    def forget_shopper(self, shopper: ShopperId) -> None:
        """Delete all events about a shopper, told or not."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete events older than ``before_ms`` with their calls; return how many."""
        ...
