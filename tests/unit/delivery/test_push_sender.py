"""The way of a push over real HTTP: sealed for the browser, retried, and ended for good."""

import json
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from offers.delivery.agenda import Agenda
from offers.delivery.push_round import ATTEMPTS_MAX
from offers.delivery.push_sender import PushSender
from offers.delivery.vapid import Vapid, vapid_key
from offers.delivery.web_push import WebPush
from offers.handlers.messages.change_contact import Browser, subscribe_browser
from offers.handlers.messages.contact_link import LinkWish
from offers.handlers.messages.unsubscribe import follow_link
from offers.model.ids import OfferId
from offers.model.messages.contact import DeliveryOutcome
from offers.model.offering.offer import OfferState
from rtls.model.units import UnixMs
from tests.unit.delivery.test_push_encryption import (
    BROWSER_KEY,
    BROWSER_POINT,
    BROWSER_SECRET,
    opened,
    verified,
)
from tests.unit.delivery.test_relay import DirectWriter
from tests.unit.delivery.tls_receiver import HOST, Receiver, tls_receiver
from tests.unit.offers.shop import START_MS, campaign, memory_engine, scratch_work
from tests.unit.offers.test_push_offer import RULES, STANDS_MS, PushShop


class Stage:
    """A sender without its threads, one shopper, and a push service on loopback."""

    def __init__(self, shop: PushShop, receiver: Receiver) -> None:
        self.shop = shop
        self.receiver = receiver
        self.now_ms = UnixMs(STANDS_MS)
        self.between: list[Callable[[], None]] = []
        """what happens after each attempt"""
        self.anna = shop.shopper()
        self.sender = PushSender(
            writer=DirectWriter(shop.work),
            service=WebPush(
                post=receiver.post(call_s_max=2.0),
                vapid=Vapid(vapid_key(shop.secrets), contact="mailto:shop@example.com"),
                secrets=shop.secrets,
                now_ms=lambda: self.now_ms,
            ),
            rules=RULES,
            secrets=shop.secrets,
            now_ms=lambda: self.now_ms,
        )

    def subscribe(self, number: int = 0) -> None:
        browser = Browser(
            endpoint=f"https://{HOST}/send/{number}",
            browser_key=BROWSER_POINT,
            browser_secret=BROWSER_SECRET,
        )
        subscribe_browser(
            self.anna,
            browser,
            work=self.shop.work,
            now_ms=UnixMs(START_MS + number),
            secrets=self.shop.secrets,
        )

    def push(self, offer: OfferId) -> None:
        """Wish a push and do all that follows, as the threads do, time passing as it must."""
        self.sender.unseen(offer)
        while len(self.sender._agenda):
            found = self.sender._agenda.next()
            assert found is not None
            self.sender._attempt(*found)
            self.now_ms = UnixMs(self.now_ms + 20_000)
            for event in self.between:
                event()

    def outcomes(self) -> list[DeliveryOutcome]:
        return [one.outcome for one in self.shop.work.contacts.deliveries_of(self.anna, limit=9)]


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    with memory_engine() as made:
        yield made


@pytest.fixture
def stage(engine: sa.Engine) -> Iterator[Stage]:
    with scratch_work(engine) as work, tls_receiver() as receiver:
        shop = PushShop(work)
        shop.start(campaign())
        yield Stage(shop, receiver)


def test_the_browser_reads_what_the_push_service_cannot(stage: Stage) -> None:
    """The whole way: sealed for one browser, signed by us, no longer of use than the stay."""
    stage.subscribe()
    offer = stage.shop.offer_at(stage.anna)
    stage.push(offer.offer)
    (got,) = stage.receiver.received
    assert got.path == "/send/0"
    assert got.headers["ttl"] == "120"
    assert got.headers["content-encoding"] == "aes128gcm"
    assert got.headers["topic"] == offer.offer
    assert verified(got.headers["authorization"])["aud"] == f"https://{HOST}"
    assert "Dübel".encode() not in got.body
    shown = json.loads(opened(got.body, key=BROWSER_KEY, secret=BROWSER_SECRET))
    assert (shown["title"], shown["offer"]) == ("Dübel", offer.offer)
    assert stage.shop.work.offers.find(offer.offer).state is OfferState.DELIVERED
    assert stage.outcomes() == [DeliveryOutcome.ACCEPTED]


