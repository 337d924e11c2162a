"""Mails: only to who confirmed the address and wants them, once, and with the way to end them."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from offers.delivery.mail import SmtpAccess, SmtpMailer, SmtpSecurity
from offers.delivery.mail_sender import MailSender
from offers.delivery.mail_texts import text_of
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.messages.change_contact import ContactChange, change_contact
from offers.handlers.messages.contact_link import (
    TOKEN_MS,
    LinkWish,
    confirm_token,
    unsubscribe_token,
)
from offers.handlers.messages.send_mail import queue_mail
from offers.handlers.messages.unsubscribe import follow_link, read_link
from offers.model.errors import InvalidContact
from offers.model.ids import ShopperId
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.site_settings import SiteSettings
from offers.model.messages.brand import Brand
from offers.model.messages.contact import DeliveryChannel, DeliveryOutcome, Frequency
from offers.model.messages.mail import MAIL_KEPT_MS, MailKind, MailState
from offers.model.messages.push_rules import PushRules
from offers.model.messages.quiet_hours import QuietHours
from offers.model.offering.refusal import PushRefusal
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs
from tests.postgres import PostgresServer
from tests.unit.delivery.test_relay import DirectWriter
from tests.unit.offers.shop import SITE, START_MS, Shop, memory_engine, scratch_work

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOON_MS = UnixMs(START_MS + 13 * HOUR_MS)  # 12:13 in Berlin
RULES = PushRules(quiet_hours=QuietHours(begin="21:00", end="08:00", time_zone="Europe/Berlin"))
ADDRESS = "anna@example.org"


@dataclass
class MailServer:
    """What came, and what is answered to the recipient: one code after the other, then 250."""

    port: int = 0
    codes: list[int] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say(220)
            while line := self.rfile.readline().strip().upper():
                if line == b"DATA":
                    self.say(354)
                    server.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.say(250)
                elif line.startswith(b"RCPT"):
                    self.say(server.codes.pop(0) if server.codes else 250)
                else:
                    self.say(221 if line == b"QUIT" else 250)

        def say(self, code: int) -> None:
            self.wfile.write(b"%d so\r\n" % code)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    tcp = Server(("127.0.0.1", 0), Handler)
    server.port = tcp.server_address[1]
    thread = threading.Thread(target=tcp.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        tcp.shutdown()
        tcp.server_close()
        thread.join(5.0)


class Stage:
    """One shopper, a sender without its thread, and a mail server on loopback."""

    def __init__(self, shop: Shop, server: MailServer) -> None:
        self.shop = shop
        self.server = server
        self.now_ms = NOON_MS
        self.anna = shop.shopper()
        access = SmtpAccess(
            host="127.0.0.1",
            port=server.port,
            sender="card@shop.example",
            public_url="https://card.shop.example/",
            security=SmtpSecurity.NONE,
        )
        writer = DirectWriter(shop.work)
        self.sender = MailSender(
            SITE,
            writer=writer,
            reader=writer,
            mailer=SmtpMailer(access, now_ms=lambda: self.now_ms),
            rules=RULES,
            secrets=shop.secrets,
            now_ms=lambda: self.now_ms,
            is_our_turn=lambda: self.is_our_turn,
        )
        self.is_our_turn = True

    def wish(self, **wishes: object) -> None:
        change = ContactChange(
            **{
                "wants_push": True,
                "wants_mail": True,
                "frequency": Frequency.NORMAL,
                "mail_address": ADDRESS,
            }
            | wishes
        )
        change_contact(self.anna, change, work=self.shop.work, now_ms=self.now_ms)

    def confirm(self) -> None:
        """Give an address and follow the link of the question; without the welcome."""
        self.wish()
        self.turn()
        self.follow(self.link(self.server.taken.pop()))
        for welcome in self.shop.work.mails.due(now_ms=self.now_ms, limit=9):
            self.shop.work.mails.finish(welcome.sequence, MailState.DROPPED)

    def follow(self, token: str) -> LinkWish:
        return follow_link(
            token, work=self.shop.work, now_ms=self.now_ms, secrets=self.shop.secrets
        )

    def queue(
        self, subject: str = "1", kind: MailKind = MailKind.POINTS_EXPIRING
    ) -> PushRefusal | None:
        return queue_mail(kind, self.anna, subject=subject, work=self.shop.work, now_ms=self.now_ms)

    def turn(self, *, later_ms: int = 0) -> int:
        """Send what is due; return how many mails the server has taken so far."""
        self.now_ms = UnixMs(self.now_ms + later_ms)
        self.sender._turn()
        return len(self.server.taken)

    @staticmethod
    def link(mail: bytes) -> str:
        """The token of the link in a mail."""
        text = message_from_bytes(mail, policy=policy.default).get_content()
        return text.partition("token=")[2].split()[0]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        with memory_engine() as made:
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.engine() as made:
        yield made


@pytest.fixture
def stage(engine: sa.Engine) -> Iterator[Stage]:
    with scratch_work(engine) as work, mail_server() as server:
        yield Stage(Shop(work), server)


def test_an_address_gets_one_question_and_nothing_else_until_its_owner_says_yes(
    stage: Stage,
) -> None:
    """Whoever types a stranger's address must not be able to fill his mailbox."""
    stage.wish()
    assert stage.queue() is PushRefusal.NO_ADDRESS
    stage.wish(mail_address="other@example.org")
    stage.wish()
    assert stage.turn() == 1
    assert stage.turn(later_ms=DAY_MS) == 1
    question = message_from_bytes(stage.server.taken[0], policy=policy.default)
    assert question["To"] == ADDRESS
    assert question["List-Unsubscribe"] is None
    assert stage.follow(stage.link(stage.server.taken[0])) is LinkWish.CONFIRM_MAIL
    assert stage.turn() == 2
    welcome = message_from_bytes(stage.server.taken[1], policy=policy.default)
    assert welcome["Subject"] == "Willkommen"


