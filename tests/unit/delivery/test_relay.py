"""Relay: from the outbox to the apps and to locating, one turn at a time."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

import pytest
import sqlalchemy as sa

from offers.api.offering.stream_frames import answer_frame, offer_frame, points_frame
from offers.delivery.fan_out import InProcessFanOut
from offers.delivery.parcel import Parcel, parcel_listener, render_parcel
from offers.delivery.relay import Relay, RelaySettings
from offers.model.errors import Busy, StorageError
from offers.model.ids import OfferId, ShopperId
from offers.model.messages.contact import DeliveryChannel
from offers.model.offering.offer import OfferState
from offers.model.outbox import OutboxKind
from offers.model.people.consent import Purpose
from offers.ports import UnitOfWork
from rtls.model.units import TagId, UnixMs
from tests.unit.offers.remembered import complain_and_answer
from tests.unit.offers.shop import (
    MINUTE_MS,
    START_MS,
    Shop,
    campaign,
    memory_engine,
    scratch_work,
)

T = TypeVar("T")


class DirectWriter:
    """Runs work at once, in one transaction that the test throws away."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self.errors: list[Exception | None] = []
        """what the next calls meet; None is a call that works"""

    def submit(self, work: Callable[[UnitOfWork], T]) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(self.run(work))
        return future

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return work(self._work)


class Stage:
    """A relay without its thread, and what came out of it."""

    def __init__(self, work: UnitOfWork) -> None:
        self.shop = Shop(work)
        self.shop.start(campaign())
        self.now_ms = UnixMs(START_MS + 10 * MINUTE_MS)
        self.writer = DirectWriter(work)
        self.sent: list[tuple[ShopperId, str]] = []
        self.told: list[tuple[TagId, bool]] = []
        self.tag_errors: list[Exception] = []
        self.unseen: list[OfferId] = []
        self.is_open = True
        self.hears = True
        self.is_our_turn = True
        fan_out = InProcessFanOut()
        fan_out.subscribe(self._receive, hears=lambda _: self.hears)
        self.relay = Relay(
            writer=self.writer,
            reader=DirectWriter(work),
            woken=threading.Event(),
            fan_out=fan_out,
            render=offer_frame,
            render_points=points_frame,
            render_answer=answer_frame,
            tell_tag=self._tell_tag,
            now_ms=lambda: self.now_ms,
            settings=RelaySettings(),
            unseen=self.unseen.append,
            is_our_turn=lambda: self.is_our_turn,
        )

    def _receive(self, shopper: ShopperId, payload: bytes) -> None:
        parcel = json.loads(payload)
        self.sent.append((shopper, json.loads(parcel["text"])["offer"]["state"]))
        if self.is_open and parcel["offer"]:
            self.relay.written(OfferId(parcel["offer"]))

    def _tell_tag(self, tag: TagId, is_admitted: bool) -> None:  # noqa: FBT001 - as the port says
        if self.tag_errors:
            raise self.tag_errors.pop(0)
        self.told.append((tag, is_admitted))

    def state_of(self, shopper: ShopperId) -> OfferState:
        card = self.shop.offer_of(shopper)
        assert card is not None
        return card.offer.state

    @property
    def waiting(self) -> int:
        return len(self.shop.work.outbox.waiting(limit=100))


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    with memory_engine() as made:
        yield made


@pytest.fixture
def stage(engine: sa.Engine) -> Iterator[Stage]:
    with scratch_work(engine) as work:
        yield Stage(work)


def test_an_offer_is_delivered_when_a_socket_has_taken_it(stage: Stage) -> None:
    """Not when it was decided, and not when it was sent."""
    anna = stage.shop.shopper()
    stage.shop.stand()
    stage.is_open = False
    stage.relay._turn()
    assert stage.sent == [(anna, "delivered")]
    assert stage.state_of(anna) is OfferState.ISSUED
    stage.is_open = True
    stage.relay.connected(anna)
    stage.relay._turn()
    assert stage.state_of(anna) is OfferState.DELIVERED


def test_a_row_is_gone_when_its_offer_is_delivered(stage: Stage) -> None:
    """The outbox holds what is to be told, and does not grow with what was told."""
    stage.shop.shopper()
    stage.shop.stand()
    stage.relay._turn()
    stage.relay._turn()
    assert stage.waiting == 0
    assert len(stage.sent) == 1


