"""effect_on: what each benefit does to a basket at the till."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.checkout.free_item import free_items
from offers.checkout.till_benefit import effect_on
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import Cashback, Event, FreeDelivery, FreeItem, Gift, MoneyOff
from offers.model.money import Money
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.redemption import Discount
from rtls.model.units import UnixMs
from tests.unit.offers.shop import basket

DOWELS = Scope(categories=frozenset({"dowels"}))
TEN_EURO = Money(amount_minor=1_000, currency="EUR")


def pieces(*lines: tuple[int, int]) -> Basket:
    """A basket of (quantity, unit price) lines, all dowels."""
    return Basket(
        currency="EUR",
        lines=tuple(
            BasketLine(sku=f"s{n}", category="dowels", quantity=count, unit_price_minor=price)
            for n, (count, price) in enumerate(lines)
        ),
    )


def test_buy_two_get_the_cheapest_third_free() -> None:
    """Three pieces of 5, 3 and 4 euro: the one of 3 is free."""
    effect = effect_on(
        FreeItem(applies_to=DOWELS, with_bought=2), pieces((1, 500), (1, 300), (1, 400))
    )
    assert isinstance(effect, Discount)
    assert effect.lines_minor == (0, 300, 0)


def test_two_pieces_are_not_enough_for_two_and_a_third() -> None:
    """The till says so before the shopper pays."""
    benefit = FreeItem(applies_to=DOWELS, with_bought=2)
    assert effect_on(benefit, pieces((2, 500))) is CheckoutRefusal.BASKET_WITHOUT_MATCH


@pytest.mark.parametrize(
    "benefit",
    [
        Gift(item="pencil", applies_to=DOWELS, basket_min=TEN_EURO),
        Cashback(percent=5, applies_to=DOWELS, basket_min=TEN_EURO),
        FreeDelivery(applies_to=DOWELS, basket_min=TEN_EURO),
    ],
)
def test_a_benefit_without_money_off_is_taken_and_takes_nothing(benefit) -> None:
    """Its limits hold all the same: scope, sum, currency."""
    effect = effect_on(benefit, basket(600, 400))
    assert isinstance(effect, Discount)
    assert effect.total.amount_minor == 0
    assert effect_on(benefit, basket(600, 399)) is CheckoutRefusal.BASKET_TOO_SMALL
    paint = basket(6_000, category="paint")
    assert effect_on(benefit, paint) is CheckoutRefusal.BASKET_WITHOUT_MATCH
    francs = Basket(currency="CHF", lines=basket(6_000).lines)
    assert effect_on(benefit, francs) is CheckoutRefusal.BASKET_CURRENCY


def test_a_ticket_needs_no_purchase_of_a_kind() -> None:
    """Whoever comes to the course may buy what he likes."""
    effect = effect_on(Event(name="Course", starts_at_ms=UnixMs(1)), basket(1))
    assert isinstance(effect, Discount)
    assert effect.total.amount_minor == 0


def test_money_off_stays_what_it_was() -> None:
    """The older benefits go through the same door."""
    effect = effect_on(MoneyOff(amount=Money(amount_minor=200, currency="EUR")), basket(1_000))
    assert isinstance(effect, Discount)
    assert effect.total.amount_minor == 200


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 900)), min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(0, 4),
)
def test_what_is_free_costs_no_more_than_any_that_is_paid(lines, free: int, paid: int) -> None:
    """Against a plain list of all pieces, sorted by price."""
    given_basket = pieces(*lines)
    prices = sorted(price for count, price in lines for _ in range(count))
    effect = free_items(FreeItem(applies_to=DOWELS, quantity=free, with_bought=paid), given_basket)
    if len(prices) < free + paid:
        assert effect is CheckoutRefusal.BASKET_WITHOUT_MATCH
        return
    assert isinstance(effect, Discount)
    assert effect.total.amount_minor == sum(prices[:free])
    for off, line in zip(effect.lines_minor, given_basket.lines, strict=True):
        assert 0 <= off <= line.total_minor