def test_every_push_carries_the_way_to_end_pushes(stage: Stage) -> None:
    """C50: one tap from every message, without signing in."""
    stage.subscribe()
    stage.push(stage.shop.offer_at(stage.anna).offer)
    shown = json.loads(
        opened(stage.receiver.received[0].body, key=BROWSER_KEY, secret=BROWSER_SECRET)
    )
    token = shown["unsubscribe"].partition("token=")[2]
    wish = follow_link(token, work=stage.shop.work, now_ms=stage.now_ms, secrets=stage.shop.secrets)
    assert wish is LinkWish.NO_PUSH
    assert not stage.shop.work.contacts.wishes_of(stage.anna).wants_push


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_has_ended_is_forgotten(stage: Stage, status: int) -> None:
    """Services ban senders who go on writing to the dead."""
    stage.subscribe(0)
    stage.subscribe(1)
    stage.receiver.answer_of = lambda got: status if got.path == "/send/0" else 201
    stage.push(stage.shop.offer_at(stage.anna).offer)
    left = stage.shop.work.push_subscriptions.of_shopper(stage.anna)
    assert [one.endpoint for one in left] == [f"https://{HOST}/send/1"]
    assert stage.outcomes() == [DeliveryOutcome.ACCEPTED]


@pytest.mark.parametrize("first", [429, (503, {"Retry-After": "3"}), 500])
def test_a_busy_service_is_asked_again(stage: Stage, first: object) -> None:
    """One hiccup must not cost the one push of the trip."""
    stage.subscribe()
    stage.receiver.answers = [first]
    stage.push(stage.shop.offer_at(stage.anna).offer)
    assert len(stage.receiver.received) == 2
    assert stage.outcomes() == [DeliveryOutcome.ACCEPTED]
    assert stage.sender.counters["retried"] == 1


def test_a_service_that_stays_away_is_left_and_the_slot_comes_back(stage: Stage) -> None:
    """Bounded; and the shopper, who saw nothing, may be woken by the next offer."""
    stage.subscribe()
    stage.receiver.answer_of = lambda _: 503
    offer = stage.shop.offer_at(stage.anna)
    stage.push(offer.offer)
    assert len(stage.receiver.received) == ATTEMPTS_MAX
    assert stage.outcomes() == [DeliveryOutcome.FAILED]
    trip = stage.shop.work.trips.newest(stage.anna, offer.site)
    assert trip is not None
    assert stage.shop.work.trips.has_push_slot(trip.trip, OfferId("f" * 32), slots=1)
    assert stage.shop.work.offers.find(offer.offer).state is OfferState.ISSUED


def test_who_leaves_between_two_attempts_is_not_pushed_to(stage: Stage) -> None:
    """I11: each attempt asks anew."""
    stage.subscribe()
    offer = stage.shop.offer_at(stage.anna)

    def leave() -> None:
        stage.shop.work.visits.close(offer.visit, at_ms=stage.now_ms)

    stage.between = [leave]
    stage.receiver.answers = [503]
    stage.push(offer.offer)
    assert len(stage.receiver.received) == 1
    assert stage.sender.counters["refused"] == 1


def test_an_answer_that_will_not_change_is_not_asked_again(stage: Stage) -> None:
    """400 and 413 say that the message is wrong, and it would be the same."""
    stage.subscribe()
    stage.receiver.answers = [400]
    stage.push(stage.shop.offer_at(stage.anna).offer)
    assert len(stage.receiver.received) == 1
    assert stage.outcomes() == [DeliveryOutcome.FAILED]


def test_an_agenda_holds_each_thing_once_and_not_too_many() -> None:
    """The relay wishes an offer at each attempt; a flood must not fill the memory."""
    now_ms = UnixMs(10)
    agenda: Agenda[OfferId] = Agenda(things_max=2, now_ms=lambda: now_ms)
    one, two, three = (OfferId(name * 32) for name in "abc")
    assert agenda.put(two, due_ms=UnixMs(9))
    assert agenda.put(one, due_ms=UnixMs(8))
    assert agenda.put(one, due_ms=UnixMs(1))
    assert not agenda.put(three, due_ms=UnixMs(1))
    assert agenda.next() == (one, 0)
    assert agenda.put(one, due_ms=UnixMs(1))  # still in hand
    agenda.again(one, due_ms=UnixMs(10), attempt=1)
    assert [agenda.next(), agenda.next()] == [(two, 0), (one, 1)]
    agenda.done(one)
    assert agenda.put(three, due_ms=UnixMs(1))
    agenda.close()
    assert agenda.next() is None