def test_news_for_open_apps_are_not_written_where_none_is_open(stage: Stage) -> None:
    """A redemption at the till concerns a phone in a pocket; the app reads it when it opens."""
    anna = stage.shop.shopper()
    stage.shop.stand()
    stage.relay._turn()
    card = stage.shop.offer_of(anna)
    assert card is not None
    for hears, frames in ((False, 1), (True, 2)):
        stage.hears = hears
        stage.shop.work.outbox.add(
            OutboxKind.OFFER_ENDED, shopper=anna, subject=card.offer.offer, at_ms=stage.now_ms
        )
        stage.relay._turn()
        assert stage.waiting == 0
        assert len(stage.sent) == frames


def test_an_offer_is_sent_though_no_app_is_open(stage: Stage) -> None:
    """What it is tried for in vain decides whether it is pushed."""
    stage.shop.shopper()
    stage.shop.stand()
    stage.hears = stage.is_open = False
    stage.relay._turn()
    assert len(stage.sent) == 1
    assert stage.waiting == 1


def test_an_unreported_offer_is_sent_again_after_half_a_second_and_after_two(
    stage: Stage,
) -> None:
    """Pub/sub may lose a message; three times in 2.5 s it hardly will."""
    stage.shop.shopper()
    stage.shop.stand()
    stage.is_open = False
    sent = []
    for at_ms in (0, 499, 500, 2_499, 2_500, 10_499, 10_500, 10_501):
        stage.now_ms = UnixMs(START_MS + 10 * MINUTE_MS + at_ms)
        stage.relay._turn()
        sent.append(len(stage.sent))
    assert sent == [1, 1, 2, 2, 3, 3, 3, 3]
    assert stage.waiting == 0
    assert stage.relay.counters["given_up"] == 1


def test_an_offer_that_no_open_app_takes_at_once_is_wished_to_be_pushed(stage: Stage) -> None:
    """Open app first: only the second attempt says that there is none."""
    anna = stage.shop.shopper()
    stage.shop.stand()
    stage.is_open = False
    stage.relay._turn()
    assert stage.unseen == []
    stage.now_ms = UnixMs(stage.now_ms + 500)
    stage.relay._turn()
    card = stage.shop.offer_of(anna)
    assert card is not None
    assert stage.unseen == [card.offer.offer]
    stage.is_open = True
    stage.relay.connected(anna)
    stage.relay._turn()
    assert stage.state_of(anna) is OfferState.DELIVERED
    assert len(stage.unseen) == 1


@pytest.mark.parametrize("purpose", [Purpose.LOCATE, Purpose.PERSONALISE])
def test_a_withdrawal_between_two_attempts_stops_the_second(stage: Stage, purpose: Purpose) -> None:
    """I11: each attempt is checked, not only the first."""
    anna = stage.shop.shopper()
    stage.shop.stand()
    stage.is_open = False
    stage.relay._turn()
    stage.shop.say(anna, purpose, is_granted=False)
    stage.now_ms = UnixMs(stage.now_ms + 500)
    stage.relay._turn()
    assert len(stage.sent) == 1
    assert stage.state_of(anna) is OfferState.REVOKED


def test_an_offer_of_a_visit_that_has_ended_is_not_sent(stage: Stage) -> None:
    """I11, where the handler of the leaving has not revoked it: the check at sending stands."""
    anna = stage.shop.shopper()
    decision = stage.shop.stand()
    assert decision is not None
    stage.shop.work.visits.close(decision.visit, at_ms=stage.now_ms)
    stage.relay._turn()
    assert stage.sent == []
    assert stage.state_of(anna) is OfferState.REVOKED
    assert stage.relay.counters["refused"] == 1


def test_a_busy_database_loses_no_app_that_has_connected(stage: Stage) -> None:
    """The app connected once; nobody will say it again."""
    anna = stage.shop.shopper()
    stage.shop.stand()
    stage.is_open = False
    for _ in range(4):
        stage.relay._turn()
        stage.now_ms = UnixMs(stage.now_ms + 10_000)
    stage.is_open = True
    stage.relay.connected(anna)
    stage.writer.errors = [Busy("locked")]
    with pytest.raises(StorageError):
        stage.relay._turn()
    stage.relay._turn()
    assert stage.state_of(anna) is OfferState.DELIVERED


