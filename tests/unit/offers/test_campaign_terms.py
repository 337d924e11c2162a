"""The terms of a campaign, word by word: what a shopper reads, in both languages."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from offers.decision.said import money
from offers.decision.terms import terms_of
from offers.model.campaigns.benefit import Event, Information
from offers.model.campaigns.campaign import Budget, FrequencyCap, Validity
from offers.model.campaigns.schedule import HourSpan, Schedule, YearlySpan
from offers.model.campaigns.stacking import StackingClass
from offers.model.conditions.condition_terms import LocaleIn, Weekday
from offers.model.money import Money
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs
from tests.unit.offers.shop import campaign
from tests.unit.offers.test_campaign_kinds import BENEFITS, PAIRS

BERLIN = ZoneInfo("Europe/Berlin")
GOLDEN = Path(__file__).with_name("campaign_terms.txt")
YEAR_2026 = Validity(from_ms=UnixMs(1_767_222_000_000), until_ms=UnixMs(1_798_758_000_000))
FULL = replace(
    campaign(
        cap=FrequencyCap(offers_max=2, window_s=7 * 86_400), budget=Budget(redemptions_max=99)
    ),
    validity=YEAR_2026,
    stacking=StackingClass.EXCLUSIVE,
    audience=LocaleIn(locales=frozenset({Locale.DE})),
    schedule=Schedule(
        weekdays=frozenset({Weekday.FRIDAY, Weekday.SATURDAY}),
        hours=(HourSpan(from_minute=540, until_minute=1_200),),
        yearly=(YearlySpan(first=(11, 1), last=(12, 24)),),
    ),
    coupon_valid_s=14 * 86_400,
)


def written() -> str:
    """Every kind of benefit and trigger, and one campaign with all that can be said of one."""
    lines: list[str] = []
    for locale in Locale:
        for benefit in BENEFITS:
            budget = Budget(redemptions_max=40) if isinstance(benefit, Event) else None
            revision = campaign(benefit=benefit, budget=budget)
            lines.append(terms_of(revision, zone=BERLIN, locale=locale)[0])
        for trigger, _, _ in PAIRS:
            revision = replace(campaign(), trigger=trigger)
            lines.append(terms_of(revision, zone=BERLIN, locale=locale)[1])
        lines += ["", *terms_of(FULL, zone=BERLIN, locale=locale), ""]
    return "\n".join(lines)


def test_the_terms_are_what_was_read_and_approved() -> None:
    """A change of a word here is a change of a contract: it must be seen in review."""
    assert written() == GOLDEN.read_text(encoding="utf-8")


def test_an_information_says_nothing_of_coupons() -> None:
    """There is none, and terms must not speak of what is not."""
    said = " ".join(terms_of(campaign(benefit=Information()), zone=BERLIN, locale=Locale.EN))
    assert "oupon" not in said


def test_the_last_day_is_the_last_day_by_the_sites_calendar() -> None:
    """Until midnight of New Year's Day in Berlin: the last day is 31 December, not 1 January."""
    said = terms_of(replace(campaign(), validity=YEAR_2026), zone=BERLIN, locale=Locale.EN)
    assert "The campaign runs from 1 January 2026 to 31 December 2026, inclusive." in said


@pytest.mark.parametrize(
    ("amount", "german"),
    [
        (Money(amount_minor=5, currency="EUR"), "0,05 €"),
        (Money(amount_minor=1_500, currency="JPY"), "1.500 JPY"),
        (Money(amount_minor=1_500, currency="KWD"), "1,500 KWD"),
        (Money(amount_minor=10**12, currency="CHF"), "10.000.000.000,00 CHF"),
    ],
)
def test_money_is_written_with_the_digits_of_its_currency(amount: Money, german: str) -> None:
    """A yen has no cents, and a dinar has a thousand."""
    assert money(amount).de == german
