"""Tell what has happened to whom it concerns, directly after the commit that made it true.

Layer: edges. Takes: the outbox, a wake-up after each commit, apps that connect. Gives: offers and
changes to the fan-out, admitted tags to locating. What was not told when the process died is told
after the restart. An offer is checked again when it goes out, and counts as delivered only when
an app's socket has taken it; while no app is open, it stays issued and waits for one.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Lock
from typing import Final, assert_never

from offers.delivery.parcel import Parcel, render_parcel
from offers.delivery.repeated_turn import RepeatedTurn, always
from offers.handlers.messages.push_answer import (
    answer_to_tell,
    answers_to_tell,
    note_answer_reached,
)
from offers.handlers.offering.deliver_offer import note_delivered, ready_to_deliver
from offers.model.errors import Busy, NotFound
from offers.model.ids import CaseAnswerId, OfferId, ShopperId
from offers.model.loyalty.ledger import Wallet
from offers.model.messages.contact import DeliveryChannel
from offers.model.offering.offer import OfferCard
from offers.model.offering.refusal import DeliveryRefusal
from offers.model.outbox import OutboxEvent, OutboxKind
from offers.model.people.service_case import AnswerToTell
from offers.model.people.shopper import Locale
from offers.ports import FanOut, Reader, UnitOfWork, Writer
from rtls.model.errors import InaisleError
from rtls.model.units import TagId, UnixMs

RETRY_MS_MAX: Final = 60_000

log = logging.getLogger(__name__)

Render = Callable[[OfferCard, Locale], str]
RenderAnswer = Callable[[AnswerToTell], str]
RenderPoints = Callable[[Sequence[Wallet], UnixMs], str]
TellTag = Callable[[TagId, bool], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """How often, and how much at once."""

    batch_max: int = 2_000
    """rows of the outbox, and apps that connect, in one transaction"""
    attempts_max: int = 3
    """how often an offer is sent while no app reports it; then it waits for one that connects"""
    retry_ms: int = 500
    """until the second attempt; each further one waits four times as long"""
    idle_s: float = 0.5
    """how long the relay sleeps when nobody wakes it"""


DEFAULT_SETTINGS: Final = RelaySettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """An offer that was sent and that no socket has reported yet."""

    count: int
    due_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToSend:
    """What goes to the apps of one shopper, after the commit."""

    shopper: ShopperId
    locale: Locale
    card: OfferCard
    is_delivery: bool
    """whether a socket that takes it makes the offer a delivered one"""
    is_repeat: bool = False
    """it was sent before, and no open app has reported it"""


class _Turn:
    """What one transaction found to tell; it is told after the commit."""

    def __init__(self) -> None:
        self.to_send: list[_ToSend] = []
        self.answers: list[AnswerToTell] = []
        self.wallets: dict[ShopperId, tuple[Wallet, ...]] = {}
        self.tags: list[OutboxEvent] = []
        self.told: list[int] = []

    @property
    def delivering(self) -> frozenset[OfferId]:
        """The offers that this turn brings to their shoppers."""
        return frozenset(i.card.offer.offer for i in self.to_send if i.is_delivery)


def _nobody(_thing: str) -> None:
    return


class Relay:
    """One thread that empties the outbox.

    Parameters
    ----------
    writer, reader
        Check and mark in transactions; look for work beside them.
    woken
        Set by the writer after each commit (its ``after_commit``), and by the relay itself.
    fan_out
        Brings frames to the open apps, of this process and of others.
    render
        Writes an offer as the app reads it (`offers.api.offering.stream_frames.offer_frame`).
    render_points
        Writes what is in the shopper's wallets (`offers.api.offering.stream_frames.points_frame`).
    render_answer
        Writes what staff answered (`offers.api.offering.stream_frames.answer_frame`).
    tell_tag
        Says whether locating may follow a tag; may raise `InaisleError`, and is called again.
    now_ms
        The door's clock.
    settings
        How often, and how much at once.
    unseen
        Told of each offer that no open app has taken at once: the push sender.
    answered
        Told of each answer of the staff: the answer sender.
    is_our_turn
        Says whether this process empties the outbox: of several, one does at a time. What waits
        for apps that connect here is brought by this process all the same.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        reader: Reader,
        woken: Event,
        fan_out: FanOut,
        render: Render,
        render_points: RenderPoints,
        render_answer: RenderAnswer,
        tell_tag: TellTag,
        now_ms: Callable[[], UnixMs],
        settings: RelaySettings = DEFAULT_SETTINGS,
        unseen: Callable[[OfferId], None] = _nobody,
        answered: Callable[[CaseAnswerId], None] = _nobody,
        is_our_turn: Callable[[], bool] = always,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._fan_out = fan_out
        self._render = render
        self._render_points = render_points
        self._render_answer = render_answer
        self._tell_tag = tell_tag
        self._now_ms = now_ms
        self._settings = settings
        self._unseen = unseen
        self._answered = answered
        self._is_our_turn = is_our_turn
        self._attempts: OrderedDict[OfferId, _Attempt] = OrderedDict()
        self._connected: dict[ShopperId, None] = {}  # in their order, each once
        self._lock = Lock()  # guards _connected
        self.counters = {"sent": 0, "delivered": 0, "refused": 0, "given_up": 0, "failed": 0}
        self._turns = RepeatedTurn(
            self._turn,
            name="relay",
            idle_s=settings.idle_s,
            fault=self._count_fault,
            woken=woken,
        )

    def start(self) -> None:
        """Work in a thread of its own, beginning with what is left from before."""
        self._turns.start()

    def close(self) -> None:
        """Stop after the turn in hand; what is not told stays in the outbox."""
        self._turns.close()

    def connected(self, shopper: ShopperId) -> None:
        """Bring what waits to a shopper whose app has just connected. From any thread."""
        with self._lock:
            self._connected[shopper] = None
        self._turns.wake()

    def written(self, offer: OfferId) -> None:
        """Take the report that a socket has taken an offer. From any thread; returns at once."""
        try:
            self._writer.submit(partial(self._note, offer))
        except Busy as error:  # it is sent and reported once more
            self.counters["failed"] += 1
            log.warning("the report that an offer was written is lost: %s", error)

    def answer_written(self, answer: CaseAnswerId) -> None:
        """Take the report that a socket has taken an answer. From any thread; returns at once."""
        try:
            self._writer.submit(partial(self._note_answer, answer))
        except Busy as error:  # the app gets it once more when it connects again
            self.counters["failed"] += 1
            log.warning("the report that an answer was written is lost: %s", error)

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive; health pages name it."""
        return self._turns.is_running

    def _note(self, offer: OfferId, work: UnitOfWork) -> None:
        self._attempts.pop(offer, None)
        if note_delivered(offer, work=work, now_ms=self._now_ms()):
            self.counters["delivered"] += 1

    def _count_fault(self) -> None:
        self.counters["failed"] += 1

    def _note_answer(self, answer: CaseAnswerId, work: UnitOfWork) -> None:
        note_answer_reached(answer, DeliveryChannel.APP, work=work, now_ms=self._now_ms())

    def _turn(self) -> None:
        with self._lock:
            connected, self._connected = self._connected, {}
        try:
            turn = self._check(tuple(connected))
        except InaisleError:
            with self._lock:  # a busy database must not lose them
                self._connected = connected | self._connected
            raise
        for item in turn.to_send:
            text = self._render(item.card, item.locale)
            offer = item.card.offer.offer if item.is_delivery else None
            self._fan_out.publish(item.shopper, render_parcel(Parcel(text=text, offer=offer)))
            if item.is_repeat and offer is not None:
                self._unseen(offer)
        for told in turn.answers:
            self._tell_answer(told)
        for shopper, wallets in turn.wallets.items():
            text = self._render_points(wallets, self._now_ms())
            self._fan_out.publish(shopper, render_parcel(Parcel(text=text, offer=None)))
        self.counters["sent"] += len(turn.to_send)
        done = turn.told + self._tell_tags(turn.tags)
        if done:
            # Last of all: had the process died before, the restart would tell it again.
            self._writer.run(partial(_forget, done))

    def _tell_answer(self, told: AnswerToTell) -> None:
        answer = told.answer
        parcel = Parcel(text=self._render_answer(told), answer=answer.answer)
        self._fan_out.publish(answer.shopper, render_parcel(parcel))
        self._answered(answer.answer)

    def _check(self, connected: Sequence[ShopperId]) -> _Turn:
        # Work is looked for beside the writer: a transaction of the relay's own wakes the relay,
        # and would do so for ever.
        waiting: Sequence[OutboxEvent] = ()
        if self._is_our_turn():
            waiting = self._reader.run(partial(_waiting, self._settings.batch_max))
        now_ms = self._now_ms()
        heard: list[OutboxEvent] = []
        unheard: list[OutboxEvent] = []
        for event in waiting:
            if self._is_due(event, now_ms):
                (unheard if self._is_unheard(event) else heard).append(event)
        turn = _Turn()
        if heard or connected:
            turn = self._writer.run(partial(self._look, heard, connected))
        turn.told += [event.sequence for event in unheard]
        return turn

    def _is_unheard(self, event: OutboxEvent) -> bool:
        if event.shopper is None or not event.is_for_open_apps:
            return False
        return not self._fan_out.is_heard(event.shopper)

    def _is_due(self, event: OutboxEvent, now_ms: UnixMs) -> bool:
        attempt = self._attempts.get(OfferId(event.subject))
        return attempt is None or now_ms >= attempt.due_ms

    def _tell_tags(self, events: Sequence[OutboxEvent]) -> list[int]:
        told: list[int] = []
        for event in events:
            try:
                self._tell_tag(TagId(event.subject), event.kind is OutboxKind.TAG_ADMITTED)
            except InaisleError as error:
                self.counters["failed"] += 1
                log.warning("locating was not told of a tag, again soon: %s", error)
                break  # their order matters: a later withdrawal must not come first
            told.append(event.sequence)
        return told

    # What follows runs in the writer's thread, the only one that changes `_attempts`.

    def _look(
        self, events: Sequence[OutboxEvent], connected: Sequence[ShopperId], work: UnitOfWork
    ) -> _Turn:
        now_ms = self._now_ms()
        turn = _Turn()
        for event in events:
            self._take(event, turn, work=work, now_ms=now_ms)
        for shopper in connected:
            turn.answers += answers_to_tell(shopper, work=work)
            for offer in work.offers.undelivered_of_shopper(shopper):
                if offer.offer not in turn.delivering:  # its row was due in the same turn
                    self._send(offer.offer, turn, work=work, now_ms=now_ms)
        return turn

    def _take(self, event: OutboxEvent, turn: _Turn, *, work: UnitOfWork, now_ms: UnixMs) -> None:
        match event.kind:
            case OutboxKind.OFFER_ISSUED:
                if self._has_done_its_work(OfferId(event.subject), turn, work=work, now_ms=now_ms):
                    turn.told.append(event.sequence)
            case OutboxKind.OFFER_REDEEMED | OutboxKind.COUPON_REVERSED | OutboxKind.OFFER_ENDED:
                _take_change(event, turn, work=work)
            case OutboxKind.POINTS_CHANGED:
                if event.shopper is not None:  # several changes at once are one frame
                    turn.wallets[event.shopper] = work.ledger.wallets_of(event.shopper)
                turn.told.append(event.sequence)
            case OutboxKind.CASE_ANSWERED:
                _take_answer(event, turn, work=work)
            case OutboxKind.TAG_ADMITTED | OutboxKind.TAG_WITHDRAWN:
                turn.tags.append(event)
            case _:
                assert_never(event.kind)

    def _has_done_its_work(
        self, offer: OfferId, turn: _Turn, *, work: UnitOfWork, now_ms: UnixMs
    ) -> bool:
        """Send an offer when its time has come; say whether its row may go."""
        attempt = self._attempts.get(offer)
        if attempt is not None and attempt.count >= self._settings.attempts_max:
            self.counters["given_up"] += 1  # no app is open: `connected` brings it when one is
            del self._attempts[offer]
            return True
        is_repeat = attempt is not None
        return not self._send(offer, turn, work=work, now_ms=now_ms, is_repeat=is_repeat)

    def _send(
        self,
        offer: OfferId,
        turn: _Turn,
        *,
        work: UnitOfWork,
        now_ms: UnixMs,
        is_repeat: bool = False,
    ) -> bool:
        """Check once more, and put the offer into the turn; False where there is none to send."""
        try:
            card = ready_to_deliver(offer, work=work, now_ms=now_ms)
        except NotFound:
            card = DeliveryRefusal.NOT_ISSUED  # erased since
        if isinstance(card, DeliveryRefusal):
            self._attempts.pop(offer, None)
            self.counters["refused"] += card is not DeliveryRefusal.NOT_ISSUED
            return False
        item = _to_send(card, work=work, is_delivery=True)
        turn.to_send.append(replace(item, is_repeat=is_repeat))
        self._count_attempt(offer, now_ms=now_ms)
        return True

    def _count_attempt(self, offer: OfferId, *, now_ms: UnixMs) -> None:
        before = self._attempts.pop(offer, None)
        count = 1 if before is None else before.count + 1
        wait_ms = min(self._settings.retry_ms * 4 ** (count - 1), RETRY_MS_MAX)
        self._attempts[offer] = _Attempt(count=count, due_ms=UnixMs(now_ms + wait_ms))
        while len(self._attempts) > 2 * self._settings.batch_max:
            self._attempts.popitem(last=False)


def _take_change(event: OutboxEvent, turn: _Turn, *, work: UnitOfWork) -> None:
    card = work.offers.card(OfferId(event.subject))
    if card is not None:
        turn.to_send.append(_to_send(card, work=work, is_delivery=False))
    turn.told.append(event.sequence)


def _take_answer(event: OutboxEvent, turn: _Turn, *, work: UnitOfWork) -> None:
    answer = answer_to_tell(CaseAnswerId(event.subject), work=work)
    if answer is not None:
        turn.answers.append(answer)
    turn.told.append(event.sequence)


def _to_send(card: OfferCard, *, work: UnitOfWork, is_delivery: bool) -> _ToSend:
    shopper = work.shoppers.find(card.offer.shopper)
    locale = Locale.DE if shopper is None else shopper.locale
    return _ToSend(shopper=card.offer.shopper, locale=locale, card=card, is_delivery=is_delivery)


def _waiting(limit: int, work: UnitOfWork) -> tuple[OutboxEvent, ...]:
    return work.outbox.waiting(limit=limit)


def _forget(sequences: Sequence[int], work: UnitOfWork) -> None:
    work.outbox.done(sequences)
