"""Send the mails that wait, one after the other.

Layer: edges. Takes: mails from the database. Gives: messages to the mail server, and what became of
them to the database. Each is checked once more when it goes out; what must wait is looked at again
later, what must not go is dropped.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, assert_never

from offers.delivery.mail import MailResult
from offers.delivery.repeated_turn import RepeatedTurn, always
from offers.handlers.messages.send_mail import MailToSend, note_mail, prepare_mail
from offers.model.messages.contact import DeliveryOutcome
from offers.model.messages.mail import MAIL_KEPT_MS, Mail
from offers.model.messages.push_rules import PushRules
from offers.model.offering.refusal import PushRefusal
from offers.ports import Reader, SecretSource, UnitOfWork, Writer
from rtls.model.units import SiteId, UnixMs

IDLE_S: Final = 2.0
MAILS_A_TURN_MAX: Final = 50
WAIT_MS: Final = 15 * 60_000
_MAY_PASS: Final = frozenset({PushRefusal.QUIET_HOURS, PushRefusal.TOO_SOON})


class Mailer(Protocol):
    """Sends one mail (`offers.delivery.mail.SmtpMailer`)."""

    def send(self, mail: MailToSend) -> MailResult:
        """Send; whatever goes wrong is an answer."""
        ...


class MailSender:
    """One thread that sends mails.

    Parameters
    ----------
    site
        In whose name mails are sent.
    writer, reader
        Check and mark in transactions; look for mails beside them.
    mailer
        The mail server.
    rules
        Quiet hours of the site.
    secrets, now_ms
        The key of links, and the door's clock.
    is_our_turn
        Says whether this process sends: of several, one does at a time.
    """

    def __init__(
        self,
        site: SiteId,
        *,
        writer: Writer,
        reader: Reader,
        mailer: Mailer,
        rules: PushRules,
        secrets: SecretSource,
        now_ms: Callable[[], UnixMs],
        is_our_turn: Callable[[], bool] = always,
    ) -> None:
        self._site = site
        self._writer = writer
        self._reader = reader
        self._mailer = mailer
        self._rules = rules
        self._secrets = secrets
        self._now_ms = now_ms
        self._is_our_turn = is_our_turn
        self.counters = {"sent": 0, "dropped": 0, "postponed": 0, "faults": 0}
        self._turns = RepeatedTurn(self._turn, name="mails", idle_s=IDLE_S, fault=self._count_fault)

    def start(self) -> None:
        """Work in a thread of its own."""
        self._turns.start()

    def close(self) -> None:
        """Stop after the mail in hand; the others stay in the database."""
        self._turns.close()

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive; health pages name it."""
        return self._turns.is_running

    def _count_fault(self) -> None:
        self.counters["faults"] += 1

    def _turn(self) -> None:
        if not self._is_our_turn():
            return
        for mail in self._reader.run(partial(_due, self._now_ms())):
            if self._turns.is_stopping:
                return
            self._serve(mail)

    def _serve(self, mail: Mail) -> None:
        prepared = self._writer.run(partial(self._prepare, mail))
        match prepared:
            case None:
                return
            case MailToSend():
                self._send(prepared)
            case PushRefusal():
                if prepared in _MAY_PASS:
                    self._postpone_or_drop(mail, is_attempt=False)
                else:
                    self._end(mail, DeliveryOutcome.FAILED)
            case _:
                assert_never(prepared)

    def _send(self, prepared: MailToSend) -> None:
        match self._mailer.send(prepared):
            case MailResult.TAKEN:
                self._end(prepared.mail, DeliveryOutcome.ACCEPTED)
            case MailResult.LATER:
                self._postpone_or_drop(prepared.mail, is_attempt=True)
            case MailResult.REFUSED:
                self._end(prepared.mail, DeliveryOutcome.FAILED)

    def _postpone_or_drop(self, mail: Mail, *, is_attempt: bool) -> None:
        if self._now_ms() - mail.created_at_ms >= MAIL_KEPT_MS:
            self._end(mail, DeliveryOutcome.FAILED)
            return
        until_ms = UnixMs(self._now_ms() + WAIT_MS)
        self._writer.run(
            lambda work: work.mails.postpone(
                mail.sequence, until_ms=until_ms, is_attempt=is_attempt
            )
        )
        self.counters["postponed"] += 1

    def _end(self, mail: Mail, outcome: DeliveryOutcome) -> None:
        self._writer.run(lambda work: note_mail(mail, outcome, work=work, now_ms=self._now_ms()))
        self.counters["sent" if outcome is DeliveryOutcome.ACCEPTED else "dropped"] += 1

    def _prepare(self, mail: Mail, work: UnitOfWork) -> MailToSend | PushRefusal | None:
        return prepare_mail(
            mail.sequence,
            self._site,
            work=work,
            now_ms=self._now_ms(),
            secrets=self._secrets,
            rules=self._rules,
        )


def _due(now_ms: UnixMs, work: UnitOfWork) -> tuple[Mail, ...]:
    return work.mails.due(now_ms=now_ms, limit=MAILS_A_TURN_MAX)
