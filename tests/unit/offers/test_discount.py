"""discount_of and split_by_largest_remainder: money off, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.checkout.discount import discount_of, split_by_largest_remainder
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import MoneyOff, PercentOff
from offers.model.errors import InvalidBasket
from offers.model.money import Money
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.redemption import Discount
from tests.unit.offers.shop import basket

DOWELS = Scope(categories=frozenset({"dowels"}))


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def test_two_euro_off_three_lines_is_split_to_the_cent() -> None:
    """200 × 333/1000 is 66.6, 66.6 and 66.8: the two cents left go to the largest remainders."""
    discount = discount_of(MoneyOff(amount=euro(200)), basket(333, 333, 334))
    assert isinstance(discount, Discount)
    assert discount.lines_minor == (67, 66, 67)
    assert discount.total == euro(200)


def test_money_off_never_exceeds_what_the_lines_cost() -> None:
    """Nobody is paid for shopping."""
    discount = discount_of(MoneyOff(amount=euro(500)), basket(120, 30))
    assert isinstance(discount, Discount)
    assert discount.lines_minor == (120, 30)


def test_a_percentage_is_rounded_half_up_once_for_the_whole_basket() -> None:
    """10 % of 3 × 0.05 is 1.5 cents, so 2; line by line it would have been 3 × 1."""
    discount = discount_of(PercentOff(percent=10), basket(5, 5, 5))
    assert isinstance(discount, Discount)
    assert discount.total == euro(2)


def test_a_percentage_stops_at_its_maximum() -> None:
    """Half off was meant for a drill, not for a kitchen."""
    benefit = PercentOff(percent=50, discount_max=euro(1_000))
    discount = discount_of(benefit, basket(500_000))
    assert isinstance(discount, Discount)
    assert discount.total == euro(1_000)


def test_only_lines_in_scope_are_discounted() -> None:
    """A coupon for dowels takes nothing off the paint."""
    lines = (
        BasketLine(sku="s8", category="dowels", quantity=2, unit_price_minor=400),
        BasketLine(sku="red", category="paint", quantity=1, unit_price_minor=5_000),
    )
    discount = discount_of(
        PercentOff(percent=25, applies_to=DOWELS), Basket(currency="EUR", lines=lines)
    )
    assert isinstance(discount, Discount)
    assert discount.lines_minor == (200, 0)


@pytest.mark.parametrize(
    ("benefit", "refusal"),
    [
        (
            MoneyOff(amount=Money(amount_minor=1, currency="CHF")),
            CheckoutRefusal.BASKET_CURRENCY,
        ),
        (
            MoneyOff(amount=euro(1), applies_to=Scope(skus=frozenset({"other"}))),
            CheckoutRefusal.BASKET_WITHOUT_MATCH,
        ),
        (MoneyOff(amount=euro(1), basket_min=euro(1_001)), CheckoutRefusal.BASKET_TOO_SMALL),
    ],
)
def test_a_basket_that_does_not_fit_is_told_why(benefit, refusal) -> None:
    """The cashier has to say something."""
    assert discount_of(benefit, basket(1_000)) is refusal


def test_the_minimum_is_met_by_exactly_the_minimum() -> None:
    """'From 10 euro' includes 10 euro."""
    benefit = MoneyOff(amount=euro(100), basket_min=euro(1_000))
    assert isinstance(discount_of(benefit, basket(1_000)), Discount)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.data())
def test_shares_sum_to_the_whole_and_no_line_goes_below_zero(weights: list[int], data) -> None:
    """I7: the receipt adds up, and no line is given away twice."""
    weights.append(1)
    total = data.draw(st.integers(0, sum(weights)))
    shares = split_by_largest_remainder(total, weights)
    assert sum(shares) == total
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=8),
    st.integers(1, 100),
)
def test_a_percentage_is_within_half_a_cent_of_the_truth(prices: list[int], percent: int) -> None:
    """The rounding is stated in the module; here it is held to it."""
    discount = discount_of(PercentOff(percent=percent), basket(*prices))
    assert isinstance(discount, Discount)
    exact_hundredths = sum(prices) * percent
    assert abs(discount.total.amount_minor * 100 - exact_hundredths) <= 50


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("quantity", {"quantity": 0}),
        ("quantity", {"quantity": 1.5}),
        ("unit_price_minor", {"unit_price_minor": -1}),
        ("sku", {"sku": "a\nb"}),
    ],
)
def test_a_line_that_no_till_can_send_is_refused_by_name(field: str, changes) -> None:
    """A negative price would turn a discount into a payout."""
    line = {"sku": "s", "category": "c", "quantity": 1, "unit_price_minor": 1} | changes
    with pytest.raises(InvalidBasket, match=field):
        BasketLine(**line)
