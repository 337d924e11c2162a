"""Birthdays need no year, and a child gets no profile and no offers."""

from datetime import date

import pytest

from offers.handlers.people.pair_tag import pair_tag
from offers.handlers.people.set_birthday import set_birthday
from offers.model.errors import ConsentMissing, InvalidShopper, TooYoung
from offers.model.ids import ShopperId
from offers.model.loyalty.birthday import Birthday
from offers.model.outbox import OutboxKind
from offers.model.people.consent import ConsentChannel, Purpose
from rtls.model.units import TagId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, START_MS, Shop, campaign

TODAY = date(2023, 11, 14)  # of START_MS
YEAR_MS = 366 * 86_400_000


def tell(shop: Shop, shopper: ShopperId, birthday: Birthday) -> bool:
    return set_birthday(
        shopper,
        birthday,
        today=TODAY,
        work=shop.work,
        now_ms=UnixMs(START_MS),
        secrets=shop.secrets,
    )


def test_a_birthday_is_kept_without_its_year(shop: Shop) -> None:
    """What is not stored cannot leak."""
    anna = shop.shopper()
    assert tell(shop, anna, Birthday(month=2, day=29, year=1984))
    (kept,) = shop.work.attributes.of_shopper(anna)
    assert (kept.name, kept.values) == ("birthday", {"02-29"})
    assert "1984" not in str(shop.work.personal_data.export(anna))


def test_a_child_is_followed_by_nobody_and_offered_nothing_from_then_on(shop: Shop) -> None:
    """Pairing, profile, offers: all that stood on a consent ends in the same transaction."""
    shop.start(campaign())
    child = shop.shopper()
    assert not tell(shop, child, Birthday(month=11, day=15, year=2007))
    state = shop.work.consents.state_of(child)
    assert {record.is_granted for record in state.newest} == {False}
    assert {record.channel for record in state.newest} == {ConsentChannel.SYSTEM}
    assert shop.work.attributes.of_shopper(child) == ()
    kinds = [event.kind for event in shop.work.outbox.waiting(limit=10)]
    assert kinds[-1] is OutboxKind.TAG_WITHDRAWN
    assert shop.stand(at_ms=START_MS + 10 * MINUTE_MS) is None


def test_a_child_cannot_grant_anything_until_the_sixteenth_birthday(shop: Shop) -> None:
    """GDPR Art. 8; withdrawing is open to all."""
    child = shop.shopper(tag=None)
    tell(shop, child, Birthday(month=11, day=15, year=2007))
    with pytest.raises(TooYoung, match="until 2023-11-15"):
        shop.say(child, Purpose.PERSONALISE, is_granted=True)
    shop.say(child, Purpose.NOTIFY, is_granted=False)
    next_day_ms = START_MS + 24 * 60 * MINUTE_MS
    shop.say(child, Purpose.PERSONALISE, is_granted=True, now_ms=next_day_ms)
    assert shop.work.consents.state_of(child).granted(Purpose.PERSONALISE) is not None


@pytest.mark.parametrize(
    ("year", "month", "day", "is_of_age"),
    [(2007, 11, 14, True), (2007, 11, 15, False), (2023, 1, 1, False), (1893, 11, 14, True)],
)
def test_the_day_of_the_sixteenth_birthday_counts(
    shop: Shop, *, year: int, month: int, day: int, is_of_age: bool
) -> None:
    """To the day, at the site."""
    shopper = shop.shopper(tag=None)
    assert tell(shop, shopper, Birthday(month=month, day=day, year=year)) is is_of_age


def test_who_was_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    """2007 + 16 has a 29 February only every fourth time."""
    assert Birthday(month=2, day=29, year=2008).of_age_on == date(2024, 2, 29)
    assert Birthday(month=2, day=29, year=2004).of_age_on == date(2020, 2, 29)
    assert Birthday(month=2, day=28, year=2007).of_age_on == date(2023, 2, 28)


def test_a_year_that_was_mistyped_can_be_corrected(shop: Shop) -> None:
    """A grown-up who typed 2013 for 1983 is let back in; consents have to be given anew."""
    anna = shop.shopper(tag=None)
    tell(shop, anna, Birthday(month=1, day=1, year=2013))
    assert tell(shop, anna, Birthday(month=1, day=1, year=1983))
    assert shop.work.attributes.of_shopper(anna) == ()
    shop.say(anna, Purpose.PERSONALISE, is_granted=True)
    assert tell(shop, anna, Birthday(month=1, day=1))


@pytest.mark.parametrize(
    ("month", "day", "year"), [(2, 30, None), (13, 1, None), (2, 29, 2023), (0, 1, None)]
)
def test_a_day_that_is_in_no_calendar_is_refused(month: int, day: int, year: int | None) -> None:
    """The app's date picker may be broken."""
    with pytest.raises(InvalidShopper, match="a day of the calendar"):
        Birthday(month=month, day=day, year=year)


@pytest.mark.parametrize("year", [1892, 2024])
def test_a_year_in_which_nobody_alive_was_born_is_refused(shop: Shop, year: int) -> None:
    """Typed for something else."""
    with pytest.raises(InvalidShopper, match="year of birth"):
        tell(shop, shop.shopper(tag=None), Birthday(month=1, day=1, year=year))


def test_without_personalise_no_birthday_is_kept(shop: Shop) -> None:
    """It would serve no purpose."""
    anna = shop.shopper(Purpose.LOCATE, tag=None)
    with pytest.raises(ConsentMissing):
        tell(shop, anna, Birthday(month=12, day=24))
    assert pair_tag(anna, TagId("tag:7"), work=shop.work, now_ms=START_MS, secrets=shop.secrets)
