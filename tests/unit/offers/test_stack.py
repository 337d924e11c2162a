"""best_stack: of all coupons in the hand, those that together save most."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.checkout.stack import HELD_MAX, TAKEN_MAX, best_stack
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import FreeItem, Gift, Information, MoneyOff, PercentOff
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidOffer
from offers.model.money import Money
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.stack import Stack, StackItem
from tests.reference.stack import best_stack_slowly

EXCLUSIVE, ONE_A_LINE, COMBINABLE = StackingClass


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def only(*categories: str) -> Scope:
    return Scope(categories=frozenset(categories))


def basket(**prices_minor: int) -> Basket:
    """One line a category, in the order given."""
    lines = tuple(
        BasketLine(sku=category, category=category, quantity=1, unit_price_minor=price)
        for category, price in prices_minor.items()
    )
    return Basket(currency="EUR", lines=lines)


def item(number: int, benefit, stacking: StackingClass = ONE_A_LINE, **changes) -> StackItem:
    """A coupon of its own campaign; the number is its id."""
    whole = StackItem(
        coupon=f"{number:032x}",
        campaign=f"campaign-{number}",
        benefit=benefit,
        stacking=stacking,
        priority=0,
        expires_at_ms=1_000,
    )
    return replace(whole, **changes)


def taken(stack: Stack) -> dict[int, tuple[int, ...]]:
    return {int(a.item.coupon, 16): a.discount.lines_minor for a in stack.applied}


def left(stack: Stack) -> dict[int, CheckoutRefusal]:
    return {int(waiting.item.coupon, 16): waiting.reason for waiting in stack.left}


def test_percentages_come_before_amounts_on_the_same_line() -> None:
    """10 % of 50.00 is 5.00, then 2.00: 43.00. The other way round it would be 43.20."""
    items = [
        item(1, MoneyOff(amount=euro(200)), COMBINABLE),
        item(2, PercentOff(percent=10), ONE_A_LINE),
    ]
    stack = best_stack(items, basket(dowels=5_000))
    assert list(taken(stack).items()) == [(2, (500,)), (1, (200,))]
    assert stack.to_pay == euro(4_300)


def test_a_line_gets_one_benefit_of_its_class_and_the_rest_of_the_basket_the_other() -> None:
    """20 % on dowels and 10 % on everything: both are used, each where it is worth more."""
    items = [
        item(1, PercentOff(percent=10)),
        item(2, PercentOff(percent=20, applies_to=only("dowels"))),
    ]
    stack = best_stack(items, basket(dowels=1_000, paint=3_000))
    assert taken(stack) == {2: (200, 0), 1: (0, 300)}
    assert left(stack) == {}


def test_an_exclusive_coupon_stands_alone_when_it_is_worth_more_than_all_others() -> None:
    """Half price on everything against ten per cent and two euro: 20.00 against 5.80."""
    half = item(1, PercentOff(percent=50), EXCLUSIVE)
    others = [
        item(2, PercentOff(percent=10)),
        item(3, MoneyOff(amount=euro(200)), COMBINABLE),
    ]
    stack = best_stack([half, *others], basket(dowels=4_000))
    assert taken(stack) == {1: (2_000,)}
    assert left(stack) == dict.fromkeys((2, 3), CheckoutRefusal.OUTSTACKED)
    small = replace(half, benefit=PercentOff(percent=5))
    assert set(taken(best_stack([small, *others], basket(dowels=4_000)))) == {2, 3}


def test_a_coupon_that_would_save_nothing_stays_in_the_hand() -> None:
    """The basket is free already; burning one more coupon on it would be theft."""
    items = [
        item(1, PercentOff(percent=100), COMBINABLE),
        item(2, MoneyOff(amount=euro(200)), COMBINABLE),
    ]
    stack = best_stack(items, basket(dowels=150))
    assert taken(stack) == {1: (150,)}
    assert left(stack) == {2: CheckoutRefusal.OUTSTACKED}
    assert stack.to_pay == euro(0)


def test_of_equal_stacks_the_fewest_coupons_then_the_soonest_expiry_then_the_id() -> None:
    """A shopper keeps what lasts longer; and the answer must be one."""
    two_euro = MoneyOff(amount=euro(200))
    shelf = basket(dowels=200)
    one_or_two = [item(1, MoneyOff(amount=euro(100)), COMBINABLE, expires_at_ms=1)]
    one_or_two += [item(2, MoneyOff(amount=euro(100)), COMBINABLE, expires_at_ms=1)]
    assert set(taken(best_stack([*one_or_two, item(3, two_euro)], shelf))) == {3}
    by_expiry = [item(1, two_euro, expires_at_ms=9), item(2, two_euro, expires_at_ms=8)]
    assert set(taken(best_stack(by_expiry, shelf))) == {2}
    assert set(taken(best_stack([item(2, two_euro), item(1, two_euro)], shelf))) == {1}


def test_conditions_look_at_the_prices_before_any_discount() -> None:
    """'From 10 euro' is met by 10 euro of goods, whatever another coupon takes off."""
    items = [
        item(1, PercentOff(percent=50), COMBINABLE),
        item(2, MoneyOff(amount=euro(100), basket_min=euro(1_000)), COMBINABLE),
    ]
    assert set(taken(best_stack(items, basket(dowels=1_000)))) == {1, 2}


@pytest.mark.parametrize(
    ("benefit", "reason"),
    [
        (MoneyOff(amount=Money(amount_minor=1, currency="CHF")), CheckoutRefusal.BASKET_CURRENCY),
        (PercentOff(percent=1, applies_to=only("x")), CheckoutRefusal.BASKET_WITHOUT_MATCH),
        (MoneyOff(amount=euro(1), basket_min=euro(9_999)), CheckoutRefusal.BASKET_TOO_SMALL),
        (Information(), CheckoutRefusal.BASKET_WITHOUT_MATCH),
    ],
)
def test_each_coupon_that_does_not_fit_is_told_why(benefit, reason) -> None:
    """The cashier has to say something; and the other coupons are taken all the same."""
    stack = best_stack([item(1, benefit), item(2, PercentOff(percent=10))], basket(dowels=100))
    assert taken(stack) == {2: (10,)}
    assert left(stack) == {1: reason}


def test_the_cheapest_pieces_are_free_at_what_is_left_to_pay_for_them() -> None:
    """Buy two, get a third, with 10 % on everything: a third of 9.00 is 3.00."""
    lines = (BasketLine(sku="s8", category="dowels", quantity=3, unit_price_minor=333),)
    items = [
        item(1, FreeItem(applies_to=only("dowels"), with_bought=2), COMBINABLE),
        item(2, PercentOff(percent=10), ONE_A_LINE),
    ]
    stack = best_stack(items, Basket(currency="EUR", lines=lines))
    assert taken(stack) == {2: (100,), 1: (299,)}
    two = Basket(currency="EUR", lines=(replace(lines[0], quantity=2),))
    assert left(best_stack(items, two)) == {1: CheckoutRefusal.BASKET_WITHOUT_MATCH}


def test_a_gift_is_handed_out_beside_every_discount_that_lets_it() -> None:
    """It costs no other coupon anything; but of its own class a line has one."""
    ten = item(1, PercentOff(percent=10))
    gift = item(2, Gift(item="screws"), COMBINABLE)
    stack = best_stack([ten, gift], basket(dowels=1_000))
    assert taken(stack) == {1: (100,), 2: (0,)}
    alone = replace(gift, stacking=ONE_A_LINE)
    assert taken(best_stack([ten, alone], basket(dowels=1_000))) == {1: (100,)}
    assert taken(best_stack([alone], basket(dowels=1_000))) == {2: (0,)}


def test_no_coupon_at_all_is_no_discount() -> None:
    """Most baskets."""
    stack = best_stack([], basket(dowels=100))
    assert (stack.applied, stack.left, stack.to_pay) == ((), (), euro(100))


def test_of_more_coupons_than_are_taken_together_those_that_save_most_alone_are() -> None:
    """A bound on everything: the thirteenth, the least one, is told that there is no room."""
    items = [item(n, MoneyOff(amount=euro(n)), COMBINABLE) for n in range(1, TAKEN_MAX + 3)]
    stack = best_stack(items, basket(dowels=100_000))
    assert set(taken(stack)) == set(range(3, TAKEN_MAX + 3))
    assert left(stack) == dict.fromkeys((1, 2), CheckoutRefusal.STACK_FULL)


def test_a_hand_that_no_shopper_can_have_is_refused() -> None:
    """Twice the same coupon would be redeemed twice."""
    one = item(1, PercentOff(percent=10))
    with pytest.raises(InvalidOffer, match="twice"):
        best_stack([one, one], basket(dowels=100))
    many = [item(n, PercentOff(percent=1)) for n in range(HELD_MAX + 1)]
    with pytest.raises(InvalidOffer, match=f"at most {HELD_MAX}"):
        best_stack(many, basket(dowels=100))


CATEGORIES = ("a", "b", "c", "d")
SCOPES = st.sets(st.sampled_from(CATEGORIES), max_size=3).map(lambda names: only(*names))
AMOUNTS = st.integers(1, 60).map(euro)
LEAST = st.none() | AMOUNTS
NAMED = st.sets(st.sampled_from(CATEGORIES), min_size=1, max_size=3).map(lambda n: only(*n))
BENEFITS = st.one_of(
    st.builds(
        FreeItem,
        applies_to=NAMED,
        quantity=st.integers(1, 3),
        with_bought=st.integers(0, 2),
        basket_min=LEAST,
    ),
    st.builds(Gift, item=st.just("screws"), applies_to=SCOPES, basket_min=LEAST),
    st.builds(MoneyOff, amount=AMOUNTS, applies_to=SCOPES, basket_min=LEAST),
    st.builds(
        PercentOff,
        percent=st.integers(1, 100),
        applies_to=SCOPES,
        basket_min=LEAST,
        discount_max=st.none() | AMOUNTS,
    ),
)


@st.composite
def hands(draw, most: int) -> list[StackItem]:
    """Coupons over tiny prices, where every cent of rounding decides."""
    count = draw(st.integers(0, most))
    ids = draw(st.permutations(range(count)))
    return [
        item(
            number,
            draw(BENEFITS),
            draw(st.sampled_from([EXCLUSIVE, ONE_A_LINE, ONE_A_LINE, COMBINABLE, COMBINABLE])),
            priority=draw(st.integers(0, 1)),
            expires_at_ms=draw(st.integers(1, 2)),
        )
        for number in ids
    ]


@st.composite
def baskets(draw) -> Basket:
    lines = draw(
        st.lists(
            st.builds(
                BasketLine,
                sku=st.just("s"),
                category=st.sampled_from(CATEGORIES),
                quantity=st.integers(1, 3),
                unit_price_minor=st.integers(0, 40),
            ),
            min_size=1,
            max_size=6,
        )
    )
    return Basket(currency="EUR", lines=tuple(lines))


def saved(stack: Stack) -> dict[str, list[int]]:
    return {a.item.coupon: list(a.discount.lines_minor) for a in stack.applied}


@settings(max_examples=150, deadline=None)
@given(hands(most=4), baskets())
def test_the_search_finds_what_trying_everything_finds(
    hand: list[StackItem], shelf: Basket
) -> None:
    """I14: every subset and every order, against branch and bound, to the cent and the coupon."""
    assert saved(best_stack(hand, shelf)) == best_stack_slowly(hand, shelf)


@settings(max_examples=150, deadline=None)
@given(hands(most=TAKEN_MAX), baskets(), st.data())
def test_the_stack_does_not_depend_on_the_order_of_the_coupons(
    hand: list[StackItem], shelf: Basket, data
) -> None:
    """I14: two tills that scan in another order must not charge another price."""
    shuffled = data.draw(st.permutations(hand))
    assert best_stack(hand, shelf) == best_stack(shuffled, shelf)


@given(hands(most=TAKEN_MAX + 3), baskets())
def test_no_line_and_no_total_falls_below_zero_and_every_coupon_is_accounted_for(
    hand: list[StackItem], shelf: Basket
) -> None:
    """I7: nobody is paid for shopping; and no coupon vanishes without a word."""
    stack = best_stack(hand, shelf)
    off = stack.discount.lines_minor
    assert all(0 <= o <= line.total_minor for o, line in zip(off, shelf.lines, strict=True))
    assert stack.to_pay.amount_minor >= 0
    told = [a.item for a in stack.applied] + [waiting.item for waiting in stack.left]
    assert sorted(told, key=lambda i: i.coupon) == sorted(hand, key=lambda i: i.coupon)
