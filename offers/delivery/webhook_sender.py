"""Tell webhooks what happened, each receiver on a lane of its own.

Layer: edges. Takes: the queue in the database, a wake-up after each commit. Gives: signed calls to
receivers, and what became of them to the database. One lane a receiver, one call at a time on it: a
receiver that is slow or away holds up itself alone. What was told when the process died is told
again: at least once, in the order of each shopper's events.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from offers.delivery.repeated_turn import RepeatedTurn, always
from offers.delivery.safe_post import SafePost
from offers.delivery.webhook_call import render_call, sign_call
from offers.handlers.messages.manage_webhook import webhook_secret
from offers.handlers.messages.tell_webhook import DueCalls, due_calls, note_calls, wait_ms
from offers.model.errors import InvalidTarget, Unreachable
from offers.model.ids import WebhookId
from offers.model.messages.target import Target
from offers.model.messages.webhook import Webhook, WebhookCall
from offers.ports import Reader, SecretSource, UnitOfWork, Writer
from rtls.model.errors import InaisleError
from rtls.model.units import UnixMs

LANES: Final = 10  # as many as a site may have webhooks, so that none waits for another
IDLE_S: Final = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """How long a receiver that does not answer is left alone."""

    attempts: int
    until_ms: UnixMs


class WebhookSender:
    """One thread that looks for calls, and a lane for each receiver.

    Parameters
    ----------
    writer, reader
        Mark in transactions; look for calls beside them.
    post
        Calls public servers only.
    secrets, now_ms
        Secrets of webhooks, jitter, and the door's clock.
    lanes
        How many receivers are told at once.
    is_our_turn
        Says whether this process calls: of several, one does at a time.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: Reader,
        post: SafePost,
        secrets: SecretSource,
        now_ms: Callable[[], UnixMs],
        lanes: int = LANES,
        is_our_turn: Callable[[], bool] = always,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._post = post
        self._secrets = secrets
        self._now_ms = now_ms
        self._is_our_turn = is_our_turn
        self._lanes = ThreadPoolExecutor(lanes, thread_name_prefix="webhook")
        self._in_hand: dict[WebhookId, Future[None]] = {}
        self._resting: dict[WebhookId, _Rest] = {}
        self.counters = {"told": 0, "failed": 0, "unreachable": 0, "faults": 0}
        self._turns = RepeatedTurn(
            self._turn, name="webhooks", idle_s=IDLE_S, fault=self._count_fault
        )

    def start(self) -> None:
        """Work in threads of their own, beginning with what is left from before."""
        self._turns.start()

    def close(self) -> None:
        """Stop after the calls in hand; what is not told stays in the queue."""
        self._turns.close()
        self._lanes.shutdown(wait=True, cancel_futures=True)

    def wake(self) -> None:
        """Look for calls now. From any thread; returns at once."""
        self._turns.wake()

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive; health pages name it."""
        return self._turns.is_running

    def _count_fault(self) -> None:
        self.counters["faults"] += 1

    def _turn(self) -> None:
        now_ms = self._now_ms()
        is_ours = self._is_our_turn()
        for webhook in self._reader.run(partial(_with_calls_due, now_ms)) if is_ours else ():
            lane = self._in_hand.get(webhook)
            rest = self._resting.get(webhook)
            is_free = lane is None or lane.done()
            if is_free and (rest is None or now_ms >= rest.until_ms):
                self._in_hand[webhook] = self._lanes.submit(self._serve, webhook)
        ended = [one for one, lane in self._in_hand.items() if lane.done()]
        for webhook in ended:
            self._in_hand.pop(webhook).result()  # an error that nobody foresaw ends us aloud

    # What follows runs on the lane of the webhook, which nothing else touches meanwhile.

    def _serve(self, webhook: WebhookId) -> None:
        try:
            while not self._turns.is_stopping and self._tell(webhook):
                pass
        except InaisleError as error:
            self._count_fault()
            log.warning("a webhook is told again soon: %s", error)

    def _tell(self, webhook: WebhookId) -> bool:
        """Make the calls that are due; say whether to look for more at once."""
        due = self._reader.run(partial(_due_calls, webhook, self._now_ms()))
        if due is None or not due.calls:
            return False
        told, failed, is_away = self._call_all(due)
        self._rest(webhook, is_away=is_away)
        self._writer.run(partial(self._note, webhook, told, failed))
        return bool(told) and not is_away

    def _call_all(self, due: DueCalls) -> tuple[list[WebhookCall], list[WebhookCall], bool]:
        told: list[WebhookCall] = []
        failed: list[WebhookCall] = []
        held_up: set[str | None] = set()
        for call in due.calls:
            if self._turns.is_stopping:
                break
            if call.event.shopper is not None and call.event.shopper in held_up:
                continue  # it comes behind one that failed
            try:
                is_taken = self._call(due.webhook, call)
            except (Unreachable, InvalidTarget) as error:
                # The others would fare the same, and each would wait out the time.
                self.counters["unreachable"] += 1
                log.warning("webhook %s: %s", due.webhook.webhook, error)
                return told, [*failed, call], True
            (told if is_taken else failed).append(call)
            self.counters["told" if is_taken else "failed"] += 1
            if not is_taken:
                held_up.add(call.event.shopper)
        return told, failed, False

    def _call(self, webhook: Webhook, call: WebhookCall) -> bool:
        body = render_call(call)
        secret = webhook_secret(webhook, self._secrets)
        headers = sign_call(call, body, secret=secret, now_ms=self._now_ms())
        return self._post(Target.parse(webhook.url), body=body, headers=headers).is_success

    def _rest(self, webhook: WebhookId, *, is_away: bool) -> None:
        if not is_away:
            self._resting.pop(webhook, None)
            return
        before = self._resting.get(webhook)
        attempts = 0 if before is None else before.attempts + 1
        until_ms = UnixMs(self._now_ms() + wait_ms(attempts, self._secrets))
        self._resting[webhook] = _Rest(attempts=attempts, until_ms=until_ms)

    def _note(
        self,
        webhook: WebhookId,
        told: Sequence[WebhookCall],
        failed: Sequence[WebhookCall],
        work: UnitOfWork,
    ) -> None:
        note_calls(
            webhook,
            told=told,
            failed=failed,
            work=work,
            now_ms=self._now_ms(),
            secrets=self._secrets,
        )


def _with_calls_due(now_ms: UnixMs, work: UnitOfWork) -> tuple[WebhookId, ...]:
    return work.webhooks.with_calls_due(now_ms=now_ms)


def _due_calls(webhook: WebhookId, now_ms: UnixMs, work: UnitOfWork) -> DueCalls | None:
    return due_calls(webhook, work=work, now_ms=now_ms)
