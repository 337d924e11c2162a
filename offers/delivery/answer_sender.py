"""Push what staff answered, where no open app has taken it within a few seconds.

Layer: edges. Takes: answers from the relay. Gives: messages to web push, and what became of them to
the database. As with offers nothing is kept here: an answer that waits when the process dies waits
in the app, and a mail brings it, too.
"""

import json
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Final

from offers.delivery.agenda import Agenda
from offers.delivery.agenda_workers import AgendaWorkers
from offers.delivery.push_round import BODY_CHARACTERS_MAX, PushService, push_to_all
from offers.delivery.web_push import PushMessage
from offers.handlers.messages.push_answer import (
    AnswerPush,
    note_answer_push,
    prepare_answer_push,
)
from offers.model.ids import CaseAnswerId, PushSubscriptionId
from offers.model.messages.contact import DeliveryOutcome
from offers.model.people.shopper import Locale
from offers.ports import SecretSource, UnitOfWork, Writer
from rtls.model.units import UnixMs

ANSWERS_MAX: Final = 1_000
APP_FIRST_MS: Final = 3_000
"""so long an open app has to take it; who reads it there needs no notification"""
TTL_S: Final = 3 * 86_400
"""an answer is worth reading when the phone is charged again"""
_TITLES: Final = MappingProxyType(
    {Locale.DE: "Antwort auf Ihre Nachricht", Locale.EN: "An answer to your message"}
)


class AnswerSender:
    """One thread that pushes answers.

    Parameters
    ----------
    writer
        Checks and marks in transactions.
    service
        Sends to browsers.
    secrets, now_ms
        The key of unsubscribe links, and the door's clock.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        service: PushService,
        secrets: SecretSource,
        now_ms: Callable[[], UnixMs],
    ) -> None:
        self._writer = writer
        self._service = service
        self._secrets = secrets
        self._now_ms = now_ms
        self._agenda: Agenda[CaseAnswerId] = Agenda(things_max=ANSWERS_MAX, now_ms=now_ms)
        self._workers = AgendaWorkers(
            self._agenda, self._attempt, name="answers", failed=self._count_failure
        )
        self.counters = {"wished": 0, "overflowed": 0, "taken": 0, "failed": 0, "refused": 0}

    def start(self) -> None:
        """Work in a thread of its own."""
        self._workers.start()

    def close(self) -> None:
        """Stop after the push in hand."""
        self._workers.close()

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive; health pages name it."""
        return self._workers.is_running

    def answered(self, answer: CaseAnswerId) -> None:
        """Push an answer unless an open app takes it soon. From any thread; returns at once."""
        is_noted = self._agenda.put(answer, due_ms=UnixMs(self._now_ms() + APP_FIRST_MS))
        self.counters["wished" if is_noted else "overflowed"] += 1

    def _count_failure(self) -> None:
        self.counters["failed"] += 1

    def _attempt(self, answer: CaseAnswerId, attempt: int) -> None:
        prepared = self._writer.run(partial(self._prepare, answer))
        if not isinstance(prepared, AnswerPush):
            self.counters["refused"] += 1
            self._agenda.done(answer)
            return
        outcome = push_to_all(prepared.browsers, answer_message(prepared), service=self._service)
        if outcome.is_to_be_repeated(attempt):
            due_ms = UnixMs(self._now_ms() + outcome.wait_ms(attempt))
            self._agenda.again(answer, due_ms=due_ms, attempt=attempt + 1)
            return
        self._note(answer, outcome.ended, outcome.gone)
        self.counters["taken" if outcome.is_taken else "failed"] += 1
        self._agenda.done(answer)

    def _prepare(self, answer: CaseAnswerId, work: UnitOfWork) -> object:
        return prepare_answer_push(answer, work=work, now_ms=self._now_ms(), secrets=self._secrets)

    def _note(
        self, answer: CaseAnswerId, outcome: DeliveryOutcome, gone: tuple[PushSubscriptionId, ...]
    ) -> None:
        def note(work: UnitOfWork) -> None:
            note_answer_push(answer, outcome, gone=gone, work=work, now_ms=self._now_ms())

        self._writer.run(note)


def answer_message(push: AnswerPush) -> PushMessage:
    """Return what the service worker of the app reads; sealed, so that no service reads along."""
    shown = {
        "case": push.answer.case,
        "title": _TITLES[push.locale],
        "body": push.answer.words[:BODY_CHARACTERS_MAX],
        "locale": push.locale.value,
        "unsubscribe": f"/v1/unsubscribe?token={push.unsubscribe_token}",
    }
    payload = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    return PushMessage(payload=payload, ttl_s=TTL_S, topic=push.answer.answer)
