"""Money: integers of one currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.model.errors import InvalidMoney
from offers.model.money import AMOUNT_MINOR_MAX, Money


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def test_ten_cents_and_twenty_cents_are_thirty_cents() -> None:
    """With floats they are not."""
    assert euro(10) + euro(20) == euro(30)


@pytest.mark.parametrize("step", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b])
def test_two_currencies_never_meet(step) -> None:
    """A sum of euro and forint would be a number without a meaning, on somebody's receipt."""
    with pytest.raises(InvalidMoney, match=r"EUR meets HUF; expected one currency"):
        step(euro(1), Money(amount_minor=1, currency="HUF"))


@pytest.mark.parametrize("amount", [1.5, True, "1", AMOUNT_MINOR_MAX + 1])
def test_what_is_no_count_of_cents_is_refused(amount) -> None:
    """2.5 is the classic: somebody meant euro."""
    with pytest.raises(InvalidMoney, match=r"amount_minor is .*expected"):
        Money(amount_minor=amount, currency="EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "XXX", "€"])
def test_only_codes_of_iso_4217_are_currencies(currency: str) -> None:
    """A till that sends 'eur' sends other things differently too."""
    with pytest.raises(InvalidMoney, match="ISO 4217"):
        Money(amount_minor=1, currency=currency)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_what_is_added_can_be_taken_away(a: int, b: int) -> None:
    """A reversal restores the account to the cent."""
    assert euro(a) + euro(b) - euro(b) == euro(a)
