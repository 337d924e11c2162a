"""Write amounts, dates and lists as people read them, in German and in English.

Layer: rules. Takes: money, instants, names. Gives: `Said`, the same in both languages, to terms.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.schedule import WEEKDAYS
from offers.model.money import Money, decimals_of
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs

_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£"}
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS_DE: Final = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_DAYS_EN: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAY_NAMES: Final = {
    day: (_DAYS_DE[place], _DAYS_EN[place]) for place, day in enumerate(WEEKDAYS)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing, in each language."""

    de: str
    en: str

    def in_language(self, locale: Locale) -> str:
        """Return it in one of them."""
        return self.de if locale is Locale.DE else self.en


def both(text: str) -> Said:
    """Return what is the same in every language."""
    return Said(de=text, en=text)


def money(amount: Money) -> Said:
    """Return an amount as it stands on a price tag.

    Examples
    --------
    >>> money(Money(amount_minor=123450, currency="EUR"))
    Said(de='1.234,50 €', en='€1,234.50')
    """
    digits = decimals_of(amount.currency)
    english = f"{amount.amount_minor / 10**digits:,.{digits}f}"
    german = english.translate(str.maketrans(",.", ".,"))
    sign = _SIGNS.get(amount.currency)
    if sign is None:
        return Said(de=f"{german} {amount.currency}", en=f"{english} {amount.currency}")
    return Said(de=f"{german} {sign}", en=f"{sign}{english}")


def day(at_ms: UnixMs, zone: tzinfo) -> Said:
    """Return the date of an instant by the calendar of the site.

    Examples
    --------
    >>> day(UnixMs(1_798_671_600_000), UTC)
    Said(de='30.12.2026', en='30 December 2026')
    """
    shown = datetime.fromtimestamp(at_ms // 1_000, tz=UTC).astimezone(zone)
    english = f"{shown.day} {_MONTHS[shown.month - 1]} {shown.year}"
    return Said(de=f"{shown:%d.%m.%Y}", en=english)


def duration(seconds: float) -> Said:
    """Return a length of time in the largest unit that is whole.

    Examples
    --------
    >>> duration(300), duration(86_400)
    (Said(de='5 Minuten', en='5 minutes'), Said(de='1 Tag', en='1 day'))
    """
    units = (
        (86_400, ("Tag", "Tage"), "day"),
        (3_600, ("Stunde", "Stunden"), "hour"),
        (60, ("Minute", "Minuten"), "minute"),
    )
    for length, german, english in units:
        if seconds >= length and seconds % length == 0:
            count = round(seconds / length)
            plural = "" if count == 1 else "s"
            return Said(de=f"{count} {german[count != 1]}", en=f"{count} {english}{plural}")
    return Said(de=f"{seconds:g} Sekunden", en=f"{seconds:g} seconds")


def span_of(seconds: float) -> Said:
    """Return a length of time as it stands behind a preposition: in German it bends.

    Examples
    --------
    >>> span_of(7 * 86_400)
    Said(de='7 Tagen', en='7 days')
    """
    said = duration(seconds)
    return Said(de=f"{said.de}n" if said.de.endswith("Tage") else said.de, en=said.en)


def scope(applies_to: Scope) -> Said:
    """Return which lines are meant, empty for all.

    Examples
    --------
    >>> scope(Scope(categories=frozenset({"dowels"})))
    Said(de=' auf dowels', en=' on dowels')
    """
    if applies_to.is_every_line:
        return both("")
    named = sorted(applies_to.categories) + [f"Nr. {sku}" for sku in sorted(applies_to.skus)]
    english = sorted(applies_to.categories) + [f"no. {sku}" for sku in sorted(applies_to.skus)]
    return Said(de=f" auf {listed(named, 'und')}", en=f" on {listed(english, 'and')}")


def listed(names: Iterable[str], last: str) -> str:
    """Return names as a list in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"], "and")
    'a, b and c'
    """
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end
