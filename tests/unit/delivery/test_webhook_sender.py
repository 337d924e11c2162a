"""Webhooks over real HTTP: signed, in order, at least once, and never one for another's fault."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offers.delivery.webhook_sender import WebhookSender
from offers.handlers.messages.manage_webhook import (
    add_webhook,
    own_webhook,
    remove_webhook,
    renew_webhook_secret,
    replay_webhook,
    webhook_secret,
)
from offers.handlers.messages.note_event import note_event
from offers.handlers.messages.tell_webhook import (
    EVENTS_KEPT_MS,
    TRY_FOR_MS,
    WAIT_MS,
    WAIT_MS_MAX,
    wait_ms,
)
from offers.model.errors import Conflict, InvalidTarget, NotFound
from offers.model.ids import ShopperId, WebhookId
from offers.model.messages.webhook import Webhook, WebhookEventKind, WebhookState
from offers.storage.database import Place
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource
from offers.storage.writer import Writer
from rtls.model.units import SiteId, UnixMs
from tests.postgres import PostgresServer
from tests.ready_database import lay_down_ready_database
from tests.unit.delivery.tls_receiver import Received, Receiver, tls_receiver
from tests.unit.offers.shop import SITE, START_MS
from tests.waiting import wait_until

ANNA, BEN = ShopperId("a" * 32), ShopperId("b" * 32)
KINDS = frozenset({WebhookEventKind.OFFER_ISSUED, WebhookEventKind.CONSENT_CHANGED})


class Stage:
    """A database, a sender, and a clock that the test sets."""

    def __init__(self, place: Place) -> None:
        self.secrets = SystemSecretSource(bytes(32))
        self.writer = Writer(place)
        self.reader = Reader(place)
        self.now_ms = UnixMs(START_MS)
        self.count = 0
        self.is_our_turn = True

    def sender(self, receiver: Receiver, *, call_s_max: float = 1.0) -> WebhookSender:
        return WebhookSender(
            writer=self.writer,
            reader=self.reader,
            post=receiver.post(call_s_max=call_s_max),
            secrets=self.secrets,
            now_ms=lambda: self.now_ms,
            is_our_turn=lambda: self.is_our_turn,
        )

    def add(self, receiver: Receiver, **changes: object) -> Webhook:
        wish = {"url": receiver.url, "kinds": KINDS} | changes
        return self.writer.run(
            lambda work: add_webhook(
                SITE, work=work, now_ms=self.now_ms, secrets=self.secrets, **wish
            )
        )

    def tell(self, shopper: ShopperId | None, subject: str, *, site: SiteId = SITE) -> None:
        self.now_ms = UnixMs(self.now_ms + 1)
        self.writer.run(
            lambda work: note_event(
                WebhookEventKind.OFFER_ISSUED,
                subject=subject,
                shopper=shopper,
                site=site,
                work=work,
                now_ms=self.now_ms,
            )
        )

    def turn(self, sender: WebhookSender) -> None:
        """Do all that is due now."""
        sender._turn()
        for lane in tuple(sender._in_hand.values()):
            lane.result(10.0)

    def find(self, webhook: Webhook) -> Webhook:
        return self.reader.run(lambda work: own_webhook(webhook.webhook, SITE, work=work))

    def waiting(self, webhook: Webhook) -> int:
        far_ms = UnixMs(self.now_ms + 10**9)
        due = self.reader.run(
            lambda work: work.webhooks.due(webhook.webhook, now_ms=far_ms, limit=999)
        )
        return len(due)

    def dead(self, webhook: Webhook) -> list[str]:
        found = self.reader.run(
            lambda work: work.webhooks.dead_letters(webhook.webhook, after=0, limit=99)
        )
        return [call.event.subject for call in found]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """One database for the file, once on each engine."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("webhooks") / "offers.sqlite3"
        lay_down_ready_database(path)
        yield path
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.drop(url)


@pytest.fixture(scope="module")
def stage(place: Place) -> Iterator[Stage]:
    made = Stage(place)
    yield made
    made.writer.close()
    made.reader.close()