def test_a_lost_report_is_made_good_by_the_next_attempt(stage: Stage) -> None:
    """The writer's queue may be full in the very moment of the report."""
    anna = stage.shop.shopper()
    stage.shop.stand()
    stage.writer.errors = [None, Busy("full")]  # the check works, the report does not
    stage.relay._turn()
    assert stage.state_of(anna) is OfferState.ISSUED
    assert stage.relay.counters["failed"] == 1
    stage.now_ms = UnixMs(stage.now_ms + 500)
    stage.relay._turn()
    assert stage.state_of(anna) is OfferState.DELIVERED


def test_locating_is_told_of_tags_in_their_order_and_again_after_a_fault(stage: Stage) -> None:
    """Admitted and withdrawn in the wrong order would follow somebody who said no."""
    anna = stage.shop.shopper(tag="tag:1")
    stage.shop.pair(anna, "tag:2", now_ms=START_MS + 1)
    stage.shop.say(anna, Purpose.LOCATE, is_granted=False)
    stage.tag_errors = [StorageError("Redis is away")]
    stage.relay._turn()
    assert stage.told == []
    assert stage.waiting == 4
    stage.relay._turn()
    assert stage.told == [("tag:1", True), ("tag:2", True), ("tag:1", False), ("tag:2", False)]
    assert stage.waiting == 0


def test_a_parcel_from_another_release_is_left_and_the_next_one_handed_over() -> None:
    """While a shop is updated, two releases share one Redis."""

    class Inbox:
        def __init__(self) -> None:
            self.texts: list[str] = []

        def hand_over(self, _shopper: ShopperId, frame) -> None:
            self.texts.append(frame.text)

    inbox = Inbox()
    listener = parcel_listener(inbox, written=lambda _: None, answer_written=lambda _: None)  # type: ignore[arg-type]
    anna = ShopperId("a" * 32)
    for payload in (b"", b"\xff", b"[]", b"{}", b"[" * 10_000):
        listener(anna, payload)
    listener(anna, render_parcel(Parcel(text="good")))
    assert inbox.texts == ["good"]


def test_an_answer_is_told_until_an_app_has_taken_it(stage: Stage) -> None:
    """Told at once, and again to an app that connects later; then never more."""
    anna = stage.shop.shopper(tag=None)
    told: list[tuple[str, str]] = []
    answered: list[str] = []

    def receive(shopper: ShopperId, payload: bytes) -> None:
        parcel = json.loads(payload)
        told.append((shopper, json.loads(parcel["text"])["text"]))
        if stage.is_open:
            stage.relay.answer_written(parcel["answer"])

    stage.relay._fan_out = InProcessFanOut()
    stage.relay._fan_out.subscribe(receive)
    stage.relay._answered = answered.append
    complain_and_answer(stage.shop, anna)
    stage.is_open = False
    stage.relay._turn()
    assert told == [(anna, "We are sorry.")]
    assert len(answered) == 1
    stage.relay._turn()
    assert len(told) == 1
    stage.is_open = True
    for _ in range(2):
        stage.relay.connected(anna)
        stage.relay._turn()
    assert told == [(anna, "We are sorry.")] * 2
    [delivery] = stage.shop.work.contacts.deliveries_of(anna, limit=9)
    assert (delivery.channel, delivery.offer) == (DeliveryChannel.APP, None)


def test_what_waits_is_left_to_the_process_whose_turn_it_is(stage: Stage) -> None:
    """Two relays that look at the same row would both send it."""
    stage.shop.shopper()
    stage.shop.stand()
    waiting = stage.waiting
    stage.is_our_turn = False
    stage.relay._turn()
    assert (stage.sent, stage.told, stage.waiting) == ([], [], waiting)
    stage.is_our_turn = True
    stage.relay._turn()
    assert len(stage.sent) == len(stage.told) == 1


def test_an_app_that_connects_here_gets_what_waits_whosever_turn_it_is(stage: Stage) -> None:
    """Only this process knows that it has connected."""
    anna = stage.shop.shopper()
    stage.shop.stand()
    stage.is_our_turn = False
    stage.relay.connected(anna)
    stage.relay._turn()
    assert stage.sent == [(anna, "delivered")]
