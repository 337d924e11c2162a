"""Push offers that no open app has taken, beside everything else.

Layer: edges. Takes: offers from the relay. Gives: messages to web push, and what became of them to
the database. Each attempt asks the database anew whether the offer may go out; a service that is
busy is asked again as long as the context lasts. Nothing is kept: an offer that waits here when the
process dies waits in the app.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Final

from offers.delivery.agenda import Agenda
from offers.delivery.agenda_workers import AgendaWorkers
from offers.delivery.push_round import BODY_CHARACTERS_MAX, PushService, push_to_all
from offers.delivery.web_push import PushMessage
from offers.handlers.offering.push_offer import Push, note_push, prepare_push
from offers.model.ids import OfferId, PushSubscriptionId
from offers.model.messages.contact import DeliveryOutcome
from offers.model.messages.push_rules import PushRules
from offers.ports import SecretSource, UnitOfWork, Writer
from rtls.model.units import UnixMs

WORKERS: Final = 4
OFFERS_MAX: Final = 10_000


class PushSender:
    """A few threads that push.

    Parameters
    ----------
    writer
        Checks and marks in transactions.
    service
        Sends to browsers.
    rules
        Quiet hours and cap of the site.
    secrets, now_ms
        The key of unsubscribe links, and the door's clock.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        service: PushService,
        rules: PushRules,
        secrets: SecretSource,
        now_ms: Callable[[], UnixMs],
    ) -> None:
        self._writer = writer
        self._service = service
        self._rules = rules
        self._secrets = secrets
        self._now_ms = now_ms
        self._agenda: Agenda[OfferId] = Agenda(things_max=OFFERS_MAX, now_ms=now_ms)
        self._workers = AgendaWorkers(
            self._agenda, self._attempt, name="push", failed=self._count_failure, workers=WORKERS
        )
        self.counters = {
            "wished": 0,
            "overflowed": 0,
            "refused": 0,
            "taken": 0,
            "failed": 0,
            "retried": 0,
            "gone": 0,
        }

    def start(self) -> None:
        """Work in threads of their own."""
        self._workers.start()

    def close(self) -> None:
        """Stop after the pushes in hand."""
        self._workers.close()

    @property
    def is_running(self) -> bool:
        """Whether all threads are alive; health pages name it."""
        return self._workers.is_running

    def unseen(self, offer: OfferId) -> None:
        """Push an offer that no open app has taken. From any thread; returns at once."""
        is_noted = self._agenda.put(offer, due_ms=self._now_ms())
        self.counters["wished" if is_noted else "overflowed"] += 1

    def _count_failure(self) -> None:  # the relay may wish the offer again
        self.counters["failed"] += 1

    def _attempt(self, offer: OfferId, attempt: int) -> None:
        prepared = self._writer.run(partial(self._prepare, offer))
        if not isinstance(prepared, Push):
            self.counters["refused"] += 1
            if attempt > 0:
                self._note(offer, DeliveryOutcome.FAILED, ())
            self._agenda.done(offer)
            return
        message = push_message(prepared)
        outcome = push_to_all(prepared.browsers, message, service=self._service)
        self.counters["gone"] += len(outcome.gone)
        if outcome.is_to_be_repeated(attempt):
            self.counters["retried"] += 1
            due_ms = UnixMs(self._now_ms() + outcome.wait_ms(attempt))
            self._agenda.again(offer, due_ms=due_ms, attempt=attempt + 1)
            return
        self._note(offer, outcome.ended, outcome.gone)
        self.counters["taken" if outcome.is_taken else "failed"] += 1
        self._agenda.done(offer)

    def _prepare(self, offer: OfferId, work: UnitOfWork) -> object:
        return prepare_push(
            offer, work=work, now_ms=self._now_ms(), secrets=self._secrets, rules=self._rules
        )

    def _note(
        self,
        offer: OfferId,
        outcome: DeliveryOutcome,
        gone: tuple[PushSubscriptionId, ...],
    ) -> None:
        def note(work: UnitOfWork) -> None:
            note_push(offer, outcome, gone=gone, work=work, now_ms=self._now_ms())

        self._writer.run(note)


def push_message(push: Push) -> PushMessage:
    """Return what the service worker of the app reads: what to show, and how to end such pushes."""
    text = push.card.revision.texts[push.locale]
    offer = push.card.offer
    shown = {
        "offer": offer.offer,
        "title": text.title,
        "body": text.body[:BODY_CHARACTERS_MAX],
        "locale": push.locale.value,
        "expires_at_ms": offer.expires_at_ms,
        "unsubscribe": f"/v1/unsubscribe?token={push.unsubscribe_token}",
    }
    payload = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    return PushMessage(payload=payload, ttl_s=push.ttl_s, topic=offer.offer)