@pytest.fixture
def receiver(stage: Stage) -> Iterator[Receiver]:
    with tls_receiver() as made:
        yield made
    # The database is shared by the tests of this file; each leaves it without webhooks.
    for webhook in stage.reader.run(lambda work: work.webhooks.of_site(SITE)):
        stage.writer.run(lambda work, one=webhook: remove_webhook(one.webhook, SITE, work=work))
    far_ms = UnixMs(stage.now_ms + 10**12)
    stage.writer.run(lambda work: work.webhooks.forget_before(far_ms, limit=9_999))


def subjects(receiver: Receiver) -> list[str]:
    return [json.loads(got.body)["data"]["subject"] for got in receiver.received]


def is_signed(got: Received, secret: str) -> bool:
    """What a receiver does, after the text of Standard Webhooks."""
    said = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    seal = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return got.headers["webhook-signature"] == f"v1,{seal}"


def test_an_event_arrives_signed_and_names_ids_only(stage: Stage, receiver: Receiver) -> None:
    """The receiver knows that it is from us, of now, and has it already or not."""
    webhook = stage.add(receiver)
    stage.tell(ANNA, "offer-1")
    stage.turn(stage.sender(receiver))
    (got,) = receiver.received
    assert is_signed(got, webhook_secret(webhook, stage.secrets))
    assert int(got.headers["webhook-timestamp"]) == stage.now_ms // 1_000
    body = json.loads(got.body)
    assert body["type"] == "offer.issued"
    assert body["id"] == got.headers["webhook-id"]
    assert body["data"] == {"site": SITE, "shopper": ANNA, "subject": "offer-1", "detail": {}}
    assert stage.waiting(webhook) == 0


def test_calls_are_left_to_the_process_whose_turn_it_is(stage: Stage, receiver: Receiver) -> None:
    """Every process on the database sees the same queue, and each would make all calls."""
    stage.add(receiver)
    stage.tell(None, "one")
    sender = stage.sender(receiver)
    stage.is_our_turn = False
    stage.turn(sender)
    assert subjects(receiver) == []
    stage.is_our_turn = True
    stage.turn(sender)
    assert subjects(receiver) == ["one"]
    sender.close()


def test_a_new_secret_signs_the_next_call(stage: Stage, receiver: Receiver) -> None:
    """A secret that leaked is worth nothing a moment later."""
    webhook = stage.add(receiver)
    old = webhook_secret(webhook, stage.secrets)
    renewed = stage.writer.run(lambda work: renew_webhook_secret(webhook.webhook, SITE, work=work))
    stage.tell(ANNA, "offer-1")
    stage.turn(stage.sender(receiver))
    (got,) = receiver.received
    assert not is_signed(got, old)
    assert is_signed(got, webhook_secret(renewed, stage.secrets))


def test_the_same_thing_noted_twice_is_one_event(stage: Stage, receiver: Receiver) -> None:
    """A handler that runs again after a lost answer must not look like two offers."""
    stage.add(receiver)
    stage.tell(ANNA, "offer-1")
    stage.now_ms = UnixMs(stage.now_ms - 1)
    stage.tell(ANNA, "offer-1")
    stage.turn(stage.sender(receiver))
    assert len(receiver.received) == 1


def test_events_of_one_shopper_keep_their_order_through_failures(
    stage: Stage, receiver: Receiver
) -> None:
    """Redeemed before issued would be nonsense; another shopper's events need not wait."""
    stage.add(receiver)
    for shopper, subject in ((ANNA, "a1"), (BEN, "b1"), (ANNA, "a2"), (BEN, "b2"), (ANNA, "a3")):
        stage.tell(shopper, subject)
    refused = ["a1"]
    receiver.answer_of = lambda got: (
        500 if json.loads(got.body)["data"]["subject"] in refused else 204
    )
    sender = stage.sender(receiver)
    stage.turn(sender)
    assert subjects(receiver) == ["a1", "b1", "b2"]
    stage.turn(sender)
    assert len(receiver.received) == 3  # a1 waits, and a2 and a3 behind it
    refused.clear()
    stage.now_ms = UnixMs(stage.now_ms + WAIT_MS)
    stage.turn(sender)
    assert subjects(receiver) == ["a1", "b1", "b2", "a1", "a2", "a3"]