def test_a_mail_comes_in_the_name_of_the_shop(stage: Stage) -> None:
    """C40: the sender is the retailer's name, and the mail ends as he ends his letters."""
    sign_off = {Locale.DE: "Ihr Team von Holz & Mehr", Locale.EN: "Your team"}
    brand = Brand(name="Holz & Mehr", accent="#0a6b3b", sign_off=sign_off)
    programme = Programme(
        site=SITE, time_zone="Europe/Berlin", terms=(), settings=SiteSettings(brand=brand)
    )
    start_programme(programme, work=stage.shop.work, now_ms=START_MS)
    stage.wish()
    stage.turn()
    question = message_from_bytes(stage.server.taken[0], policy=policy.default)
    assert question["From"] == "Holz & Mehr <card@shop.example>"
    assert question.get_content().rstrip().endswith("\r\n\r\nIhr Team von Holz & Mehr")


def test_a_mail_says_how_to_end_such_mails_in_one_click(stage: Stage) -> None:
    """RFC 8058: mailbox providers show a button, and it must work without signing in."""
    stage.confirm()
    stage.queue()
    assert stage.turn() == 1
    mail = message_from_bytes(stage.server.taken[0], policy=policy.default)
    assert mail["Subject"] == "Ihre Punkte verfallen bald"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<https://card.shop.example/v1/unsubscribe?token=")
    assert mail["Auto-Submitted"] == "auto-generated"
    token = mail["List-Unsubscribe"].partition("token=")[2].rstrip(">")
    for _ in range(2):
        assert stage.follow(token) is LinkWish.NO_MAIL
    assert stage.queue("2") is PushRefusal.CHANNEL_OFF
    assert stage.shop.work.contacts.wishes_of(stage.anna).wants_push


def test_a_mail_goes_once_for_its_subject(stage: Stage) -> None:
    """The sweep that finds expiring points finds them every night."""
    stage.confirm()
    for _ in range(3):
        assert stage.queue("2026-12", MailKind.POINTS_EXPIRING) is None
    assert stage.turn() == 1
    assert stage.turn(later_ms=DAY_MS) == 1
    stage.queue("2026-12", MailKind.POINTS_EXPIRING)
    assert stage.turn(later_ms=DAY_MS) == 1


@pytest.mark.parametrize("purpose", [Purpose.NOTIFY])
def test_a_withdrawal_between_writing_and_sending_stops_the_mail(
    stage: Stage, purpose: Purpose
) -> None:
    """I11 holds for mails, too."""
    stage.confirm()
    stage.queue()
    stage.shop.say(stage.anna, purpose, is_granted=False, now_ms=stage.now_ms)
    assert stage.turn() == 0
    assert stage.turn(later_ms=DAY_MS) == 0
    assert stage.queue("2") is PushRefusal.NOTIFY_NOT_GRANTED
    newest = stage.shop.work.contacts.deliveries_of(stage.anna, limit=1)
    assert newest[0].outcome is DeliveryOutcome.FAILED


def test_at_night_mails_wait_until_the_morning(stage: Stage) -> None:
    """Phones ring for mails as for anything else."""
    stage.confirm()
    stage.now_ms = UnixMs(NOON_MS + 11 * HOUR_MS)
    stage.queue()
    assert stage.turn() == 0
    assert stage.turn(later_ms=HOUR_MS) == 0
    assert stage.turn(later_ms=9 * HOUR_MS) == 1


