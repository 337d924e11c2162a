"""Points and cashback at the till: earned, spent in the same minute, taken back with the goods."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from offers.checkout.tender import tender_of, tender_shares
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.people.erase_shopper import erase_shopper
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.purchase_points import units_of_lines
from offers.handlers.till.settle_basket import Settled
from offers.model.ids import ShopperId
from offers.model.loyalty.earning_rule import EarningRule, EarningTerms, PerAmount
from offers.model.loyalty.ledger import POINTS, LedgerUnit, Wallet
from offers.model.loyalty.programme import Programme
from offers.model.money import Money
from offers.model.offering.refusal import TillRefusal
from offers.model.till.held_basket import HoldState, SpendWish, Tender
from offers.model.till.purchase import PointsMove, Purchase
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, Shop, asked, campaign
from tests.unit.offers.till import NOON_MS, Till

EURO = LedgerUnit("EUR")
PROGRAMME = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS, worth_minor_per_100=100), EarningTerms(unit=EURO)),
    rules=(
        EarningRule(
            rule="each-euro",
            unit=POINTS,
            earns=PerAmount(amount_minor=1, per_minor=100, currency="EUR"),
        ),
        EarningRule(
            rule="a-twentieth",
            unit=EURO,
            earns=PerAmount(amount_minor=5, per_minor=100, currency="EUR"),
        ),
    ),
)


@pytest.fixture
def till(shop: Shop) -> Till:
    start_programme(PROGRAMME, work=shop.work, now_ms=UnixMs(NOON_MS))
    return Till(shop)


@pytest.fixture
def anna(shop: Shop) -> ShopperId:
    return shop.shopper(tag=None)


def buy(
    till: Till, shopper: ShopperId, *prices_minor: int, spend: SpendWish | None = None
) -> Purchase:
    till.now_ms += MINUTE_MS
    request = replace(asked(prices_minor=prices_minor), card=till.scan(shopper), spend=spend)
    held = till.ask(request)
    assert isinstance(held, Held), held
    settled = till.commit(held.held.held)
    assert isinstance(settled, Settled), settled
    return settled.purchase


def wallet(till: Till, shopper: ShopperId, unit: LedgerUnit) -> Wallet | None:
    wallets = till.shop.work.ledger.wallets_of(shopper)
    return next((one for one in wallets if one.account.unit == unit), None)


def balance(till: Till, shopper: ShopperId, unit: LedgerUnit = POINTS) -> int:
    found = wallet(till, shopper, unit)
    return 0 if found is None else found.balance_minor


def test_what_is_earned_at_the_till_is_spent_in_the_same_minute(
    till: Till, anna: ShopperId
) -> None:
    """C5: 100.00 earn 100 points and 5.00 of cashback; both pay the next basket at once."""
    first = buy(till, anna, 10_000)
    assert {(moved.unit, moved.total_minor) for moved in first.points} == {
        (POINTS, 100),
        (EURO, 500),
    }
    second = buy(till, anna, 600, 400, spend=SpendWish(unit=EURO, amount_minor=500))
    assert (second.tender.amount_minor, second.paid.amount_minor) == (500, 1_000)
    assert [line.tender_minor for line in second.lines] == [300, 200]
    third = buy(till, anna, 1_000, spend=SpendWish(unit=POINTS, amount_minor=100))
    assert third.tender.amount_minor == 100
    assert balance(till, anna) == 5 + 9, "what was paid with points earns none"
    assert till.shop.work.purchases.find(third.purchase) == third


def test_no_more_is_spent_than_is_needed(till: Till, anna: ShopperId) -> None:
    """All points, please: what the basket does not need stays in the wallet."""
    buy(till, anna, 10_000)
    purchase = buy(till, anna, 80, spend=SpendWish(unit=POINTS, amount_minor=100))
    assert purchase.tender.amount_minor == 80
    assert balance(till, anna) == 20


@pytest.mark.parametrize(
    ("spend", "refusal"),
    [
        (SpendWish(unit=POINTS, amount_minor=101), TillRefusal.BALANCE_TOO_LOW),
        (SpendWish(unit=LedgerUnit("CHF"), amount_minor=1), TillRefusal.UNIT_NOT_TAKEN),
    ],
)
def test_what_cannot_be_spent_is_refused_before_anything_is_held(
    till: Till, anna: ShopperId, spend: SpendWish, refusal: TillRefusal
) -> None:
    """Two currencies never meet, and nobody pays with what is not there."""
    buy(till, anna, 10_000)
    till.now_ms += MINUTE_MS
    code = till.scan(anna)
    assert till.ask(replace(asked(), card=code, spend=spend)) is refusal
    assert isinstance(till.ask(replace(asked(), card=code)), Held), "the code is still good"


def test_without_a_card_there_is_no_wallet(till: Till, shop: Shop) -> None:
    """A code proves a coupon, not a person."""
    shop.start(campaign())
    request = replace(asked(shop.code_in_hand()), spend=SpendWish(unit=POINTS, amount_minor=1))
    assert till.ask(request) is TillRefusal.SPEND_WITHOUT_CARD


def test_points_that_went_elsewhere_meanwhile_leave_the_basket_held(
    till: Till, anna: ShopperId
) -> None:
    """Two tills at once: the second commit is refused whole, and its basket can be replaced."""
    buy(till, anna, 10_000)
    till.now_ms += MINUTE_MS
    wish = SpendWish(unit=POINTS, amount_minor=100)
    held = till.ask(replace(asked(), card=till.scan(anna), spend=wish))
    assert isinstance(held, Held)
    buy(till, anna, 1_000, spend=wish)
    assert till.commit(held.held.held) is TillRefusal.BALANCE_TOO_LOW
    kept = till.shop.work.held_baskets.find(held.held.held)
    assert kept is not None
    assert kept.state is HoldState.HELD
    again = till.ask(replace(asked(), replaces=held.held.held))
    assert isinstance(again, Held)
    assert isinstance(till.commit(again.held.held), Settled)


def test_a_return_takes_back_what_was_earned_and_gives_back_what_was_spent(
    till: Till, anna: ShopperId
) -> None:
    """I9: brought back piece by piece, every account stands where it stood before."""
    buy(till, anna, 10_000)
    before = [balance(till, anna, unit) for unit in (POINTS, EURO)]
    purchase = buy(till, anna, 333, 667, 1_999, spend=SpendWish(unit=EURO, amount_minor=499))
    assert balance(till, anna, EURO) != before[1]
    money_minor = 0
    for place in (1, 0, 2):
        till.now_ms += MINUTE_MS
        money_minor += till.take_back(purchase.purchase, {place: 1}).refund.amount_minor
    assert money_minor == purchase.paid.amount_minor - 499
    assert [balance(till, anna, unit) for unit in (POINTS, EURO)] == before


def test_a_clawback_of_what_is_spent_becomes_a_debt_that_the_next_earning_repays(
    till: Till, anna: ShopperId
) -> None:
    """Buy, pay the next basket with the points, bring the first one back: no free lunch."""
    first = buy(till, anna, 10_000)
    buy(till, anna, 100, spend=SpendWish(unit=POINTS, amount_minor=100))
    till.take_back(first.purchase, {0: 1})
    owed = wallet(till, anna, POINTS)
    assert owed is not None
    assert (owed.debt_minor, owed.balance_minor) == (100, -100)
    buy(till, anna, 15_000)
    assert balance(till, anna) == 50


def test_a_code_without_a_card_earns_nothing(till: Till, shop: Shop) -> None:
    """Points need somebody who said that this is his purchase."""
    shop.start(campaign())
    assert till.pay(shop.code_in_hand()).points == ()


def test_a_purchase_names_what_it_moved(till: Till, anna: ShopperId) -> None:
    """The till prints it, the desk reads it when the goods come back."""
    buy(till, anna, 10_000)
    purchase = buy(till, anna, 1_000, spend=SpendWish(unit=EURO, amount_minor=100))
    assert [(moved.move, moved.unit, moved.total_minor) for moved in purchase.points] == [
        (PointsMove.SPENT, EURO, 100),
        (PointsMove.EARNED, POINTS, 9),
        (PointsMove.EARNED, EURO, 45),
    ]


@given(
    wanted=st.integers(1, 10_000),
    price_minor=st.integers(1, 10_000),
    worth=st.integers(1, 1_000),
)
def test_a_tender_is_just_enough(wanted: int, price_minor: int, worth: int) -> None:
    """One unit less would pay less; never more than asked, never more than the price."""
    to_pay = Money(amount_minor=price_minor, currency="EUR")
    wish = SpendWish(unit=POINTS, amount_minor=wanted)
    tender = tender_of(wish, to_pay=to_pay, worth_per_100=worth, available_minor=wanted)
    assert not isinstance(tender, TillRefusal)
    if tender is None:
        assert wanted * worth < 100
        return
    assert tender.amount_minor <= wanted
    assert tender.worth <= to_pay
    assert (tender.amount_minor - 1) * worth // 100 < tender.worth.amount_minor
    assert tender.amount_minor * worth // 100 >= tender.worth.amount_minor


@given(
    units=st.integers(1, 10_000),
    worth_minor=st.integers(1, 1_000),
    prices=st.lists(st.integers(0, 1_000), min_size=1, max_size=8),
)
def test_the_units_of_the_lines_sum_to_what_was_spent(
    units: int, worth_minor: int, prices: list[int]
) -> None:
    """A line's return gives its share back; together they give back all of it."""
    assume(sum(prices) >= worth_minor)
    worth = Money(amount_minor=worth_minor, currency="EUR")
    tender = Tender(unit=POINTS, amount_minor=units, worth=worth)
    shares = tender_shares(tender, prices)
    assert sum(shares) == worth_minor
    assert all(share <= price for share, price in zip(shares, prices, strict=True))
    lines = units_of_lines(tender, shares)
    assert sum(lines) == units
    assert all(share or not line for share, line in zip(shares, lines, strict=True))


def test_an_erased_shopper_leaves_nothing_held_and_goods_still_come_back(
    till: Till, shop: Shop, anna: ShopperId
) -> None:
    """The coupon of a friend in her basket is free again; her money comes back without a name."""
    shop.start(campaign())
    code = shop.code_in_hand()
    purchase = buy(till, anna, 10_000)
    till.now_ms += MINUTE_MS
    assert isinstance(till.ask(replace(asked(code), card=till.scan(anna))), Held)
    erase_shopper(anna, work=shop.work, now_ms=UnixMs(till.now_ms), secrets=shop.secrets)
    assert till.pay(code).discount.amount_minor == 200
    kept = shop.work.purchases.find(purchase.purchase)
    assert kept is not None
    assert (kept.shopper, kept.points) == (None, ())
    assert till.take_back(purchase.purchase, {0: 1}).refund.amount_minor == 10_000
