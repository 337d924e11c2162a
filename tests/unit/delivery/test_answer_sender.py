"""The way of an answer: to the open app, else to the browser, whatever caps and nights say."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from offers.delivery.answer_sender import APP_FIRST_MS, TTL_S, AnswerSender
from offers.delivery.vapid import Vapid, vapid_key
from offers.delivery.web_push import WebPush
from offers.handlers.messages.change_contact import Browser, subscribe_browser
from offers.handlers.messages.push_answer import (
    AnswerPush,
    note_answer_reached,
    prepare_answer_push,
)
from offers.handlers.people.erase_shopper import erase_shopper
from offers.model.ids import CaseAnswerId
from offers.model.messages.contact import DeliveryChannel, DeliveryOutcome
from offers.model.offering.refusal import PushRefusal
from offers.model.people.consent import Purpose
from offers.model.people.service_case import CaseAnswer
from rtls.model.units import UnixMs
from tests.unit.delivery.test_push_encryption import (
    BROWSER_KEY,
    BROWSER_POINT,
    BROWSER_SECRET,
    opened,
)
from tests.unit.delivery.test_relay import DirectWriter
from tests.unit.delivery.tls_receiver import HOST, Receiver, tls_receiver
from tests.unit.offers.shop import MINUTE_MS, START_MS, campaign, memory_engine, scratch_work
from tests.unit.offers.test_push_offer import RULES, STANDS_MS, PushShop
from tests.unit.offers.test_service_cases import answer, case_of, staff


class Stage:
    """A sender without its thread, one shopper, and a push service on loopback."""

    def __init__(self, shop: PushShop, receiver: Receiver) -> None:
        self.shop = shop
        self.receiver = receiver
        self.now_ms = UnixMs(START_MS)
        self.anna = shop.shopper(Purpose.LOCATE, Purpose.PERSONALISE)  # and not `notify`
        self.sender = AnswerSender(
            writer=DirectWriter(shop.work),
            service=WebPush(
                post=receiver.post(call_s_max=2.0),
                vapid=Vapid(vapid_key(shop.secrets), contact="mailto:shop@example.com"),
                secrets=shop.secrets,
                now_ms=lambda: self.now_ms,
            ),
            secrets=shop.secrets,
            now_ms=lambda: self.now_ms,
        )
        browser = Browser(
            endpoint=f"https://{HOST}/send/0",
            browser_key=BROWSER_POINT,
            browser_secret=BROWSER_SECRET,
        )
        subscribe_browser(
            self.anna, browser, work=shop.work, now_ms=self.now_ms, secrets=shop.secrets
        )

    def answered(self) -> CaseAnswer:
        case = case_of(self.shop, self.anna)
        given = answer(self.shop, case.case, by=staff(self.shop))
        assert isinstance(given, CaseAnswer)
        return given

    def push(self, given: CaseAnswer) -> None:
        """Wish a push and do all that follows, as the thread does, time passing as it must."""
        self.sender.answered(given.answer)
        self.now_ms = UnixMs(self.now_ms + APP_FIRST_MS)
        while len(self.sender._agenda):
            found = self.sender._agenda.next()
            assert found is not None
            self.sender._attempt(*found)
            self.now_ms = UnixMs(self.now_ms + 20_000)

    def prepared(self, given: CaseAnswer) -> object:
        return prepare_answer_push(
            given.answer, work=self.shop.work, now_ms=self.now_ms, secrets=self.shop.secrets
        )

    def deliveries(self) -> list[tuple[DeliveryChannel, DeliveryOutcome]]:
        found = self.shop.work.contacts.deliveries_of(self.anna, limit=9)
        return [(one.channel, one.outcome) for one in found]


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


def test_a_closed_app_gets_the_answer_without_a_consent_to_marketing(stage: Stage) -> None:
    """C30: it answers his own message; sealed, so that no push service reads it."""
    given = stage.answered()
    stage.push(given)
    (got,) = stage.receiver.received
    assert got.headers["ttl"] == str(TTL_S)
    assert b"sorry" not in got.body
    shown = json.loads(opened(got.body, key=BROWSER_KEY, secret=BROWSER_SECRET))
    assert (shown["case"], shown["body"]) == (given.case, "We are sorry.")
    assert shown["title"] == "Antwort auf Ihre Nachricht"
    assert shown["unsubscribe"].startswith("/v1/unsubscribe?token=")
    assert stage.deliveries() == [(DeliveryChannel.PUSH, DeliveryOutcome.ACCEPTED)]
    assert stage.shop.work.cases.unreached_of(stage.anna) == ()


def test_what_the_open_app_has_taken_is_not_pushed(stage: Stage) -> None:
    """Nobody needs a notification of what he is reading."""
    given = stage.answered()
    note_answer_reached(
        given.answer, DeliveryChannel.APP, work=stage.shop.work, now_ms=stage.now_ms
    )
    stage.push(given)
    assert stage.receiver.received == []
    assert stage.deliveries() == [(DeliveryChannel.APP, DeliveryOutcome.ACCEPTED)]


def test_no_cap_counts_an_answer_and_an_answer_takes_no_offers_place(stage: Stage) -> None:
    """An answer in the minute of an offer is pushed, and the offer of that trip is pushed, too."""
    shop = stage.shop
    shop.say(stage.anna, Purpose.NOTIFY, is_granted=True)
    stage.push(stage.answered())
    assert shop.work.contacts.last_addressed(stage.anna, DeliveryChannel.PUSH) is None
    offer = shop.offer_at(stage.anna)
    assert not isinstance(shop.push(offer.offer), PushRefusal)
    stage.now_ms = UnixMs(STANDS_MS + MINUTE_MS)
    assert isinstance(stage.prepared(stage.answered()), AnswerPush)  # the pace of offers is taken
    stage.now_ms = UnixMs(START_MS + 5 * 60 * MINUTE_MS)  # 04:13 in Berlin
    assert RULES.quiet_hours.covers(stage.now_ms)
    assert isinstance(stage.prepared(stage.answered()), AnswerPush)


def test_a_channel_that_is_switched_off_stays_off(stage: Stage) -> None:
    """Who wants no more push messages means all of them."""
    wishes = stage.shop.work.contacts.wishes_of(stage.anna)
    stage.shop.work.contacts.set_wishes(stage.anna, replace(wishes, wants_push=False))
    given = stage.answered()
    assert stage.prepared(given) is PushRefusal.CHANNEL_OFF
    stage.push(given)
    assert stage.receiver.received == []
    assert stage.shop.work.cases.unreached_of(stage.anna) == (given,)


def test_without_a_browser_the_answer_waits_in_the_app(stage: Stage) -> None:
    """Nothing is lost by it: the list of cases shows it, and a mail brings it."""
    for one in stage.shop.work.push_subscriptions.of_shopper(stage.anna):
        stage.shop.work.push_subscriptions.remove(one.subscription)
    assert stage.prepared(stage.answered()) is PushRefusal.NO_ADDRESS


def test_who_was_erased_is_not_told(stage: Stage) -> None:
    """Between the wish and the push he may have gone."""
    given = stage.answered()
    stage.sender.answered(given.answer)
    erase_shopper(stage.anna, work=stage.shop.work, now_ms=stage.now_ms, secrets=stage.shop.secrets)
    stage.push(given)
    assert stage.receiver.received == []
    assert stage.prepared(replace(given, answer=CaseAnswerId("f" * 32))) is None


@pytest.mark.parametrize("first", [429, (503, {"Retry-After": "3"})])
def test_a_busy_service_is_asked_again_and_one_that_refuses_is_not(
    stage: Stage, first: object
) -> None:
    """One hiccup must not leave a shopper without his answer."""
    stage.receiver.answers = [first]
    stage.push(stage.answered())
    assert len(stage.receiver.received) == 2
    stage.receiver.answer_of = lambda _: 400
    stage.push(stage.answered())
    assert len(stage.receiver.received) == 3
    assert stage.deliveries()[0] == (DeliveryChannel.PUSH, DeliveryOutcome.FAILED)
    assert stage.sender.counters["failed"] == 1


def test_a_browser_that_has_ended_is_forgotten(stage: Stage) -> None:
    """Services ban senders who go on writing to the dead."""
    stage.receiver.answer_of = lambda _: 410
    stage.push(stage.answered())
    assert stage.shop.work.push_subscriptions.of_shopper(stage.anna) == ()
