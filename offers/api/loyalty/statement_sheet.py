"""Say in words what a statement says, in the shopper's language, for whatever paper.

Layer: edges. Takes: a `Statement` and where it is handed out. Gives: a `Sheet` of headings, rows
and sentences to statement_page and statement_slip, which know paper and no shopper.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from offers.decision.said import Said, both, day, money
from offers.decision.terms import terms_of
from offers.model.loyalty.ledger import POINTS, LedgerUnit, Wallet
from offers.model.loyalty.statement import (
    EXPIRES_SOON_DAYS,
    PrintedCoupon,
    Statement,
)
from offers.model.loyalty.tier import TierStanding
from offers.model.money import Money
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Part:
    """What stands together under one heading."""

    heading: str
    rows: tuple[tuple[str, str], ...] = ()
    """what it is, and how much or until when"""
    sentences: tuple[str, ...] = ()
    code: str | None = None
    """what the till scans or types"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sheet:
    """All that is printed, in one language."""

    language: str
    title: str
    place: str
    rows: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    foot: str


def sheet_of(statement: Statement, *, site_name: str, time_zone: str) -> Sheet:
    """Return the sheet in the shopper's language.

    Parameters
    ----------
    statement
        What the shopper has.
    site_name, time_zone
        Of the site where it is handed out, for the heading and the dates.
    """
    zone, locale = ZoneInfo(time_zone), statement.locale

    def say(de: str, en: str) -> str:
        return Said(de=de, en=en).in_language(locale)

    rows = [(say("Stand", "As of"), _instant(statement.at_ms, zone).in_language(locale))]
    if statement.card_ending is not None:
        rows.append((say("Karte", "Card"), f"… {statement.card_ending}"))
    return Sheet(
        language=locale.value,
        title=say("Auszug Ihrer Kundenkarte", "Your statement"),
        place=site_name,
        rows=tuple(rows),
        parts=tuple(_parts(statement, zone)),
        foot=say(
            "Was auf diesem Blatt steht, ist der Stand von oben; was gilt, zeigt die App. Jeder "
            "Code wird einmal angenommen und gilt, bis in der App zwei neuere gezeigt wurden.",
            "This sheet is as of the time above; the app shows what counts now. Each code is taken "
            "once, and is good until two newer ones have been shown in the app.",
        ),
    )


def _parts(statement: Statement, zone: tzinfo) -> Iterator[Part]:
    locale = statement.locale
    yield _balance(statement.wallets, locale)
    yield _expiring(statement, zone)
    if statement.standing is not None and statement.tier_currency is not None:
        yield _tier(statement.standing, statement.tier_currency, zone, locale)
    yield _saved(statement.saved, locale)
    for coupon in statement.coupons:
        yield _coupon(coupon, zone, locale)
    if statement.has_more_coupons:
        more = Said(
            de="Sie haben weitere Coupons: Die App zeigt alle.",
            en="You have more coupons: the app shows them all.",
        )
        yield Part(heading="…", sentences=(more.in_language(locale),))


def _balance(wallets: tuple[Wallet, ...], locale: Locale) -> Part:
    heading = Said(de="Guthaben", en="Balance").in_language(locale)
    if not wallets:
        nothing = Said(de="Noch nichts gesammelt.", en="Nothing collected yet.")
        return Part(heading=heading, sentences=(nothing.in_language(locale),))
    return Part(
        heading=heading,
        rows=tuple(
            (_unit(wallet.account.unit).in_language(locale), said.in_language(locale))
            for wallet in wallets
            for said in [_amount(wallet.account.unit, wallet.balance_minor)]
        ),
    )


def _expiring(statement: Statement, zone: tzinfo) -> Part:
    locale = statement.locale
    heading = Said(de="Verfällt bald", en="Expires soon").in_language(locale)
    if not statement.expiring:
        nothing = Said(
            de=f"In den nächsten {EXPIRES_SOON_DAYS} Tagen verfällt nichts.",
            en=f"Nothing expires within the next {EXPIRES_SOON_DAYS} days.",
        )
        return Part(heading=heading, sentences=(nothing.in_language(locale),))
    return Part(
        heading=heading,
        rows=tuple(
            (
                _instant(one.expires_at_ms, zone).in_language(locale),
                _named(one.unit, one.amount_minor).in_language(locale),
            )
            for one in statement.expiring
        ),
    )


def _tier(standing: TierStanding, currency: str, zone: tzinfo, locale: Locale) -> Part:
    rows: list[tuple[Said, Said]] = []
    if standing.tier is not None:
        rows.append((Said(de="Ihre Stufe", en="Your tier"), both(standing.tier.name)))
    if standing.ends_at_ms is not None:
        rows.append((Said(de="Gilt bis", en="Lasts until"), _instant(standing.ends_at_ms, zone)))
    if standing.next_tier is not None:
        missing = money(Money(amount_minor=standing.missing_minor, currency=currency))
        name = standing.next_tier.name
        rows.append((Said(de=f"Bis {name} fehlen", en=f"Missing to {name}"), missing))
    heading = Said(de="Stufe", en="Tier").in_language(locale)
    return Part(
        heading=heading,
        rows=tuple((what.in_language(locale), said.in_language(locale)) for what, said in rows),
    )


def _saved(saved: tuple[Money, ...], locale: Locale) -> Part:
    heading = Said(de="Bisher gespart", en="Saved so far").in_language(locale)
    if not saved:
        nothing = Said(de="Noch kein Coupon eingelöst.", en="No coupon redeemed yet.")
        return Part(heading=heading, sentences=(nothing.in_language(locale),))
    what = Said(de="Mit Coupons", en="With coupons").in_language(locale)
    rows = tuple((what, money(amount).in_language(locale)) for amount in saved)
    return Part(heading=heading, rows=rows)


def _coupon(coupon: PrintedCoupon, zone: tzinfo, locale: Locale) -> Part:
    revision = coupon.card.revision
    until = Said(de="Gilt bis", en="Good until").in_language(locale)
    return Part(
        heading=revision.texts[locale].title,
        rows=((until, _instant(coupon.code.expires_at_ms, zone).in_language(locale)),),
        sentences=terms_of(revision, zone=zone, locale=locale),
        code=_in_groups(coupon.code.code),
    )


def _in_groups(code: str) -> str:
    """Return the code as people read it out; the till takes it with hyphens and without."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def _unit(unit: LedgerUnit) -> Said:
    if unit == POINTS:
        return Said(de="Punkte", en="Points")
    return Said(de=f"Cashback ({unit})", en=f"Cashback ({unit})")


def _amount(unit: LedgerUnit, amount_minor: int) -> Said:
    if unit == POINTS:
        english = f"{amount_minor:,}"
        return Said(de=english.replace(",", "."), en=english)
    return money(Money(amount_minor=amount_minor, currency=unit))


def _named(unit: LedgerUnit, amount_minor: int) -> Said:
    """Return an amount of which nothing beside it says what it is of."""
    amount = _amount(unit, amount_minor)
    if unit != POINTS:
        return amount
    return Said(de=f"{amount.de} Punkte", en=f"{amount.en} points")


def _instant(at_ms: UnixMs, zone: tzinfo) -> Said:
    shown = datetime.fromtimestamp(at_ms // 1_000, tz=UTC).astimezone(zone)
    date = day(at_ms, zone)
    return Said(de=f"{date.de}, {shown:%H:%M}", en=f"{date.en}, {shown:%H:%M}")
