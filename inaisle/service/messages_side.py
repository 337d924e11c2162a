"""Wire what leaves the house: pushes, mails and webhooks.

Layer: doors. Takes: settings, the database, the site. Gives: a started or stopped `MessagesSide`
with the callbacks for answers and for offers that no open app has taken, and the key that browsers
subscribe with. Pushes need the operator's address and mails a mail server; without them those parts
are not there.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from inaisle.errors import InvalidSettings
from inaisle.settings_sections import DeliverySection
from offers.delivery.answer_sender import AnswerSender
from offers.delivery.mail import SmtpAccess, SmtpMailer, SmtpSecurity
from offers.delivery.mail_sender import MailSender
from offers.delivery.push_sender import PushSender
from offers.delivery.repeated_turn import always
from offers.delivery.safe_post import SafePost
from offers.delivery.vapid import Vapid, vapid_key
from offers.delivery.web_push import WebPush
from offers.delivery.webhook_sender import WebhookSender
from offers.model.ids import CaseAnswerId, OfferId
from offers.model.messages.push_rules import PushRules
from offers.model.messages.quiet_hours import QuietHours
from offers.ports import Reader, SecretSource, Writer
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs

Sender = PushSender | AnswerSender | MailSender | WebhookSender
_SCHEMES: Final = ("mailto:", "https://")


class MessagesSide:
    """The senders of one process.

    Parameters
    ----------
    settings
        The section ``[delivery]``.
    writer, reader, secrets, now_ms
        What all senders work with.
    site_map
        Whose quiet hours and name count.
    """

    def __init__(
        self,
        settings: DeliverySection,
        *,
        writer: Writer,
        reader: Reader,
        secrets: SecretSource,
        now_ms: Callable[[], UnixMs],
        site_map: SiteMap,
        is_our_turn: Callable[[], bool] = always,
    ) -> None:
        rules = push_rules(settings, time_zone=site_map.time_zone)
        post = SafePost()
        self.push_key: str | None = None
        self._pushes: PushSender | None = None
        self._answers: AnswerSender | None = None
        self._mails: MailSender | None = None
        if settings.contact is not None:
            vapid = Vapid(vapid_key(secrets), contact=_contact(settings.contact))
            service = WebPush(post=post, vapid=vapid, secrets=secrets, now_ms=now_ms)
            self.push_key = vapid.public_key
            self._pushes = PushSender(
                writer=writer, service=service, rules=rules, secrets=secrets, now_ms=now_ms
            )
            self._answers = AnswerSender(
                writer=writer, service=service, secrets=secrets, now_ms=now_ms
            )
        access = smtp_access(settings)
        if access is not None:
            self._mails = MailSender(
                site_map.site,
                writer=writer,
                reader=reader,
                mailer=SmtpMailer(access, now_ms=now_ms),
                rules=rules,
                secrets=secrets,
                now_ms=now_ms,
                is_our_turn=is_our_turn,
            )
        self._webhooks = WebhookSender(
            writer=writer,
            reader=reader,
            post=post,
            secrets=secrets,
            now_ms=now_ms,
            is_our_turn=is_our_turn,
        )

    def unseen(self, offer: OfferId) -> None:
        """Push an offer that no open app has taken, where pushes are set up."""
        if self._pushes is not None:
            self._pushes.unseen(offer)

    def answered(self, answer: CaseAnswerId) -> None:
        """Push what staff answered, where pushes are set up."""
        if self._answers is not None:
            self._answers.answered(answer)

    def start(self) -> None:
        """Send what waits, and everything from now on."""
        for sender in self._senders():
            sender.start()

    def stop(self) -> None:
        """End after what is in hand; the rest waits in the database. Safe before `start`."""
        for sender in self._senders():
            sender.close()

    def fault(self) -> str | None:
        """Return which sender has ended by itself, or None."""
        ended = [name for name, sender in self._named() if not sender.is_running]
        return f"{ended[0]} have ended" if ended else None

    def counters(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """Yield the counters of each sender with their name."""
        for name, sender in self._named():
            yield f"inaisle_{name}", sender.counters

    def _senders(self) -> Iterator[Sender]:
        return (sender for _, sender in self._named())

    def _named(
        self,
    ) -> Iterator[tuple[str, Sender]]:
        if self._pushes is not None:
            yield "pushes", self._pushes
        if self._answers is not None:
            yield "case_answers", self._answers
        if self._mails is not None:
            yield "mails", self._mails
        yield "webhooks", self._webhooks


def push_rules(settings: DeliverySection, *, time_zone: str) -> PushRules:
    """Return how often and when the site's shoppers may be disturbed.

    Raises `InvalidContact` if a time of day cannot be one.
    """
    quiet_hours = QuietHours(
        begin=settings.quiet_from, end=settings.quiet_until, time_zone=time_zone
    )
    return PushRules(quiet_hours=quiet_hours, pushes_a_trip=settings.pushes_a_trip)


def smtp_access(settings: DeliverySection) -> SmtpAccess | None:
    """Return where the mail server is, or None where no mails are to be sent.

    Raises
    ------
    InvalidSettings
        If a mail server is named without what belongs to it.
    """
    if settings.smtp_host is None:
        return None
    if settings.mail_from is None or settings.public_url is None:
        raise InvalidSettings(
            "[delivery] smtp_host is set, and mail_from or public_url is not; expected all three: "
            "the sender of mails, and where their links lead, e.g. https://card.example.com."
        )
    password = settings.smtp_password
    return SmtpAccess(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        public_url=settings.public_url,
        security=SmtpSecurity(settings.smtp_security),
        user=settings.smtp_user,
        password=None if password is None else password.get_secret_value(),
    )


def _contact(given: str) -> str:
    if not given.startswith(_SCHEMES):
        raise InvalidSettings(
            f"[delivery] contact is {given!r}; expected mailto:… or https://…, where push services "
            "reach you when something is amiss."
        )
    return given
