"""Say in words what mails say, in the shopper's language.

Layer: edges. Takes: a kind of mail and its link. Gives: `MessageText` to mail.
"""

from types import MappingProxyType
from typing import Final

from offers.model.campaigns.campaign import MessageText
from offers.model.messages.mail import MailKind
from offers.model.people.shopper import Locale

_TEXTS: Final = MappingProxyType(
    {
        (MailKind.CONFIRM_ADDRESS, Locale.DE): (
            "Bitte bestätigen Sie Ihre Adresse",
            (
                "Diese Adresse wurde für Ihre Kundenkarte angegeben. Wenn Sie das waren, "
                "bestätigen Sie es hier:\n{link}\n\nSonst brauchen Sie nichts zu tun; es folgt "
                "keine weitere Nachricht."
            ),
        ),
        (MailKind.CONFIRM_ADDRESS, Locale.EN): (
            "Please confirm your address",
            (
                "This address was given for your loyalty card. If that was you, confirm it here:\n"
                "{link}\n\nOtherwise there is nothing to do; no further message will follow."
            ),
        ),
        (MailKind.WELCOME, Locale.DE): (
            "Willkommen",
            (
                "Schön, dass Sie dabei sind. Ihre Karte, Ihre Coupons und Ihre Punkte finden "
                "Sie in der App.\n\nKeine E-Mails mehr: {link}"
            ),
        ),
        (MailKind.WELCOME, Locale.EN): (
            "Welcome",
            (
                "Good to have you with us. Your card, your coupons and your points are in the "
                "app.\n\nNo more mails: {link}"
            ),
        ),
        (MailKind.POINTS_EXPIRING, Locale.DE): (
            "Ihre Punkte verfallen bald",
            (
                "Ein Teil Ihrer Punkte verfällt bald. Wofür Sie sie einlösen können, "
                "steht in der App.\n\nKeine E-Mails mehr: {link}"
            ),
        ),
        (MailKind.POINTS_EXPIRING, Locale.EN): (
            "Your points expire soon",
            (
                "Some of your points expire soon. The app shows what you can spend them "
                "on.\n\nNo more mails: {link}"
            ),
        ),
        (MailKind.CASE_ANSWERED, Locale.DE): (
            "Antwort auf Ihre Nachricht",
            (
                "Sie haben uns etwas gesagt. Unsere Antwort:\n\n{words}\n\nIn der App steht "
                "beides beieinander.\n\nKeine E-Mails mehr: {link}"
            ),
        ),
        (MailKind.CASE_ANSWERED, Locale.EN): (
            "An answer to your message",
            (
                "You told us something. Our answer:\n\n{words}\n\nThe app shows both "
                "together.\n\nNo more mails: {link}"
            ),
        ),
    }
)


def text_of(kind: MailKind, locale: Locale, *, link: str, words: str | None = None) -> MessageText:
    """Return title and body with the link in it, and with what staff wrote."""
    title, body = _TEXTS[kind, locale]
    return MessageText(title=title, body=body.format(link=link, words=words or ""))