def test_only_what_was_asked_for_is_told_and_only_of_the_own_site(
    stage: Stage, receiver: Receiver
) -> None:
    """A receiver of another site must learn nothing; what concerns all sites goes to all."""
    webhook = stage.add(receiver, kinds=frozenset({WebhookEventKind.CONSENT_CHANGED}))
    stage.tell(ANNA, "not asked for")
    stage.tell(ANNA, "elsewhere", site=SiteId("elsewhere"))
    stage.writer.run(
        lambda work: note_event(
            WebhookEventKind.CONSENT_CHANGED,
            subject=ANNA,
            shopper=ANNA,
            detail={"purpose": "notify"},
            work=work,
            now_ms=stage.now_ms,
        )
    )
    stage.turn(stage.sender(receiver))
    assert subjects(receiver) == [ANNA]
    assert stage.waiting(webhook) == 0


def test_after_a_day_a_call_is_a_dead_letter_and_the_next_goes_out(
    stage: Stage, receiver: Receiver
) -> None:
    """One event that the receiver never takes must not hold up its shopper for ever."""
    webhook = stage.add(receiver)
    stage.tell(ANNA, "poison")
    receiver.answer_of = lambda got: (
        400 if json.loads(got.body)["data"]["subject"] == "poison" else 200
    )
    sender = stage.sender(receiver)
    stage.turn(sender)
    stage.now_ms = UnixMs(stage.now_ms + TRY_FOR_MS)
    stage.tell(ANNA, "next")
    stage.tell(BEN, "other")
    stage.turn(sender)
    stage.turn(sender)
    assert stage.dead(webhook) == ["poison"]
    assert subjects(receiver)[-1] == "next"
    assert stage.find(webhook).state is WebhookState.ACTIVE


def test_a_receiver_that_is_away_for_a_day_is_suspended_and_a_replay_brings_all_back(
    stage: Stage, receiver: Receiver
) -> None:
    """Bounded while it is away, and nothing of the last 30 days is lost."""
    webhook = stage.add(receiver)
    for subject in ("1", "2", "3"):
        stage.tell(ANNA, subject)
    receiver.answer_of = lambda _: 503
    sender = stage.sender(receiver)
    stage.turn(sender)
    stage.now_ms = UnixMs(stage.now_ms + TRY_FOR_MS)
    stage.turn(sender)
    assert stage.find(webhook).state is WebhookState.SUSPENDED
    assert stage.dead(webhook) == ["1", "2", "3"]
    stage.tell(ANNA, "4")
    assert stage.waiting(webhook) == 0
    receiver.received.clear()
    receiver.answer_of = None

    def replay(after: int):
        return stage.writer.run(
            lambda work: replay_webhook(
                webhook.webhook, SITE, after=after, work=work, now_ms=stage.now_ms
            )
        )

    first = replay(0)
    assert first.queued == 4
    stage.turn(sender)
    assert subjects(receiver) == ["1", "2", "3", "4"]
    assert stage.dead(webhook) == []
    assert replay(first.cursor).queued == 0
    cursors = [json.loads(got.body)["cursor"] for got in receiver.received]
    assert replay(cursors[1]).queued == 2
    stage.turn(sender)
    assert subjects(receiver)[4:] == ["3", "4"]


def hangs(_handler: object) -> None:
    time.sleep(0.7)


@pytest.mark.timed
def test_one_receiver_that_hangs_holds_up_no_other(stage: Stage, receiver: Receiver) -> None:
    """The slow one is called once and left alone; the other has its event meanwhile."""
    slow = stage.add(receiver, url=receiver.url.replace("/in", "/slow"))
    stage.add(receiver)
    receiver.answer_of = lambda got: hangs if got.path.startswith("/slow") else 200
    stage.tell(ANNA, "1")
    stage.tell(BEN, "2")
    sender = stage.sender(receiver, call_s_max=0.5)
    begun = time.monotonic()
    sender._turn()
    wait_until(lambda: len([got for got in receiver.received if got.path.startswith("/in")]) == 2)
    assert time.monotonic() - begun < 0.5
    stage.turn(sender)
    assert stage.waiting(slow) == 2
    assert sender.counters["unreachable"] == 1


def test_the_threads_tell_what_is_committed_and_end(stage: Stage, receiver: Receiver) -> None:
    """As in the process: started, woken, closed; what came before the start is told, too."""
    stage.add(receiver)
    stage.tell(ANNA, "before")
    sender = stage.sender(receiver)
    sender.start()
    try:
        wait_until(lambda: len(receiver.received) == 1)
        stage.tell(ANNA, "after")
        sender.wake()
        wait_until(lambda: len(receiver.received) == 2)
        assert sender.is_running
    finally:
        sender.close()
    assert not sender.is_running
    assert subjects(receiver) == ["before", "after"]
    assert not any(thread.is_alive() for thread in sender._lanes._threads)