def test_two_mails_are_a_day_apart_and_with_fewer_a_month(stage: Stage) -> None:
    """C50, and what is not sent within three days is of no use any more."""
    stage.confirm()
    stage.queue("1")
    stage.queue("2")
    assert stage.turn() == 1
    assert stage.turn(later_ms=HOUR_MS) == 1
    assert stage.turn(later_ms=DAY_MS) == 2
    stage.wish(frequency=Frequency.FEWER)
    stage.queue("3")
    for _ in range(5):
        assert stage.turn(later_ms=DAY_MS) == 2
    assert stage.sender.counters["dropped"] == 1


def test_a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(stage: Stage) -> None:
    """4xx passes, 5xx stays (RFC 5321)."""
    stage.confirm()
    stage.server.codes = [451]
    stage.queue("1")
    assert stage.turn() == 0
    assert stage.turn(later_ms=HOUR_MS) == 1
    stage.server.codes = [550]
    stage.queue("2")
    assert stage.turn(later_ms=DAY_MS) == 1
    assert stage.turn(later_ms=HOUR_MS) == 1
    assert stage.sender.counters == {"sent": 2, "dropped": 1, "postponed": 1, "faults": 0}


def test_a_server_that_is_away_costs_nothing_until_the_mail_is_of_no_use(stage: Stage) -> None:
    """Three days of attempts, and then the place is free."""
    stage.confirm()
    stage.queue()
    stage.server.codes = [451] * 99
    for _ in range(3):
        stage.turn(later_ms=DAY_MS)
    assert MAIL_KEPT_MS == 3 * DAY_MS
    stage.server.codes = []
    assert stage.turn(later_ms=DAY_MS) == 0
    assert stage.sender.counters["dropped"] == 1


def test_a_link_is_read_without_effect_and_followed_with_one(stage: Stage) -> None:
    """Scanners of mail servers open every link: only the button acts."""
    token = unsubscribe_token(
        stage.anna, DeliveryChannel.PUSH, now_ms=stage.now_ms, secrets=stage.shop.secrets
    )
    given = {"work": stage.shop.work, "secrets": stage.shop.secrets}
    assert read_link(token, now_ms=stage.now_ms, **given) is LinkWish.NO_PUSH
    assert stage.shop.work.contacts.wishes_of(stage.anna).wants_push
    last_ms = UnixMs(stage.now_ms + TOKEN_MS - 1_000)
    assert follow_link(token, now_ms=last_ms, **given) is LinkWish.NO_PUSH
    with pytest.raises(InvalidContact, match="60 days"):
        follow_link(token, now_ms=UnixMs(stage.now_ms + TOKEN_MS), **given)


def test_a_link_that_was_changed_is_not_one_of_ours(stage: Stage) -> None:
    """Nobody ends, or confirms, for another; a confirmation is of one address alone."""
    token = unsubscribe_token(
        stage.anna, DeliveryChannel.PUSH, now_ms=stage.now_ms, secrets=stage.shop.secrets
    )
    wish, shopper, until, seal = token.split(".")
    wrong = [
        "",
        "a.b.c.d",
        f"no_mail.{shopper}.{until}.{seal}",
        f"{wish}.{'f' * 32}.{until}.{seal}",
        f"{wish}.{shopper}.{int(until) + 1}.{seal}",
        f"{wish}.{shopper}.{until}.{'0' * 64}",
        f"{wish}.{shopper}.{until}.{seal}x",
        f"{wish}.{shopper}.{'9' * 40}.{seal}",
        f"{wish}.{shopper}.²³.{seal}",
        "x" * 5_000,
    ]
    for one in wrong:
        with pytest.raises(InvalidContact):
            stage.follow(one)
    stage.wish(mail_address="first@example.org")
    first = confirm_token(
        stage.anna, "first@example.org", now_ms=stage.now_ms, secrets=stage.shop.secrets
    )
    stage.wish(mail_address="second@example.org")
    with pytest.raises(InvalidContact):
        stage.follow(first)


def test_a_link_of_an_erased_shopper_still_says_yes(stage: Stage) -> None:
    """Who is gone gets no messages anyway; an error would only worry."""
    token = unsubscribe_token(
        ShopperId("e" * 32), DeliveryChannel.MAIL, now_ms=stage.now_ms, secrets=stage.shop.secrets
    )
    assert stage.follow(token) is LinkWish.NO_MAIL


@pytest.mark.parametrize("kind", list(MailKind))
@pytest.mark.parametrize("locale", list(Locale))
def test_every_mail_is_written_in_every_language(kind: MailKind, locale: Locale) -> None:
    """A missing text would be found out by a shopper."""
    assert "https://x" in text_of(kind, locale, link="https://x").body


def test_a_mail_is_left_to_the_process_whose_turn_it_is(stage: Stage) -> None:
    """Every process on the database sees the same queue, and each would send all of it."""
    stage.wish()
    stage.is_our_turn = False
    stage.turn()
    assert stage.server.taken == []
    stage.is_our_turn = True
    stage.turn()
    assert len(stage.server.taken) == 1
