"""Write a mail and hand it to the shop's mail server.

Layer: edges. Takes: `MailToSend`. Gives: the message over SMTP; says whether the server took it,
may take it later, or never. Every mail but the question whether an address is right carries the way
to end such mails in one click (RFC 8058).
"""

import smtplib
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from enum import StrEnum
from typing import Final

from offers.delivery.mail_texts import text_of
from offers.handlers.messages.send_mail import MailToSend
from offers.model.messages.mail import MailKind
from rtls.model.units import UnixMs

CALL_S_MAX: Final = 10.0
_FIRST_PERMANENT: Final = 500  # RFC 5321, 4.2.1


class MailResult(StrEnum):
    """What became of one mail."""

    TAKEN = "taken"
    LATER = "later"
    REFUSED = "refused"
    """no such mailbox, or the server never will: do not ask again"""


class SmtpSecurity(StrEnum):
    """How the way to the mail server is sealed."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"
    """only for a server on the same machine"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SmtpAccess:
    """Where the shop's mail server is. Not printed by `repr`: it holds a password."""

    host: str
    port: int
    sender: str
    """the address that mails come from"""
    public_url: str
    """where links in mails lead: our own API as shoppers reach it"""
    security: SmtpSecurity = SmtpSecurity.STARTTLS
    user: str | None = None
    password: str | None = None


class SmtpMailer:
    """Sends through one mail server, one connection a mail.

    Parameters
    ----------
    access
        Where, and as whom.
    now_ms
        The door's clock, for the date of the mail.
    tls
        Whose certificates are trusted: the system's, if None.
    """

    def __init__(
        self,
        access: SmtpAccess,
        *,
        now_ms: Callable[[], UnixMs],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._access = access
        self._now_ms = now_ms
        self._tls = tls or ssl.create_default_context()

    def send(self, mail: MailToSend) -> MailResult:
        """Send one mail; whatever goes wrong is an answer."""
        message = write_mail(mail, self._access, now_ms=self._now_ms())
        try:
            with self._connect() as server:
                server.send_message(message, self._access.sender, [mail.address])
        except smtplib.SMTPRecipientsRefused as error:
            return _read(code for code, _ in error.recipients.values())
        except smtplib.SMTPResponseException as error:
            return _read([error.smtp_code])
        except (smtplib.SMTPException, OSError):
            return MailResult.LATER
        return MailResult.TAKEN

    def _connect(self) -> smtplib.SMTP:
        access = self._access
        if access.security is SmtpSecurity.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                access.host, access.port, timeout=CALL_S_MAX, context=self._tls
            )
        else:
            server = smtplib.SMTP(access.host, access.port, timeout=CALL_S_MAX)
        try:
            if access.security is SmtpSecurity.STARTTLS:
                server.starttls(context=self._tls)
            if access.user is not None and access.password is not None:
                server.login(access.user, access.password)
        except BaseException:
            server.close()
            raise
        return server


def write_mail(mail: MailToSend, access: SmtpAccess, *, now_ms: UnixMs) -> EmailMessage:
    """Return the message, plain text in the shopper's language."""
    link = f"{access.public_url.rstrip('/')}/v1/unsubscribe?token={mail.link_token}"
    text = text_of(mail.mail.kind, mail.locale, link=link, words=mail.words)
    message = EmailMessage()
    message["From"] = _sender(mail, access)
    message["To"] = mail.address
    message["Subject"] = text.title
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms // 1_000, tz=UTC))
    # The same at each attempt, so that servers in between know a repeat.
    message["Message-ID"] = f"<{mail.mail.sequence}.{mail.mail.created_at_ms}@{_host(access)}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail.mail.kind is not MailKind.CONFIRM_ADDRESS:
        message["List-Unsubscribe"] = f"<{link}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    ending = "" if mail.brand is None else mail.brand.sign_off.get(mail.locale, "")
    message.set_content(f"{text.body}\n\n{ending}\n" if ending else text.body)
    return message


def _sender(mail: MailToSend, access: SmtpAccess) -> str:
    return access.sender if mail.brand is None else formataddr((mail.brand.name, access.sender))


def _host(access: SmtpAccess) -> str:
    return access.sender.rpartition("@")[2]


def _read(codes: Iterable[int]) -> MailResult:
    return MailResult.REFUSED if max(codes) >= _FIRST_PERMANENT else MailResult.LATER