def test_where_nobody_listens_nothing_is_written(stage: Stage, receiver: Receiver) -> None:
    """Most shops have no webhook, and a till should not pay for it."""
    stage.tell(ANNA, "1")
    webhook = stage.add(receiver)
    replayed = stage.writer.run(
        lambda work: replay_webhook(webhook.webhook, SITE, after=0, work=work, now_ms=stage.now_ms)
    )
    assert replayed.queued == 0


def test_an_erased_shopper_is_told_of_once_and_of_nothing_else(
    stage: Stage, receiver: Receiver
) -> None:
    """Erasure takes what still waits with it; the receiver has to forget the shopper, too."""
    webhook = stage.add(
        receiver, kinds=frozenset({WebhookEventKind.OFFER_ISSUED, WebhookEventKind.SHOPPER_ERASED})
    )
    stage.tell(ANNA, "offer-1")
    stage.tell(BEN, "offer-2")

    def erase(work) -> None:
        work.webhooks.forget_shopper(ANNA)
        note_event(
            WebhookEventKind.SHOPPER_ERASED,
            subject=ANNA,
            shopper=None,
            work=work,
            now_ms=stage.now_ms,
        )

    stage.writer.run(erase)
    stage.turn(stage.sender(receiver))
    assert subjects(receiver) == ["offer-2", ANNA]
    assert stage.waiting(webhook) == 0


def test_events_are_kept_thirty_days(stage: Stage, receiver: Receiver) -> None:
    """As long as a replay reaches back, and no longer."""
    webhook = stage.add(receiver)
    stage.tell(ANNA, "1")

    def forget(at_ms: int) -> int:
        before_ms = UnixMs(at_ms - EVENTS_KEPT_MS)
        return stage.writer.run(lambda work: work.webhooks.forget_before(before_ms, limit=9))

    assert forget(stage.now_ms + EVENTS_KEPT_MS) == 0
    assert forget(stage.now_ms + EVENTS_KEPT_MS + 1) == 1
    assert stage.waiting(webhook) == 0


def test_a_site_has_ten_webhooks_and_no_more(stage: Stage, receiver: Receiver) -> None:
    """Each is a lane; and a script that adds one at each start is found out."""
    for _ in range(10):
        stage.add(receiver)
    with pytest.raises(Conflict, match="10 webhooks"):
        stage.add(receiver)


@pytest.mark.parametrize("change", [{"url": "https://localhost/"}, {"kinds": frozenset()}])
def test_a_webhook_that_cannot_be_meant_is_refused(
    stage: Stage, receiver: Receiver, change: dict[str, object]
) -> None:
    """At once, and not a day later in a log."""
    with pytest.raises(InvalidTarget, match="expected"):
        stage.add(receiver, **change)


def test_another_sites_webhook_is_unknown(stage: Stage, receiver: Receiver) -> None:
    """An id must not be worth guessing."""
    webhook = stage.add(receiver)
    calls: list[Callable[[], object]] = [
        lambda: stage.reader.run(
            lambda work: own_webhook(webhook.webhook, SiteId("elsewhere"), work=work)
        ),
        lambda: stage.reader.run(lambda work: own_webhook(WebhookId("f" * 32), SITE, work=work)),
    ]
    for call in calls:
        with pytest.raises(NotFound, match="no such webhook"):
            call()


def test_waits_grow_and_are_drawn(stage: Stage) -> None:
    """From a second to an hour; drawn, so that receivers do not come back all at once."""
    waits = [wait_ms(attempts, stage.secrets) for attempts in range(20)]
    assert all(
        min(WAIT_MS * 2**n, WAIT_MS_MAX) / 2 <= wait <= min(WAIT_MS * 2**n, WAIT_MS_MAX)
        for n, wait in enumerate(waits)
    )
    assert len({wait_ms(19, stage.secrets) for _ in range(8)}) > 1


@pytest.mark.parametrize("kind", list(WebhookEventKind))
def test_every_event_is_in_the_document_for_integrators(kind: WebhookEventKind) -> None:
    """What is not written down is asked for by telephone."""
    text = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert f"`{kind.value}`" in text
