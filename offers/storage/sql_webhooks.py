"""Keep whom we tell, what happened, and which call is still to be made, in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Webhooks`. An event is
queued by the statement that reads who asked for it, in the transaction that made it true.
"""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.ids import ShopperId, WebhookId
from offers.model.messages.webhook import Webhook, WebhookCall, WebhookEvent, WebhookState
from offers.storage import webhook_statements as statements
from offers.storage.insert_once import insert_once
from offers.storage.tables import WEBHOOK_EVENTS, WEBHOOK_KINDS, WEBHOOKS
from offers.storage.webhook_rows import call_of_row, webhook_of_row
from rtls.model.units import SiteId, UnixMs

_ADD_WEBHOOK_KINDS = sa.insert(WEBHOOK_KINDS)


class SqlWebhooks:
    """Receivers, events, and the queue of each receiver."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(WEBHOOKS, connection.dialect.name)
        self._insert_event = insert_once(WEBHOOK_EVENTS, connection.dialect.name)
        self._is_nobody_told = False  # true once it was read; nobody else adds one meanwhile

    def add(self, webhook: Webhook, *, slots: int) -> bool:
        """Write a new webhook; False where the site has ``slots`` of them."""
        row = {
            "webhook_id": webhook.webhook,
            "site": webhook.site,
            "url": webhook.url,
            "secret_version": webhook.secret_version,
            "state": webhook.state.value,
            "created_at_ms": webhook.created_at_ms,
            "succeeded_at_ms": webhook.succeeded_at_ms,
        }
        self._is_nobody_told = False
        is_added = any(
            self._connection.execute(self._insert, row | {"slot": slot}).rowcount == 1
            for slot in range(slots)
        )
        if is_added:
            kinds = [{"webhook_id": webhook.webhook, "kind": kind} for kind in webhook.kinds]
            self._connection.execute(_ADD_WEBHOOK_KINDS, kinds)
        return is_added

    def find(self, webhook: WebhookId) -> Webhook | None:
        """Return the webhook, or None."""
        row = self._connection.execute(statements.FIND, {"webhook": webhook}).one_or_none()
        return None if row is None else self._read(row)

    def of_site(self, site: SiteId) -> tuple[Webhook, ...]:
        """Return the webhooks of a site, oldest first."""
        rows = self._connection.execute(statements.OF_SITE, {"at_site": site}).all()
        return tuple(self._read(row) for row in rows)

    def _read(self, row: sa.Row[*tuple[object, ...]]) -> Webhook:
        given = {"webhook": row.webhook_id}
        return webhook_of_row(
            row, list(self._connection.execute(statements.KINDS, given).scalars())
        )

    def remove(self, webhook: WebhookId) -> None:
        """Delete it, and with it what it was still to be told."""
        for statement in statements.REMOVE:
            self._connection.execute(statement, {"webhook": webhook})

    def renew_secret(self, webhook: WebhookId) -> None:
        """Count up the version that the secret follows from."""
        self._connection.execute(statements.RENEW_SECRET, {"webhook": webhook})

    def set_state(self, webhook: WebhookId, state: WebhookState, *, at_ms: UnixMs) -> None:
        """Suspend it, or resume it as if it had just taken an event."""
        if state is WebhookState.ACTIVE:
            self._connection.execute(statements.SUCCEEDED, {"webhook": webhook, "now_ms": at_ms})
        given = {"webhook": webhook, "after": state.value}
        self._connection.execute(statements.SET_STATE, given)

    def is_anybody_told(self) -> bool:
        """Say whether there is any webhook at all."""
        if not self._is_nobody_told:
            self._is_nobody_told = self._connection.execute(statements.ANY).first() is None
        return not self._is_nobody_told

    def note(self, event: WebhookEvent) -> None:
        """Write an event once, and queue it for each active webhook of its site that asked."""
        row = {
            "event_id": event.event_id,
            "kind": event.kind.value,
            "site": event.site,
            "shopper_id": event.shopper,
            "subject": event.subject,
            "detail": json.dumps(dict(event.detail), sort_keys=True),
            "at_ms": event.at_ms,
        }
        if self._connection.execute(self._insert_event, row).rowcount == 1:
            given = {"event": event.event_id, "now_ms": event.at_ms}
            self._connection.execute(statements.QUEUE, given)

    def with_calls_due(self, *, now_ms: UnixMs) -> tuple[WebhookId, ...]:
        """Return the webhooks for which a call is due."""
        found = self._connection.execute(statements.WITH_CALLS_DUE, {"now_ms": now_ms})
        return tuple(WebhookId(one) for one in found.scalars())

    def due(self, webhook: WebhookId, *, now_ms: UnixMs, limit: int) -> tuple[WebhookCall, ...]:
        """Return due calls in the order of events; none behind one of its shopper that waits."""
        given = {"webhook": webhook, "now_ms": now_ms, "most": limit}
        return tuple(call_of_row(row) for row in self._connection.execute(statements.DUE, given))

    def told(self, webhook: WebhookId, sequences: Sequence[int], *, at_ms: UnixMs) -> None:
        """Delete calls that were taken, and note when."""
        given = {"webhook": webhook, "numbers": list(sequences)}
        self._connection.execute(statements.TOLD, given)
        self._connection.execute(statements.SUCCEEDED, {"webhook": webhook, "now_ms": at_ms})

    def postpone(self, webhook: WebhookId, sequence: int, *, until_ms: UnixMs) -> None:
        """Write that a call failed, and when the next attempt is due."""
        given = {"webhook": webhook, "number": sequence, "until_ms": until_ms}
        self._connection.execute(statements.POSTPONE, given)

    def bury(self, webhook: WebhookId, sequence: int) -> None:
        """Make a call a dead letter; it waits for a replay."""
        self._connection.execute(statements.BURY, {"webhook": webhook, "number": sequence})

    def bury_all(self, webhook: WebhookId) -> None:
        """Make dead letters of all calls that wait."""
        self._connection.execute(statements.BURY_ALL, {"webhook": webhook})

    def dead_letters(
        self, webhook: WebhookId, *, after: int, limit: int
    ) -> tuple[WebhookCall, ...]:
        """Return dead letters behind a cursor, oldest first."""
        given = {"webhook": webhook, "behind": after, "most": limit}
        rows = self._connection.execute(statements.DEAD_LETTERS, given)
        return tuple(call_of_row(row) for row in rows)

    def replay(
        self, webhook: WebhookId, *, after: int, limit: int, at_ms: UnixMs
    ) -> tuple[int, int]:
        """Queue kept events behind a cursor again; return how many, and the cursor reached."""
        given = {"webhook": webhook, "behind": after, "most": limit}
        numbers = list(self._connection.execute(statements.TO_REPLAY, given).scalars())
        if not numbers:
            return 0, after
        again = {"webhook": webhook, "numbers": numbers}
        self._connection.execute(statements.TOLD, again)
        self._connection.execute(statements.REQUEUE, again | {"now_ms": at_ms})
        return len(numbers), numbers[-1]

    def forget_shopper(self, shopper: ShopperId) -> None:
        """Delete all events about a shopper, told or not."""
        for statement in statements.FORGET_SHOPPER:
            self._connection.execute(statement, {"shopper": shopper})

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete events older than ``before_ms`` with their calls; return how many."""
        given = {"before_ms": before_ms, "most": limit}
        numbers = list(self._connection.execute(statements.OLD, given).scalars())
        for statement in statements.FORGET if numbers else ():
            self._connection.execute(statement, {"numbers": numbers})
        return len(numbers)
